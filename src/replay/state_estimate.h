#pragma once

#include <cstdint>

#include "define/project.h"
#include "replay/past.h"

namespace coeval::replay {

/// About how large the state of a view is at the end of a history.
struct StateEstimate {
  std::int64_t events = 0;    ///< within retention of the newest known time (semantics: T6)
  std::int64_t entities = 0;  ///< keys that any event has
  std::int64_t bytes_per_event = 0, bytes_per_entity = 0;
  std::int64_t bytes() const { return events * bytes_per_event + entities * bytes_per_entity; }
};

/// Counts events and keys by a scan, and takes the sizes from the kernel's record layout. What is
/// left out: the table of keys, free places, texts, and sums that are too wide for their inline
/// place. The past must hold the sources that the view reads and looks up.
StateEstimate estimate_state(const define::Project& project, int view, const Past& past);

}  // namespace coeval::replay
