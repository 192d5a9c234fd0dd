#include "base/calendar.h"

#include <algorithm>
#include <array>

#include "base/time.h"

namespace coeval {

namespace {

// In the order of CalendarUnit.
constexpr std::array<std::string_view, 10> kUnitNames = {
    "microsecond", "millisecond", "second", "minute",  "hour",
    "day",         "week",        "month",  "quarter", "year"};

// 1970-01-01 was a Thursday.
constexpr std::int64_t kFirstMonday = -3;

std::int64_t whole(std::int64_t a, std::int64_t b) { return a / b - (a % b < 0 ? 1 : 0); }

std::int64_t clock_unit_us(CalendarUnit unit) {
  switch (unit) {
    case CalendarUnit::microsecond:
      return 1;
    case CalendarUnit::millisecond:
      return 1000;
    case CalendarUnit::second:
      return kSecondUs;
    case CalendarUnit::minute:
      return kMinuteUs;
    default:
      return kHourUs;
  }
}

int months_in(CalendarUnit unit) {
  if (unit == CalendarUnit::month) return 1;
  return unit == CalendarUnit::quarter ? 3 : 12;
}

}  // namespace

std::optional<CalendarUnit> find_calendar_unit(std::string_view name) {
  const auto found = std::ranges::find(kUnitNames, name);
  if (found == kUnitNames.end()) return std::nullopt;
  return static_cast<CalendarUnit>(found - kUnitNames.begin());
}

std::string_view calendar_unit_names() {
  return "microsecond, millisecond, second, minute, hour, day, week, month, quarter, year";
}

std::int64_t day_unit_number(CalendarUnit unit, std::int64_t day) {
  if (unit == CalendarUnit::day) return day;
  if (unit == CalendarUnit::week) return whole(day - kFirstMonday, 7);
  const CivilTime civil = civil_date(day);
  return whole(civil.year * 12 + civil.month - 1, months_in(unit));
}

std::int64_t day_unit_start(CalendarUnit unit, std::int64_t number) {
  if (unit == CalendarUnit::day) return number;
  if (unit == CalendarUnit::week) return number * 7 + kFirstMonday;
  const std::int64_t months = number * months_in(unit);
  const std::int64_t year = whole(months, 12);
  return civil_to_days(year, static_cast<int>(months - year * 12) + 1, 1);
}

std::int64_t unit_number(CalendarUnit unit, std::int64_t us) {
  if (is_clock_unit(unit)) return whole(us, clock_unit_us(unit));
  return day_unit_number(unit, whole(us, kDayUs));
}

bool unit_start(CalendarUnit unit, std::int64_t number, std::int64_t& us) {
  if (is_clock_unit(unit)) return !__builtin_mul_overflow(number, clock_unit_us(unit), &us);
  return !__builtin_mul_overflow(day_unit_start(unit, number), kDayUs, &us);
}

int iso_week(std::int64_t day) {
  // The year that the week belongs to is its Thursday's.
  const CivilTime thursday = civil_date(day + 3 - civil_date(day).weekday);
  return (thursday.day_of_year - 1) / 7 + 1;
}

}  // namespace coeval
