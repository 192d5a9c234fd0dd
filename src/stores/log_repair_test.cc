#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <random>

#include "stores/event_log.h"
#include "stores/event_log_conformance.h"
#include "stores/files.h"
#include "stores/temporary_folder.h"

namespace coeval::stores {

namespace {

void fill_log(const std::string& folder, std::uint64_t count, std::uint64_t segment_bytes) {
  auto log = open_log(folder, {segment_bytes, nullptr}).value();
  for (std::uint64_t i = 0; i < count; ++i)
    REQUIRE(log->append(event_draft("payload " + std::to_string(i), static_cast<std::int64_t>(i))));
  REQUIRE(log->sync());
}

std::vector<std::string> segment_paths(const std::string& folder) {
  std::vector<std::string> paths;
  for (const auto& entry : std::filesystem::directory_iterator(folder))
    if (entry.path().extension() == ".seg") paths.push_back(entry.path().string());
  std::ranges::sort(paths);
  return paths;
}

void overwrite(const std::string& path, std::uint64_t at, std::string_view bytes) {
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(static_cast<std::streamoff>(at));
  file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

std::string quarantined_bytes(const std::string& folder) {
  std::string all;
  if (!std::filesystem::exists(folder + "/quarantine")) return all;
  for (const auto& entry : std::filesystem::directory_iterator(folder + "/quarantine"))
    all += read_file(entry.path().string()).value();
  return all;
}

// Every record that is not lost is the one of its position.
std::size_t check_positions_kept(const std::vector<KeptRecord>& records) {
  std::size_t lost = 0;
  for (std::size_t i = 0; i < records.size(); ++i) {
    REQUIRE(records[i].position == i);
    if (records[i].kind == RecordKind::lost)
      ++lost;
    else
      REQUIRE(records[i].payload == "payload " + std::to_string(i));
  }
  return lost;
}

}  // namespace

TEST_CASE("a sound log is reported as sound and repair leaves it as it is") {
  const TemporaryFolder folder;
  fill_log(folder.path(), 20, 300);
  const auto before = read_file(segment_paths(folder.path()).front()).value();
  for (const bool repair : {false, true}) {
    const LogReport report = inspect_log(folder.path(), repair).value();
    CHECK(report.problem.empty());
    CHECK(report.quarantined.empty());
    CHECK(report.records == 20);
    CHECK(report.segments == segment_paths(folder.path()).size());
    CHECK(report.torn_bytes == 0);
  }
  CHECK(read_file(segment_paths(folder.path()).front()).value() == before);
}

TEST_CASE("repair sets a bad record in the middle aside and keeps all positions") {
  const TemporaryFolder folder;
  fill_log(folder.path(), 20, 1u << 20);
  const std::string path = segment_paths(folder.path()).front();
  const std::uint64_t record_bytes = 40 + 9;
  const std::uint64_t third = 32 + 3 * record_bytes;
  overwrite(path, third + 44, "ROT");
  const std::string damaged = read_file(path).value();

  const LogReport found = inspect_log(folder.path(), false).value();
  CHECK(found.problem.find(path) != std::string::npos);
  CHECK(found.problem.find("offset " + std::to_string(third)) != std::string::npos);
  CHECK(found.records == 3);
  CHECK(read_file(path).value() == damaged);

  const LogReport repaired = inspect_log(folder.path(), true).value();
  CHECK(repaired.problem.empty());
  CHECK(repaired.records == 20);
  CHECK(read_file(repaired.quarantined).value() == damaged.substr(third, record_bytes));
  const auto records = records_of(*open_log(folder.path()).value());
  CHECK(records.size() == 20);
  CHECK(check_positions_kept(records) == 1);
  CHECK(records[3].known_us == 2);
}

TEST_CASE("repair moves a torn tail to quarantine instead of deleting it") {
  const TemporaryFolder folder;
  fill_log(folder.path(), 5, 1u << 20);
  const std::string path = segment_paths(folder.path()).front();
  std::ofstream(path, std::ios::binary | std::ios::app) << "torn bytes";
  CHECK(inspect_log(folder.path(), false).value().torn_bytes == 10);
  CHECK(inspect_log(folder.path(), true).value().problem.empty());
  CHECK(quarantined_bytes(folder.path()) == "torn bytes");
  CHECK(inspect_log(folder.path(), false).value().torn_bytes == 0);
  CHECK(records_of(*open_log(folder.path()).value()).size() == 5);
}

TEST_CASE("repair mends a segment whose header or end is gone") {
  const TemporaryFolder folder;
  fill_log(folder.path(), 30, 300);
  const auto paths = segment_paths(folder.path());
  REQUIRE(paths.size() > 3);
  overwrite(paths[0], 8, "\xff");
  std::filesystem::resize_file(paths[1], std::filesystem::file_size(paths[1]) - 60);
  std::filesystem::resize_file(paths[2], 0);
  CHECK(inspect_log(folder.path(), true).value().problem.empty());
  const auto records = records_of(*open_log(folder.path()).value());
  CHECK(records.size() == 30);
  CHECK(check_positions_kept(records) > 2);
}

TEST_CASE("repair refuses to make up a segment that is missing") {
  const TemporaryFolder folder;
  fill_log(folder.path(), 30, 300);
  std::filesystem::remove(segment_paths(folder.path())[1]);
  const LogReport report = inspect_log(folder.path(), true).value();
  CHECK(report.problem.find("missing") != std::string::npos);
  CHECK(report.quarantined.empty());
}

TEST_CASE("repair beside a writer is refused") {
  const TemporaryFolder folder;
  const auto log = open_log(folder.path()).value();
  CHECK(inspect_log(folder.path(), true).error().code == Code::log_locked);
  CHECK(inspect_log(folder.path(), false).has_value());
}

TEST_CASE("after random damage repair opens the log and shows no wrong record") {
  std::mt19937_64 random(5);
  for (int round = 0; round < 150; ++round) {
    CAPTURE(round);
    const TemporaryFolder folder(TemporaryFolder::Where::in_memory);
    fill_log(folder.path(), 40, round % 2 == 0 ? 400 : 1u << 20);
    const auto paths = segment_paths(folder.path());
    for (std::uint64_t hits = 1 + random() % 4; hits > 0; --hits) {
      const std::string& path = paths[random() % paths.size()];
      std::string noise(1 + random() % 120, '\0');
      for (char& c : noise) c = static_cast<char>(random());
      const std::uint64_t size = std::filesystem::file_size(path);
      const std::uint64_t at = random() % size;
      overwrite(path, at, std::string_view(noise).substr(0, size - at));
    }
    REQUIRE(inspect_log(folder.path(), true).value().problem.empty());
    check_positions_kept(records_of(*open_log(folder.path()).value()));
  }
}

}  // namespace coeval::stores
