#include "ingest/ingestion.h"

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <future>
#include <utility>

#include "base/time.h"
#include "data/hash.h"
#include "ingest/file_identity.h"
#include "ingest/named_rows.h"
#include "ingest/near_names.h"
#include "ingest/publish.h"
#include "ingest/quarantine_files.h"
#include "ingest/screening.h"
#include "ingest/sorted_rows.h"
#include "ingest/spooled_input.h"
#include "stores/files.h"
#include "stores/record_names.h"

namespace coeval::ingest {

namespace {

using State = BatchOutcome::State;

constexpr std::size_t kMostCopiesTried = 16;  // files that a new one may be a copy of

template <class T>
std::optional<T> stricter(std::optional<T> a, std::optional<T> b) {
  if (!a || !b) return a ? a : b;
  return std::min(*a, *b);
}

// What is known of a file before its rows are read.
struct Plan {
  FileStamp stamp;
  std::int64_t first_line = 0;
  std::string note;
};

// Only of a text that grew at its end by whole lines the new ones alone can be told.
Result<Plan> plan_of(const std::string& path, const LoggedBatch* earlier) {
  Plan plan;
  COEVAL_ASSIGN(plan.stamp, stamp_of(path));
  if (earlier == nullptr) return plan;
  const BatchRecord& before = earlier->record;
  if (may_grow(path) && before.bytes > 0 && plan.stamp.bytes > before.bytes) {
    COEVAL_ASSIGN(const Prefix prefix, prefix_of(path, before.bytes));
    if (prefix.sha256 == before.sha256) {
      const bool cut = prefix.end == Prefix::End::within_line;
      plan.first_line = prefix.lines + (prefix.end == Prefix::End::before_line_end ? 2 : 1);
      plan.note =
          "it has grown since batch " + before.id + ": only the rows from line " +
          std::to_string(plan.first_line) + " on are added" +
          (cut ? ", the first of which was not whole then (what was read of it stays)" : "");
      return plan;
    }
  }
  plan.note = "batch " + before.id +
              " is of a file of this name with other content, which stays; " +
              "all rows of this one are added";
  return plan;
}

// Says so where a file under a name that is new begins with one that was ingested under another and
// is still there: a copy of a file that grew. Empty where it does not.
Result<std::string> copy_note(const define::Project& project, const Ledger& ledger,
                              const std::string& source, const std::string& path,
                              const FileStamp& stamp) {
  if (!may_grow(path)) return std::string();
  std::size_t tried = 0;
  for (auto batch = ledger.batches().rbegin(); batch != ledger.batches().rend(); ++batch) {
    const BatchRecord& before = batch->record;
    const bool may_be = before.source == source && before.bytes > 0 && before.bytes < stamp.bytes &&
                        may_grow(before.origin);
    if (!may_be) continue;
    if (++tried > kMostCopiesTried) break;
    const std::filesystem::path there = std::filesystem::path(project.folder) / before.origin;
    if (!begin_alike(there.string(), path, before.bytes)) continue;
    COEVAL_ASSIGN(const Prefix prefix, prefix_of(path, before.bytes));
    if (prefix.sha256 == before.sha256)
      return "it begins with all of " + origin_text(before.origin) + ", which is batch " +
             before.id +
             ": those rows are added again, for only a file of the same name is gone on with";
  }
  return std::string();
}

// One file on its way.
class FileRun {
 public:
  /// Rows that wait go to `spill_folder`.
  FileRun(const define::Source& source, std::string state_folder, std::string spill_folder,
          const IngestOptions& options, std::string path, Plan plan, BatchRecord record)
      : source_(source),
        state_folder_(std::move(state_folder)),
        options_(options),
        path_(std::move(path)),
        plan_(std::move(plan)),
        record_(std::move(record)),
        rows_({options.memory_bytes, std::move(spill_folder), options.files}) {}

  Status read(const replay::OpenFormat& formats, Screening& screening) {
    // Rows that are set aside need the hash before the file's end: it goes beside the reading, and
    // who needs it first waits for it. A dry run makes no batch, and needs none.
    if (!options_.dry_run)
      hash_ = std::async(std::launch::async, [this] { return data::sha256_of_file(path_); });
    auto read_it = read_pieces(source_, formats, path_, plan_.first_line,
                               [&](const Piece& piece) { return add(screening, piece); });
    if (!read_it)
      return std::unexpected(
          std::move(read_it).error().within("reading source '" + source_.name + "'"));
    if (!options_.dry_run) COEVAL_TRY(identify());
    COEVAL_ASSIGN(const FileStamp now, stamp_of(path_));
    if (now != plan_.stamp)
      return fail(Code::io, "'" + path_ + "' changed while it was read",
                  "ingest it when its writer is done; nothing of it was added");
    return rows_.finish();
  }

