// A file of runs is six tables that only grow. A run is a row of `runs`; all else about it are
// facts (texts) and numbers, each under a named field: "params.max_depth", "metrics.test.auc",
// "state". Names of fields and texts are kept once. Facts and numbers are clustered by field, so
// that one field of all runs lies together and is read in one sweep: that is what makes a list of
// 100,000 runs by any metric quick, whatever it is sorted and filtered by, without an index of
// each. A run that began and has no "state" is running, or was interrupted.
//
// SQLite keeps a rollback journal here and no write-ahead log: readers make no file, and the two
// writes of a run are rare. The file's user_version is the version of this layout.

#include "stores/run_store.h"

#include <algorithm>
#include <cstdio>
#include <utility>

#include "base/time.h"
#include "data/json.h"
#include "stores/files.h"
#include "stores/process_mark.h"
#include "stores/run_columns.h"
#include "stores/run_rows.h"
#include "stores/sqlite_database.h"

namespace coeval::stores {

namespace {

constexpr std::int64_t kLayoutVersion = 1;
constexpr std::int64_t kMostRuns = 50'000'000;
constexpr int kMostSameTime = 100'000;
constexpr int kShownIds = 4;                                    // the limit of kRunsByPrefix
constexpr std::int64_t kLatestStart = 253'402'300'800'000'000;  // the year 10000

constexpr const char* kPragmas =
    "PRAGMA journal_mode = DELETE; PRAGMA synchronous = FULL; PRAGMA recursive_triggers = ON;";

constexpr const char* kLayout = R"sql(
CREATE TABLE runs (
  run INTEGER PRIMARY KEY CHECK (run > 0), id TEXT NOT NULL UNIQUE, started_us INTEGER NOT NULL,
  process TEXT NOT NULL) STRICT;
CREATE TABLE fields (field INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
CREATE TABLE texts (text INTEGER PRIMARY KEY, word TEXT NOT NULL UNIQUE) STRICT;
CREATE TABLE facts (
  field INTEGER NOT NULL, run INTEGER NOT NULL, text INTEGER NOT NULL,
  PRIMARY KEY (field, run)) STRICT, WITHOUT ROWID;
CREATE TABLE numbers (
  field INTEGER NOT NULL, run INTEGER NOT NULL, value REAL,
  PRIMARY KEY (field, run)) STRICT, WITHOUT ROWID;
CREATE TABLE curves (
  run INTEGER NOT NULL, name TEXT NOT NULL, points_json TEXT NOT NULL,
  PRIMARY KEY (run, name)) STRICT, WITHOUT ROWID;
CREATE TRIGGER runs_no_update BEFORE UPDATE ON runs
  BEGIN SELECT RAISE(ABORT, 'runs is append-only'); END;
CREATE TRIGGER runs_no_delete BEFORE DELETE ON runs
  BEGIN SELECT RAISE(ABORT, 'runs is append-only'); END;
CREATE TRIGGER fields_no_update BEFORE UPDATE ON fields
  BEGIN SELECT RAISE(ABORT, 'fields is append-only'); END;
CREATE TRIGGER fields_no_delete BEFORE DELETE ON fields
  BEGIN SELECT RAISE(ABORT, 'fields is append-only'); END;
CREATE TRIGGER texts_no_update BEFORE UPDATE ON texts
  BEGIN SELECT RAISE(ABORT, 'texts is append-only'); END;
CREATE TRIGGER texts_no_delete BEFORE DELETE ON texts
  BEGIN SELECT RAISE(ABORT, 'texts is append-only'); END;
CREATE TRIGGER facts_no_update BEFORE UPDATE ON facts
  BEGIN SELECT RAISE(ABORT, 'facts is append-only'); END;
CREATE TRIGGER facts_no_delete BEFORE DELETE ON facts
  BEGIN SELECT RAISE(ABORT, 'facts is append-only'); END;
CREATE TRIGGER numbers_no_update BEFORE UPDATE ON numbers
  BEGIN SELECT RAISE(ABORT, 'numbers is append-only'); END;
CREATE TRIGGER numbers_no_delete BEFORE DELETE ON numbers
  BEGIN SELECT RAISE(ABORT, 'numbers is append-only'); END;
CREATE TRIGGER curves_no_update BEFORE UPDATE ON curves
  BEGIN SELECT RAISE(ABORT, 'curves is append-only'); END;
CREATE TRIGGER curves_no_delete BEFORE DELETE ON curves
  BEGIN SELECT RAISE(ABORT, 'curves is append-only'); END;
PRAGMA user_version = 1;
)sql";

constexpr const char* kCount = "SELECT count(*), coalesce(max(run), 0) FROM runs";
constexpr const char* kIdTaken = "SELECT 1 FROM runs WHERE id = ?";
constexpr const char* kInsertRun = "INSERT INTO runs (id, started_us, process) VALUES (?, ?, ?)";
constexpr const char* kRunNumber = "SELECT run FROM runs WHERE id = ?";
constexpr const char* kRunsByPrefix =
    "SELECT run, id, started_us FROM runs WHERE id >= ? AND id < ? ORDER BY id LIMIT 4";
constexpr const char* kInsertField = "INSERT OR IGNORE INTO fields (name) VALUES (?)";
constexpr const char* kField = "SELECT field FROM fields WHERE name = ?";
constexpr const char* kFields = "SELECT name FROM fields";
constexpr const char* kInsertText = "INSERT OR IGNORE INTO texts (word) VALUES (?)";
constexpr const char* kText = "SELECT text FROM texts WHERE word = ?";
// What the start said stays.
constexpr const char* kInsertFact =
    "INSERT OR IGNORE INTO facts (field, run, text) VALUES (?, ?, ?)";
constexpr const char* kInsertNumber =
    "INSERT OR IGNORE INTO numbers (field, run, value) VALUES (?, ?, ?)";
constexpr const char* kInsertCurve =
    "INSERT OR IGNORE INTO curves (run, name, points_json) VALUES (?, ?, ?)";
constexpr const char* kHasFact = "SELECT 1 FROM facts WHERE field = ? AND run = ?";
// By way of the fields, of which there are few; not by way of all facts.
constexpr const char* kFactsOfRun =
    "SELECT f.name, t.word FROM fields f CROSS JOIN facts a ON a.field = f.field AND a.run = ? "
    "CROSS JOIN texts t ON t.text = a.text";
constexpr const char* kNumbersOfRun =
    "SELECT f.name, n.value FROM fields f CROSS JOIN numbers n ON n.field = f.field AND n.run = ?";
constexpr const char* kCurvesOfRun = "SELECT name, points_json FROM curves WHERE run = ?";

std::string id_at(std::int64_t us) {
  const CivilTime at = civil_time(us);
  char text[40];
  std::snprintf(text, sizeof text, "%04d%02d%02d-%02d%02d%02d-%06d", static_cast<int>(at.year),
                at.month, at.day, at.hour, at.minute, at.second, at.microsecond);
  return text;
}

std::string curve_json(const std::vector<double>& points) {
  return data::Json(data::Json::Array(points.begin(), points.end())).dump();
}

Result<std::vector<double>> curve_from(const std::string& text) {
  COEVAL_ASSIGN(const data::Json json, data::parse_json(text));
  std::vector<double> points;
  if (json.array() == nullptr) return fail(Code::metadata, "a curve of a run is no array");
  for (const data::Json& point : *json.array()) {
    COEVAL_ASSIGN(const data::Value value, data::from_json(point, data::Type::float64));
    const double* number = std::get_if<double>(&value);
    if (number == nullptr) return fail(Code::metadata, "a point of a curve is null");
    points.push_back(*number);
  }
  return points;
}

// All that a query reads is of one moment.
class Reading {
 public:
  static Result<Reading> begin(Database& database) {
    COEVAL_TRY(database.execute("BEGIN"));
    return Reading(database);
  }
  Reading(Reading&& other) noexcept : database_(std::exchange(other.database_, nullptr)) {}
  Reading& operator=(Reading&&) = delete;
  ~Reading() {
    if (database_ != nullptr) static_cast<void>(database_->execute("ROLLBACK"));
  }

