#include "replay/window_bounds.h"

#include <doctest/doctest.h>

#include <limits>

#include "base/time.h"

namespace coeval::replay {
namespace {

constexpr std::int64_t kFirst = std::numeric_limits<std::int64_t>::min();

std::int64_t us(const char* text) { return *parse_time(text); }

define::Window window(std::int64_t length, std::int64_t offset = 0,
                      define::Period period = define::Period::none) {
  define::Window made;
  made.us = length;
  made.offset_us = offset;
  made.period = period;
  return made;
}

TEST_CASE("a window ends at T and begins its length before") {
  const auto bounds =
      window_bounds(window(3 * kHourUs), us("2001-06-01T12:00:00"), TimeZone::utc());
  CHECK(bounds == WindowBounds{us("2001-06-01T09:00:00"), us("2001-06-01T12:00:00")});
  CHECK(window_bounds(window(define::kAllTime), 5, TimeZone::utc()) == WindowBounds{kFirst, 5});
}

TEST_CASE("an offset moves both ends back") {
  const auto bounds =
      window_bounds(window(7 * kDayUs, 7 * kDayUs), us("2001-06-15"), TimeZone::utc());
  CHECK(bounds == WindowBounds{us("2001-06-01"), us("2001-06-08")});
}

TEST_CASE("calendar periods begin by the clocks of the zone") {
  const TimeZone& berlin = **TimeZone::find("Europe/Berlin");
  const std::int64_t at = us("2024-04-02T09:30:00Z");  // a Tuesday, two hours ahead of UTC
  const auto from = [&](define::Period period) {
    return format_time(window_bounds(window(0, 0, period), at, berlin).from_us);
  };
  CHECK(from(define::Period::day) == "2024-04-01T22:00:00Z");
  CHECK(from(define::Period::week) == "2024-03-31T22:00:00Z");   // Monday; clocks changed on Sunday
  CHECK(from(define::Period::month) == "2024-03-31T22:00:00Z");  // 1 April
  const std::int64_t midnight = us("2024-04-01T22:00:00Z");
  const auto empty = window_bounds(window(0, 0, define::Period::day), midnight, berlin);
  CHECK(empty == WindowBounds{midnight, midnight});
  const std::int64_t summer = us("2024-03-31T12:00:00Z");  // the day has 23 hours
  CHECK(format_time(window_bounds(window(0, 0, define::Period::day), summer, berlin).from_us) ==
        "2024-03-30T23:00:00Z");
}

TEST_CASE("bounds saturate at the ends of time") {
  CHECK(window_bounds(window(kDayUs), kFirst + 5, TimeZone::utc()) ==
        WindowBounds{kFirst, kFirst + 5});
}

TEST_CASE("retention is the longest window and the lateness; all time has none") {
  define::View view;
  view.lateness_us = kDayUs;
  view.windows = {window(kHourUs), window(7 * kDayUs)};
  CHECK(retention_us(view) == 8 * kDayUs);
  view.windows.push_back(window(define::kAllTime));
  CHECK(retention_us(view) == std::numeric_limits<std::int64_t>::max());
}

}  // namespace
}  // namespace coeval::replay
