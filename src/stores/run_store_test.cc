#include "stores/run_store.h"

#include <doctest/doctest.h>
#include <sqlite3.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <limits>
#include <map>
#include <set>

#include "base/time.h"
#include "stores/process_mark.h"
#include "stores/temporary_folder.h"

namespace coeval::stores {

namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();
const std::int64_t kNoon = civil_to_us(2026, 11, 28, 12);

Run begun_run(std::int64_t started_us = kNoon) {
  Run run;
  run.model = "late";
  run.experiment = "flights";
  run.started_us = started_us;
  run.params = {{"max_depth", "6"}, {"eta", "0.1"}};
  run.ids = {{"dataset_id", "d1"}, {"ir_hash", "h1"}};
  run.environment = {{"threads", "2"}};
  run.tags = {"nightly"};
  return run;
}

Run finished_run(std::int64_t started_us, double auc) {
  Run run = begun_run(started_us);
  run.state = RunState::finished;
  run.ended_us = started_us + 5;
  run.version = 1;
  run.metrics = {{"test.auc", auc}, {"test.log_loss", 1 - auc}};
  return run;
}

RunQuery asking(const std::string& filter, const std::string& sort = "") {
  RunQuery query;
  auto parsed = parse_run_filter(filter);
  if (!parsed) FAIL(one_line(parsed.error()));
  query.filter = std::move(*parsed);
  query.sort = sort;
  return query;
}

// The last digits of the ids, in the order of the answer: runs that began at kNoon + 1, + 2, …
std::string found(RunStore& store, const RunQuery& query) {
  const auto page = store.query(query);
  if (!page) FAIL(one_line(page.error()));
  std::string all;
  for (const auto& row : page->rows) all += row.id.substr(row.id.size() - 1);
  return all;
}

void check_life(RunStore& store) {
  Run run = begun_run();
  const std::string id = store.start(run).value();
  CHECK(id == "20261128-120000-000000");
  const Run running = store.find(id).value();
  CHECK(running.state == RunState::running);
  CHECK(running.model == "late");
  CHECK(running.experiment == "flights");
  CHECK(running.started_us == kNoon);
  CHECK(running.params == run.params);
  CHECK(running.tags == run.tags);
  CHECK(running.metrics.empty());
  CHECK(!running.train_s);

  run.state = RunState::finished;
  run.ended_us = kNoon + 7;
  run.version = 3;
  run.train_s = 1.25;
  run.params["max_depth"] = "7";  // what the start said stays
  run.params["rounds_used"] = "88";
  run.ids["bits_id"] = "b1";
  run.metrics = {{"test.auc", 0.1 + 0.2}, {"odd", kNan}, {"far", -kInfinity}, {"version", -0.0}};
  run.curves = {{"validation", {0.5, kNan, 0.1 + 0.2, kInfinity, 3}}, {"none", {}}};
  REQUIRE(store.end(id, run));
  const Run over = store.find("20261128-12").value();
  CHECK(over.id == id);
  CHECK(over.state == RunState::finished);
  CHECK(over.ended_us == kNoon + 7);
  CHECK(over.version == 3);
  CHECK(over.train_s == 1.25);
  CHECK(!over.dataset_s);
  CHECK(over.params == std::map<std::string, std::string>{
                           {"max_depth", "6"}, {"eta", "0.1"}, {"rounds_used", "88"}});
  CHECK(over.ids.size() == 3);
  CHECK(over.tags == run.tags);
  CHECK(over.metrics.size() == 4);
  CHECK(over.metrics.at("test.auc") == 0.1 + 0.2);
  CHECK(std::isnan(over.metrics.at("odd")));
  CHECK(over.metrics.at("far") == -kInfinity);
  CHECK(over.metrics.at("version") == 0);
  const auto& curve = over.curves.at("validation");
  REQUIRE(curve.size() == 5);
  CHECK(curve[0] == 0.5);
  CHECK(std::isnan(curve[1]));
  CHECK(curve[2] == 0.1 + 0.2);
  CHECK(curve[3] == kInfinity);
  CHECK(over.curves.at("none").empty());
  CHECK(store.end(id, run).error().code == Code::metadata);  // once
  CHECK(store.end("20261128-120000-000009", run).error().code == Code::not_found);
}

void check_failure(RunStore& store) {
  Run run = begun_run();
  run.kind = RunKind::trial;
  run.parent = "20260101-000000-000000";
  const std::string id = store.start(run).value();
  run.state = RunState::failed;
  run.error = "error[C0802]: the trainer said \"no\"\n– twice";
  REQUIRE(store.end(id, run));
  const Run over = store.find(id).value();
  CHECK(over.state == RunState::failed);
  CHECK(over.error == run.error);
  CHECK(over.kind == RunKind::trial);
  CHECK(over.parent == run.parent);
  CHECK(over.version == 0);
}

void check_ids(RunStore& store) {
  CHECK(store.find("").error().code == Code::not_found);
  const std::string first = store.start(begun_run(kNoon)).value();
  const std::string second = store.start(begun_run(kNoon)).value();  // at the same µs
  const std::string third = store.start(begun_run(kNoon + 1)).value();
  CHECK(first < second);
  CHECK(second < third);
  CHECK(third == "20261128-120000-000002");
  CHECK(store.find(first).value().id == first);
  const auto several = store.find("2026");
  REQUIRE(!several);
  CHECK(several.error().code == Code::usage);
  CHECK(several.error().message.find(second) != std::string::npos);
  CHECK(store.find("2027").error().code == Code::not_found);
  CHECK(store.find("%").error().code == Code::not_found);
  CHECK(store.start(begun_run(-1)).error().code == Code::out_of_range);
  CHECK(store.start(begun_run(std::numeric_limits<std::int64_t>::max())).error().code ==
        Code::out_of_range);
}

void check_adding(RunStore& store) {
  std::vector<Run> runs;
  for (int i = 1; i <= 3; ++i) runs.push_back(finished_run(kNoon + i, 0.5));
  const auto ids = store.add(runs).value();
  REQUIRE(ids.size() == 3);
  CHECK(ids[2] == "20261128-120000-000003");
  CHECK(store.find(ids[1]).value().state == RunState::finished);
  runs[2].state = RunState::running;  // has no end: none of them is added
  CHECK(!store.add(runs).has_value());
  CHECK(store.query({}).value().matched == 3);
  CHECK(store.add(std::vector<Run>{}).value().empty());
  runs[2] = finished_run(kNoon + 9, 0.5);
  runs[2].params["fresh"] = "1";  // a field that the failed attempt did not leave behind
  CHECK(store.add(runs).value().size() == 3);
  CHECK(found(store, asking("params.fresh = 1")) == "9");
}

// Runs 1 to 6: what each filter and order gives is worked out by hand.
void fill(RunStore& store) {
  std::vector<Run> runs;
  for (int i = 1; i <= 6; ++i) runs.push_back(finished_run(kNoon + i, 0.7 + 0.01 * i));
  runs[0].params["max_depth"] = "10";
  runs[1].params["max_depth"] = "auto";
  runs[2].params.erase("max_depth");
  runs[3].metrics["test.auc"] = kNan;
  runs[4].metrics.erase("test.auc");
  runs[5].state = RunState::failed;
  runs[5].error = "no";
  runs[5].model = "early";
  runs[5].experiment = "other";
  runs[0].tags.clear();
  runs[1].version = 9;
  runs[1].params["eta"] = "0.30";
  runs[2].metrics["state"] = 5;
  REQUIRE(store.add(runs));
}

void check_filters(RunStore& store) {
  fill(store);
  const std::pair<const char*, const char*> all[] = {
      {"", "654321"},
      {"test.auc >= 0.73", "63"},
      {"test.auc < 0.73", "21"},
      {"test.auc != 0.72", "631"},
      {"not test.auc != 0.72", "542"},
      {"test.auc is null", "54"},
      {"test.auc is not null", "6321"},
      {"params.max_depth = 6", "654"},
      {"params.max_depth = '6'", "654"},
      {"params.max_depth > 6", "1"},
      {"params.max_depth > '6'", "2"},  // as texts, "auto" > "6" > "10"
      {"params.max_depth != 6", "21"},
      {"params.max_depth is null", "3"},
      {"params.eta = 0.3", "2"},
      {"params.eta = '0.3'", ""},
      {"state = 'finished'", "54321"},
      {"state = 'failed'", "6"},
      {"error is not null", "6"},
      {"model = 'late' and test.auc > 0.71", "32"},
      {"model = 'early' or version = 9", "62"},
      {"tag = 'nightly'", "65432"},
      {"tag != 'nightly'", "1"},
      {"tag = 'weekly'", ""},
      {"started >= '2026-11-28T12:00:00.000004'", "654"},
      {"ended < '2026-11-28T12:00:00.000007'", "1"},
      {"id = '20261128-120000-000002'", "2"},
      {"id < '20261128-120000-000003'", "21"},
      {"dataset_id = 'd1' and ids.ir_hash = 'h1'", "654321"},
      {"bits_id is null", "654321"},
      {"environment.threads = '2' and kind = 'build'", "654321"},
      {"metrics.test.auc > 0.75", "6"},
      {"metrics.state = 5", "3"},
      {"dataset_s > 0", ""},
      {"test.auc >= 0.71 and params.max_depth = 6 and state = 'failed'", "6"},
      {"not (test.auc >= 0 or model = 'early')", "54"},
  };
  for (const auto& [filter, expected] : all) {
    CAPTURE(filter);
    CHECK(found(store, asking(filter)) == expected);
  }
  RunQuery query = asking("test.auc > 0.71");
  query.model = "late";
  CHECK(found(store, query) == "32");
  query.experiment = "other";
  CHECK(found(store, query).empty());
}

void check_orders(RunStore& store) {
  fill(store);
  CHECK(found(store, asking("", "test.auc")) == "632154");
  RunQuery up = asking("", "test.auc");
  up.ascending = true;
  CHECK(found(store, up) == "123654");
  CHECK(found(store, asking("", "params.max_depth")) == "216543");
  CHECK(found(store, asking("", "params.eta")) == "265431");
  CHECK(found(store, asking("", "version")) == "265431");
  CHECK(found(store, asking("", "model")) == "543216");
  CHECK(found(store, asking("", "started")) == "654321");
  CHECK(found(store, asking("", "id")) == "654321");
  RunQuery oldest;
  oldest.ascending = true;
  CHECK(found(store, oldest) == "123456");
  RunQuery two = asking("model = 'late'", "test.log_loss");
  two.limit = 2;
  const auto page = store.query(two).value();
  CHECK(page.matched == 5);
  REQUIRE(page.rows.size() == 2);
  CHECK(page.rows[0].id.ends_with("1"));
  two.limit = 0;
  CHECK(store.query(two).value().rows.empty());
}

void check_columns(RunStore& store) {
  fill(store);
  RunQuery query;
  query.columns = {"test.auc", "params.max_depth", "state", "started", "metrics.state"};
  const auto rows = store.query(query).value().rows;
  REQUIRE(rows.size() == 6);
  CHECK(rows[0].model == "early");
  CHECK(rows[0].state == RunState::failed);
  CHECK(rows[0].started_us == kNoon + 6);
  CHECK(std::get<std::string>(rows[0].values[2]) == "failed");
  CHECK(std::get<double>(rows[0].values[3]) == static_cast<double>(kNoon + 6));
  CHECK(std::holds_alternative<std::monostate>(rows[0].values[4]));
  CHECK(std::holds_alternative<std::monostate>(rows[1].values[0]));  // absent
  CHECK(std::isnan(std::get<double>(rows[2].values[0])));            // not a number
  CHECK(std::get<double>(rows[3].values[4]) == 5);
  CHECK(std::get<std::string>(rows[4].values[1]) == "auto");
  CHECK(rows[4].version == 9);
}

void check_refusals(RunStore& store) {
  // Without runs no name can be wrong.
  CHECK(store.query(asking("tset.auc > 1", "nothing")).value().rows.empty());
  fill(store);
  const auto code = [&](const std::string& filter) {
    const auto page = store.query(asking(filter));
    REQUIRE(!page);
    CHECK(page.error().position.file == kFilterOption);
    CHECK(page.error().position.column > 0);
    return page.error().code;
  };
  CHECK(code("tset.auc > 1") == Code::unknown_name);
  CHECK(code("params.depth > 1") == Code::unknown_name);
  CHECK(code("params.max_depth = 1 and nothing = 2") == Code::unknown_name);
  CHECK(code("test.auc = 'high'") == Code::type_error);
  CHECK(code("state = 1") == Code::type_error);
  CHECK(code("started > 5") == Code::type_error);
  CHECK(code("started > 'noon'") == Code::type_mismatch);
  CHECK(code("tag > 'nightly'") == Code::type_error);
  CHECK(code("tag is null") == Code::type_error);
  CHECK(store.query(asking("", "nothing")).error().code == Code::unknown_name);
  CHECK(store.query(asking("", "tag")).error().code == Code::type_error);
  RunQuery query;
  query.columns = {"nothing"};
  CHECK(store.query(query).error().code == Code::unknown_name);
  const auto fields = store.fields().value();
  CHECK(std::ranges::count(fields, "test.auc") == 1);
  CHECK(std::ranges::count(fields, "metrics.state") == 1);
  CHECK(std::ranges::count(fields, "params.eta") == 1);
  CHECK(std::ranges::count(fields, "dataset_id") == 1);
}

void check_run_store(const std::function<std::unique_ptr<RunStore>()>& make) {
  const auto store = make();
  SUBCASE("a run begins, and ends once, with all that was said of it") { check_life(*store); }
  SUBCASE("a run fails with its error") { check_failure(*store); }
  SUBCASE("ids are in order of time and unique; a prefix finds one") { check_ids(*store); }
  SUBCASE("runs that are over are added together or not at all") { check_adding(*store); }
  SUBCASE("filters") { check_filters(*store); }
  SUBCASE("orders") { check_orders(*store); }
  SUBCASE("columns") { check_columns(*store); }
  SUBCASE("what is asked wrongly is refused with its place") { check_refusals(*store); }
}

// A connection of another program, which knows nothing of ours.
int run_outside(const std::string& path, const char* sql) {
  sqlite3* db = nullptr;
  REQUIRE(sqlite3_open(path.c_str(), &db) == SQLITE_OK);
  const int code = sqlite3_exec(db, sql, nullptr, nullptr, nullptr);
  sqlite3_close(db);
  return code;
}

// Does `work` in a child process, which leaves at once; true when it says so.
bool in_child(const std::function<bool()>& work) {
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) ::_exit(work() ? 0 : 1);
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

std::map<std::string, std::string> files_of(const std::string& folder) {
  std::map<std::string, std::string> found;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    std::ifstream file(entry.path(), std::ios::binary);
    const auto changed = entry.last_write_time().time_since_epoch().count();
    found[entry.path().filename()] =
        std::to_string(changed) + " " + std::string(std::istreambuf_iterator<char>(file), {});
  }
  return found;
}

}  // namespace