 private:
  explicit Reading(Database& database) : database_(&database) {}
  Database* database_;
};

// Puts one fact or number where it belongs in a run; a name that this version does not know is of
// no use to it.
Status take_fact(Run& run, const std::string& field, std::string word) {
  const auto below = [&](const char* prefix) { return field.starts_with(prefix); };
  const auto rest = [&] { return field.substr(field.find('.') + 1); };
  if (field == "model")
    run.model = std::move(word);
  else if (field == "experiment")
    run.experiment = std::move(word);
  else if (field == "parent")
    run.parent = std::move(word);
  else if (field == "error")
    run.error = std::move(word);
  else if (below("params."))
    run.params[rest()] = std::move(word);
  else if (below("ids."))
    run.ids[rest()] = std::move(word);
  else if (below("environment."))
    run.environment[rest()] = std::move(word);
  else if (below("tag."))
    run.tags.push_back(rest());
  else if (field == "kind") {
    COEVAL_ASSIGN(run.kind, run_kind(word));
  }
  return {};
}

void take_number(Run& run, const std::string& field, double value) {
  constexpr std::string_view kMetrics = "metrics.";
  if (field == "ended") run.ended_us = static_cast<std::int64_t>(value);
  if (field == "version") run.version = static_cast<int>(value);
  if (field == "dataset_s") run.dataset_s = value;
  if (field == "train_s") run.train_s = value;
  if (field.starts_with(kMetrics)) run.metrics[field.substr(kMetrics.size())] = value;
}

class SqliteRunStore final : public RunStore {
 public:
  explicit SqliteRunStore(std::unique_ptr<Database> database) : database_(std::move(database)) {}

