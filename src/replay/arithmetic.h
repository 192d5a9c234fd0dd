#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/error.h"
#include "data/column.h"
#include "define/project.h"
#include "replay/window_bounds.h"

namespace coeval::replay {

/// The events that an aggregate counts, in order of (event time, position). (semantics: T5)
struct WindowValues {
  std::vector<std::int64_t> event_time_us;
  data::Column argument;   ///< of the aggregate; without rows for count() and the like
  data::Column divisor;    ///< second argument of ratio; without rows for the others
  std::int64_t at_us = 0;  ///< T
  WindowBounds bounds;
};

/// An aggregate's value, and how it comes about.
struct Arithmetic {
  data::Value value;
  std::vector<std::string> steps;  ///< for people: sums, divisions, what was picked
};

/// Computes an aggregate from nothing but the list of its values, by the rules of semantics A7 and
/// without any running state: what the kernel's answers are checked against.
/// Null: as the aggregate says for windows without values. (semantics: V3)
/// Errors: unsupported for an aggregate that this does not know.
Result<Arithmetic> compute(const define::Aggregate& aggregate, const WindowValues& values);

}  // namespace coeval::replay