  BatchRecord& record() { return record_; }
  const SortedRows& rows() const { return rows_; }
  /// Rows that were not set aside: those that wait, where rows do.
  std::int64_t accepted() const { return waits() ? rows_.rows() : accepted_; }
  BatchQuarantine& quarantine() { return *quarantine_; }

 private:
  // A dry run needs its rows only where duplicates must be found among them.
  bool waits() const { return !options_.dry_run || source_.has_names(); }

  Status identify() {
    if (quarantine_) return {};
    COEVAL_ASSIGN(record_.sha256, hash_.get());
    record_.id = batch_id(source_.name, record_.sha256, plan_.first_line);
    quarantine_.emplace(state_folder_, source_.name, record_.id, options_.files);
    return {};
  }

  Status add(Screening& screening, const Piece& piece) {
    COEVAL_ASSIGN(TakenRows taken, screening.take(piece));
    record_.counts = screening.counts();
    for (auto& bad : taken.quarantined) COEVAL_TRY(set_aside(std::move(bad), piece));
    accepted_ += taken.accepted.rows;
    if (waits() && taken.accepted.rows > 0) COEVAL_TRY(rows_.add(taken.accepted, taken.known_us));
    if (options_.progress) options_.progress(record_.counts.read);
    return {};
  }

  Status set_aside(quality::QuarantinedRow bad, const Piece& piece) {
    if (options_.dry_run) return {};
    COEVAL_TRY(identify());
    bad.origin = record_.origin;
    bad.batch = record_.id;
    bad.sha256 = record_.sha256;
    bad.schema = stores::tag_text(record_.schema);
    // Of a text the row's own bytes are kept, not what was read out of them.
    if (const std::int64_t row = piece.row_on(bad.row); !bad.offset && row >= 0) {
      bad.raw = piece.text.raw(row);
      bad.offset = piece.text.offset(row);
    }
    if (bad.offset) {
      if (!header_) header_ = csv_header(path_);
      bad.header = *header_;
    }
    return quarantine_->add(bad);
  }

