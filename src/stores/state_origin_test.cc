#include "stores/state_origin.h"

#include <doctest/doctest.h>

#include "stores/snapshots.h"
#include "stores/stored_state.h"
#include "stores/temporary_folder.h"

namespace coeval::stores {
namespace {

struct Row {
  std::int64_t known_us = 0;
  std::string payload;
};

std::unique_ptr<EventLog> log_of(const std::vector<Row>& rows) {
  auto log = make_memory_log();
  for (const Row& row : rows)
    REQUIRE(log->append({RecordKind::event, KnownTime{row.known_us}, 7, 9, row.payload}));
  REQUIRE(log->flush());
  return log;
}

const std::vector<Row> kRows = {{10, "a"}, {20, "b"}, {30, "c"}};

TEST_CASE("the check of a place in a log is that of the record before it") {
  const auto log = log_of(kRows);
  const std::uint64_t at_two = log_check(*log, Position{2}).value();
  CHECK(at_two != 0);
  CHECK(log_check(*log, Position{0}).value() == 1);
  CHECK(at_two != log_check(*log, Position{3}).value());
  CHECK(at_two == log_check(*log_of({{10, "a"}, {20, "b"}}), Position{2}).value());
  CHECK(at_two != log_check(*log_of({{10, "a"}, {21, "b"}}), Position{2}).value());
  CHECK(at_two != log_check(*log_of({{10, "a"}, {20, "x"}}), Position{2}).value());
  const auto other_kind = make_memory_log();
  REQUIRE(other_kind->append({RecordKind::event, KnownTime{10}, 7, 9, "a"}));
  REQUIRE(other_kind->append({RecordKind::outcome, KnownTime{20}, 7, 9, "b"}));
  REQUIRE(other_kind->flush());
  CHECK(at_two != log_check(*other_kind, Position{2}).value());
  CHECK(log_check(*log, Position{4}).error().code == Code::log_corrupt);
}

TEST_CASE("what a saved state is of is told apart") {
  const auto log = log_of(kRows);
  const auto point = log_point(*log, Position{2}).value();
  const std::string basis = state_basis("d1", "id1");
  const StateOrigin here{basis, Position{3}, log.get()};
  const auto why = [&](const std::string& saved, LogPoint at, const StateOrigin& origin) {
    const auto found = fitness({saved, at}, origin);
    REQUIRE(found.has_value());
    CHECK(found->fits == found->why.empty());
    return (found->other_log ? "log: " : "") + found->why;
  };
  CHECK(why(basis, point, here) == "");
  CHECK(why(basis, Position{2}, here) == "");  // saved by an older version
  CHECK(why(basis, {Position{2}, 12345}, {basis, Position{3}}) == "");
  CHECK(why(state_basis("d1", "id2"), point, here) == "log: it is of another log");
  CHECK(why("d1", point, here) == "log: it is of another log");
  CHECK(why(state_basis("d2", "id1"), point, here) == "it is of another definition");
  CHECK(why(basis, Position{4}, here).starts_with("log: it is as of log position 4 and the log"));
  CHECK(why(basis, {Position{2}, point.check + 1}, here)
            .starts_with("log: the log has another record before position 2"));
}

TEST_CASE("a log without an id has the basis of older versions") {
  CHECK(state_basis("d1", "") == "d1");
  CHECK(state_basis("d1", "0123") == "d1 of log 0123");
}

void save(SnapshotTarget& target, LogPoint at) {
  UnitFrame frame(0);
  frame.append("k", "as of " + std::to_string(at.position.value));
  REQUIRE(target.begin(at, {{"part", ""}}));
  REQUIRE(target.add(frame));
  REQUIRE(target.publish());
}

TEST_CASE("snapshots of a log that was put back are passed over, and an older one is taken") {
  const TemporaryFolder folder;
  const auto log = log_of(kRows), put_back = log_of({{10, "a"}, {20, "x"}, {30, "c"}});
  SnapshotSeries series(folder / "s", "basis");
  save(series, log_point(*log, Position{1}).value());
  save(series, log_point(*log, Position{2}).value());
  const auto found = [&](const EventLog& in, std::string& warning) {
    return find_snapshot(folder / "s", "basis", Position{3}, &warning, &in).value();
  };
  std::string warning;
  CHECK(found(*log, warning)->position() == Position{2});
  CHECK(warning.empty());
  CHECK(found(*put_back, warning)->position() == Position{1});
  CHECK(warning.find("is passed over: the log has another record") != std::string::npos);
  warning.clear();
  // The delta fits, but what it builds on does not.
  CHECK_FALSE(found(*log_of({{10, "z"}, {20, "b"}, {30, "c"}}), warning).has_value());
  CHECK(warning.find("another record before position 1") != std::string::npos);
}

TEST_CASE("a stored state of another log is not found, and it is said why") {
  const auto log = log_of(kRows), put_back = log_of({{10, "a"}, {20, "x"}, {30, "c"}});
  StoredState state(make_memory_state(), "basis");
  std::string why;
  CHECK(!state.find(Position{3}, log.get(), &why).value());
  CHECK(why.empty());
  save(state, log_point(*log, Position{2}).value());
  CHECK(state.find(Position{3}, log.get(), &why).value()->position == Position{2});
  CHECK(state.find(Position{3}).value().has_value());
  CHECK(why.empty());
  CHECK(!state.find(Position{3}, put_back.get(), &why).value());
  CHECK(why.find("another record before position 2") != std::string::npos);
  CHECK(!state.find(Position{1}, log.get(), &why).value());
  CHECK(why.find("the log ends at 1") != std::string::npos);
  CHECK(state.count_units().value() == 1);
}

}  // namespace
}  // namespace coeval::stores
