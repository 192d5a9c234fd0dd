#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "base/error.h"
#include "kernel/event_index.h"
#include "kernel/kernel.h"
#include "replay/log_rows.h"

namespace coeval::replay {

/// Events of one source out of the log, with the position of each.
struct LoggedEvents {
  kernel::EventBlock block;
  std::vector<std::int64_t> positions;
};

/// Prepares what a collector holds, by source, and empties it; sources without rows are left out.
/// Rows that events look up are learned first: what an event reads of them depends on times alone.
Result<std::map<int, LoggedEvents>> prepare_logged(kernel::Kernel& kernel,
                                                   kernel::EventIndexes& names,
                                                   LogCollector& collector);

}  // namespace coeval::replay
