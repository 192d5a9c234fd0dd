#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "define/project.h"
#include "kernel/blocks.h"

namespace coeval::kernel {

/// How far before a question an event may have happened for its view to be told of it: twice what
/// the longest window and lateness reach back, so that what the state gives up is given up while it
/// is asked. INT64_MAX when a window has no begin.
std::int64_t told_reach_us(const define::View& view);

/// Of a block's events those that some questions can see through a view, and more: events of the
/// entities that are asked about, known before the entity's last question, and not longer before
/// its first than told_reach_us(). Rows of `by_known`, in that order. Whoever is told of these
/// alone gives the same answers. Events that take others back must all be told instead.
std::vector<std::int64_t> asked_events(const define::View& view, const ViewState& state,
                                       const EventBlock& events, const EventBlock::PerView& mine,
                                       std::span<const std::int64_t> by_known,
                                       const QuestionBlock& questions,
                                       const QuestionBlock::PerView& asked);

}  // namespace coeval::kernel
