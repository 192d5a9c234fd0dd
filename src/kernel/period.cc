#include "kernel/period.h"

#include <algorithm>

#include "base/calendar.h"

namespace coeval::kernel {

namespace {

CalendarUnit unit_of(define::Period period) {
  switch (period) {
    case define::Period::week:
      return CalendarUnit::week;
    case define::Period::month:
      return CalendarUnit::month;
    default:
      return CalendarUnit::day;
  }
}

}  // namespace

std::int64_t period_begin(define::Period period, const TimeZone* zone, std::int64_t at_us) {
  const CalendarUnit unit = unit_of(period);
  const std::int64_t shown = zone != nullptr ? zone->to_local(at_us) : at_us;
  std::int64_t begin = 0;
  if (!unit_start(unit, unit_number(unit, shown), begin)) return INT64_MIN;
  if (zone != nullptr) begin = zone->to_utc(begin);
  return std::min(begin, at_us);
}

}  // namespace coeval::kernel
