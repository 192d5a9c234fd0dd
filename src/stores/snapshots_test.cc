#include "stores/snapshots.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <random>

#include "stores/faulty_files.h"
#include "stores/files.h"
#include "stores/temporary_folder.h"

namespace coeval::stores {

namespace {

using State = std::map<std::string, std::string>;
using Changes = std::map<std::string, std::optional<std::string>>;

std::vector<std::string> snapshot_paths(const std::string& folder) {
  std::vector<std::string> paths;
  for (const auto& entry : std::filesystem::directory_iterator(folder))
    paths.push_back(entry.path().string());
  std::ranges::sort(paths);
  return paths;
}

void put_bytes(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}

Status save(SnapshotSeries& series, std::uint64_t position, const Changes& changes,
            std::size_t frame_bytes = 40) {
  COEVAL_TRY(series.begin(Position{position}, {{"view", "at " + std::to_string(position)}}));
  UnitFrame frame(0);
  for (const auto& [key, bytes] : changes) {
    frame.append(key, bytes);
    if (frame.bytes().size() < frame_bytes) continue;
    COEVAL_TRY(series.add(frame));
    frame = UnitFrame(0);
  }
  COEVAL_TRY(series.add(frame));
  return series.publish();
}

Status save_all(SnapshotSeries& series, std::uint64_t position, const State& state) {
  return save(series, position, Changes(state.begin(), state.end()));
}

std::optional<SnapshotChain> find(const std::string& folder, const std::string& basis = "basis",
                                  std::uint64_t end = 1000, std::string* warning = nullptr) {
  auto found = find_snapshot(folder, basis, Position{end}, warning);
  REQUIRE_MESSAGE(found.has_value(), one_line(found.error()));
  return std::move(*found);
}

State state_of(const SnapshotChain& chain) {
  State state;
  const Status read = chain.read([&](const StateUnit& unit) -> Status {
    CHECK(unit.part == 0);
    CHECK(state.emplace(unit.key, *unit.bytes).second);
    return {};
  });
  REQUIRE_MESSAGE(read.has_value(), one_line(read.error()));
  return state;
}

}  // namespace

TEST_CASE("a snapshot reads back: keys and bytes of any kind and size") {
  const TemporaryFolder folder;
  std::string large;
  for (std::uint32_t i = 0; i < 3'000'000; ++i) large += static_cast<char>(i % 997 * i >> 3);
  const State state = {
      {"", "key of nothing"}, {"empty", ""}, {std::string(1, '\0'), "\n"}, {"large", large}};
  SnapshotSeries series(folder.path(), "basis");
  CHECK(series.needs_all());
  REQUIRE(save_all(series, 12, state));
  const auto found = find(folder.path());
  REQUIRE(found);
  CHECK(found->position() == Position{12});
  CHECK(found->parts() == std::vector<SnapshotPart>{{"view", "at 12"}});
  CHECK(state_of(*found) == state);
}

TEST_CASE("no folder and an empty folder hold no snapshot") {
  const TemporaryFolder folder;
  CHECK(!find(folder.path()));
  CHECK(!find(folder / "none"));
}

TEST_CASE("deltas, merges and restarts give the state of every point, whatever was damaged") {
  std::mt19937_64 random(41);
  std::size_t merges = 0, fallbacks = 0;
  for (int round = 0; round < 40; ++round) {
    const TemporaryFolder folder(TemporaryFolder::Where::in_memory);
    std::map<std::uint64_t, State> points;
    State state;
    auto series = std::make_unique<SnapshotSeries>(folder.path(), "basis");
    for (std::uint64_t position = 1; position <= 40; ++position) {
      Changes changes;
      const std::size_t count = random() % 8;
      for (std::size_t i = 0; i < count; ++i) {
        const std::string key = "key" + std::to_string(random() % 60);
        if (random() % 4 == 0)
          changes[key] = std::nullopt;
        else
          changes[key] = std::string(random() % 50, static_cast<char>('a' + random() % 26));
      }
      for (const auto& [key, bytes] : changes) {
        state.erase(key);
        if (bytes) state[key] = *bytes;
      }
      REQUIRE((series->needs_all() ? save_all(*series, position, state)
                                   : save(*series, position, changes)));
      points[position] = state;
      if (random() % 5 != 0) {
        const std::size_t before = snapshot_paths(folder.path()).size();
        REQUIRE(series->tidy());
        merges += snapshot_paths(folder.path()).size() != before ? 1 : 0;
      }
      if (random() % 4 != 0) continue;
      // The server ends; a file may rot.
      const bool rots = random() % 2 == 0;
      if (rots) {
        const auto paths = snapshot_paths(folder.path());
        const std::string& path = paths[random() % paths.size()];
        std::string bytes = read_file(path).value();
        bytes[random() % bytes.size()] ^= 0x10;
        put_bytes(path, bytes);
      }
      auto found = find(folder.path());
      if (!rots) REQUIRE(found);
      if (found) {
        const std::uint64_t at = found->position().value;
        CHECK((rots || at == position));
        fallbacks += at != position ? 1 : 0;
        CHECK(found->parts()[0].summary == "at " + std::to_string(at));
        state = state_of(*found);
        CHECK(state == points.at(at));
      } else {
        state.clear();
      }
      series = std::make_unique<SnapshotSeries>(folder.path(), "basis", std::move(found));
    }
  }
  CHECK(merges > 50);
  CHECK(fallbacks > 5);
}

TEST_CASE("once there was a second snapshot no damaged file takes all, and few files stay") {
  std::mt19937_64 random(42);
  const TemporaryFolder folder(TemporaryFolder::Where::in_memory);
  SnapshotSeries series(folder.path(), "basis");
  std::map<std::uint64_t, State> points;
  State state;
  for (int i = 0; i < 200; ++i) state["key" + std::to_string(i)] = std::to_string(random());
  for (std::uint64_t position = 1; position <= 60; ++position) {
    Changes changes;
    for (int i = 0; i < 10; ++i) {
      const std::string key = "key" + std::to_string(random() % 200);
      changes[key] = state[key] = std::to_string(random());
    }
    REQUIRE((position == 1 ? save_all(series, 1, state) : save(series, position, changes)));
    points[position] = state;
    REQUIRE(series.tidy());
    CHECK(state_of(*find(folder.path())) == state);
    const auto paths = snapshot_paths(folder.path());
    CHECK(paths.size() < 70);
    if (position == 1) continue;
    for (const std::string& path : paths) {
      const std::string sound = read_file(path).value();
      put_bytes(path, sound.substr(0, sound.size() / 2));
      const auto found = find(folder.path());
      REQUIRE(found);
      CHECK(state_of(*found) == points.at(found->position().value));
      put_bytes(path, sound);
    }
  }
}

TEST_CASE("a snapshot of another basis, or beyond the end of the log, is passed over") {
  const TemporaryFolder folder;
  SnapshotSeries series(folder.path(), "basis");
  REQUIRE(save_all(series, 10, {{"k", "ten"}}));
  REQUIRE(save(series, 20, {{"k", "twenty"}}));
  CHECK(state_of(*find(folder.path(), "basis", 20)).at("k") == "twenty");
  CHECK(state_of(*find(folder.path(), "basis", 19)).at("k") == "ten");
  CHECK(!find(folder.path(), "basis", 9));
  CHECK(!find(folder.path(), "other"));
  SnapshotSeries others(folder.path(), "other");
  REQUIRE(save_all(others, 20, {{"k", "another"}}));
  REQUIRE(others.tidy());
  CHECK(state_of(*find(folder.path(), "basis")).at("k") == "twenty");
  CHECK(state_of(*find(folder.path(), "other")).at("k") == "another");
}

TEST_CASE("a delta is read only on the very file that it was made for") {
  const TemporaryFolder folder(TemporaryFolder::Where::in_memory);
  const TemporaryFolder elsewhere(TemporaryFolder::Where::in_memory);
  SnapshotSeries series(folder.path(), "basis"), other(elsewhere.path(), "basis");
  REQUIRE(save_all(series, 1, {{"k", "one"}}));
  REQUIRE(save(series, 2, {{"j", "two"}}));
  REQUIRE(save_all(other, 1, {{"k", "not one"}}));
  const auto base = snapshot_paths(folder.path()).front();
  put_bytes(base, read_file(snapshot_paths(elsewhere.path()).front()).value());
  CHECK(state_of(*find(folder.path())) == State{{"k", "not one"}});
}

TEST_CASE("any cut or flipped byte is noticed, and what is older serves") {
  const TemporaryFolder folder(TemporaryFolder::Where::in_memory);
  SnapshotSeries series(folder.path(), "basis");
  REQUIRE(save_all(series, 1, {{"k", "older"}, {"j", "x"}}));
  REQUIRE(save(series, 2, {{"k", "newer state"}, {"j", std::nullopt}}));
  const std::string newest = snapshot_paths(folder.path()).back();
  const std::string sound = read_file(newest).value();
  for (std::size_t at = 0; at < sound.size(); ++at) {
    CAPTURE(at);
    std::string flipped = sound;
    flipped[at] ^= 0x04;
    for (const std::string& damaged : {flipped, sound.substr(0, at), sound + "x"}) {
      put_bytes(newest, damaged);
      std::string warning;
      CHECK(state_of(*find(folder.path(), "basis", 1000, &warning)).at("k") == "older");
      CHECK(warning.find(newest) != std::string::npos);
    }
  }
}

TEST_CASE("a full disk leaves the snapshots that were there, and the next one has it all") {
  const TemporaryFolder folder;
  auto files = std::make_shared<FaultyFiles>();
  SnapshotSeries series(folder.path(), "basis", {}, files);
  REQUIRE(save_all(series, 1, {{"k", "one"}}));
  for (const std::uint64_t room : {std::uint64_t{0}, std::uint64_t{20}, std::uint64_t{120}}) {
    files->plan().room_bytes = room;
    const Status saved = save(series, 2, {{"k", "two"}});
    REQUIRE(!saved);
    CHECK(saved.error().code == Code::disk_full);
    CHECK(snapshot_paths(folder.path()).size() == 1);
  }
  files->plan() = {};
  REQUIRE(save(series, 3, {{"k", "three"}}));
  CHECK(state_of(*find(folder.path())).at("k") == "three");
  files->plan().room_bytes = 20;
  CHECK(series.tidy().error().code == Code::disk_full);
  CHECK(!series.needs_all());
  files->plan() = {};
  REQUIRE(save(series, 4, {{"j", "four"}}));
  REQUIRE(series.tidy());
  CHECK(state_of(*find(folder.path())) == State{{"j", "four"}, {"k", "three"}});
}

TEST_CASE("a chain that cannot be read any more is not built on") {
  const TemporaryFolder folder;
  SnapshotSeries series(folder.path(), "basis");
  REQUIRE(save_all(series, 1, {{"k", "one"}}));
  std::filesystem::remove(snapshot_paths(folder.path()).front());
  REQUIRE(save(series, 2, {{"k", "two"}}));
  CHECK(!series.tidy());
  CHECK(series.needs_all());
  REQUIRE(save_all(series, 3, {{"k", "three"}}));
  CHECK(state_of(*find(folder.path())).at("k") == "three");
}

TEST_CASE("what a dead process left half-written, and files of older versions, are removed") {
  const TemporaryFolder folder;
  put_bytes(folder / "snapshot-00000000000000000009.base.state.pending-1-0", "half");
  put_bytes(folder / "snapshot-00000000000000000003.state", "COEVSNAP of version 1");
  CHECK(!find(folder.path()));
  SnapshotSeries series(folder.path(), "basis");
  REQUIRE(save_all(series, 1, {{"k", "one"}}));
  REQUIRE(series.tidy());
  CHECK(snapshot_paths(folder.path()).size() == 1);
}

TEST_CASE("the bytes of a file are those that its format says") {
  const TemporaryFolder folder(TemporaryFolder::Where::in_memory);
  SnapshotSeries series(folder.path(), "b");
  REQUIRE(series.begin(Position{7}, {{"p", "s"}}));
  UnitFrame frame(0);
  frame.append("k", "v");
  REQUIRE(series.add(frame));
  REQUIRE(series.publish());
  const std::string path = snapshot_paths(folder.path()).front();
  CHECK(path == folder / "snapshot-00000000000000000001.base.state");
  const std::string bytes = read_file(path).value();
  using namespace std::string_literals;
  const std::string head =
      "COEVSNAP\2\0\0\0\x1c\0\0\0\0\0\0\0"s  // 28 bytes of head
      "\7\0\0\0\0\0\0\0\0"s
      "\1\0\0\0b"s
      "\1\0\0\0"s
      "\1\0\0\0p\1\0\0\0s"s;
  REQUIRE(bytes.size() == head.size() + 16 + 24 + 15 + 16 + 12 + 16);
  CHECK(bytes.substr(0, head.size()) == head);
  const std::string unit = "\1\0\0\0k\1\1\0\0\0\0\0\0\0v"s;
  const std::string stored = "\0\0\0\0\0\0\0\0\xf\0\0\0\0\0\0\0\xf\0\0\0\0\0\0\0"s + unit;
  CHECK(bytes.substr(head.size() + 16, stored.size()) == stored);
  CHECK(bytes.substr(bytes.size() - 28, 12) == "\xff\xff\xff\xff\1\0\0\0\0\0\0\0"s);
}

TEST_CASE("a head ends with the check of the log where that is known") {
  const TemporaryFolder folder(TemporaryFolder::Where::in_memory);
  SnapshotSeries series(folder.path(), "b");
  REQUIRE(series.begin({Position{7}, 0x0201}, {{"p", "s"}}));
  REQUIRE(series.publish());
  const std::string bytes = read_file(snapshot_paths(folder.path()).front()).value();
  using namespace std::string_literals;
  const std::string head =
      "COEVSNAP\2\0\0\0\x24\0\0\0\0\0\0\0"s  // 36 bytes of head
      "\7\0\0\0\0\0\0\0\0"s
      "\1\0\0\0b"s
      "\1\0\0\0"s
      "\1\0\0\0p\1\0\0\0s"s
      "\1\2\0\0\0\0\0\0"s;
  CHECK(bytes.substr(0, head.size()) == head);
  CHECK(find_snapshot(folder.path(), "b", Position{7}, nullptr).value()->position() == Position{7});
}

}  // namespace coeval::stores
