#include "adapters/rocksdb/rocksdb_state.h"

#include <dlfcn.h>
#include <doctest/doctest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <map>

#include "stores/files.h"
#include "stores/state_store_conformance.h"
#include "stores/temporary_folder.h"

namespace coeval::rocksdb_adapter {
namespace {

using namespace stores;

std::unique_ptr<StateStore> open(const std::string& folder) {
  auto opened = make_rocksdb_states()->open(folder, {});
  REQUIRE_MESSAGE(opened.has_value(), one_line(opened.error()));
  return std::move(*opened);
}

TEST_CASE("RocksDB keeps the contract of StateStore") {
  const TemporaryFolder folder(TemporaryFolder::Where::in_memory);
  const std::string state = folder / "a/state";
  check_state_store_conformance({[&] { return open(state); },
                                 [&](std::unique_ptr<StateStore> store) {
                                   store.reset();
                                   return open(state);
                                 }});
}

TEST_CASE("the module gives stores by its one symbol") {
  void* module =
      dlopen((std::string(COEVAL_BINARY_DIR) + "/lib/coeval_rocksdb.so").c_str(), RTLD_NOW);
  REQUIRE_MESSAGE(module != nullptr, dlerror());
  using Make = int (*)(StateStores**);
  const auto make = reinterpret_cast<Make>(dlsym(module, "coeval_state_stores_v1"));
  REQUIRE((make != nullptr));
  StateStores* made = nullptr;
  REQUIRE(make(&made) == 0);
  const std::unique_ptr<StateStores> states(made);
  const TemporaryFolder folder(TemporaryFolder::Where::in_memory);
  const auto store = states->open(folder / "state", {});
  REQUIRE(store.has_value());
  CHECK((*store)->position().value() == std::nullopt);
}

TEST_CASE("a folder that is open elsewhere is refused") {
  const TemporaryFolder folder(TemporaryFolder::Where::in_memory);
  const auto store = open(folder / "state");
  const auto second = make_rocksdb_states()->open(folder / "state", {});
  REQUIRE(!second);
  CHECK(second.error().code == Code::log_locked);
}

TEST_CASE("a folder can be read without being changed, and not while it is open elsewhere") {
  const TemporaryFolder folder(TemporaryFolder::Where::in_memory);
  const std::string state = folder / "state";
  const auto states = make_rocksdb_states();
  CHECK(states->open_for_reading(state, {}).error().code == Code::no_such_file);
  {
    const auto store = open(state);
    const StateUnit unit[] = {{0, "k", "bytes"}};
    REQUIRE(store->write(unit, Position{3}));
  }
  const auto files = [&] {
    std::map<std::string, std::uintmax_t> sizes;
    for (const auto& file : std::filesystem::directory_iterator(state))
      sizes[file.path().filename()] = file.file_size();
    return sizes;
  };
  const auto before = files();
  {
    const auto store = states->open_for_reading(state, {});
    REQUIRE(store.has_value());
    CHECK((*store)->position().value() == Position{3});
    CHECK((content_of(**store) == StateContent{{{0, "k"}, "bytes"}}));
    CHECK((*store)->verify().has_value());
    CHECK((*store)->write({}, Position{4}).error().code == Code::unsupported);
  }
  CHECK((files() == before));
  const auto store = open(state);
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    const auto refused = states->open_for_reading(state, {});
    _exit(!refused && refused.error().code == Code::log_locked ? 0 : 1);
  }
  int status = -1;
  ::waitpid(child, &status, 0);
  CHECK(status == 0);
}

// Batch `position` puts its number under every key that it has.
std::vector<std::string> keys_of_batch(std::uint64_t position) {
  std::vector<std::string> keys;
  for (std::uint64_t i = 0; i < 40; ++i)
    keys.push_back("key" + std::to_string((position * 7 + i * i) % 100));
  return keys;
}

[[noreturn]] void write_until_killed(const std::string& folder, int report) {
  auto store = make_rocksdb_states()->open(folder, {});
  if (!store) _exit(1);
  std::uint64_t position = (*store)->position().value().value_or(Position{0}).value;
  while (true) {
    const std::string bytes = std::to_string(++position) + std::string(500, 'x');
    const auto keys = keys_of_batch(position);
    std::vector<StateUnit> units;
    for (const std::string& key : keys) units.push_back({1, key, bytes});
    if (!(*store)->write(units, Position{position})) _exit(2);
    if (::write(report, &position, sizeof position) != sizeof position) _exit(3);
  }
}

TEST_CASE("what a killed process wrote is there, whole, up to its position") {
  const TemporaryFolder folder;
  std::uint64_t promised = 0;
  for (int round = 0; round < 6; ++round) {
    int ends[2];
    REQUIRE(::pipe(ends) == 0);
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
      ::close(ends[0]);
      write_until_killed(folder / "state", ends[1]);
    }
    ::close(ends[1]);
    const std::uint64_t enough = promised + 5 + static_cast<std::uint64_t>(round) * 11;
    while (promised < enough)
      REQUIRE(::read(ends[0], &promised, sizeof promised) == sizeof promised);
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    while (::read(ends[0], &promised, sizeof promised) == sizeof promised) {
    }
    ::close(ends[0]);
    const auto store = open(folder / "state");
    const auto position = store->position().value();
    REQUIRE(position.has_value());
    CHECK(position->value >= promised);
    StateContent expected;
    for (std::uint64_t batch = 1; batch <= position->value; ++batch)
      for (const std::string& key : keys_of_batch(batch))
        expected[{1, key}] = std::to_string(batch) + std::string(500, 'x');
    CHECK((content_of(*store) == expected));
  }
}

TEST_CASE("damaged blocks are an error, and no other bytes") {
  const TemporaryFolder folder(TemporaryFolder::Where::in_memory);
  const std::string state = folder / "state";
  {
    const auto store = open(state);
    std::vector<std::string> keys;
    for (int i = 0; i < 20'000; ++i) keys.push_back("key" + std::to_string(i * 7919));
    std::vector<StateUnit> units;
    for (const std::string& key : keys) units.push_back({0, key, key});
    REQUIRE(store->write(units, Position{1}));
  }
  {
    const auto flushed = open(state);
  }  // recovery puts the log's content into a file
  int damaged = 0;
  for (const auto& file : std::filesystem::directory_iterator(state)) {
    if (file.path().extension() != ".sst") continue;
    std::fstream bytes(file.path(), std::ios::in | std::ios::out | std::ios::binary);
    for (std::uintmax_t at = 500; at < file.file_size() / 2; at += 1000) {
      bytes.seekp(static_cast<std::streamoff>(at));
      bytes.put('\x5a');
    }
    ++damaged;
  }
  REQUIRE(damaged > 0);
  const auto store = make_rocksdb_states()->open(state, {});
  if (!store) {
    CHECK(store.error().code == Code::snapshot_corrupt);
    return;
  }
  const Status scanned = (*store)->scan(0, [](const StateUnit& unit) -> Status {
    CHECK(unit.key == *unit.bytes);
    return {};
  });
  REQUIRE(!scanned);
  CHECK(scanned.error().code == Code::snapshot_corrupt);
}

}  // namespace
}  // namespace coeval::rocksdb_adapter
