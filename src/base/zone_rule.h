#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "base/error.h"

namespace coeval {

/// From `at_s` (seconds since the epoch, UTC) on, local time is UTC plus `offset_s`.
struct ZoneChange {
  std::int64_t at_s = 0;
  std::int32_t offset_s = 0;
};

/// A day of any year, and a time on it by the clocks of before the change.
struct YearlyMoment {
  enum class Kind : std::uint8_t {
    nth_weekday,    ///< the week-th `day` (Sunday = 0) of `month`; week 5 is the last
    day_of_365,     ///< day 1 to 365; 29 February is not counted
    day_from_zero,  ///< day 0 to 365; 29 February is counted
  };
  Kind kind = Kind::nth_weekday;
  int month = 0, week = 0, day = 0;
  std::int32_t time_s = 0;  ///< −167 h to 167 h from the day's midnight
};

/// What a zone's clocks do every year: the TZ string of POSIX with the extensions of RFC 9636.
struct ZoneRule {
  std::int32_t standard_s = 0;  ///< offset, east positive
  bool has_summer = false;      ///< else the standard offset holds all year, and the rest is unused
  std::int32_t summer_s = 0;
  YearlyMoment to_summer, to_standard;
};

/// Reads "CET-1CEST,M3.5.0,M10.5.0/3". A summer time without dates is refused. Errors: bad_file.
Result<ZoneRule> parse_zone_rule(std::string_view text);

/// The changes of one year, of a rule that has a summer time: to it, and back. In the south the
/// second comes first. The year must be between −200,000 and 200,000.
std::array<ZoneChange, 2> changes_of_year(const ZoneRule& rule, std::int64_t year);

}  // namespace coeval