  Result<std::int64_t> layout_version() {
    COEVAL_ASSIGN(auto query, database_->prepare("PRAGMA user_version"));
    COEVAL_TRY(query.run());
    const std::int64_t found = query.integer();
    if (found > kLayoutVersion)
      return fail(Code::unsupported,
                  "the runs' database has layout " + std::to_string(found) +
                      "; this version reads up to " + std::to_string(kLayoutVersion),
                  "use the version of coeval that wrote it, or a newer one");
    return found;
  }

  Status prepare_layout() {
    COEVAL_TRY(layout_version());  // before anything of a newer file is touched
    COEVAL_TRY(database_->execute(kPragmas));
    COEVAL_ASSIGN(auto transaction, Transaction::begin(*database_));
    COEVAL_ASSIGN(const std::int64_t found, layout_version());
    if (found == 0) COEVAL_TRY(database_->execute(kLayout));
    return transaction.commit();
  }

  Status refuse_writes() { return database_->execute("PRAGMA query_only = ON"); }

  Result<std::string> start(const Run& run) override {
    return writing([&]() -> Result<std::string> {
      COEVAL_ASSIGN(const Begun begun, begin(run, process_mark()));
      return begun.id;
    });
  }

  Status end(const std::string& id, const Run& run) override {
    return writing([&]() -> Status {
      COEVAL_ASSIGN(const std::int64_t number, number_of(id));
      COEVAL_TRY(must_be_open(number, id));
      return write_end(number, run);
    });
  }

  Result<std::vector<std::string>> add(std::span<const Run> runs) override {
    return writing([&]() -> Result<std::vector<std::string>> {
      std::vector<std::string> ids;
      for (const Run& run : runs) {
        COEVAL_ASSIGN(const Begun begun, begin(run, ""));
        COEVAL_TRY(write_end(begun.number, run));
        ids.push_back(begun.id);
      }
      return ids;
    });
  }

  Result<Run> find(std::string_view prefix) override {
    COEVAL_ASSIGN(const auto reading, Reading::begin(*database_));
    const std::string from(prefix), to = from + "~";  // behind all that ids are made of
    Run run;
    std::int64_t number = 0;
    {
      COEVAL_ASSIGN(auto query, database_->prepare(kRunsByPrefix));
      query.bind(from).bind(to);
      std::string others;
      for (int found = 0;; ++found) {
        COEVAL_ASSIGN(const bool more, query.step());
        if (!more && found == 0)
          return fail(Code::not_found, "no run '" + from + "'", "coeval runs lists them");
        if (!more && found == 1) break;
        if (!more) return ambiguous(from, others, found == kShownIds);
        number = query.integer();
        run.id = query.text();
        run.started_us = query.integer();
        others += (others.empty() ? "" : ", ") + run.id;
        if (run.id == from) break;
      }
    }
    COEVAL_TRY(read_run(number, run));
    return run;
  }

  Result<RunPage> query(const RunQuery& asked) override {
    COEVAL_ASSIGN(const auto reading, Reading::begin(*database_));
    COEVAL_ASSIGN(const std::int64_t count, count_runs());
    RunPage page;
    if (count == 0) return page;
    COEVAL_TRY(check_fields(asked));
    RunColumns columns(*database_, count);
    COEVAL_ASSIGN(std::vector<std::int64_t> runs, matching(asked, columns));
    page.matched = static_cast<std::int64_t>(runs.size());
    const std::int64_t limit = std::max<std::int64_t>(asked.limit, 0);
    if (!asked.sort.empty()) {
      COEVAL_ASSIGN(runs, sorted_runs(std::move(runs), run_field(asked.sort), asked.ascending,
                                      limit, columns));
    } else {
      if (asked.ascending) std::ranges::reverse(runs);
      if (limit < page.matched) runs.resize(static_cast<std::size_t>(limit));
    }
    COEVAL_ASSIGN(page.rows, run_rows(runs, asked.columns, columns));
    return page;
  }

