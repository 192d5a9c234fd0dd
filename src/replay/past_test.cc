#include "replay/past.h"

#include <doctest/doctest.h>

namespace coeval::replay {
namespace {

std::unique_ptr<stores::EventLog> log_with(const std::string& payload) {
  auto log = stores::make_memory_log();
  REQUIRE(log->append({stores::RecordKind::cut, KnownTime{4}, 0, 0, payload}));
  REQUIRE(log->flush());
  return log;
}

TEST_CASE("the cut is read back with the log's id") {
  const CutRecord cut{5, {{"orders", "ab12"}}, new_log_id()};
  const auto read = read_cut(*log_with(encode(cut))).value();
  REQUIRE(read.has_value());
  CHECK(read->cut_us == 5);
  CHECK((read->files == cut.files));
  CHECK(read->log_id == cut.log_id);
}

// The bytes that versions before 1.0 wrote, and those of now.
TEST_CASE("a cut without an id is read and written as it was") {
  const std::string old = R"({"cut_us":5,"files":{"orders":"ab12"}})";
  const auto read = read_cut(*log_with(old)).value();
  REQUIRE(read.has_value());
  CHECK(read->log_id.empty());
  CHECK(encode(*read) == old);
  CHECK(encode({5, {{"orders", "ab12"}}, "00ff"}) ==
        R"({"cut_us":5,"files":{"orders":"ab12"},"log_id":"00ff"})");
}

TEST_CASE("ids of logs are 128 bits, and differ") {
  const std::string one = new_log_id(), other = new_log_id();
  CHECK(one.size() == 32);
  CHECK(one.find_first_not_of("0123456789abcdef") == std::string::npos);
  CHECK(one != other);
}

}  // namespace
}  // namespace coeval::replay
