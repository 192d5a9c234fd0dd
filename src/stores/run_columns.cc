#include "stores/run_columns.h"

#include <algorithm>
#include <array>
#include <utility>

#include "stores/process_mark.h"

namespace coeval::stores {

namespace {

constexpr std::array kTexts = {"model", "experiment", "kind", "state", "parent", "error"};
constexpr std::array kNumbers = {"version", "dataset_s", "train_s"};
constexpr std::array kIds = {"dataset_id", "ir_hash", "recipe_id", "bits_id"};
constexpr std::string_view kMetrics = "metrics.", kIdsPrefix = "ids.";

constexpr const char* kFieldNumber = "SELECT field FROM fields WHERE name = ?";
constexpr const char* kNumberColumn = "SELECT run, value FROM numbers WHERE field = ?";
constexpr const char* kTextColumn = "SELECT run, text FROM facts WHERE field = ?";
constexpr const char* kTagged = "SELECT run FROM facts WHERE field = ?";
constexpr const char* kStarted = "SELECT run, started_us FROM runs";
constexpr const char* kIdColumn = "SELECT run, id, started_us FROM runs";
constexpr const char* kOneStarted = "SELECT started_us FROM runs WHERE run = ?";
constexpr const char* kOneId = "SELECT id FROM runs WHERE run = ?";
constexpr const char* kOneNumber = "SELECT value FROM numbers WHERE field = ? AND run = ?";
constexpr const char* kOneText =
    "SELECT t.word FROM facts f JOIN texts t ON t.text = f.text WHERE f.field = ? AND f.run = ?";
constexpr const char* kWord = "SELECT word FROM texts WHERE text = ?";
constexpr const char* kProcess = "SELECT process FROM runs WHERE run = ?";

template <std::size_t N>
bool among(const std::array<const char*, N>& names, const std::string& name) {
  return std::ranges::any_of(names, [&](const char* each) { return name == each; });
}

}  // namespace

RunField run_field(const std::string& name) {
  using Kind = RunField::Kind;
  if (among(kTexts, name)) return {Kind::text, name};
  if (among(kNumbers, name)) return {Kind::number, name};
  if (among(kIds, name)) return {Kind::text, std::string(kIdsPrefix) + name};
  if (name == "id") return {Kind::id, name};
  if (name == "started" || name == "ended") return {Kind::time, name};
  if (name == "tag") return {Kind::tag, "tag."};
  if (name.starts_with("params.")) return {Kind::param, name};
  if (name.starts_with("environment.") || name.starts_with(kIdsPrefix)) return {Kind::text, name};
  if (name.starts_with(kMetrics)) return {Kind::number, name};
  return {Kind::number, std::string(kMetrics) + name};
}

std::string shown_run_field(const std::string& stored) {
  for (const std::string_view prefix : {kMetrics, kIdsPrefix}) {
    if (!stored.starts_with(prefix)) continue;
    std::string bare = stored.substr(prefix.size());
    return run_field(bare).stored == stored ? bare : stored;
  }
  return stored.starts_with("tag.") ? "tag" : stored;
}

bool is_fixed_run_field(const std::string& name) {
  return among(kTexts, name) || among(kNumbers, name) || among(kIds, name) || name == "id" ||
         name == "started" || name == "ended" || name == "tag";
}

Result<std::optional<std::int64_t>> RunColumns::field_number(const std::string& stored) {
  COEVAL_ASSIGN(auto query, database_.prepare(kFieldNumber));
  COEVAL_ASSIGN(const bool found, query.bind(stored).step());
  if (!found) return std::nullopt;
  return query.integer();
}

Status RunColumns::read_numbers(const RunField& field, NumberColumn& column) {
  const auto size = static_cast<std::size_t>(runs_ + 1);
  column.values.resize(size);
  column.present.resize(size);
  const bool started = field.stored == "started";
  std::optional<std::int64_t> number;
  if (!started) {
    COEVAL_ASSIGN(number, field_number(field.stored));
    if (!number) return {};
  }
  COEVAL_ASSIGN(auto query, database_.prepare(started ? kStarted : kNumberColumn));
  if (!started) query.bind(*number);
  for (;;) {
    COEVAL_ASSIGN(const bool more, query.step());
    if (!more) return {};
    const auto run = static_cast<std::uint64_t>(query.integer());
    if (run >= size) continue;  // began after this query did
    column.values[run] = query.real();
    column.present[run] = true;
  }
}

Result<const NumberColumn*> RunColumns::numbers(const RunField& field) {
  const auto found = numbers_.find(field.stored);
  if (found != numbers_.end()) return &found->second;
  NumberColumn column;
  COEVAL_TRY(read_numbers(field, column));
  return &(numbers_[field.stored] = std::move(column));
}

Result<std::string> RunColumns::word(std::int64_t text) {
  COEVAL_ASSIGN(auto query, database_.prepare(kWord));
  COEVAL_ASSIGN(const bool found, query.bind(text).step());
  if (!found) return fail(Code::metadata, "a text of the runs' database is missing");
  return query.text();
}

// And when they started, which stands beside them.
Status RunColumns::read_ids(TextColumn& column) {
  NumberColumn started;
  started.values.resize(column.values.size());
  started.present.resize(column.values.size());
  COEVAL_ASSIGN(auto query, database_.prepare(kIdColumn));
  for (;;) {
    COEVAL_ASSIGN(const bool more, query.step());
    if (!more) break;
    const auto run = static_cast<std::uint64_t>(query.integer());
    if (run >= column.values.size()) continue;
    column.values[run] = static_cast<std::int32_t>(column.words.size());
    column.words.push_back(query.text());
    started.values[run] = query.real();
    started.present[run] = true;
  }
  numbers_.try_emplace("started", std::move(started));
  return {};
}

Status RunColumns::read_texts(const RunField& field, TextColumn& column) {
  column.values.assign(static_cast<std::size_t>(runs_ + 1), -1);
  if (field.kind == RunField::Kind::id) return read_ids(column);
  COEVAL_ASSIGN(const auto number, field_number(field.stored));
  std::map<std::int64_t, std::int32_t> places;
  std::vector<std::int64_t> texts;
  if (number) {
    COEVAL_ASSIGN(auto query, database_.prepare(kTextColumn));
    query.bind(*number);
    for (;;) {
      COEVAL_ASSIGN(const bool more, query.step());
      if (!more) break;
      const auto run = static_cast<std::uint64_t>(query.integer());
      if (run >= column.values.size()) continue;
      const std::int64_t text = query.integer();
      const auto [place, fresh] = places.try_emplace(text, static_cast<std::int32_t>(texts.size()));
      if (fresh) texts.push_back(text);
      column.values[run] = place->second;
    }
  }
  column.words.reserve(texts.size());
  for (const std::int64_t text : texts) {
    COEVAL_ASSIGN(std::string found, word(text));
    column.words.push_back(std::move(found));
  }
  return field.stored == "state" ? add_open_states(column) : Status{};
}

// Of runs whose end was not recorded.
Status RunColumns::add_open_states(TextColumn& column) {
  for (std::int64_t run = 1; run <= runs_; ++run) {
    std::int32_t& place = column.values[static_cast<std::size_t>(run)];
    if (place >= 0) continue;
    COEVAL_ASSIGN(const std::string state, open_state(run));
    const auto found = std::ranges::find(column.words, state);
    place = static_cast<std::int32_t>(found - column.words.begin());
    if (found == column.words.end()) column.words.push_back(state);
  }
  return {};
}

Result<const TextColumn*> RunColumns::texts(const RunField& field) {
  const auto found = texts_.find(field.stored);
  if (found != texts_.end()) return &found->second;
  TextColumn column;
  COEVAL_TRY(read_texts(field, column));
  return &(texts_[field.stored] = std::move(column));
}

Result<std::vector<bool>> RunColumns::tagged(const std::string& tag) {
  std::vector<bool> has(static_cast<std::size_t>(runs_ + 1));
  const std::string stored = "tag." + tag;
  COEVAL_ASSIGN(const auto number, field_number(stored));
  if (!number) return has;
  COEVAL_ASSIGN(auto query, database_.prepare(kTagged));
  query.bind(*number);
  for (;;) {
    COEVAL_ASSIGN(const bool more, query.step());
    if (!more) return has;
    const auto run = static_cast<std::uint64_t>(query.integer());
    if (run < has.size()) has[run] = true;
  }
}

Result<std::string> RunColumns::open_state(std::int64_t run) {
  COEVAL_ASSIGN(auto query, database_.prepare(kProcess));
  COEVAL_ASSIGN(const bool found, query.bind(run).step());
  const std::string mark = found ? query.text() : std::string();
  const auto known = alive_.find(mark);
  const bool alive = known != alive_.end() ? known->second : (alive_[mark] = process_lives(mark));
  return std::string(name(alive ? RunState::running : RunState::interrupted));
}

Result<RunValue> RunColumns::none(const RunField& field, std::int64_t run) {
  if (field.stored != "state") return RunValue();
  COEVAL_ASSIGN(std::string state, open_state(run));
  return RunValue(std::move(state));
}

Result<RunValue> RunColumns::value(const RunField& field, std::int64_t run) {
  if (field.stored == "started" || field.kind == RunField::Kind::id) {
    COEVAL_ASSIGN(auto query, database_.prepare(field.is_number() ? kOneStarted : kOneId));
    COEVAL_ASSIGN(const bool found, query.bind(run).step());
    if (!found) return RunValue();
    return field.is_number() ? RunValue(query.real()) : RunValue(query.text());
  }
  COEVAL_ASSIGN(const auto number, field_number(field.stored));
  if (!number) return none(field, run);
  COEVAL_ASSIGN(auto query, database_.prepare(field.is_number() ? kOneNumber : kOneText));
  COEVAL_ASSIGN(const bool found, query.bind(*number).bind(run).step());
  if (!found) return none(field, run);
  return field.is_number() ? RunValue(query.real()) : RunValue(query.text());
}

}  // namespace coeval::stores