TEST_CASE("runs in memory keep the contract") {
  check_run_store([] { return make_memory_run_store().value(); });
}

TEST_CASE("runs on disk keep the contract") {
  const TemporaryFolder folder;
  check_run_store([&] { return open_run_store(folder / "state/runs.db").value(); });
}

TEST_CASE("a long list, which is read by column, is what a short one is") {
  const auto store = make_memory_run_store().value();
  std::vector<Run> runs;
  for (int i = 0; i < 1500; ++i) {
    runs.push_back(finished_run(kNoon + i, i * 0.0005));
    runs.back().params["i"] = std::to_string(i);
    if (i % 3 == 0) runs.back().metrics.erase("test.auc");
    if (i % 5 == 0) runs.back().state = RunState::failed;
  }
  REQUIRE(store->add(runs));
  RunQuery query;
  query.columns = {"test.auc", "params.i", "id", "state", "ended"};
  query.limit = 2000;
  const auto all = store->query(query).value();
  REQUIRE(all.rows.size() == 1500);
  CHECK(all.matched == 1500);
  for (int i = 0; i < 1500; ++i) {
    const auto& row = all.rows[static_cast<std::size_t>(1499 - i)];
    CAPTURE(i);
    REQUIRE(row.started_us == kNoon + i);
    REQUIRE(row.model == "late");
    REQUIRE(row.state == (i % 5 == 0 ? RunState::failed : RunState::finished));
    if (i % 3 == 0)
      REQUIRE(std::holds_alternative<std::monostate>(row.values[0]));
    else
      REQUIRE(std::get<double>(row.values[0]) == i * 0.0005);
    REQUIRE(std::get<std::string>(row.values[1]) == std::to_string(i));
    REQUIRE(std::get<std::string>(row.values[2]) == row.id);
    REQUIRE(std::get<std::string>(row.values[3]) == name(row.state));
    REQUIRE(std::get<double>(row.values[4]) == static_cast<double>(kNoon + i + 5));
  }
  query.limit = 1000;
  const auto most = store->query(query).value();
  for (std::size_t i = 0; i < 1000; ++i) {
    REQUIRE(most.rows[i].id == all.rows[i].id);
    REQUIRE(most.rows[i].values == all.rows[i].values);
  }
}