  Result<std::vector<std::string>> fields() override {
    std::vector<std::string> names;
    COEVAL_ASSIGN(auto query, database_->prepare(kFields));
    for (;;) {
      COEVAL_ASSIGN(const bool more, query.step());
      if (!more) break;
      names.push_back(shown_run_field(query.text()));
    }
    std::ranges::sort(names);
    names.erase(std::unique(names.begin(), names.end()), names.end());
    return names;
  }

 private:
  struct Begun {
    std::int64_t number = 0;
    std::string id;
  };

  // Does `write` in a transaction: wholly, or not at all.
  template <class Write>
  auto writing(Write write) -> decltype(write()) {
    auto done = written(write);
    if (!done) field_numbers_.clear();  // some may have been rolled back
    return done;
  }

  template <class Write>
  auto written(Write& write) -> decltype(write()) {
    COEVAL_ASSIGN(auto transaction, Transaction::begin(*database_));
    auto done = write();
    if (!done) return done;
    COEVAL_TRY(transaction.commit());
    return done;
  }

  Result<bool> taken(const std::string& id) {
    COEVAL_ASSIGN(auto query, database_->prepare(kIdTaken));
    return query.bind(id).step();
  }

  Result<std::string> free_id(std::int64_t started_us) {
    if (started_us < 0 || started_us >= kLatestStart)
      return fail(Code::out_of_range, "no run began at " + std::to_string(started_us) + " us");
    for (int later = 0; later < kMostSameTime; ++later) {
      std::string id = id_at(started_us + later);
      COEVAL_ASSIGN(const bool is_taken, taken(id));
      if (!is_taken) return id;
    }
    return fail(Code::metadata, "too many runs began at once: " + id_at(started_us));
  }

  Result<Begun> begin(const Run& run, const std::string& process) {
    Begun begun;
    COEVAL_ASSIGN(begun.id, free_id(run.started_us));
    {
      COEVAL_ASSIGN(auto insert, database_->prepare(kInsertRun));
      COEVAL_TRY(insert.bind(begun.id).bind(run.started_us).bind(process).run());
    }
    COEVAL_ASSIGN(begun.number, number_of(begun.id));
    COEVAL_TRY(fact(begun.number, "model", run.model));
    COEVAL_TRY(fact(begun.number, "experiment", run.experiment));
    COEVAL_TRY(fact(begun.number, "kind", std::string(name(run.kind))));
    if (!run.parent.empty()) COEVAL_TRY(fact(begun.number, "parent", run.parent));
    COEVAL_TRY(write_known(begun.number, run));
    return begun;
  }

  Status write_known(std::int64_t number, const Run& run) {
    for (const auto& [key, word] : run.params) COEVAL_TRY(fact(number, "params." + key, word));
    for (const auto& [key, word] : run.ids) COEVAL_TRY(fact(number, "ids." + key, word));
    for (const auto& [key, word] : run.environment)
      COEVAL_TRY(fact(number, "environment." + key, word));
    for (const auto& tag : run.tags) COEVAL_TRY(fact(number, "tag." + tag, ""));
    return {};
  }

  Status write_end(std::int64_t number, const Run& run) {
    if (run.state != RunState::finished && run.state != RunState::failed)
      return fail(Code::internal, "a run ends finished or failed");
    COEVAL_TRY(fact(number, "state", std::string(name(run.state))));
    if (!run.error.empty()) COEVAL_TRY(fact(number, "error", run.error));
    COEVAL_TRY(numeral(number, "ended", static_cast<double>(run.ended_us)));
    if (run.version != 0) COEVAL_TRY(numeral(number, "version", run.version));
    if (run.dataset_s) COEVAL_TRY(numeral(number, "dataset_s", *run.dataset_s));
    if (run.train_s) COEVAL_TRY(numeral(number, "train_s", *run.train_s));
    COEVAL_TRY(write_known(number, run));
    for (const auto& [key, value] : run.metrics)
      COEVAL_TRY(numeral(number, "metrics." + key, value));
    for (const auto& [key, points] : run.curves) {
      const std::string json = curve_json(points);
      COEVAL_ASSIGN(auto insert, database_->prepare(kInsertCurve));
      COEVAL_TRY(insert.bind(number).bind(key).bind(json).run());
    }
    return {};
  }

