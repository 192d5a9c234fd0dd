#include "replay/state_estimate.h"

#include <algorithm>
#include <string>
#include <unordered_set>

#include "kernel/record_layout.h"
#include "kernel/string_table.h"
#include "replay/looked_up_rows.h"

namespace coeval::replay {

namespace {

// How far back an event may still be needed: windows over all time keep only sums of what is older.
std::int64_t held_for_us(const define::View& view) {
  std::int64_t longest = 0;
  for (const auto& window : view.windows)
    if (window.reach_us() != define::kAllTime) longest = std::max(longest, window.reach_us());
  return longest + view.lateness_us;
}

// Events whose key has a null are nobody's.
bool key_text(const define::View& view, const data::Batch& rows, std::int64_t row,
              std::string& key) {
  key.clear();
  for (const int index : view.key_columns) {
    const auto& column = rows.columns[static_cast<std::size_t>(index)];
    if (column.is_null(row)) return false;
    const std::string part = data::to_text(column.value(row), column.type());
    key += std::to_string(part.size()) + ":" + part;
  }
  return true;
}

// A head of one cache line; per boundary of a window a cursor and its running sums.
std::int64_t entity_bytes(const define::View& view, const kernel::RecordLayout& layout) {
  constexpr std::size_t kLine = 64, kCursor = 16;
  const std::size_t boundaries = view.windows.size() + 1;
  const std::size_t bytes = kLine + boundaries * (kCursor + layout.linear() * sizeof(std::int64_t));
  return static_cast<std::int64_t>((bytes + kLine - 1) / kLine * kLine);
}

// Declared lists, each taken to be another; what is short or mostly repeated, as texts are, is left
// out.
std::int64_t list_bytes(const kernel::RecordLayout& layout) {
  std::size_t bytes = 0;
  for (const auto& slot : layout.strings) {
    const data::Type type = slot.argument->type;
    if (data::is_list(type))
      bytes += sizeof(kernel::InternedString) +
               data::list_length(type) * data::width(data::element_of(type));
  }
  return static_cast<std::int64_t>(bytes);
}

}  // namespace

StateEstimate estimate_state(const define::Project& project, int view, const Past& past) {
  const define::View& declared = project.views[static_cast<std::size_t>(view)];
  const SourceHistory& history = past.sources[static_cast<std::size_t>(declared.source)];
  const auto& source = project.sources[static_cast<std::size_t>(declared.source)];
  const auto layout =
      kernel::RecordLayout::create(declared, source.event_schema(), source.has_corrections());
  StateEstimate estimate;
  estimate.bytes_per_event = static_cast<std::int64_t>(layout.stride) + list_bytes(layout);
  estimate.bytes_per_entity = entity_bytes(declared, layout);
  if (history.rows.rows == 0) return estimate;
  const auto times =
      history.rows.columns[static_cast<std::size_t>(source.time_index)].values<std::int64_t>();
  const std::int64_t newest = *std::ranges::max_element(history.known_us);
  const std::int64_t held_for = held_for_us(declared);
  // What may be taken back is not folded.
  const bool holds_all =
      source.has_corrections() && declared.longest_window_us() == define::kAllTime;
  const data::Batch rows = looked_up_rows(project, past, declared);
  std::unordered_set<std::string> keys;
  std::string key;
  for (std::int64_t row = 0; row < history.rows.rows; ++row) {
    if (!key_text(declared, rows, row, key)) continue;
    keys.insert(key);
    estimate.events +=
        holds_all || newest - times[static_cast<std::size_t>(row)] <= held_for ? 1 : 0;
  }
  estimate.entities = static_cast<std::int64_t>(keys.size());
  return estimate;
}

}  // namespace coeval::replay