TEST_CASE("a run whose process is gone was interrupted") {
  const TemporaryFolder folder;
  const std::string path = folder / "runs.db";
  REQUIRE(in_child([&] {
    const auto store = open_run_store(path);
    return store && (*store)->start(begun_run(kNoon + 1));
  }));
  const auto store = open_run_store(path).value();
  REQUIRE(store->start(begun_run(kNoon + 2)));
  CHECK(store->find("20261128-120000-000001").value().state == RunState::interrupted);
  CHECK(store->find("20261128-120000-000002").value().state == RunState::running);
  CHECK(found(*store, asking("state = 'interrupted'")) == "1");
  CHECK(found(*store, asking("state = 'running'")) == "2");
  CHECK(found(*store, asking("state != 'finished'")) == "21");
  const auto rows = store->query({}).value().rows;
  CHECK(rows[0].state == RunState::running);
  CHECK(rows[1].state == RunState::interrupted);
}

TEST_CASE("a process is known by its mark while it lives") {
  const std::string own = process_mark();
  REQUIRE(!own.empty());
  CHECK(process_lives(own));
  CHECK(!process_lives(""));
  CHECK(!process_lives("x"));
  CHECK(!process_lives(own + "1"));  // the same number, begun at another moment
  CHECK(!process_lives("boot " + own.substr(own.find(' ') + 1)));
  CHECK(!process_lives(own.substr(0, own.find(' ')) + " ../self 1"));
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  REQUIRE(in_child([&] {
    const std::string mark = process_mark();
    return ::write(ends[1], mark.data(), mark.size()) == static_cast<ssize_t>(mark.size());
  }));
  char bytes[200];
  const ssize_t got = ::read(ends[0], bytes, sizeof bytes);
  ::close(ends[0]);
  ::close(ends[1]);
  REQUIRE(got > 0);
  CHECK(!process_lives(std::string(bytes, static_cast<std::size_t>(got))));
}