  Result<std::int64_t> field(const std::string& named) {
    if (const auto known = field_numbers_.find(named); known != field_numbers_.end())
      return known->second;
    {
      COEVAL_ASSIGN(auto insert, database_->prepare(kInsertField));
      COEVAL_TRY(insert.bind(named).run());
    }
    COEVAL_ASSIGN(auto query, database_->prepare(kField));
    COEVAL_TRY(query.bind(named).run());
    return field_numbers_[named] = query.integer();
  }

  Result<std::int64_t> text(const std::string& word) {
    {
      COEVAL_ASSIGN(auto insert, database_->prepare(kInsertText));
      COEVAL_TRY(insert.bind(word).run());
    }
    COEVAL_ASSIGN(auto query, database_->prepare(kText));
    COEVAL_TRY(query.bind(word).run());
    return query.integer();
  }

  Status fact(std::int64_t number, const std::string& named, const std::string& word) {
    COEVAL_ASSIGN(const std::int64_t of, field(named));
    COEVAL_ASSIGN(const std::int64_t is, text(word));
    COEVAL_ASSIGN(auto insert, database_->prepare(kInsertFact));
    return insert.bind(of).bind(number).bind(is).run();
  }

  Status numeral(std::int64_t number, const std::string& named, double value) {
    COEVAL_ASSIGN(const std::int64_t of, field(named));
    COEVAL_ASSIGN(auto insert, database_->prepare(kInsertNumber));
    return insert.bind(of).bind(number).bind(value).run();
  }

  Result<std::int64_t> number_of(const std::string& id) {
    COEVAL_ASSIGN(auto query, database_->prepare(kRunNumber));
    COEVAL_ASSIGN(const bool found, query.bind(id).step());
    if (!found) return fail(Code::not_found, "no run '" + id + "'", "coeval runs lists them");
    return query.integer();
  }

  Status must_be_open(std::int64_t number, const std::string& id) {
    COEVAL_ASSIGN(const std::int64_t of, field("state"));
    COEVAL_ASSIGN(auto query, database_->prepare(kHasFact));
    COEVAL_ASSIGN(const bool ended, query.bind(of).bind(number).step());
    if (ended) return fail(Code::metadata, "run " + id + " has ended already");
    return {};
  }

  static std::unexpected<Error> ambiguous(const std::string& prefix, const std::string& others,
                                          bool cut) {
    return fail(Code::usage,
                "several runs begin with '" + prefix + "': " + others + (cut ? ", …" : ""),
                "name more of it");
  }

  Status read_run(std::int64_t number, Run& run) {
    {
      COEVAL_ASSIGN(auto facts, database_->prepare(kFactsOfRun));
      facts.bind(number);
      for (;;) {
        COEVAL_ASSIGN(const bool more, facts.step());
        if (!more) break;
        const std::string named = facts.text();
        COEVAL_TRY(take_fact(run, named, facts.text()));
      }
    }
    COEVAL_ASSIGN(auto numbers, database_->prepare(kNumbersOfRun));
    numbers.bind(number);
    for (;;) {
      COEVAL_ASSIGN(const bool more, numbers.step());
      if (!more) break;
      const std::string named = numbers.text();
      take_number(run, named, numbers.real());
    }
    COEVAL_ASSIGN(auto curves, database_->prepare(kCurvesOfRun));
    curves.bind(number);
    for (;;) {
      COEVAL_ASSIGN(const bool more, curves.step());
      if (!more) break;
      const std::string named = curves.text();
      COEVAL_ASSIGN(run.curves[named], curve_from(curves.text()));
    }
    std::ranges::sort(run.tags);
    RunColumns columns(*database_, number);
    COEVAL_ASSIGN(const RunValue state, columns.value(run_field("state"), number));
    COEVAL_ASSIGN(run.state, run_state(std::get<std::string>(state)));
    return {};
  }

  // Runs are numbered from 1 on without gaps, since none is ever removed.
  Result<std::int64_t> count_runs() {
    COEVAL_ASSIGN(auto query, database_->prepare(kCount));
    COEVAL_TRY(query.run());
    const std::int64_t count = query.integer(), newest = query.integer();
    if (count == newest && count <= kMostRuns) return count;
    return fail(Code::metadata,
                "the runs' database is damaged: " + std::to_string(count) +
                    " runs, the newest is number " + std::to_string(newest),
                "restore it from a backup");
  }

