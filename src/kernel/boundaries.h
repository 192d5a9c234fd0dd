#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "define/project.h"
#include "kernel/saturate.h"

namespace coeval::kernel {

/// A bound of windows: T itself, T − length, the begin of T's calendar period, or, for all time,
/// the begin of the events.
struct Boundary {
  std::int64_t length_us = 0;
  define::Period period = define::Period::none;
  bool from_begin = false;
  friend bool operator==(const Boundary&, const Boundary&) = default;
};

/// The bounds of a window, as indexes into a list of boundaries.
struct WindowBounds {
  std::size_t begin = 0, end = 0;
  friend bool operator==(const WindowBounds&, const WindowBounds&) = default;
};

/// Finds the bounds of a window in a list in which each boundary stands once, adding what is new.
inline WindowBounds bounds_of(const define::Window& window, std::vector<Boundary>& boundaries) {
  const auto index = [&](const Boundary& boundary) {
    const auto known = std::ranges::find(boundaries, boundary);
    const auto place = static_cast<std::size_t>(known - boundaries.begin());
    if (known == boundaries.end()) boundaries.push_back(boundary);
    return place;
  };
  WindowBounds bounds;
  bounds.end = index({window.offset_us, define::Period::none, false});
  if (window.period != define::Period::none)
    bounds.begin = index({0, window.period, false});
  else if (window.us == define::kAllTime)
    bounds.begin = index({0, define::Period::none, true});
  else
    bounds.begin =
        index({saturating_add(window.us, window.offset_us), define::Period::none, false});
  return bounds;
}

}  // namespace coeval::kernel
