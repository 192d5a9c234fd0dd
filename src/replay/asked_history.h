#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "define/project.h"
#include "replay/past.h"

namespace coeval::replay {

/// The rows of a source that questions at these times can see through any of `views`, and more, as
/// kernel::told_reach_us() says; in position order, with their known times and order and nothing
/// else. Nothing when the source must stay whole: names of events tie its rows to each other, a
/// window has no begin, or nothing would be left out.
std::optional<SourceHistory> asked_history(const define::Project& project,
                                           const SourceHistory& history, std::span<const int> views,
                                           std::span<const std::int64_t> at_us);

}  // namespace coeval::replay
