#include "stores/snapshots.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "stores/faulty_files.h"
#include "stores/files.h"
#include "stores/temporary_folder.h"

namespace coeval::stores {

namespace {

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

std::optional<Snapshot> load(const std::string& folder, const std::string& basis = "basis",
                             std::uint64_t end = 1000, std::string* warning = nullptr) {
  return load_snapshot(folder, basis, Position{end}, warning).value();
}

}  // namespace

TEST_CASE("a snapshot reads back, compressed and plain") {
  const TemporaryFolder folder;
  std::string state;
  for (int i = 0; i < 100'000; ++i) state += static_cast<char>(i % 997 * i >> 3);
  for (const bool compress : {true, false}) {
    for (const std::string& content : {state, std::string(), std::string(1, '\0')}) {
      REQUIRE(save_snapshot(folder.path(), {"basis", Position{12}, content}, {compress, nullptr}));
      const auto loaded = load(folder.path());
      REQUIRE(loaded);
      CHECK(loaded->basis == "basis");
      CHECK(loaded->position == Position{12});
      CHECK(loaded->state == content);
    }
  }
}

TEST_CASE("no folder and an empty folder hold no snapshot") {
  const TemporaryFolder folder;
  CHECK(!load(folder.path()));
  CHECK(!load(folder / "none"));
}

TEST_CASE("the newest two snapshots are kept and the newest is loaded") {
  const TemporaryFolder folder;
  for (std::uint64_t i = 1; i <= 5; ++i)
    REQUIRE(save_snapshot(folder.path(), {"basis", Position{i}, std::to_string(i)}));
  CHECK(snapshot_paths(folder.path()).size() == 2);
  CHECK(load(folder.path())->state == "5");
}

TEST_CASE("a snapshot of another basis, or beyond the end of the log, is passed over") {
  const TemporaryFolder folder;
  REQUIRE(save_snapshot(folder.path(), {"basis", Position{10}, "ten"}));
  REQUIRE(save_snapshot(folder.path(), {"basis", Position{20}, "twenty"}));
  CHECK(load(folder.path(), "basis", 20)->state == "twenty");
  CHECK(load(folder.path(), "basis", 19)->state == "ten");
  CHECK(!load(folder.path(), "basis", 9));
  CHECK(!load(folder.path(), "other"));
  REQUIRE(save_snapshot(folder.path(), {"other", Position{20}, "another"}));
  CHECK(load(folder.path(), "basis")->state == "twenty");
}

TEST_CASE("any cut or flipped byte is noticed, and the older snapshot serves") {
  const TemporaryFolder folder(TemporaryFolder::Where::in_memory);
  REQUIRE(save_snapshot(folder.path(), {"basis", Position{1}, "older"}));
  REQUIRE(save_snapshot(folder.path(), {"basis", Position{2}, "newer state"}));
  const std::string newest = snapshot_paths(folder.path()).back();
  const std::string sound = read_file(newest).value();
  for (std::size_t at = 0; at < sound.size(); ++at) {
    CAPTURE(at);
    std::string flipped = sound;
    flipped[at] ^= 0x04;
    for (const std::string& damaged : {flipped, sound.substr(0, at), sound + "x"}) {
      put_bytes(newest, damaged);
      std::string warning;
      CHECK(load(folder.path(), "basis", 1000, &warning)->state == "older");
      CHECK(warning.find(newest) != std::string::npos);
    }
  }
}

TEST_CASE("a full disk leaves the snapshots that were there") {
  const TemporaryFolder folder;
  REQUIRE(save_snapshot(folder.path(), {"basis", Position{1}, "one"}));
  REQUIRE(save_snapshot(folder.path(), {"basis", Position{2}, "two"}));
  auto files = std::make_shared<FaultyFiles>();
  files->plan().room_bytes = 20;
  const Status saved = save_snapshot(folder.path(), {"basis", Position{3}, "three"}, {true, files});
  REQUIRE(!saved);
  CHECK(saved.error().code == Code::disk_full);
  CHECK(snapshot_paths(folder.path()).size() == 2);
  CHECK(load(folder.path())->state == "two");
}

TEST_CASE("what a dead process left half-written is removed by the next save") {
  const TemporaryFolder folder;
  put_bytes(folder / "snapshot-00000000000000000009.state.pending-1-0", "half");
  REQUIRE(save_snapshot(folder.path(), {"basis", Position{1}, "one"}));
  CHECK(snapshot_paths(folder.path()).size() == 1);
}

}  // namespace coeval::stores
