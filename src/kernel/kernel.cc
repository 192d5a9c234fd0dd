#include "kernel/kernel.h"

#include <algorithm>
#include <map>
#include <mutex>
#include <numeric>
#include <optional>
#include <utility>

#include "base/check.h"
#include "data/row_codec.h"
#include "kernel/amended_block.h"
#include "kernel/answer_columns.h"
#include "kernel/blocks.h"
#include "kernel/event_rows.h"
#include "kernel/history_answers.h"
#include "kernel/replay_part.h"
#include "kernel/view_state.h"

namespace coeval::kernel {

namespace {

constexpr std::string_view kMagic = "coeval state 1\n";

std::string in_source(const define::Source& source, const std::string& column) {
  return "column '" + column + "' of source '" + source.name + "'";
}

// Rows must have the source's columns; columns that are not nullable must have no null.
Status check_rows(const define::Source& source, const data::Batch& rows) {
  if (rows.columns.size() != source.schema.fields.size())
    return fail(Code::type_mismatch, "events of source '" + source.name + "' have " +
                                         std::to_string(rows.columns.size()) +
                                         " columns instead of " +
                                         std::to_string(source.schema.fields.size()));
  for (std::size_t i = 0; i < rows.columns.size(); ++i) {
    const data::Field& field = source.schema.fields[i];
    const data::Column& column = rows.columns[i];
    if (column.type() != field.type || column.size() != rows.rows)
      return fail(Code::type_mismatch, in_source(source, field.name) + " must be " +
                                           std::string(name(field.type)) + ", found " +
                                           std::string(name(column.type())));
    const bool required = !field.nullable || static_cast<int>(i) == source.time_index;
    for (std::int64_t row = 0; required && column.has_nulls() && row < rows.rows; ++row)
      if (column.is_null(row))
        return fail(Code::missing_value,
                    in_source(source, field.name) + " is null in row " + std::to_string(row));
  }
  return {};
}

// Texts that a view computes must fit into one column for each block of events.
Status check_texts(const define::Source& source, const EvaluationCounts& counts) {
  if (counts.texts_without_room == 0) return {};
  return fail(Code::unsupported,
              "the texts that a view computes of source '" + source.name +
                  "' come to more than 2 GiB, counting each distinct text once; rows without: " +
                  std::to_string(counts.texts_without_room),
              "let the view read shorter texts, such as substr(text, 1, 64) or hash_bucket(text, "
              "1000000)");
}

std::vector<const data::Column*> key_columns_of(const define::View& view, const data::Batch& rows) {
  std::vector<const data::Column*> columns;
  for (const int column : view.key_columns)
    columns.push_back(&rows.columns[static_cast<std::size_t>(column)]);
  return columns;
}

// Brings into memory what rows are about, and what they take back.
Status fetch_entities(ViewState& state, std::span<const data::Column* const> keys,
                      std::int64_t rows, const Amendments* amendments, const define::View& view) {
  std::vector<std::string> unknown;
  state.keys().find_rows(keys, rows, unknown);
  if (amendments != nullptr && !amendments->names.empty())
    entities_taken_back(view, *amendments, state.keys(), unknown);
  return state.fetch(unknown);
}

std::vector<std::int64_t> times_of(const data::Column& column) {
  const auto values = column.values<std::int64_t>();
  auto times = make_reserved<std::int64_t>(values.size());
  times.assign(values.begin(), values.end());
  return times;
}

}  // namespace

struct Kernel::Parts {
  std::shared_ptr<const define::Project> project;
  std::vector<int> views;
  std::vector<std::unique_ptr<ViewState>> states;  // by view; null for those not kept
  std::vector<ReplayScratch> scratch;              // by view
  std::optional<EventRows> event_rows;
  // Of prepare_events, which may run for several sources at once.
  mutable std::mutex counts_mutex;
  EvaluationCounts counts;

