#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "base/time.h"

namespace coeval::kernel::testing {

// The calendar of std::chrono, whose years end at 32767: others are read some 400 years off.

struct Day {
  std::int64_t year;
  unsigned month, day;
  std::int64_t weekday, of_year, week;
};

inline std::int64_t floor_of_quotient(std::int64_t a, std::int64_t b) {
  return a / b - (a % b < 0 ? 1 : 0);
}

inline std::int64_t day_number(std::int64_t year, unsigned month, unsigned day) {
  using namespace std::chrono;
  const std::int64_t cycles = floor_of_quotient(year, 400);
  const year_month_day date(std::chrono::year(static_cast<int>(year - 400 * cycles)) /
                            std::chrono::month(month) / std::chrono::day(day));
  return sys_days(date).time_since_epoch().count() + cycles * 146097;
}

/// The Monday of a year's first ISO week: that of January 4.
inline std::int64_t first_week(std::int64_t year) {
  const std::int64_t fourth = day_number(year, 1, 4);
  return fourth - (fourth + 3 - 7 * floor_of_quotient(fourth + 3, 7));
}

inline Day day_of(std::int64_t number) {
  using namespace std::chrono;
  const std::int64_t cycles = floor_of_quotient(number, 146097);
  const sys_days moment(days(static_cast<int>(number - cycles * 146097)));
  const year_month_day date(moment);
  Day out{};
  out.year = static_cast<int>(date.year()) + 400 * cycles;
  out.month = static_cast<unsigned>(date.month());
  out.day = static_cast<unsigned>(date.day());
  out.weekday = weekday(moment).iso_encoding() - 1;
  out.of_year = number - day_number(out.year, 1, 1) + 1;
  std::int64_t year = out.year + 1;
  while (first_week(year) > number) --year;
  out.week = (number - first_week(year)) / 7 + 1;
  return out;
}

/// First day of the week, month, quarter or year.
inline std::int64_t start_of(const std::string& unit, std::int64_t number) {
  const Day day = day_of(number);
  if (unit == "day") return number;
  if (unit == "week") return number - day.weekday;
  if (unit == "month") return day_number(day.year, day.month, 1);
  if (unit == "quarter") return day_number(day.year, (day.month - 1) / 3 * 3 + 1, 1);
  return day_number(day.year, 1, 1);
}

inline std::int64_t length_of(const std::string& unit) {
  if (unit == "hour") return kHourUs;
  if (unit == "minute") return kMinuteUs;
  if (unit == "second") return kSecondUs;
  return unit == "millisecond" ? 1000 : unit == "microsecond" ? 1 : 0;
}

/// The number of unit starts up to a moment.
inline std::int64_t starts_until(const std::string& unit, std::int64_t us) {
  if (const std::int64_t length = length_of(unit); length > 0) return floor_of_quotient(us, length);
  const std::int64_t number = floor_of_quotient(us, kDayUs);
  const Day day = day_of(number);
  if (unit == "day") return number;
  if (unit == "week") return (number - day.weekday + 3) / 7;
  if (unit == "month") return day.year * 12 + day.month;
  if (unit == "quarter") return day.year * 4 + (day.month - 1) / 3;
  return day.year;
}

}  // namespace coeval::kernel::testing
