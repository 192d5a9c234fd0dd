#include "stores/log_trim.h"

#include <doctest/doctest.h>

#include <filesystem>

#include "stores/event_log_conformance.h"
#include "stores/faulty_files.h"
#include "stores/files.h"
#include "stores/log_scan.h"
#include "stores/sealed_files.h"
#include "stores/temporary_folder.h"

namespace coeval::stores {
namespace {

LogOptions quick(std::uint64_t segment_bytes) {
  return {segment_bytes, std::make_shared<FaultyFiles>()};
}

// A cut and nine events, two or three records a segment: segments begin at 0, 3, 6, 9.
void write_log(const std::string& folder) {
  const auto log = open_log(folder, quick(32 + 3 * 50)).value();
  REQUIRE(log->append({RecordKind::cut, KnownTime{5}, 0, 0, "0123456789"}).has_value());
  for (int i = 1; i < 10; ++i) REQUIRE(log->append(event_draft("0123456789", 10 + i)).has_value());
  REQUIRE(log->sync().has_value());
}

LogTrim trim_at(std::uint64_t first, std::int64_t known) {
  LogTrim trim;
  trim.first = {first};
  trim.known = {known};
  trim.trimmed_at_us = 99;
  trim.sources = {{"flights", 5, 11, 15}};
  trim.kept = {{Position{0}, 3, KnownTime{5}, 0, 0, std::string("\x00\xff", 2)}};
  return trim;
}

TEST_CASE("what was trimmed reads back, and damage is found") {
  const std::string text = encode_trim(trim_at(6, 15));
  const auto back = decode_trim(text);
  REQUIRE(back.has_value());
  CHECK(back->first == Position{6});
  CHECK(back->kept[0].payload == std::string("\x00\xff", 2));
  CHECK(back->find("flights")->events == 5);
  CHECK(back->find("trains") == nullptr);
  for (std::size_t at = 0; at < text.size(); ++at) {
    std::string bad = text;
    bad[at] = static_cast<char>(bad[at] ^ 4);
    CHECK_FALSE(decode_trim(bad).has_value());
  }
}

TEST_CASE("a trimmed log keeps its positions, its first record and its order") {
  const TemporaryFolder folder;
  write_log(folder.path());
  const auto view = open_log_for_reading(folder.path()).value();
  const auto before = records_of(*view);
  REQUIRE(before.size() == 10);
  REQUIRE(write_trim(folder.path(), trim_at(6, 15)).has_value());
  // Segments that are still there are no part of the log: a crash may leave them.
  for (const bool removed : {false, true}) {
    CAPTURE(removed);
    if (removed) REQUIRE(remove_before(folder.path(), Position{6}).has_value());
    CHECK(find_segments(folder.path())->left_over.size() == (removed ? 0 : 2));
    const auto after = records_of(*view);
    REQUIRE(after.size() == 5);
    CHECK(after[0].position == 0);
    CHECK(after[0].kind == RecordKind::cut);
    CHECK(after[0].payload == std::string("\x00\xff", 2));
    CHECK(std::vector(after.begin() + 1, after.end()) ==
          std::vector(before.begin() + 6, before.end()));
    CHECK(records_of(*view, 8).size() == 2);
    CHECK(records_of(*view, 3).size() == 4);
    CHECK(inspect_log(folder.path(), false)->problem.empty());
  }
  const auto log = open_log(folder.path(), quick(1u << 20)).value();
  CHECK(log->next_position() == Position{10});
  CHECK(log->append(event_draft("x", 0)).value() == Position{10});
  CHECK(log->last_known() == KnownTime{19});
  REQUIRE(log->sync().has_value());
  CHECK(records_of(*log).size() == 6);
}

TEST_CASE("a writer removes what a trim left, and sees a trim that another process makes") {
  const TemporaryFolder folder;
  write_log(folder.path());
  REQUIRE(write_trim(folder.path(), trim_at(3, 12)).has_value());
  const auto log = open_log(folder.path(), quick(1u << 20)).value();
  CHECK(find_segments(folder.path())->left_over.empty());
  REQUIRE(write_trim(folder.path(), trim_at(6, 15)).has_value());
  REQUIRE(remove_before(folder.path(), Position{6}).has_value());
  CHECK(records_of(*log).size() == 5);
  CHECK(log->trim()->value().first == Position{6});
}

TEST_CASE("a segment that is missing behind the trim is still a problem") {
  const TemporaryFolder folder;
  write_log(folder.path());
  REQUIRE(write_trim(folder.path(), trim_at(3, 12)).has_value());
  std::filesystem::remove(folder / "log-00000000000000000003.seg");
  CHECK_FALSE(open_log(folder.path(), quick(1u << 20)).has_value());
}

}  // namespace
}  // namespace coeval::stores
