#include "replay/versions.h"

#include <set>

#include "kernel/event_index.h"

namespace coeval::replay {

namespace {

kernel::Role role_of(const SourceHistory& history, std::int64_t row) {
  return history.amendments ? history.amendments->roles[static_cast<std::size_t>(row)]
                            : kernel::Role::event;
}

}  // namespace

void settle_names(const define::Project& project, SourceHistory& history,
                  kernel::EventIndex* names) {
  if (!project.sources[static_cast<std::size_t>(history.source)].has_names()) return;
  kernel::EventIndex own(project, history.source, kernel::EventIndex::Keep::everything);
  kernel::EventIndex& index = names != nullptr ? *names : own;
  const auto amendments = std::make_shared<kernel::Amendments>(
      index.take(history.rows, history.known_us, history.order));
  history.taken_back_by.assign(history.known_us.size(), -1);
  for (const std::int64_t row : history.order) {
    const auto at = static_cast<std::size_t>(row);
    if (const std::int64_t event = amendments->takes_back_number[at]; event >= 0)
      history.taken_back_by[static_cast<std::size_t>(event)] = row;
  }
  history.amendments = amendments;
}

void count_duplicates(SourceHistory& history) {
  auto& counts = history.conservation;
  counts.duplicates = history.amendments->counted.duplicates;
  counts.accepted -= counts.duplicates;
}

bool asks(const define::Source& source, const SourceHistory& history, std::int64_t row) {
  if (!source.has_names()) return true;
  const kernel::Role role = role_of(history, row);
  if (role == kernel::Role::duplicate || role == kernel::Role::deletion) return false;
  return !source.has_corrections() ||
         history.rows.columns[static_cast<std::size_t>(source.identity.replaces)].is_null(row);
}

std::vector<std::int64_t> asking_rows(const define::Source& source, const SourceHistory& history) {
  std::vector<std::int64_t> rows;
  for (std::int64_t row = 0; row < history.rows.rows; ++row)
    if (asks(source, history, row)) rows.push_back(row);
  return rows;
}

std::int64_t newest_version(const SourceHistory& history, std::int64_t row) {
  if (!history.amendments) return row;
  // Positions go up along the chain, but where a row came after what replaces it.
  std::set<std::int64_t> passed;
  while (true) {
    const auto at = static_cast<std::size_t>(row);
    const kernel::Role role = role_of(history, row);
    const bool replaced = role == kernel::Role::replaced;
    const std::int64_t by =
        replaced ? history.amendments->because_of[at] : history.taken_back_by[at];
    if (by < 0) return kernel::counts(role) ? row : -1;
    if (replaced && !passed.insert(row).second) return -1;  // two rows that replace each other
    row = by;
  }
}

}  // namespace coeval::replay
