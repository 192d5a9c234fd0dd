#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace coeval {

/// Units of date_trunc and date_diff, shortest first. Weeks run from Monday to Sunday. (semantics:
/// T8)
enum class CalendarUnit : std::uint8_t {
  microsecond,
  millisecond,
  second,
  minute,
  hour,
  day,
  week,
  month,
  quarter,
  year,
};

/// The unit called "day".
std::optional<CalendarUnit> find_calendar_unit(std::string_view name);
/// "microsecond, …, year", for messages.
std::string_view calendar_unit_names();

/// Whether every such unit is as long as any other, whatever the zone.
inline bool is_clock_unit(CalendarUnit unit) { return unit < CalendarUnit::day; }

/// The number of the unit that holds a moment; the next unit has the next number. The moment is µs
/// of the clock that the units belong to, by the proleptic Gregorian calendar.
std::int64_t unit_number(CalendarUnit unit, std::int64_t us);
/// The first µs of the unit of that number; false when it lies outside of int64.
bool unit_start(CalendarUnit unit, std::int64_t number, std::int64_t& us);

/// The same in days since 1970-01-01, for a unit of a day or longer; for days of int32.
std::int64_t day_unit_number(CalendarUnit unit, std::int64_t day);
std::int64_t day_unit_start(CalendarUnit unit, std::int64_t number);

/// The week of the year by ISO 8601, 1 to 53, of a day since 1970-01-01: week 1 holds the year's
/// first Thursday.
int iso_week(std::int64_t day);

}  // namespace coeval
