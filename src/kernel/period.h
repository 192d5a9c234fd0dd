#pragma once

#include <cstdint>

#include "base/time_zone.h"
#include "define/project.h"

namespace coeval::kernel {

/// The first moment of the day, week (from Monday) or month that the clocks of a zone show at
/// `at_us`; null zone = UTC. Never after at_us; the smallest int64 where the begin lies before it.
/// Where clocks are set back over midnight, a later moment may lie in the earlier day.
/// (semantics: T8)
std::int64_t period_begin(define::Period period, const TimeZone* zone, std::int64_t at_us);

}  // namespace coeval::kernel
