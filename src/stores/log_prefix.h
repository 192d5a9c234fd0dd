#pragma once

#include "stores/event_log.h"

namespace coeval::stores {

/// The first records of a log, as it was when `end` was its next position: read() stops there, and
/// next_position() is `end`. What retention has removed since is gone here too. Writing calls are
/// refused as unsupported. `log` must outlive it.
std::unique_ptr<EventLog> log_prefix(const EventLog& log, Position end);

}  // namespace coeval::stores
