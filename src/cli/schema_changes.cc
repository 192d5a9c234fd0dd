#include "cli/schema_changes.h"

#include <algorithm>

#include "define/diagnostics.h"

namespace coeval::cli {

namespace {

const define::SourceColumn* find_column(const define::Project& project, const std::string& source,
                                        const std::string& column) {
  const int index = project.source_index(source);
  if (index < 0) return nullptr;
  const auto& columns = project.sources[static_cast<std::size_t>(index)].columns;
  const auto found = std::ranges::find(columns, column, &define::SourceColumn::name);
  return found == columns.end() ? nullptr : &*found;
}

std::vector<std::string> values_beyond(const define::SourceColumn& before,
                                       const define::SourceColumn& after) {
  std::vector<std::string> fresh;
  if (before.allowed.empty()) return fresh;  // any value was allowed
  for (const auto& value : after.allowed)
    if (std::ranges::count(before.allowed, value) == 0) fresh.push_back(value);
  return fresh;
}

}  // namespace

std::vector<std::string> new_enum_values(const define::Project& before,
                                         const define::Project& after) {
  std::vector<std::string> warnings;
  for (const auto& source : after.sources)
    for (const auto& column : source.columns) {
      const auto* then = find_column(before, source.name, column.name);
      if (then == nullptr) continue;
      const auto fresh = values_beyond(*then, column);
      if (!fresh.empty())
        warnings.push_back("column " + column.name + " of source " + source.name + " may be " +
                           define::listed(fresh) + " now, which no version built before has seen");
    }
  return warnings;
}

std::vector<std::string> as_lines(const std::vector<replay::SourceChanges>& changes) {
  std::vector<std::string> lines;
  for (const auto& source : changes)
    for (const auto& change : source.changes)
      lines.push_back("source " + source.source + ", events from log position " +
                      std::to_string(source.since.value) + " on: " + data::to_text(change));
  return lines;
}

data::Json as_json(const std::vector<replay::SourceChanges>& changes) {
  data::Json list{data::Json::Array{}};
  for (const auto& source : changes)
    for (const auto& change : source.changes) {
      data::Json one{data::Json::Object{}};
      one.set("source", source.source);
      one.set("since_position", static_cast<std::int64_t>(source.since.value));
      one.set("column", change.column);
      one.set("change", std::string(data::name(change.kind)));
      if (!change.was.empty()) one.set("was", change.was);
      if (!change.is.empty()) one.set("is", change.is);
      one.set("accepted", change.accepted());
      list.push(std::move(one));
    }
  return list;
}

}  // namespace coeval::cli
