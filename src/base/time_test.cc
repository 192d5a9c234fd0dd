#include "base/time.h"

#include <doctest/doctest.h>

namespace coeval {
namespace {

TEST_CASE("known moments read and print as RFC 3339") {
  CHECK(*parse_time("1970-01-01") == 0);
  CHECK(*parse_time("2001-06-01T00:00:00Z") == 991353600000000);  // date -u -d 2001-06-01 +%s
  CHECK(*parse_time("2001-06-01 02:00:00+02:00") == 991353600000000);
  CHECK(*parse_time("1969-12-31T23:59:59.999999Z") == -1);
  CHECK(format_time(991353600000001) == "2001-06-01T00:00:00.000001Z");
  CHECK(format_time(-1) == "1969-12-31T23:59:59.999999Z");
}

TEST_CASE("every day of four centuries goes through civil fields and back") {
  std::int64_t day = *parse_time("1800-01-01") / kDayUs;
  int weekday = 2;  // 1800-01-01 was a Wednesday
  for (int i = 0; i < 146097; ++i, ++day, weekday = (weekday + 1) % 7) {
    const CivilTime civil = civil_time(day * kDayUs + 7);
    REQUIRE(civil_to_us(civil.year, civil.month, civil.day) == day * kDayUs);
    REQUIRE(civil.weekday == weekday);
    REQUIRE(civil.microsecond == 7);
  }
}

TEST_CASE("what is not a time is refused") {
  for (const char* text : {"", "2001-02-29", "2001-13-01", "2001-06-01T24:00Z", "2001-06-01x",
                           "2001-06-01T10:00:00.1234567Z", "yesterday", "12 "})
    CHECK_FALSE(parse_time(text));
}

TEST_CASE("durations read and print") {
  CHECK(*parse_duration("15min") == 15 * kMinuteUs);
  CHECK(*parse_duration("2w") == 14 * kDayUs);
  CHECK(format_duration(14 * kDayUs) == "14d");
  CHECK(format_duration(90 * kSecondUs) == "90s");
  for (const char* text : {"", "h", "3", "3 h", "3hours", "9999999999999w"})
    CHECK_FALSE(parse_duration(text));
}

TEST_CASE("a code is found by the name that errors print") {
  CHECK(code_name(Code::unknown_column) == "C0412");
  REQUIRE(find_code("C0412"));
  CHECK(find_code("C0412")->code == Code::unknown_column);
  CHECK_FALSE(find_code("C9999"));
  CHECK_FALSE(find_code("banana"));
}

// As java.time.Instant and LocalDate write them.
TEST_CASE("the first and last moments and days that there are have their texts") {
  CHECK(format_time(INT64_MIN) == "-290308-12-21T19:59:05.224192Z");
  CHECK(format_time(INT64_MIN + 14'454'775'808) == "-290308-12-22T00:00:00Z");
  CHECK(format_time(INT64_MAX) == "294247-01-10T04:00:54.775807Z");
  CHECK(format_date(INT32_MIN) == "-5877641-06-23");
  CHECK(format_date(INT32_MAX) == "5881580-07-11");
  CHECK(format_date(0) == "1970-01-01");
  CHECK(format_date(-719'529) == "-001-12-31");
}

}  // namespace
}  // namespace coeval
