#include "kernel/time_functions.h"

#include <doctest/doctest.h>

#include <array>

#include "base/time.h"
#include "base/time_zone.h"
#include "define/checker.h"
#include "define/scope.h"
#include "kernel/evaluated_for_tests.h"

namespace coeval::kernel {
namespace {

using data::Type;
using data::Value;
using testing::value_of;

class ZonedScope final : public define::Scope {
 public:
  ZonedScope(const data::Schema& schema, const TimeZone* zone)
      : rows_(schema, "row"), zone_(zone) {}
  define::Binding find(std::string_view name) override { return rows_.find(name); }
  std::vector<std::string> names() const override { return rows_.names(); }
  std::string description() const override { return "row"; }
  bool has_question_time() const override { return false; }
  const TimeZone* zone() const override { return zone_; }

 private:
  define::RowScope rows_;
  const TimeZone* zone_;
};

// A value as text, by the clocks of a zone.
std::string in_zone(const char* zone, const std::string& text) {
  const auto found = TimeZone::find(zone);
  REQUIRE(found);
  data::Batch batch;
  batch.rows = 1;
  ZonedScope scope(batch.schema, *found);
  define::Diagnostics errors;
  const auto expr = define::check_expression({text, {"test", 1, 1, 1}, true}, scope, errors);
  REQUIRE(expr);
  EvaluationCounts counts;
  return data::to_text(evaluate(*expr, batch, {}, counts).value(0), expr->type);
}

std::string quoted(const std::string& time) { return "timestamp '" + time + "'"; }

std::string rfc(std::string time) {
  time[10] = 'T';
  return time + "Z";
}

// Clock, midnight, ISO week and weekday by Python 3.11's zoneinfo and datetime.
struct Local {
  const char* zone;
  const char* utc;
  const char* clock;
  const char* midnight;  // UTC
  int week, weekday;
};
constexpr std::array kLocal = {
    Local{"Europe/Berlin", "2021-03-28 00:59:59", "2021-03-28 01:59:59", "2021-03-27 23:00:00", 12,
          6},
    Local{"Europe/Berlin", "2021-03-28 01:00:00", "2021-03-28 03:00:00", "2021-03-27 23:00:00", 12,
          6},
    Local{"Europe/Berlin", "2021-10-31 00:30:00", "2021-10-31 02:30:00", "2021-10-30 22:00:00", 43,
          6},
    Local{"Europe/Berlin", "2021-10-31 01:30:00", "2021-10-31 02:30:00", "2021-10-30 22:00:00", 43,
          6},
    Local{"Europe/Berlin", "2050-07-01 12:00:00", "2050-07-01 14:00:00", "2050-06-30 22:00:00", 26,
          4},
    Local{"Europe/Berlin", "2021-12-31 23:30:00", "2022-01-01 00:30:00", "2021-12-31 23:00:00", 52,
          5},
    Local{"America/New_York", "2021-11-07 05:59:59", "2021-11-07 01:59:59", "2021-11-07 04:00:00",
          44, 6},
    Local{"America/New_York", "2021-11-07 06:00:00", "2021-11-07 01:00:00", "2021-11-07 04:00:00",
          44, 6},
    Local{"America/New_York", "1900-01-01 00:00:00", "1899-12-31 19:00:00", "1899-12-31 05:00:00",
          52, 6},
    Local{"Australia/Lord_Howe", "2021-10-02 15:29:59", "2021-10-03 01:59:59",
          "2021-10-02 13:30:00", 39, 6},
    Local{"Australia/Lord_Howe", "2021-10-02 15:30:00", "2021-10-03 02:30:00",
          "2021-10-02 13:30:00", 39, 6},
    Local{"Asia/Kolkata", "1900-01-01 00:00:00", "1900-01-01 05:21:10", "1899-12-31 18:38:50", 1,
          0},
    Local{"Asia/Kolkata", "2021-12-31 23:30:00", "2022-01-01 05:00:00", "2021-12-31 18:30:00", 52,
          5},
};

TEST_CASE("parts of a moment are what a zone's clocks show") {
  for (const Local& local : kLocal) {
    CAPTURE(local.zone);
    CAPTURE(local.utc);
    const std::string at = quoted(local.utc);
    const CivilTime clock = civil_time(*parse_time(local.clock));
    const auto part = [&](const std::string& name) {
      return in_zone(local.zone, name + "(" + at + ")");
    };
    CHECK(part("year") == std::to_string(clock.year));
    CHECK(part("month") == std::to_string(clock.month));
    CHECK(part("day") == std::to_string(clock.day));
    CHECK(part("hour") == std::to_string(clock.hour));
    CHECK(part("minute") == std::to_string(clock.minute));
    CHECK(part("second") == std::to_string(clock.second));
    CHECK(part("minute_of_day") == std::to_string(clock.hour * 60 + clock.minute));
    CHECK(part("week") == std::to_string(local.week));
    CHECK(part("weekday") == std::to_string(local.weekday));
    CHECK(part("is_weekend") == (local.weekday > 4 ? "true" : "false"));
    CHECK(in_zone(local.zone, "cast(" + at + " as date)") ==
          std::string(local.clock).substr(0, 10));
    CHECK(in_zone(local.zone, "date_trunc('day', " + at + ")") == rfc(local.midnight));
    CHECK(in_zone(local.zone, "cast(cast(" + at + " as date) as timestamp)") ==
          rfc(local.midnight));
  }
}

TEST_CASE("days are counted by the calendar, hours as they pass") {
  const auto berlin = [](const std::string& text) { return in_zone("Europe/Berlin", text); };
  // The day on which clocks skip 02:00 to 03:00 has 23 hours, the one that shows it twice 25.
  CHECK(berlin("date_diff('hour', timestamp '2021-03-27 23:00', timestamp '2021-03-28 22:00')") ==
        "23");
  CHECK(berlin("date_diff('day', timestamp '2021-03-27 23:00', timestamp '2021-03-28 22:00')") ==
        "1");
  CHECK(berlin("date_diff('day', timestamp '2021-03-27 23:00', timestamp '2021-03-28 21:59')") ==
        "0");
  CHECK(berlin("date_diff('hour', timestamp '2021-10-30 22:00', timestamp '2021-10-31 23:00')") ==
        "25");
  CHECK(berlin("date_diff('hour', timestamp '2021-10-31 00:30', timestamp '2021-10-31 01:30')") ==
        "1");
  CHECK(berlin("date_diff('week', timestamp '2021-03-28 21:59', timestamp '2021-03-28 22:00')") ==
        "1");
  CHECK(berlin("date_diff('year', timestamp '2021-12-31 22:59', timestamp '2021-12-31 23:00')") ==
        "1");
  // Both of the hours that clocks call 02 begin.
  CHECK(berlin("date_trunc('hour', timestamp '2021-10-31 00:30')") == "2021-10-31T00:00:00Z");
  CHECK(berlin("date_trunc('hour', timestamp '2021-10-31 01:30')") == "2021-10-31T01:00:00Z");
  CHECK(berlin("date_trunc('month', timestamp '2021-10-31 23:00')") == "2021-10-31T23:00:00Z");
  CHECK(in_zone("Asia/Kolkata", "date_trunc('hour', timestamp '2021-01-01 00:15')") ==
        "2020-12-31T23:30:00Z");
  CHECK(in_zone("Asia/Kolkata",
                "date_diff('hour', timestamp '2021-01-01 00:29', timestamp '2021-01-01 00:30')") ==
        "1");
  // São Paulo had no midnight on 2018-11-04: the day began at 01:00, which is 03:00 UTC.
  CHECK(in_zone("America/Sao_Paulo", "date_trunc('day', timestamp '2018-11-04 12:00')") ==
        "2018-11-04T03:00:00Z");
}

TEST_CASE("dates and texts do not ask for the zone") {
  CHECK(in_zone("Asia/Kolkata", "day(date '2021-01-01')") == "1");
  CHECK(in_zone("Asia/Kolkata", "timestamp '2021-01-01'") == "2021-01-01T00:00:00Z");
  CHECK(in_zone("Asia/Kolkata", "date_diff('hour', date '2021-01-01', date '2021-01-02')") == "24");
}

TEST_CASE("differences are those of DuckDB 2.0.1, weeks excepted") {
  const auto between = [](const char* unit, const char* a, const char* b) {
    return value_of(std::string("date_diff('") + unit + "', " + quoted(a) + ", " + quoted(b) + ")");
  };
  const auto n = [](std::int64_t value) { return Value{value}; };
  CHECK(between("hour", "2001-01-01 00:59:59", "2001-01-01 01:00") == n(1));
  CHECK(between("hour", "1969-12-31 23:59:59", "1970-01-01 00:00") == n(1));
  CHECK(between("minute", "1969-12-31 22:30:59", "1969-12-31 22:31:00") == n(1));
  CHECK(between("second", "1969-12-31 22:30:58.9", "1969-12-31 22:30:59.1") == n(1));
  CHECK(between("millisecond", "1969-12-31 22:30:58.9009", "1969-12-31 22:30:58.9011") == n(1));
  CHECK(between("month", "2001-01-31", "2001-02-01") == n(1));
  CHECK(between("quarter", "2001-03-31", "2001-04-01") == n(1));
  CHECK(between("year", "2001-12-31", "2002-01-01") == n(1));
  CHECK(between("year", "2002-01-01", "2001-12-31") == n(-1));
  // DuckDB says 0: it counts whole sevens of days there.
  CHECK(between("week", "2001-01-07", "2001-01-08") == n(1));
  CHECK(value_of("date_trunc('quarter', date '2001-06-03')") ==
        n(*parse_time("2001-04-01") / kDayUs));
}

TEST_CASE("what lies outside of the timestamps is null, and counted") {
  const data::Batch batch =
      testing::batch_of(Type::timestamp, {INT64_MIN, INT64_MAX, std::int64_t{0}});
  for (const char* text :
       {"date_trunc('second', x)", "date_trunc('week', x)", "date_trunc('year', x)",
        "date_diff('microsecond', timestamp '1970-01-02', x)"}) {
    CAPTURE(text);
    EvaluationCounts counts;
    const data::Column found = testing::evaluated(text, batch, counts);
    CHECK(found.is_null(0));
    CHECK_FALSE(found.is_null(1));
    CHECK_FALSE(found.is_null(2));
    CHECK(counts.integer_overflows == 1);
  }
  EvaluationCounts counts;
  CHECK(testing::evaluated("year(x)", batch, counts).integer(0) == -290308);
  CHECK(testing::evaluated("year(x)", batch, counts).integer(1) == 294247);
  const data::Batch dates =
      testing::batch_of(Type::date, {std::int64_t{INT32_MIN}, std::int64_t{INT32_MAX}});
  CHECK(testing::evaluated("date_trunc('year', x)", dates, counts).is_null(0));
  CHECK(testing::evaluated("year(x)", dates, counts).integer(1) == 5881580);
  CHECK(counts.integer_overflows == 1);
}

}  // namespace
}  // namespace coeval::kernel
