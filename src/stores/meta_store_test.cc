#include "stores/meta_store.h"

#include <doctest/doctest.h>
#include <sqlite3.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <map>

#include "stores/temporary_folder.h"

namespace coeval::stores {

namespace {

ModelVersion version_of(const std::string& model, const std::string& recipe,
                        const std::string& bits) {
  return {model, 0,    "models/" + model, "ir", "dataset",       recipe,
          bits,  true, R"({"auc":0.78})", "[]", 991353600000001, ""};
}

// A connection of another program, which knows nothing of ours.
class OutsideConnection {
 public:
  explicit OutsideConnection(const std::string& path) {
    REQUIRE(sqlite3_open(path.c_str(), &db_) == SQLITE_OK);
  }
  ~OutsideConnection() { sqlite3_close(db_); }
  OutsideConnection(const OutsideConnection&) = delete;
  OutsideConnection& operator=(const OutsideConnection&) = delete;
  int run(const char* sql) { return sqlite3_exec(db_, sql, nullptr, nullptr, nullptr); }

 private:
  sqlite3* db_ = nullptr;
};

void check_versions(MetaStore& store) {
  CHECK(store.register_version(version_of("late", "r1", "b1")).value() == 1);
  CHECK(store.register_version(version_of("late", "r2", "b2")).value() == 2);
  CHECK(store.register_version(version_of("late", "r1", "b1")).value() == 1);  // the same again
  CHECK(store.register_version(version_of("late", "r1", "b3")).value() == 3);
  CHECK(store.register_version(version_of("early", "r1", "b1")).value() == 1);
  CHECK(store.models().value() == std::vector<std::string>{"early", "late"});
  const auto versions = store.versions("late").value();
  REQUIRE(versions.size() == 3);
  CHECK(versions[1].version == 2);
  CHECK(versions[1].recipe_id == "r2");
  CHECK(versions[1].bits_id == "b2");
  CHECK(versions[1].folder == "models/late");
  CHECK(versions[1].gates_passed);
  CHECK(versions[1].metrics_json == R"({"auc":0.78})");
  CHECK(versions[1].created_us == 991353600000001);
  CHECK(store.versions("none").value().empty());
}

void check_removals(MetaStore& store) {
  auto version = version_of("late", "r1", "b1");
  version.manifest_id = "m1";
  CHECK(store.register_version(version).value() == 1);
  CHECK(store.versions("late").value()[0].removed_us == 0);
  CHECK(store.note_removed("late", 2, 7).error().code == Code::unknown_model);
  REQUIRE(store.note_removed("late", 1, 991353600000009));
  auto noted = store.versions("late").value();
  REQUIRE(noted.size() == 1);
  CHECK(noted[0].removed_us == 991353600000009);
  CHECK(noted[0].manifest_id.empty());
  CHECK(noted[0].metrics_json == R"({"auc":0.78})");
  // The same recipe and bits, made again: the same version, there again.
  CHECK(store.register_version(version).value() == 1);
  noted = store.versions("late").value();
  REQUIRE(noted.size() == 1);
  CHECK(noted[0].removed_us == 0);
  CHECK(noted[0].manifest_id == "m1");
}

void check_manifests(MetaStore& store) {
  auto version = version_of("late", "r1", "b1");
  CHECK(store.register_version(version).value() == 1);
  CHECK(store.versions("late").value()[0].manifest_id.empty());
  version.manifest_id = "m1";
  CHECK(store.register_version(version).value() == 1);
  CHECK(store.versions("late").value()[0].manifest_id == "m1");
  version.manifest_id = "m2";  // the folder was made again
  CHECK(store.register_version(version).value() == 1);
  CHECK(store.versions("late").value()[0].manifest_id == "m2");
  version.manifest_id = "m1";  // and back
  CHECK(store.register_version(version).value() == 1);
  CHECK(store.versions("late").value()[0].manifest_id == "m1");
  version.manifest_id.clear();
  CHECK(store.register_version(version).value() == 1);
  CHECK(store.versions("late").value()[0].manifest_id == "m1");
  auto other = version_of("late", "r2", "b2");
  other.manifest_id = "m3";
  CHECK(store.register_version(other).value() == 2);
  CHECK(store.versions("late").value()[0].manifest_id == "m1");
  CHECK(store.versions("late").value()[1].manifest_id == "m3");
}

void check_alias_names(MetaStore& store) {
  REQUIRE(store.register_version(version_of("late", "r1", "b1")));
  for (const std::string good : {"champion", "a", "shadow_2", "blue-green", "0"}) {
    CAPTURE(good);
    CHECK(store.move_alias({"late", good, 1, "", 0}).has_value());
  }
  CHECK(store.move_alias({"late", std::string(64, 'a'), 1, "", 0}).has_value());
  for (const std::string bad : {"", "a b", "Champion", "a.b", "a/b", "é", "a\n"}) {
    CAPTURE(bad);
    const auto moved = store.move_alias({"late", bad, 1, "", 0});
    REQUIRE(!moved.has_value());
    CHECK(moved.error().code == Code::usage);
  }
  CHECK(!store.move_alias({"late", std::string(65, 'a'), 1, "", 0}).has_value());
  CHECK(store.alias_history("late").value().size() == 6);
}

void check_aliases(MetaStore& store) {
  REQUIRE(store.register_version(version_of("late", "r1", "b1")));
  REQUIRE(store.register_version(version_of("late", "r2", "b2")));
  CHECK(!store.alias("late", "champion").value());
  REQUIRE(store.move_alias({"late", "champion", 1, "first", 10}));
  REQUIRE(
      store.move_alias({"late", "champion", 2, "better", 5}));  // an older clock does not matter
  REQUIRE(store.move_alias({"late", "shadow", 1, "watch", 20}));
  CHECK(store.alias("late", "champion").value() == 2);
  CHECK(store.alias("late", "shadow").value() == 1);
  REQUIRE(store.move_alias({"late", "shadow", 0, "done", 30}));
  CHECK(!store.alias("late", "shadow").value());
  const auto history = store.alias_history("late").value();
  REQUIRE(history.size() == 4);
  CHECK(history[1].alias == "champion");
  CHECK(history[1].version == 2);
  CHECK(history[1].reason == "better");
  CHECK(history[1].moved_us == 5);
  CHECK(store.move_alias({"late", "champion", 3, "", 0}).error().code == Code::unknown_model);
  CHECK(store.alias("late", "champion").value() == 2);
}

void check_steps(MetaStore& store) {
  CHECK(!store.find_step("k1").value());
  CHECK(!store.latest_step("train", "late").value());
  REQUIRE(store.put_step({"k1", "train", "late", "{}", "out1", 1}));
  REQUIRE(store.put_step({"k2", "train", "late", "{}", "out2", 2}));
  REQUIRE(store.put_step({"k3", "train", "other", "{}", "out3", 3}));
  REQUIRE(store.put_step({"k1", "train", "late", "{}", "out1 again", 4}));
  CHECK(store.find_step("k2").value()->output == "out2");
  CHECK(store.find_step("k1").value()->output == "out1 again");
  CHECK(store.latest_step("train", "late").value()->made_us == 4);
  CHECK(store.latest_step("train", "other").value()->key == "k3");
  CHECK(!store.latest_step("dataset", "late").value());
}

void check_meta_store(const std::function<std::unique_ptr<MetaStore>()>& make) {
  const auto store = make();
  SUBCASE("versions count up and the same recipe with the same bits is one version") {
    check_versions(*store);
  }
  SUBCASE("an alias points where its last move put it") { check_aliases(*store); }
  SUBCASE("steps are found by key and by name") { check_steps(*store); }
  SUBCASE("the manifest of a version is the one recorded last") { check_manifests(*store); }
  SUBCASE("a version whose folder was removed is noted as such until it is made again") {
    check_removals(*store);
  }
  SUBCASE("an alias has a plain name") { check_alias_names(*store); }
}

}  // namespace

TEST_CASE("the metadata in memory keeps the contract") {
  check_meta_store([] { return make_memory_meta_store().value(); });
}

TEST_CASE("the metadata on disk keeps the contract") {
  const TemporaryFolder folder;
  check_meta_store([&] { return open_meta_store(folder / "state/meta.db").value(); });
}

TEST_CASE("metadata is there after closing, and for a second instance at once") {
  const TemporaryFolder folder;
  auto first = open_meta_store(folder / "meta.db").value();
  auto second = open_meta_store(folder / "meta.db").value();
  CHECK(first->register_version(version_of("late", "r1", "b1")).value() == 1);
  CHECK(second->register_version(version_of("late", "r2", "b2")).value() == 2);
  CHECK(first->versions("late").value().size() == 2);
  first.reset();
  second.reset();
  CHECK(open_meta_store(folder / "meta.db").value()->versions("late").value().size() == 2);
}

TEST_CASE("the database itself refuses to change or delete a row") {
  const TemporaryFolder folder;
  auto store = open_meta_store(folder / "meta.db").value();
  auto version = version_of("late", "r1", "b1");
  version.manifest_id = "m1";
  REQUIRE(store->register_version(version));
  REQUIRE(store->move_alias({"late", "champion", 1, "", 0}));
  REQUIRE(store->put_step({"k1", "train", "late", "{}", "out", 1}));
  OutsideConnection outside(folder / "meta.db");
  for (const char* sql :
       {"UPDATE model_versions SET bits_id = 'x'", "DELETE FROM model_versions",
        "UPDATE alias_moves SET version = 0", "DELETE FROM alias_moves",
        "UPDATE cached_steps SET output = 'x'", "DELETE FROM cached_steps",
        "UPDATE model_manifests SET manifest_id = 'x'", "DELETE FROM model_manifests"}) {
    CAPTURE(sql);
    CHECK(outside.run(sql) == SQLITE_CONSTRAINT);
  }
  CHECK(store->versions("late").value().front().bits_id == "b1");
}

TEST_CASE("a file that is no database, a newer one, and a folder in its place are clear errors") {
  const TemporaryFolder folder;
  std::ofstream(folder / "text.db") << std::string(5000, 'x');
  CHECK(open_meta_store(folder / "text.db").error().code == Code::metadata);
  CHECK(open_meta_store(folder.path()).error().code == Code::metadata);
  {
    REQUIRE(open_meta_store(folder / "newer.db"));
  }
  {
    CHECK(OutsideConnection(folder / "newer.db").run("PRAGMA user_version = 99") == SQLITE_OK);
  }
  const auto newer = open_meta_store(folder / "newer.db");
  REQUIRE(!newer);
  CHECK(newer.error().code == Code::unsupported);
}

// Every file of a folder with its bytes, its size and its last change.
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

TEST_CASE("reading sees what was written and changes nothing on disk") {
  const TemporaryFolder folder;
  {
    auto store = open_meta_store(folder / "meta.db").value();
    REQUIRE(store->register_version(version_of("late", "r1", "b1")));
  }
  const auto before = files_of(folder.path());
  REQUIRE(before.size() == 1);
  {
    auto reading = open_meta_store_for_reading(folder / "meta.db").value();
    CHECK(reading->versions("late").value().size() == 1);
    CHECK(!reading->register_version(version_of("late", "r2", "b2")).has_value());
    CHECK(reading->versions("late").value().size() == 1);
    CHECK(files_of(folder.path()) == before);
  }
  CHECK(files_of(folder.path()) == before);
}

TEST_CASE("reading sees transactions that are in the write-ahead log only") {
  const TemporaryFolder folder;
  auto writer = open_meta_store(folder / "meta.db").value();
  REQUIRE(writer->register_version(version_of("late", "r1", "b1")));
  REQUIRE(std::filesystem::file_size(folder / "meta.db-wal") > 0);
  const auto before = files_of(folder.path());
  CHECK(open_meta_store_for_reading(folder / "meta.db").value()->versions("late").value().size() ==
        1);
  const auto after = files_of(folder.path());
  for (const char* file : {"meta.db", "meta.db-wal"}) CHECK(before.at(file) == after.at(file));
  REQUIRE(writer->register_version(version_of("late", "r2", "b2")));
  CHECK(open_meta_store_for_reading(folder / "meta.db").value()->versions("late").value().size() ==
        2);
}

TEST_CASE("reading where there is nothing makes nothing") {
  const TemporaryFolder folder;
  auto reading = open_meta_store_for_reading(folder / "state/meta.db").value();
  CHECK(reading->versions("late").value().empty());
  CHECK(reading->models().value().empty());
  CHECK(files_of(folder.path()).empty());
  std::ofstream(folder / "empty.db").flush();
  CHECK(open_meta_store_for_reading(folder / "empty.db").value()->models().value().empty());
}

TEST_CASE("reading a file that is no database names it") {
  const TemporaryFolder folder;
  std::ofstream(folder / "text.db") << std::string(5000, 'x');
  const auto reading = open_meta_store_for_reading(folder / "text.db");
  REQUIRE(!reading);
  CHECK(reading.error().code == Code::metadata);
  CHECK(reading.error().message.find("text.db") != std::string::npos);
}

TEST_CASE("metadata of the first layout is read, and grows the new table when it is written to") {
  const TemporaryFolder folder;
  {
    auto store = open_meta_store(folder / "old.db").value();
    REQUIRE(store->register_version(version_of("late", "r1", "b1")));
  }
  // What a file of layout 1 looks like: the same without the new table.
  CHECK(OutsideConnection(folder / "old.db")
            .run("DROP TABLE model_manifests; PRAGMA user_version = 1") == SQLITE_OK);
  const auto before = files_of(folder.path());
  const auto seen = open_meta_store_for_reading(folder / "old.db").value()->versions("late");
  REQUIRE(seen.value().size() == 1);
  CHECK(seen.value()[0].manifest_id.empty());
  CHECK(files_of(folder.path()) == before);
  auto store = open_meta_store(folder / "old.db").value();
  auto version = version_of("late", "r1", "b1");
  version.manifest_id = "m1";
  CHECK(store->register_version(version).value() == 1);
  CHECK(store->versions("late").value()[0].manifest_id == "m1");
}

}  // namespace coeval::stores