  Status check_field(const std::string& named, const SourcePosition& at) {
    if (is_fixed_run_field(named)) return {};
    COEVAL_ASSIGN(auto query, database_->prepare(kField));
    const std::string stored = run_field(named).stored;
    COEVAL_ASSIGN(const bool found, query.bind(stored).step());
    if (found) return {};
    return std::unexpected(
        Error{Code::unknown_name, "no run has a field '" + named + "'", "", at, {}});
  }

  Status check_fields(const RunQuery& asked) {
    for (const auto& node : asked.filter.nodes)
      if (node.kind == RunFilter::Node::Kind::condition)
        COEVAL_TRY(check_field(node.condition.field, node.condition.field_at));
    if (asked.sort == "tag")
      return fail(Code::type_error, "runs have any number of tags: they cannot be sorted by them");
    if (!asked.sort.empty()) COEVAL_TRY(check_field(asked.sort, {}));
    for (const auto& column : asked.columns) {
      if (column == "tag")
        return fail(Code::type_error, "runs have any number of tags: they are no column");
      COEVAL_TRY(check_field(column, {}));
    }
    return {};
  }

  // Newest first.
  Result<std::vector<std::int64_t>> matching(const RunQuery& asked, RunColumns& columns) {
    RunFilter filter = asked.filter;
    restrict_to(filter, "model", asked.model);
    restrict_to(filter, "experiment", asked.experiment);
    COEVAL_ASSIGN(const std::vector<bool> holds, evaluate(filter, columns));
    std::vector<std::int64_t> runs;
    for (std::int64_t run = columns.runs(); run > 0; --run)
      if (holds[static_cast<std::size_t>(run)]) runs.push_back(run);
    return runs;
  }

  static void restrict_to(RunFilter& filter, const char* field, const std::string& value) {
    if (value.empty()) return;
    RunFilter::Node node;
    node.condition.field = field;
    node.condition.literal = value;
    filter.nodes.push_back(std::move(node));
    const int added = static_cast<int>(filter.nodes.size()) - 1;
    if (filter.root >= 0) {
      filter.nodes.push_back({RunFilter::Node::Kind::all, filter.root, added, {}});
      filter.root = added + 1;
    } else {
      filter.root = added;
    }
  }

  std::unique_ptr<Database> database_;
  std::map<std::string, std::int64_t> field_numbers_;
};

Result<std::unique_ptr<RunStore>> open_sqlite(const std::string& path) {
  COEVAL_ASSIGN(auto database, Database::open(path));
  auto store = std::make_unique<SqliteRunStore>(std::move(database));
  COEVAL_TRY(store->prepare_layout());
  return store;
}

Result<std::unique_ptr<RunStore>> open_for_reading(const std::string& path) {
  COEVAL_ASSIGN(auto database, Database::open_for_reading(path));
  auto store = std::make_unique<SqliteRunStore>(std::move(database));
  COEVAL_ASSIGN(const std::int64_t version, store->layout_version());
  if (version == 0) {  // no file, or one that was made and never written to
    COEVAL_ASSIGN(auto empty, Database::open(":memory:"));
    store = std::make_unique<SqliteRunStore>(std::move(empty));
    COEVAL_TRY(store->prepare_layout());
  }
  COEVAL_TRY(store->refuse_writes());
  return store;
}

}  // namespace

std::string_view name(RunKind kind) {
  switch (kind) {
    case RunKind::build:
      return "build";
    case RunKind::trial:
      return "trial";
    case RunKind::reproduce:
      return "reproduce";
  }
  return "";
}

std::string_view name(RunState state) {
  switch (state) {
    case RunState::running:
      return "running";
    case RunState::finished:
      return "finished";
    case RunState::failed:
      return "failed";
    case RunState::interrupted:
      return "interrupted";
  }
  return "";
}

Result<std::unique_ptr<RunStore>> open_run_store(const std::string& path) {
  COEVAL_TRY(make_folders(folder_of(path)));
  return open_sqlite(path);
}

Result<std::unique_ptr<RunStore>> open_run_store_for_reading(const std::string& path) {
  auto store = open_for_reading(path);
  if (!store) return std::unexpected(std::move(store).error().within("reading '" + path + "'"));
  return store;
}

Result<std::unique_ptr<RunStore>> make_memory_run_store() { return open_sqlite(":memory:"); }

}  // namespace coeval::stores