TEST_CASE("processes that write at once lose no run and share no id") {
  const TemporaryFolder folder;
  const std::string path = folder / "runs.db";
  REQUIRE(open_run_store(path));
  constexpr int kEach = 20, kWriters = 3;
  std::vector<pid_t> children;
  for (int writer = 0; writer < kWriters; ++writer) {
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
      const auto store = open_run_store(path);
      bool good = store.has_value();
      for (int i = 0; i < kEach && good; ++i) {
        Run run = finished_run(kNoon, 0.5);
        run.params["writer"] = std::to_string(writer);
        const auto id = (*store)->start(run);
        good = id && (*store)->end(*id, run) && (*store)->query({});
      }
      ::_exit(good ? 0 : 1);
    }
    children.push_back(child);
  }
  for (const pid_t child : children) {
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    CHECK(status == 0);
  }
  const auto store = open_run_store_for_reading(path).value();
  RunQuery query = asking("state = 'finished'");
  query.limit = 1000;
  std::set<std::string> ids;
  const auto page = store->query(query).value();
  for (const auto& row : page.rows) ids.insert(row.id);
  CHECK(ids.size() == kEach * kWriters);
  CHECK(store->query(asking("params.writer = 1")).value().matched == kEach);
}

TEST_CASE("the database of runs itself refuses to change or delete a row") {
  const TemporaryFolder folder;
  const auto store = open_run_store(folder / "runs.db").value();
  Run run = finished_run(kNoon, 0.5);
  run.curves = {{"validation", {1, 2}}};
  REQUIRE(store->add(std::vector<Run>{run}));
  for (const char* table : {"runs", "fields", "texts", "facts", "numbers", "curves"}) {
    CAPTURE(table);
    const std::string erase = std::string("DELETE FROM ") + table;
    CHECK(run_outside(folder / "runs.db", erase.c_str()) == SQLITE_CONSTRAINT);
  }
  for (const char* sql : {"UPDATE runs SET process = ''", "UPDATE fields SET name = 'x'",
                          "UPDATE texts SET word = 'x'", "UPDATE facts SET text = 1",
                          "UPDATE numbers SET value = 1", "UPDATE curves SET points_json = '[]'"}) {
    CAPTURE(sql);
    CHECK(run_outside(folder / "runs.db", sql) == SQLITE_CONSTRAINT);
  }
}

