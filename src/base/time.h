#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"

namespace coeval {

/// A moment in µs since 1970-01-01T00:00:00Z, tagged so that two kinds of moment never mix.
template <class Tag>
struct Moment {
  std::int64_t us = 0;
  friend constexpr auto operator<=>(Moment, Moment) = default;
};

/// When something happened. (semantics: T1)
using EventTime = Moment<struct EventTimeTag>;
/// When this system could have used it. (semantics: T1)
using KnownTime = Moment<struct KnownTimeTag>;

inline constexpr std::int64_t kSecondUs = 1'000'000;
inline constexpr std::int64_t kMinuteUs = 60 * kSecondUs;
inline constexpr std::int64_t kHourUs = 60 * kMinuteUs;
inline constexpr std::int64_t kDayUs = 24 * kHourUs;

/// Calendar fields of a UTC moment, by the proleptic Gregorian calendar.
struct CivilTime {
  std::int64_t year;
  int month, day;            // 1-based
  int hour, minute, second;  // 0-based
  int microsecond;
  int weekday;      // Monday = 0 (semantics: T8)
  int day_of_year;  // 1-based
};
CivilTime civil_time(std::int64_t us);
/// Those of the midnight that begins a day counted from 1970-01-01.
CivilTime civil_date(std::int64_t day);
/// Days since 1970-01-01 of a civil date; month and day must be in range.
std::int64_t civil_to_days(std::int64_t year, int month, int day);
/// µs of a civil date and time of day; fields must be in range.
std::int64_t civil_to_us(std::int64_t year, int month, int day, int hour = 0, int minute = 0,
                         int second = 0, int microsecond = 0);

/// "2001-06-01T12:30:00.000001Z"; the fraction is left out when zero.
std::string format_time(std::int64_t us);
/// "2001-06-01", of a day counted from 1970-01-01; any int32 day, and far beyond.
std::string format_date(std::int64_t day);
/// Reads "2001-06-01", "2001-06-01T12:30[:00[.123456]][Z|±hh:mm]", a space for T, or integer µs.
/// Errors: type_mismatch.
Result<std::int64_t> parse_time(std::string_view text);

/// Reads "15min", "3h", "14d", "90s", "5ms", "7us", "2w". Errors: bad_window.
Result<std::int64_t> parse_duration(std::string_view text);
/// "3h", "14d", "90s": the largest unit that divides it.
std::string format_duration(std::int64_t us);

}  // namespace coeval
