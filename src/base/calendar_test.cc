#include "base/calendar.h"

#include <doctest/doctest.h>

#include <chrono>
#include <limits>

#include "base/time.h"

namespace coeval {
namespace {

using std::chrono::sys_days;
using std::chrono::year_month_day;

std::int64_t days_of(std::chrono::year_month_day date) {
  return sys_days(date).time_since_epoch().count();
}

year_month_day date_of(std::int64_t day) {
  return sys_days(std::chrono::days(static_cast<int>(day)));
}

// The Monday from which ISO 8601 counts the weeks of a year: that of the week with January 4.
std::int64_t first_monday(std::chrono::year year) {
  const std::int64_t fourth = days_of(year / 1 / 4);
  const unsigned iso = std::chrono::weekday(sys_days(year / 1 / 4)).iso_encoding();
  return fourth - (iso - 1);
}

int week_by_the_book(std::int64_t day) {
  auto year = date_of(day).year() + std::chrono::years(1);
  while (first_monday(year) > day) --year;
  return static_cast<int>((day - first_monday(year)) / 7) + 1;
}

TEST_CASE("weeks, months, quarters and years of every day of 500 years are those of std::chrono") {
  for (std::int64_t day = days_of(std::chrono::year(1700) / 1 / 1),
                    last = days_of(std::chrono::year(2200) / 1 / 1);
       day < last; ++day) {
    const year_month_day date = date_of(day);
    const std::int64_t us = day * kDayUs + 12'345'678'901;
    REQUIRE(iso_week(day) == week_by_the_book(day));
    const auto start_of = [&](CalendarUnit unit) {
      std::int64_t start = 0;
      REQUIRE(unit_start(unit, unit_number(unit, us), start));
      return start;
    };
    const unsigned month = static_cast<unsigned>(date.month());
    const unsigned weekday = std::chrono::weekday(sys_days(date)).iso_encoding();
    REQUIRE(start_of(CalendarUnit::day) == day * kDayUs);
    REQUIRE(start_of(CalendarUnit::week) == (day - (weekday - 1)) * kDayUs);
    REQUIRE(start_of(CalendarUnit::month) == days_of(date.year() / date.month() / 1) * kDayUs);
    REQUIRE(start_of(CalendarUnit::quarter) ==
            days_of(date.year() / std::chrono::month((month - 1) / 3 * 3 + 1) / 1) * kDayUs);
    REQUIRE(start_of(CalendarUnit::year) == days_of(date.year() / 1 / 1) * kDayUs);
    REQUIRE(start_of(CalendarUnit::hour) == us / kHourUs * kHourUs - (us % kHourUs < 0) * kHourUs);
  }
}

TEST_CASE("a unit's number rises by one at its start and nowhere else") {
  for (const CalendarUnit unit :
       {CalendarUnit::microsecond, CalendarUnit::millisecond, CalendarUnit::second,
        CalendarUnit::minute, CalendarUnit::hour, CalendarUnit::day, CalendarUnit::week,
        CalendarUnit::month, CalendarUnit::quarter, CalendarUnit::year}) {
    for (std::int64_t number = -3000; number < 3000; ++number) {
      std::int64_t start = 0;
      REQUIRE(unit_start(unit, number, start));
      REQUIRE(unit_number(unit, start) == number);
      REQUIRE(unit_number(unit, start - 1) == number - 1);
    }
  }
}

TEST_CASE("every int64 has a unit, and a start outside of int64 is said to be so") {
  constexpr std::int64_t kFirst = std::numeric_limits<std::int64_t>::min();
  constexpr std::int64_t kLast = std::numeric_limits<std::int64_t>::max();
  for (const CalendarUnit unit : {CalendarUnit::second, CalendarUnit::week, CalendarUnit::year}) {
    std::int64_t start = 0;
    CHECK_FALSE(unit_start(unit, unit_number(unit, kFirst), start));
    REQUIRE(unit_start(unit, unit_number(unit, kLast), start));
    CHECK(start <= kLast);
  }
}

TEST_CASE("units are found by name") {
  CHECK(find_calendar_unit("microsecond") == CalendarUnit::microsecond);
  CHECK(find_calendar_unit("year") == CalendarUnit::year);
  CHECK_FALSE(find_calendar_unit("days"));
  CHECK_FALSE(find_calendar_unit(""));
}

}  // namespace
}  // namespace coeval
