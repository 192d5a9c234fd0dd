#include "kernel/period.h"

#include <doctest/doctest.h>

#include <random>
#include <string>

#include "base/time.h"

namespace coeval::kernel {
namespace {

using define::Period;

std::int64_t at(const std::string& text) {
  const auto us = parse_time(text);
  REQUIRE(us);
  return *us;
}
std::string begin_of(Period period, const std::string& zone, const std::string& moment) {
  const auto found = TimeZone::find(zone);
  REQUIRE(found);
  return format_time(period_begin(period, *found, at(moment)));
}

TEST_CASE("days, weeks and months begin at a midnight of the zone's clocks") {
  CHECK(begin_of(Period::day, "UTC", "2001-06-05T12:30:00.5Z") == "2001-06-05T00:00:00Z");
  CHECK(begin_of(Period::day, "UTC", "2001-06-05T00:00:00Z") == "2001-06-05T00:00:00Z");
  CHECK(begin_of(Period::day, "UTC", "2001-06-04T23:59:59.999999Z") == "2001-06-04T00:00:00Z");
  // 5 June 2001 was a Tuesday.
  CHECK(begin_of(Period::week, "UTC", "2001-06-05T12:00:00Z") == "2001-06-04T00:00:00Z");
  CHECK(begin_of(Period::week, "UTC", "2001-06-04T00:00:00Z") == "2001-06-04T00:00:00Z");
  CHECK(begin_of(Period::week, "UTC", "2001-06-03T23:00:00Z") == "2001-05-28T00:00:00Z");
  CHECK(begin_of(Period::month, "UTC", "2000-02-29T23:00:00Z") == "2000-02-01T00:00:00Z");
  CHECK(begin_of(Period::month, "UTC", "1969-12-31T23:00:00Z") == "1969-12-01T00:00:00Z");
  // New York is five hours behind in winter, four in summer.
  CHECK(begin_of(Period::day, "America/New_York", "2001-01-10T04:59:59Z") ==
        "2001-01-09T05:00:00Z");
  CHECK(begin_of(Period::day, "America/New_York", "2001-06-10T04:00:00Z") ==
        "2001-06-10T04:00:00Z");
  // Clocks went forward on 1 April 2001 and back on 28 October: days of 23 and 25 hours.
  CHECK(begin_of(Period::day, "America/New_York", "2001-04-01T23:00:00Z") ==
        "2001-04-01T05:00:00Z");
  CHECK(begin_of(Period::day, "America/New_York", "2001-04-02T04:00:00Z") ==
        "2001-04-02T04:00:00Z");
  CHECK(begin_of(Period::day, "America/New_York", "2001-10-29T04:59:59Z") ==
        "2001-10-28T04:00:00Z");
  CHECK(begin_of(Period::month, "America/New_York", "2001-04-20T00:00:00Z") ==
        "2001-04-01T05:00:00Z");
}

TEST_CASE("a day whose midnight clocks skip begins where they skip it") {
  // Brazil's clocks went from 24:00 to 01:00 on 14 October 2001, from UTC−3 to UTC−2.
  CHECK(begin_of(Period::day, "America/Sao_Paulo", "2001-10-14T12:00:00Z") ==
        "2001-10-14T03:00:00Z");
  CHECK(begin_of(Period::day, "America/Sao_Paulo", "2001-10-14T03:00:00Z") ==
        "2001-10-14T03:00:00Z");
  CHECK(begin_of(Period::day, "America/Sao_Paulo", "2001-10-14T02:59:59Z") ==
        "2001-10-13T03:00:00Z");
}

TEST_CASE("no begin lies behind its moment, anywhere in time") {
  std::mt19937_64 random(1);
  for (const std::string name : {"UTC", "America/St_Johns", "Pacific/Apia", "Africa/Monrovia"}) {
    const auto zone = TimeZone::find(name);
    REQUIRE(zone);
    for (int round = 0; round < 2000; ++round) {
      const auto moment = static_cast<std::int64_t>(random()) >> (random() % 20);
      for (const Period period : {Period::day, Period::week, Period::month}) {
        const std::int64_t begin = period_begin(period, *zone, moment);
        REQUIRE(begin <= moment);
        const bool far = begin != INT64_MIN;
        if (far) REQUIRE(moment - begin <= define::Window{0, 0, period, ""}.reach_us());
      }
    }
  }
  CHECK(period_begin(Period::month, nullptr, INT64_MIN) == INT64_MIN);
}

}  // namespace
}  // namespace coeval::kernel
