#include "replay/window_bounds.h"

#include <limits>

#include "base/calendar.h"

namespace coeval::replay {

namespace {

constexpr std::int64_t kFirst = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t kLast = std::numeric_limits<std::int64_t>::max();

// b ≥ 0.
std::int64_t minus(std::int64_t a, std::int64_t b) { return a < kFirst + b ? kFirst : a - b; }

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

// The first moment of the period that holds `us`.
std::int64_t begin_of(define::Period period, std::int64_t us, const TimeZone& zone) {
  const CalendarUnit unit = unit_of(period);
  std::int64_t local = 0;
  if (!unit_start(unit, unit_number(unit, zone.to_local(us)), local)) return kFirst;
  return zone.to_utc(local);
}

}  // namespace

WindowBounds window_bounds(const define::Window& window, std::int64_t at_us, const TimeZone& zone) {
  const std::int64_t to = minus(at_us, window.offset_us);
  if (window.period != define::Period::none) return {begin_of(window.period, to, zone), to};
  return {window.us == define::kAllTime ? kFirst : minus(to, window.us), to};
}

std::int64_t retention_us(const define::View& view) {
  const std::int64_t longest = view.longest_window_us();
  if (longest == define::kAllTime || longest > kLast - view.lateness_us) return kLast;
  return longest + view.lateness_us;
}

}  // namespace coeval::replay
