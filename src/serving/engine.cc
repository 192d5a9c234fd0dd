#include "serving/engine.h"

#include <algorithm>
#include <random>
#include <span>
#include <utility>

#include "base/clock.h"
#include "serving/engine_parts.h"
#include "stores/record_names.h"

namespace coeval::serving {
namespace {

std::int64_t newest_known_us(const kernel::Kernel& kernel) {
  std::int64_t newest = INT64_MIN;
  for (const int view : kernel.views()) newest = std::max(newest, kernel.last_known_us(view));
  return newest;
}

}  // namespace

data::Json error_json(const Error& error) {
  data::Json json;
  std::string message = error.message;
  for (const std::string& context : error.context) message += " (" + context + ")";
  json.set("error", std::move(message));
  json.set("code", code_name(error.code));
  if (!error.advice.empty()) json.set("advice", error.advice);
  return json;
}

Answer error_answer(const Error& error) {
  return {info(error.code).http_status, error_json(error).dump()};
}

Engine::Parts::Parts(std::shared_ptr<const define::Project> p, std::unique_ptr<kernel::Kernel> k,
                     std::unique_ptr<stores::EventLog> l, std::unique_ptr<Clock> c,
                     std::string folder, Options o, std::unique_ptr<kernel::EventIndexes> n)
    : project(std::move(p)),
      kernel(std::move(k)),
      names(n ? std::move(n) : std::make_unique<kernel::EventIndexes>(*project)),
      log(std::move(l)),
      clock(std::move(c)),
      state_folder(std::move(folder)),
      options(std::move(o)),
      salt(static_cast<std::uint16_t>(std::random_device{}())),
      history_known_us(newest_known_us(*kernel)),
      snapshot_position(log.log().next_position().value),
      plans(std::make_shared<PlanTable>()) {}

std::int64_t Engine::Parts::last_known_us() const {
  return std::max(history_known_us, log.last_known().us);
}

// Rows that were kept out are written before the requests that brought them can be told again.
Status Engine::Parts::writable() {
  if (!log.failing()) return {};
  if (recovery_tried) return std::unexpected(*log.failure());
  recovery_tried = true;
  COEVAL_TRY(write_quarantined());
  return log.recover(now_s());
}

Status Engine::Parts::write_quarantined() {
  while (!quarantine.empty()) {
    const auto others = std::stable_partition(
        quarantine.begin(), quarantine.end(),
        [source = quarantine.front().source](const auto& row) { return row.source == source; });
    const std::span rows(quarantine.begin(), others);
    const Status written = quality::append_quarantine(state_folder, rows.front().source, rows);
    if (!written) {
      log.fail(written.error());
      return written;
    }
    quarantine.erase(quarantine.begin(), others);
  }
  return {};
}

Engine::Engine(std::shared_ptr<const define::Project> project,
               std::unique_ptr<kernel::Kernel> kernel, std::unique_ptr<stores::EventLog> log,
               std::unique_ptr<Clock> clock, std::string state_folder, Options options,
               std::unique_ptr<kernel::EventIndexes> names)
    : parts_(std::make_unique<Parts>(std::move(project), std::move(kernel), std::move(log),
                                     std::move(clock), std::move(state_folder), std::move(options),
                                     std::move(names))) {}

Engine::~Engine() = default;

Status Engine::prepare() {
  COEVAL_ASSIGN(parts_->memory,
                quality::RowMemory::create(*parts_->project, define::Environment::serve));
  for (const define::Source& source : parts_->project->sources) {
    COEVAL_ASSIGN(auto checks, quality::RowChecks::compile(source, define::Environment::serve));
    parts_->checks.push_back(std::move(checks));
    parts_->source_tags.push_back(stores::source_tag(source.name));
    parts_->schema_tags.push_back(stores::schema_tag(source.schema));
    COEVAL_TRY(parts_->log.declare(source.name, source.schema));
    COEVAL_ASSIGN(const auto kept, quality::last_keyed_rows(parts_->state_folder, source.name));
    for (const auto& row : kept) parts_->kept_before.insert(keyed_row(row));
  }
  return {};
}

bool Engine::remembers(int source) const { return parts_->memory->asks_for(source); }

void Engine::remember(int source, const data::Batch& rows, std::span<const std::int64_t> known_us) {
  parts_->memory->remember(source, rows, known_us);
}

void Engine::set_models(ModelTable table, AbsentModels absent) {
  auto plans = std::make_shared<PlanTable>();
  for (auto& [name, loaded] : table) {
    plans->served.emplace(name,
                          plan_model(name, std::move(loaded), *parts_->project, *parts_->kernel));
  }
  plans->absent = std::move(absent);
  const std::scoped_lock lock(parts_->plans_mutex);
  parts_->plans = std::move(plans);
}

Status Engine::commit() {
  Parts& parts = *parts_;
  const Status writable = parts.writable();
  parts.recovery_tried = false;  // the next round may try again
  if (!writable) return writable;
  if (const Status written = parts.write_quarantined(); !written) {
    ++parts.counters.commit_failures;
    return written;
  }
  const Status committed = parts.log.commit(parts.now_s());
  if (!committed) ++parts.counters.commit_failures;
  return committed;
}

Status Engine::sync() {
  COEVAL_TRY(commit());
  return parts_->log.sync(parts_->now_s());
}

bool Engine::has_uncommitted() const {
  return parts_->log.unsynced() > 0 || !parts_->quarantine.empty() || parts_->log.failing();
}

bool Engine::ready() const { return !parts_->log.failing(); }

Status Engine::Parts::continue_snapshot(bool to_its_end) {
  if (!snapshots->under_way()) return {};
  const std::optional<Status> outcome =
      to_its_end ? std::optional(snapshots->finish()) : snapshots->step();
  if (!outcome) return {};
  ++(*outcome ? counters.snapshots : counters.snapshot_failures);
  if (options.on_snapshot) options.on_snapshot(*outcome);
  if (*outcome && needs_room()) make_room();
  return *outcome;
}

// What changed stays. It may be more than what there is room for; then the next try waits until
// there is an eighth more.
void Engine::Parts::make_room() {
  kernel->drop_entities(kept_bytes(memory_bytes));
  full_at_bytes = std::max(memory_bytes, kernel->entity_bytes() + memory_bytes / 8);
}

bool Engine::Parts::snapshot_is_due(std::uint64_t since) {
  bool for_room = false;
  if (needs_room()) {
    make_room();
    for_room = kernel->entity_bytes() > kept_bytes(memory_bytes);
  }
  return since > 0 && (since >= options.snapshot_every || for_room);
}

Status Engine::snapshot_if_due(bool force) {
  Parts& parts = *parts_;
  if (!parts.snapshots) return {};
  // Where events come quicker than what changed can be written, they wait.
  const bool at_once =
      force || (parts.paged && parts.kernel->entity_bytes() > parts.full_at_bytes / 4 * 5);
  const Status before = parts.continue_snapshot(at_once);
  const std::uint64_t end = parts.log.log().next_position().value;
  const std::uint64_t since = end - parts.snapshot_position;
  const bool has_this = since == 0 && parts.snapshots->last().has_value();
  if (parts.snapshots->under_way() || (force ? has_this && before : !parts.snapshot_is_due(since)))
    return before;
  COEVAL_TRY(begin_snapshot());
  const Status now = parts.continue_snapshot(at_once);
  return before ? now : before;
}

Status Engine::begin_snapshot() {
  Parts& parts = *parts_;
  if (!parts.snapshots || parts.snapshots->under_way()) return {};
  // The state may only be saved at a position that the log will still have after a crash.
  COEVAL_TRY(parts.log.sync(parts.now_s()));
  const Position end = parts.log.log().next_position();
  parts.snapshot_position = end.value;  // also after a failure: the next try is in its own time
  COEVAL_ASSIGN(const stores::LogPoint at, stores::log_point(parts.log.log(), end));
  parts.snapshots->begin(at);
  return {};
}

bool Engine::snapshot_is_under_way() const {
  return parts_->snapshots && parts_->snapshots->under_way();
}

bool Engine::snapshot_is_busy() const { return parts_->snapshots && parts_->snapshots->is_busy(); }

std::optional<Position> Engine::snapshot_position() const {
  return parts_->snapshots ? parts_->snapshots->last() : std::nullopt;
}

void Engine::set_keys(RequestKeys keys) { parts_->keys = std::move(keys); }

void Engine::set_basis(std::string basis, std::optional<stores::SnapshotChain> restored_from) {
  Parts& parts = *parts_;
  if (restored_from) parts.snapshot_position = restored_from->position().value;
  parts.keep_snapshots(std::make_shared<stores::SnapshotSeries>(
      parts.state_folder + "/snapshots", std::move(basis), std::move(restored_from),
      parts.options.snapshot_files));
}

void Engine::set_paged(std::shared_ptr<PagedState> paged, std::size_t memory_bytes) {
  Parts& parts = *parts_;
  if (const auto position = paged->stored().position()) parts.snapshot_position = position->value;
  parts.keep_snapshots(paged->target());
  parts.paged = std::move(paged);
  parts.memory_bytes = parts.full_at_bytes = memory_bytes;
}

void Engine::Parts::keep_snapshots(std::shared_ptr<stores::SnapshotTarget> target) {
  snapshots =
      std::make_unique<StateSnapshots>(kernel::state_parts(*kernel, *names), std::move(target),
                                       options.snapshot_pace, [this] { return now_s(); });
}

const Engine::Options& Engine::options() const { return parts_->options; }
const define::Project& Engine::project() const { return *parts_->project; }
Counters& Engine::counters() { return parts_->counters; }

}  // namespace coeval::serving
