#include "replay/asked_history.h"

#include <algorithm>
#include <numeric>
#include <vector>

#include "kernel/asked_events.h"
#include "kernel/saturate.h"

namespace coeval::replay {

namespace {

std::int64_t longest_reach(const define::Project& project, int source, std::span<const int> views) {
  std::int64_t longest_us = 0;
  for (const int index : views) {
    const define::View& view = project.views[static_cast<std::size_t>(index)];
    if (view.source == source) longest_us = std::max(longest_us, kernel::told_reach_us(view));
  }
  return longest_us;
}

}  // namespace

std::optional<SourceHistory> asked_history(const define::Project& project,
                                           const SourceHistory& history, std::span<const int> views,
                                           std::span<const std::int64_t> at_us) {
  const std::int64_t reach_us = longest_reach(project, history.source, views);
  if (history.amendments || at_us.empty() || reach_us == INT64_MAX) return std::nullopt;
  const auto [first, last] = std::ranges::minmax(at_us);
  const std::int64_t from_us = kernel::saturating_subtract(first, reach_us);
  const auto& source = project.sources[static_cast<std::size_t>(history.source)];
  const auto times =
      history.rows.columns[static_cast<std::size_t>(source.time_index)].values<std::int64_t>();
  std::vector<std::int64_t> rows;
  for (const std::int64_t row : history.order) {
    if (history.known_us[static_cast<std::size_t>(row)] >= last) break;
    if (times[static_cast<std::size_t>(row)] >= from_us) rows.push_back(row);
  }
  if (std::ssize(rows) == history.rows.rows) return std::nullopt;
  SourceHistory asked;
  asked.source = history.source;
  asked.rows = data::take(history.rows, rows);
  asked.known_us.reserve(rows.size());
  for (const std::int64_t row : rows)
    asked.known_us.push_back(history.known_us[static_cast<std::size_t>(row)]);
  asked.order.resize(rows.size());
  std::iota(asked.order.begin(), asked.order.end(), 0);
  return asked;
}

}  // namespace coeval::replay
