#include "stores/log_prefix.h"

#include <doctest/doctest.h>

namespace coeval::stores {

namespace {

// Payloads that a log shows from a position on.
std::vector<std::string> payloads(const EventLog& log, std::uint64_t from) {
  std::vector<std::string> all;
  const auto read = log.read(Position{from}, [&](const Record& record) {
    all.emplace_back(record.payload);
    return true;
  });
  REQUIRE(read);
  return all;
}

std::unique_ptr<EventLog> log_of_four() {
  auto log = make_memory_log();
  std::int64_t known = 10;
  for (const char* payload : {"a", "b", "c", "d"}) {
    REQUIRE(log->append({RecordKind::note, KnownTime{known}, 0, 0, payload}));
    known += 10;
  }
  REQUIRE(log->sync());
  return log;
}

}  // namespace

TEST_CASE("the beginning of a log ends where the log ended then") {
  const auto log = log_of_four();
  const auto then = log_prefix(*log, Position{2});
  CHECK(then->next_position() == Position{2});
  CHECK(then->last_known().us == 20);
  CHECK(payloads(*then, 0) == std::vector<std::string>{"a", "b"});
  CHECK(payloads(*then, 1) == std::vector<std::string>{"b"});
  CHECK(payloads(*then, 2).empty());
  REQUIRE(log->append({RecordKind::note, KnownTime{50}, 0, 0, "e"}));
  REQUIRE(log->sync());
  CHECK(payloads(*then, 0) == std::vector<std::string>{"a", "b"});
}

TEST_CASE("nothing of a log, and more than there is") {
  const auto log = log_of_four();
  CHECK(payloads(*log_prefix(*log, Position{0}), 0).empty());
  CHECK(log_prefix(*log, Position{0})->last_known().us == INT64_MIN);
  const auto beyond = log_prefix(*log, Position{99});
  CHECK(beyond->next_position() == Position{4});
  CHECK(payloads(*beyond, 3) == std::vector<std::string>{"d"});
}

TEST_CASE("the beginning of a log takes nothing") {
  const auto log = log_of_four();
  const auto then = log_prefix(*log, Position{2});
  const auto appended = then->append({RecordKind::note, KnownTime{60}, 0, 0, "x"});
  REQUIRE(!appended);
  CHECK(appended.error().code == Code::unsupported);
  CHECK(!then->sync());
  CHECK(payloads(*log, 0).size() == 4);
}

}  // namespace coeval::stores
