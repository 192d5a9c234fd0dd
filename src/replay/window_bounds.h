#pragma once

#include <cstdint>

#include "base/time_zone.h"
#include "define/project.h"

namespace coeval::replay {

/// [from, to) in event time; from = INT64_MIN where a window has no begin.
struct WindowBounds {
  std::int64_t from_us = 0, to_us = 0;
  friend bool operator==(const WindowBounds&, const WindowBounds&) = default;
};

/// The bounds of a window for a question at T: [T − offset − length, T − offset); of a calendar
/// period from its begin by the clocks of `zone` to T − offset, which lies in it. Saturates at the
/// ends of time. (semantics: T4 T8)
WindowBounds window_bounds(const define::Window& window, std::int64_t at_us, const TimeZone& zone);

/// Longest window + lateness: an event that becomes known longer than this after its event time is
/// outside for good; INT64_MAX when nothing is too late. (semantics: T6)
std::int64_t retention_us(const define::View& view);

}  // namespace coeval::replay