  const define::Source& source_;
  std::string state_folder_;
  const IngestOptions& options_;
  std::string path_;
  Plan plan_;
  BatchRecord record_;
  SortedRows rows_;
  std::int64_t accepted_ = 0;
  std::future<Result<std::string>> hash_;
  std::optional<BatchQuarantine> quarantine_;  // once the file's hash is known
  std::optional<std::string> header_;
};

// Rules that only warn, with the rows that break them, and what looks personal.
std::vector<std::string> warnings_of(const Screening& screening, const define::Source& source) {
  std::vector<std::string> warnings;
  for (const quality::Rule& rule : screening.checks().rules()) {
    const auto rows = screening.warned().find(rule.name);
    // With `warn_if` it is told when there are so many, by what judges counts.
    const bool has_bound =
        rule.check >= 0 && source.checks[static_cast<std::size_t>(rule.check)].warn_if.has_value();
    if (rows == screening.warned().end() || has_bound) continue;
    warnings.push_back(
        rule.name + ": " + std::to_string(rows->second) +
        (rows->second == 1 ? " row breaks it and stays: " : " rows break it and stay: ") +
        rule.description);
  }
  std::ranges::move(screening.unlisted(), std::back_inserter(warnings));
  std::ranges::move(screening.other_units(), std::back_inserter(warnings));
  for (const auto& column : screening.personal()) warnings.push_back(personal_text(column));
  return warnings;
}

// Known times never decrease within a log (semantics: T1): rows that come late count as known when
// the newest before them was. Empty where none does.
std::string raised_known_times(const SortedRows& rows, const stores::EventLog* log) {
  if (log == nullptr || rows.rows() == 0 || rows.first_known() >= log->last_known()) return {};
  const std::int64_t last_us = log->last_known().us;
  const std::int64_t count = rows.known_before(last_us);
  return std::to_string(count) + (count == 1 ? " row was" : " rows were") + " known before " +
         format_time(last_us) + ", the newest in the log, and " +
         (count == 1 ? "counts" : "count") +
         " as known from then on; were that moment wrong, such as in the future, `max_ahead` would "
         "have kept its row out";
}

RowVisit visit_of(const SortedRows& rows) {
  return
      [&rows](const std::function<Status(const EncodedRow&)>& visit) { return rows.visit(visit); };
}

}  // namespace

std::string display_path(const define::Project& project, const std::string& path) {
  namespace fs = std::filesystem;
  std::error_code failed;
  const fs::path whole = fs::absolute(path, failed).lexically_normal();
  const fs::path folder = fs::absolute(project.folder, failed).lexically_normal();
  const std::string relative = whole.lexically_relative(folder).string();
  return relative.empty() || relative.starts_with("..") ? whole.string() : relative;
}

Result<Ingestion> Ingestion::open(std::shared_ptr<const define::Project> project,
                                  replay::OpenFormat formats, std::string state_folder,
                                  IngestOptions options) {
  Ingestion ingestion;
  ingestion.project_ = std::move(project);
  ingestion.formats_ = std::move(formats);
  ingestion.state_folder_ = std::move(state_folder);
  ingestion.options_ = std::move(options);
  const std::string log_folder = ingestion.state_folder_ + "/log";
  if (!ingestion.options_.dry_run) {
    stores::LogOptions log_options;
    log_options.files = ingestion.options_.files;
    log_options.taken_back = &ingestion.taken_back_;
    COEVAL_ASSIGN(ingestion.log_, stores::open_log(log_folder, log_options));
  } else if (std::filesystem::exists(log_folder)) {
    COEVAL_ASSIGN(ingestion.log_, stores::open_log_for_reading(log_folder));
  }
  if (ingestion.log_) {
    COEVAL_ASSIGN(ingestion.ledger_, Ledger::read(*ingestion.log_));
  }
  if (!ingestion.options_.dry_run) COEVAL_TRY(ingestion.settle());
  return ingestion;
}

Status Ingestion::settle() {
  remove_dead_spools(state_folder_);
  COEVAL_TRY(settle_held(state_folder_, ledger_));
  HeldBatches held = held_batches(state_folder_);
  std::vector<std::string> keep;
  for (const auto& batch : held.batches) keep.push_back(batch.record.id);
  for (const auto& batch : held.damaged) keep.push_back(batch.id);
  damaged_held_ = std::move(held.damaged);
  for (const auto& source : project_->sources)
    COEVAL_TRY(settle_quarantine(state_folder_, source.name, ledger_, keep, *options_.files));
  return {};
}

Budgets Ingestion::budgets_of(const define::Source& source) const {
  return {stricter(options_.budgets.max_bad_rows, source.max_bad_rows),
          stricter(options_.budgets.max_bad_ratio, source.max_bad_ratio)};
}

Result<BatchOutcome> Ingestion::file(int source, const std::string& path,
                                     const std::string& origin) {
  const auto& declared = project_->sources[static_cast<std::size_t>(source)];
  BatchOutcome outcome;
  const bool has_name = origin != kInputOrigin;
  COEVAL_ASSIGN(const Plan plan,
                plan_of(path, has_name ? ledger_.find_origin(declared.name, origin) : nullptr));
  if (ledger_.has_size(declared.name, plan.stamp.bytes)) {
    COEVAL_ASSIGN(const std::string sha256, data::sha256_of_file(path));
    if (const LoggedBatch* there = ledger_.find_content(declared.name, sha256)) {
      outcome.state = State::known;
      outcome.record = there->record;
      return outcome;
    }
  }
  const HeldBatches waiting = held_batches(state_folder_);
  for (const auto& held : waiting.batches) {
    const bool same = held.record.source == declared.name && held.record.origin == origin;
    if (!has_name || !same) continue;
    outcome.state = State::held;
    outcome.record = held.record;
    outcome.reasons = held.reasons;
    outcome.note = "the batch of this file waits already: release or discard it first";
    return outcome;
  }

  const Past past{*project_, formats_, log_.get()};
  COEVAL_ASSIGN(
      const auto screening,
      Screening::create(past, source, path,
                        {define::Environment::train, options_.memory_bytes / 4,
                         options_.dry_run ? std::string() : state_folder_, options_.now_us()}));
  BatchRecord record;
  record.source = declared.name;
  record.origin = origin;
  record.bytes = plan.stamp.bytes;
  record.first_line = plan.first_line;
  record.schema = stores::schema_tag(declared.schema);
  outcome.note = plan.note;
  if (has_name && outcome.note.empty()) {
    COEVAL_ASSIGN(outcome.note, copy_note(*project_, ledger_, declared.name, path, plan.stamp));
  }
  std::string spill_folder = state_folder_;
  if (options_.dry_run && declared.has_names()) {
    COEVAL_ASSIGN(spill_folder, stores::temporary_folder());
  }
  FileRun run(declared, state_folder_, std::move(spill_folder), options_, path, plan,
              std::move(record));
  COEVAL_TRY(run.read(formats_, *screening));
  auto& counts = run.record().counts;
  COEVAL_ASSIGN(counts.duplicates,
                count_duplicates(*project_, source, formats_, log_.get(), run.rows()));
  counts.accepted = run.accepted() - counts.duplicates;
  if (!counts.holds())
    return fail(Code::internal,
                "rows were lost while reading " + path + ": " + quality::to_text(counts));
  outcome.record = run.record();
  if (const LoggedBatch* there = ledger_.find_content(declared.name, outcome.record.sha256)) {
    outcome.state = State::known;  // packed otherwise, or of another size when it was first seen
    outcome.record = there->record;
    return outcome;
  }
  if (counts.read == 0) {
    outcome.state = State::nothing;
    return outcome;
  }
  Decision decision = decide(counts, screening->finish(), budgets_of(declared));
  outcome.quarantined = screening->quarantined();
  outcome.reasons = std::move(decision.reasons);
  outcome.warnings = warnings_of(*screening, declared);
  COEVAL_ASSIGN(auto near, near_names(declared, formats_, path));
  std::ranges::move(near, std::back_inserter(outcome.warnings));
  if (auto raised = raised_known_times(run.rows(), log_.get()); !raised.empty())
    outcome.warnings.push_back(std::move(raised));
  std::ranges::move(decision.warnings, std::back_inserter(outcome.warnings));
  const bool publishes = outcome.reasons.empty();
  if (options_.dry_run) {
    outcome.state = State::counted;
    return outcome;
  }
  outcome.state = publishes ? State::published : State::held;
  COEVAL_TRY(run.quarantine().publish());
  const KnownTime first = run.rows().first_known();
  if (publishes)
    COEVAL_TRY(publish(*project_, *log_, options_.log_id, ledger_, outcome.record, first,
                       visit_of(run.rows())));
  else
    COEVAL_TRY(hold(state_folder_, outcome.record, first, outcome.reasons, visit_of(run.rows()),
                    options_.files));
  return outcome;
}

Result<HeldBatch> Ingestion::find_held(const std::string& id) const {
  HeldBatches waiting = held_batches(state_folder_);
  for (auto& held : waiting.batches)
    if (held.record.id == id) return std::move(held);
  for (auto& held : waiting.damaged)
    if (held.id == id) return std::unexpected(std::move(held.error));
  return fail(Code::unknown_name, "no batch '" + id + "' is held",
              "coeval ingest --held lists those that are");
}

Result<BatchOutcome> Ingestion::release(const std::string& id, const std::string& reason) {
  COEVAL_ASSIGN(const HeldBatch held, find_held(id));
  BatchOutcome outcome;
  outcome.record = held.record;
  outcome.record.reason = reason;
  const int source = project_->source_index(held.record.source);
  if (source < 0)
    return fail(Code::unknown_name, "the source '" + held.record.source + "' is gone",
                "restore it, or discard the batch");
  const auto& schema = project_->sources[static_cast<std::size_t>(source)].schema;
  if (stores::schema_tag(schema) != held.record.schema)
    return fail(
        Code::unsupported,
        "source '" + held.record.source + "' has other columns than when batch " + id + " was read",
        "discard the batch and ingest its file again");
  COEVAL_TRY(publish(*project_, *log_, options_.log_id, ledger_, outcome.record, held.first_known,
                     rows_of(held)));
  COEVAL_TRY(stores::remove_folder(held.folder));
  return outcome;
}

Result<BatchOutcome> Ingestion::discard(const std::string& id, const std::string& reason) {
  COEVAL_ASSIGN(const HeldBatch held, find_held(id));
  BatchOutcome outcome;
  outcome.state = State::nothing;
  outcome.record = held.record;
  Note note;
  note.kind = Note::Kind::discarded;
  note.id = id;
  note.source = held.record.source;
  note.reason = reason;
  note.rows = held.record.counts.read;
  COEVAL_TRY(publish(*log_, ledger_, note));
  COEVAL_TRY(stores::remove_folder(held.folder));
  COEVAL_TRY(settle());
  return outcome;
}

}  // namespace coeval::ingest