  ViewState& state(int view) const {
    auto& state = states[static_cast<std::size_t>(view)];
    COEVAL_CHECK(state != nullptr);
    return *state;
  }
  const define::View& view(int index) const {
    return project->views[static_cast<std::size_t>(index)];
  }
  const define::Source& source_of(int index) const {
    return project->sources[static_cast<std::size_t>(view(index).source)];
  }
  Result<std::vector<const data::Column*>> key_columns(int index,
                                                       const data::Batch& questions) const;
};

Kernel::Kernel() : parts_(std::make_unique<Parts>()) {}
Kernel::~Kernel() = default;

Result<std::unique_ptr<Kernel>> Kernel::create(std::shared_ptr<const define::Project> project,
                                               std::vector<int> views, StateShape shape) {
  std::unique_ptr<Kernel> kernel(new Kernel());
  Parts& parts = *kernel->parts_;
  parts.project = std::move(project);
  parts.views = std::move(views);
  parts.states.resize(parts.project->views.size());
  parts.scratch.resize(parts.project->views.size());
  for (const int index : parts.views) {
    parts.states[static_cast<std::size_t>(index)] = std::make_unique<ViewState>(
        parts.view(index),
        RecordLayout::create(parts.view(index), parts.source_of(index).event_schema(),
                             parts.source_of(index).has_corrections()),
        parts.project->zone, shape);
  }
  parts.event_rows.emplace(*parts.project, parts.views);
  return kernel;
}

namespace {

// Does something for each view: side by side, or, where there is but one, its parts.
void run_views(const RunParts& run, std::size_t views,
               const std::function<void(std::size_t, const RunParts&)>& of_view) {
  if (views == 1) return of_view(0, run);
  run(views, [&](std::size_t i) { of_view(i, run_in_turn); });
}

}  // namespace

bool Kernel::learns(int source) const { return parts_->event_rows->learns(source); }
bool Kernel::looks_up(int source) const { return parts_->event_rows->extends(source); }
std::int64_t Kernel::learned_count() const { return parts_->event_rows->size(); }

Status Kernel::learn(int source, const data::Batch& rows, std::span<const std::int64_t> known_us,
                     std::span<const std::int64_t> order) {
  if (!learns(source)) return {};
  COEVAL_TRY(check_rows(parts_->project->sources[static_cast<std::size_t>(source)], rows));
  parts_->event_rows->learn(source, rows, known_us, order);
  return {};
}

Status Kernel::learn(int source, const data::Batch& rows, std::span<const std::int64_t> known_us) {
  if (!learns(source)) return {};
  std::vector<std::int64_t> order(known_us.size());
  std::iota(order.begin(), order.end(), 0);
  return learn(source, rows, known_us, order);
}

Result<EventBlock> Kernel::prepare_events(int source_index, const data::Batch& own_rows,
                                          std::span<const std::int64_t> known_us,
                                          const RunParts& run, const Amendments* amendments) {
  const define::Source& source = parts_->project->sources[static_cast<std::size_t>(source_index)];
  COEVAL_TRY(check_rows(source, own_rows));
  COEVAL_CHECK(known_us.size() == static_cast<std::size_t>(own_rows.rows));
  COEVAL_CHECK(amendments == nullptr || amendments->roles.size() == known_us.size());
  EvaluationCounts counts;
  const std::optional<data::Batch> extended =
      looks_up(source_index)
          ? std::optional(parts_->event_rows->extended(source_index, own_rows, known_us, counts))
          : std::nullopt;
  const data::Batch& rows = extended ? *extended : own_rows;
  EventBlock block;
  block.source = source_index;
  block.rows = rows.rows;
  block.event_time_us = times_of(rows.columns[static_cast<std::size_t>(source.time_index)]);
  block.known_us = make_reserved<std::int64_t>(known_us.size());
  block.known_us.assign(known_us.begin(), known_us.end());
  block.views.resize(parts_->states.size());
  ExpressionCache expressions(rows, counts);
  std::vector<int> fed;
  for (const int index : parts_->views) {
    if (parts_->view(index).source != source_index) continue;
    fed.push_back(index);
    ViewState& state = parts_->state(index);
    auto mine = std::make_shared<EventBlock::PerView>();
    for (const int other : parts_->views)
      if (const auto& shared = block.views[static_cast<std::size_t>(other)];
          shared && parts_->state(other).layout().text == state.layout().text) {
        mine->records = shared->records;
        mine->strings = shared->strings;
      }
    if (!mine->records) {
      auto records = make_records(state.layout(), block.event_time_us, known_us, expressions, run);
      if (state.layout().replaceable)
        write_names(state.layout(), rows.columns[static_cast<std::size_t>(source.identity.id)],
                    records);
      mine->records = std::make_shared<const LargeVector<std::byte>>(std::move(records));
      mine->strings = std::make_shared<const std::vector<data::Column>>(
          string_columns(state.layout(), expressions));
    }
    mine->stride = state.layout().stride;
    block.views[static_cast<std::size_t>(index)] = std::move(mine);
  }
  COEVAL_TRY(check_texts(source, counts));
  for (const int index : fed)
    if (parts_->state(index).pages())
      COEVAL_TRY(fetch_entities(parts_->state(index), key_columns_of(parts_->view(index), rows),
                                rows.rows, amendments, parts_->view(index)));
  std::shared_ptr<EventBlock::TakenBack> taken_back;
  if (amendments != nullptr && !amendments->names.empty())
    taken_back = make_taken_back(*amendments, parts_->states.size());
  run_views(run, fed.size(), [&](std::size_t i, const RunParts& run_parts) {
    const auto index = static_cast<std::size_t>(fed[i]);
    const auto keys = key_columns_of(parts_->project->views[index], rows);
    KeyTable& table = parts_->states[index]->keys();
    block.views[index]->entities = table.intern_rows(keys, rows.rows, run_parts);
    if (parts_->states[index]->pages()) parts_->states[index]->touch(block.views[index]->entities);
    if (amendments != nullptr) leave_out(*amendments, block.views[index]->entities);
    std::vector<std::string> unknown;
    if (taken_back)
      taken_back->entities[index] =
          entities_taken_back(parts_->project->views[index], *amendments, table, unknown);
  });
  block.taken_back = std::move(taken_back);
  const std::lock_guard lock(parts_->counts_mutex);
  parts_->counts += counts;
  return block;
}

// The question's columns that hold a view's key.
Result<std::vector<const data::Column*>> Kernel::Parts::key_columns(
    int index, const data::Batch& questions) const {
  std::vector<const data::Column*> columns;
  for (const int key : view(index).key_columns) {
    const data::Field& field =
        source_of(index).event_schema().fields[static_cast<std::size_t>(key)];
    const data::Column* column = questions.find(field.name);
    if (column == nullptr)
      return fail(Code::missing_value, "the question has no column '" + field.name +
                                           "', a key of view '" + view(index).name + "'");
    if (column->type() != field.type)
      return fail(Code::type_mismatch, "key column '" + field.name + "' must be " +
                                           std::string(name(field.type)) + ", found " +
                                           std::string(name(column->type())));
    columns.push_back(column);
  }
  return columns;
}

Result<QuestionBlock> Kernel::prepare_questions(const data::Batch& questions,
                                                std::span<const std::int64_t> at_us,
                                                std::span<const int> views, const RunParts& run) {
  QuestionBlock block;
  block.rows = static_cast<std::int64_t>(at_us.size());
  block.at_us.assign(at_us.begin(), at_us.end());
  block.views.resize(parts_->states.size());
  std::vector<std::vector<const data::Column*>> keys;
  for (const int index : views) {
    COEVAL_ASSIGN(auto columns, parts_->key_columns(index, questions));
    keys.push_back(std::move(columns));
    parts_->state(index).release_answers();
  }
  run_views(run, views.size(), [&](std::size_t i, const RunParts& run_parts) {
    auto mine = std::make_shared<QuestionBlock::PerView>();
    mine->entities = parts_->state(views[i]).keys().find_rows(keys[i], block.rows,
                                                              mine->unknown_keys, run_parts);
    block.views[static_cast<std::size_t>(views[i])] = std::move(mine);
  });
  // A key that is unknown now is looked up again when its question is asked.
  for (const int view : views) {
    ViewState& state = parts_->state(view);
    const auto& mine = *block.views[static_cast<std::size_t>(view)];
    if (!state.pages()) continue;
    COEVAL_TRY(state.fetch(mine.unknown_keys));
    state.touch(mine.entities);
  }
  return block;
}

void Kernel::page_from(UnitSource& units) {
  std::uint32_t part = 0;  // as in state_parts()
  for (const int view : parts_->views) parts_->state(view).page_from(units, part++);
}

std::size_t Kernel::entity_bytes() const {
  std::size_t bytes = 0;
  for (const int view : parts_->views) bytes += parts_->state(view).bytes();
  return bytes;
}

// Each view gives up the same share of what it has.
void Kernel::drop_entities(std::size_t bytes) {
  const std::size_t present = entity_bytes();
  if (present <= bytes) return;
  const double share = static_cast<double>(bytes) / static_cast<double>(present);
  for (const int view : parts_->views) {
    ViewState& state = parts_->state(view);
    state.drop_entities(static_cast<std::size_t>(static_cast<double>(state.bytes()) * share));
  }
}

namespace {

// Rows are mostly applied one after the other, and their entities lie anywhere in memory.
void fetch_ahead(const ViewState& state, const EventBlock::PerView& block, std::int64_t row) {
  constexpr std::size_t kStep = 3;
  const std::span<const std::int32_t> entities(block.entities);
  const auto place = static_cast<std::size_t>(row);
  if (place + 3 * kStep >= entities.size()) return;
  state.fetch_block(entities[place + 3 * kStep]);
  state.fetch_head(entities[place + 2 * kStep]);
  state.fetch_end(entities[place + kStep]);
}

}  // namespace

void Kernel::apply(int view, const EventBlock& events, std::int64_t row) {
  const auto& mine = *events.views[static_cast<std::size_t>(view)];
  ViewState& state = parts_->state(view);
  if (events.taken_back) [[unlikely]]
    take_back(state, view, events, row);
  fetch_ahead(state, mine, row);
  state.apply(mine.record(row), mine.entity(row), *mine.strings);
}

void Kernel::apply(const EventBlock& events, std::int64_t row) {
  for (const int view : parts_->views)
    if (events.views[static_cast<std::size_t>(view)]) apply(view, events, row);
}

void Kernel::ask(int view, const QuestionBlock& questions, std::int64_t row, std::span<Cell> out) {
  ViewState& state = parts_->state(view);
  COEVAL_CHECK(out.size() >= parts_->view(view).feature_count());
  const auto& mine = *questions.views[static_cast<std::size_t>(view)];
  state.ask(entity_of(state, mine, row), questions.at_us[static_cast<std::size_t>(row)],
            out.data());
}

std::vector<data::Column> Kernel::replay(int view, const EventBlock& events,
                                         std::span<const std::int64_t> event_order,
                                         std::size_t& next_event, const QuestionBlock& questions,
                                         std::span<const std::int64_t> question_order) {
  AnswerColumns answers(parts_->view(view), question_order.size());
  parts_->state(view).release_answers();
  if (question_order.empty()) return answers.finish();
  const std::int64_t last_at = questions.at_us[static_cast<std::size_t>(question_order.back())];
  std::size_t end = next_event;
  while (end < event_order.size() &&
         events.known_us[static_cast<std::size_t>(event_order[end])] < last_at)
    ++end;
  if (events.taken_back) {
    replay_in_turn(view, events, event_order.subspan(next_event, end - next_event), questions,
                   question_order, answers);
    next_event = end;
    return answers.finish();
  }
  replay_part(parts_->state(view), *events.views[static_cast<std::size_t>(view)],
              event_order.subspan(next_event, end - next_event),
              *questions.views[static_cast<std::size_t>(view)], questions.at_us, question_order,
              parts_->scratch[static_cast<std::size_t>(view)], answers);
  next_event = end;
  return answers.finish();
}

// The plain loop. An event may be taken back by a row of another entity, so that the turns of
// entities would have to meet.
void Kernel::replay_in_turn(int view, const EventBlock& events,
                            std::span<const std::int64_t> event_order,
                            const QuestionBlock& questions,
                            std::span<const std::int64_t> question_order, AnswerColumns& answers) {
  std::vector<Cell> cells(answers.features());
  const Cell* const row[] = {cells.data()};
  auto event = event_order.begin();
  for (std::size_t i = 0; i < question_order.size(); ++i) {
    const std::int64_t at_us = questions.at_us[static_cast<std::size_t>(question_order[i])];
    for (; event != event_order.end() &&
           events.known_us[static_cast<std::size_t>(*event)] < at_us;  // semantics: T3
         ++event)
      apply(view, events, *event);
    ask(view, questions, question_order[i], cells);
    answers.put(i, row);
  }
}

std::unique_ptr<HistoryAnswers> Kernel::answer_history(std::span<const int> views,
                                                       std::span<const EventBlock> events,
                                                       std::span<const HistoryOrder> event_orders,
                                                       const QuestionBlock& questions,
                                                       std::span<const std::int64_t> question_order,
                                                       std::size_t threads, const RunParts& run,
                                                       HistoryWay way) {
  auto parts = std::make_unique<HistoryAnswers::Parts>();
  parts->kernel = this;
  parts->questions = &questions;
  parts->order = question_order;
  parts->threads = std::max<std::size_t>(threads, 1);
  parts->run = run;
  parts->count = [this](const EvaluationCounts& counts) {
    const std::lock_guard lock(parts_->counts_mutex);
    parts_->counts += counts;
  };
  for (const int view : views) parts->views.emplace_back().view = view;
  parts->plan({*parts_->project,
               [this](int view) -> const ViewState& { return parts_->state(view); }, events,
               event_orders, way});
  return std::make_unique<HistoryAnswers>(std::move(parts));
}

bool Kernel::reaches(int view, std::int64_t at_us) const {
  return parts_->state(view).reaches(at_us);
}
std::int64_t Kernel::last_known_us(int view) const { return parts_->state(view).last_known_us(); }
std::int64_t Kernel::entity_count(int view) const { return parts_->state(view).entity_count(); }
std::int64_t Kernel::event_count(int view) const { return parts_->state(view).event_count(); }
std::int64_t Kernel::dropped_late_count(int view) const {
  return parts_->state(view).dropped_late_count();
}

std::int64_t Kernel::string_count(int view) const { return parts_->state(view).string_count(); }

EvaluationCounts Kernel::counts() const {
  const std::lock_guard lock(parts_->counts_mutex);
  EvaluationCounts all = parts_->counts;
  for (const int view : parts_->views) all += parts_->state(view).counts();
  return all;
}

const std::vector<int>& Kernel::views() const { return parts_->views; }
const define::Project& Kernel::project() const { return *parts_->project; }

std::string Kernel::serialize() const {
  std::string out(kMagic);
  data::put_u64(out, parts_->views.size());
  for (const int view : parts_->views) {
    data::put_text(out, parts_->view(view).name);
    parts_->state(view).serialize(out);
  }
  parts_->event_rows->serialize(out);
  return out;
}

Status Kernel::restore(std::string_view bytes) {
  std::string_view rest = bytes;
  const auto take = [&](auto& value, auto read) {
    data::ByteReader reader(rest);
    const bool good = (reader.*read)(value);
    rest.remove_prefix(rest.size() - reader.remaining());
    return good;
  };
  std::uint64_t count = 0;
  bool good = rest.starts_with(kMagic);
  rest.remove_prefix(good ? kMagic.size() : 0);
  good = good && take(count, &data::ByteReader::u64) && count == parts_->views.size();
  for (const int view : parts_->views) {
    std::string_view name;
    good = good && take(name, &data::ByteReader::text) && name == parts_->view(view).name;
    good = good && parts_->state(view).restore(rest);
  }
  good = good && parts_->event_rows->restore(rest);
  if (good && rest.empty()) return {};
  for (const int view : parts_->views) {
    std::string_view nothing;
    (void)parts_->state(view).restore(nothing);
  }
  std::string_view nothing;
  (void)parts_->event_rows->restore(nothing);
  return fail(Code::snapshot_corrupt,
              "the state's bytes cannot be read back, or belong to another definition",
              "the state is rebuilt from the log");
}

std::vector<NamedPart> Kernel::state_parts() {
  std::vector<NamedPart> parts;
  for (const int view : parts_->views)
    parts.push_back({"view " + parts_->view(view).name, &parts_->state(view)});
  for (NamedPart& table : parts_->event_rows->state_parts()) parts.push_back(std::move(table));
  return parts;
}

}  // namespace coeval::kernel