TEST_CASE("no database, a newer one and a damaged one are clear errors") {
  const TemporaryFolder folder;
  std::ofstream(folder / "text.db") << std::string(5000, 'x');
  CHECK(open_run_store(folder / "text.db").error().code == Code::metadata);
  CHECK(open_run_store_for_reading(folder / "text.db").error().code == Code::metadata);
  CHECK(open_run_store(folder.path()).error().code == Code::metadata);
  REQUIRE(open_run_store(folder / "newer.db"));
  CHECK(run_outside(folder / "newer.db", "PRAGMA user_version = 2") == SQLITE_OK);
  CHECK(open_run_store(folder / "newer.db").error().code == Code::unsupported);
  CHECK(open_run_store_for_reading(folder / "newer.db").error().code == Code::unsupported);
  REQUIRE(open_run_store(folder / "gap.db"));
  CHECK(run_outside(folder / "gap.db",
                    "INSERT INTO runs VALUES (4000000000000000000, 'x', 0, '')") == SQLITE_OK);
  CHECK(open_run_store(folder / "gap.db").value()->query({}).error().code == Code::metadata);
}

TEST_CASE("reading runs makes and changes no file, also beside a writer") {
  const TemporaryFolder folder;
  CHECK(open_run_store_for_reading(folder / "none.db").value()->query({}).value().matched == 0);
  CHECK(files_of(folder.path()).empty());
  const auto writer = open_run_store(folder / "runs.db").value();
  const std::string id = writer->start(begun_run()).value();
  const auto before = files_of(folder.path());
  REQUIRE(before.size() == 1);
  const auto reader = open_run_store_for_reading(folder / "runs.db").value();
  CHECK(reader->find(id).value().state == RunState::running);
  CHECK(!reader->start(begun_run()).has_value());
  CHECK(files_of(folder.path()) == before);
  REQUIRE(writer->end(id, finished_run(kNoon, 0.5)));
  CHECK(reader->find(id).value().state == RunState::finished);  // what is written later is seen
}

TEST_CASE("a transaction that a crash cut is undone by the next reader") {
  const TemporaryFolder folder;
  const std::string path = folder / "runs.db";
  REQUIRE(open_run_store(path).value()->add(std::vector<Run>{finished_run(kNoon + 1, 0.5)}));
  // Leaves in the middle of a commit: pages written, the journal still there.
  REQUIRE(in_child([&] {
    sqlite3* db = nullptr;
    sqlite3_open(path.c_str(), &db);
    sqlite3_exec(db, "PRAGMA cache_size = 1; BEGIN IMMEDIATE;", nullptr, nullptr, nullptr);
    for (int i = 0; i < 2000; ++i)
      sqlite3_exec(db, "INSERT INTO texts (word) VALUES (hex(randomblob(200)))", nullptr, nullptr,
                   nullptr);
    return true;
  }));
  REQUIRE(std::filesystem::exists(path + "-journal"));
  const auto reader = open_run_store_for_reading(path).value();
  CHECK(reader->find("2026").value().metrics.at("test.auc") == 0.5);
  CHECK(!std::filesystem::exists(path + "-journal"));
}

}  // namespace coeval::stores
