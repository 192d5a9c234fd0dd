#include "kernel/asked_events.h"

#include <algorithm>
#include <cstddef>

#include "kernel/replay_part.h"
#include "kernel/saturate.h"
#include "kernel/view_state.h"

namespace coeval::kernel {

namespace {

// When an entity is asked about; never, at first.
struct Span {
  std::int64_t first_us = INT64_MAX, last_us = INT64_MIN;
};

std::vector<Span> spans_of(const ViewState& state, const QuestionBlock& questions,
                           const QuestionBlock::PerView& asked) {
  std::vector<Span> spans(static_cast<std::size_t>(state.keys().size()));
  for (std::int64_t row = 0; row < questions.rows; ++row) {
    const std::int32_t entity = entity_of(state, asked, row);
    if (entity < 0) continue;
    Span& span = spans[static_cast<std::size_t>(entity)];
    const std::int64_t at_us = questions.at_us[static_cast<std::size_t>(row)];
    span.first_us = std::min(span.first_us, at_us);
    span.last_us = std::max(span.last_us, at_us);
  }
  return spans;
}

}  // namespace

std::int64_t told_reach_us(const define::View& view) {
  const std::int64_t longest = view.longest_window_us();
  if (longest == define::kAllTime) return INT64_MAX;
  const std::int64_t reach = saturating_add(longest, view.lateness_us);
  return saturating_add(reach, reach);
}

std::vector<std::int64_t> asked_events(const define::View& view, const ViewState& state,
                                       const EventBlock& events, const EventBlock::PerView& mine,
                                       std::span<const std::int64_t> by_known,
                                       const QuestionBlock& questions,
                                       const QuestionBlock::PerView& asked) {
  std::vector<Span> spans = spans_of(state, questions, asked);
  const std::int64_t reach_us = told_reach_us(view);
  for (Span& span : spans)
    span.first_us =
        reach_us == INT64_MAX ? INT64_MIN : saturating_subtract(span.first_us, reach_us);
  std::vector<std::int64_t> rows;
  for (const std::int64_t row : by_known) {
    const std::int32_t entity = mine.entity(row);
    if (entity < 0) continue;
    const Span& span = spans[static_cast<std::size_t>(entity)];
    const auto place = static_cast<std::size_t>(row);
    if (events.known_us[place] < span.last_us && events.event_time_us[place] >= span.first_us)
      rows.push_back(row);
  }
  return rows;
}

}  // namespace coeval::kernel
