#include "define/event_lookups.h"

#include <algorithm>
#include <set>

namespace coeval::define {

namespace {

void add_columns(const ExprPtr& expr, std::set<int>& fields) {
  if (!expr) return;
  for (const int column : columns_read(*expr)) fields.insert(column);
}

bool is_own(const Source& source, int field) {
  return field < static_cast<int>(source.schema.fields.size());
}

int lookup_index(const Source& source, int field) {
  int found = -1;
  for (std::size_t i = 0; i < source.lookups.size(); ++i)
    if (source.lookups[i].first_field <= field) found = static_cast<int>(i);
  return found;
}

// A lookup's key reads fields before its own, so this ends.
void add_key_fields(const Source& source, int field, std::set<int>& fields) {
  const EventLookup* lookup = lookup_of(source, field);
  if (lookup == nullptr) return;
  for (const auto& key : lookup->keys)
    for (const int column : columns_read(*key))
      if (fields.insert(column).second) add_key_fields(source, column, fields);
}

}  // namespace

const EventLookup* lookup_of(const Source& source, int field) {
  if (is_own(source, field)) return nullptr;
  return &source.lookups[static_cast<std::size_t>(lookup_index(source, field))];
}

std::vector<int> event_fields_read(const View& view) {
  std::set<int> fields(view.key_columns.begin(), view.key_columns.end());
  for (const auto& aggregate : view.aggregates)
    for (const auto& expr : {aggregate.argument, aggregate.divisor, aggregate.where})
      add_columns(expr, fields);
  return {fields.begin(), fields.end()};
}

LookedUp looked_up(const Source& source, const View& view) {
  LookedUp found;
  if (source.lookups.empty()) return found;
  std::set<int> fields, lookups;
  for (const int field : event_fields_read(view)) {
    fields.insert(field);
    add_key_fields(source, field, fields);
  }
  for (const int field : fields) {
    if (is_own(source, field)) continue;
    found.fields.push_back(field);
    lookups.insert(lookup_index(source, field));
  }
  found.lookups.assign(lookups.begin(), lookups.end());
  return found;
}

std::vector<int> own_columns_of(const Source& source, int field) {
  if (is_own(source, field)) return {field};
  std::set<int> fields, own;
  add_key_fields(source, field, fields);
  for (const int each : fields)
    if (is_own(source, each)) own.insert(each);
  return {own.begin(), own.end()};
}

std::vector<int> looked_up_sources(const Project& project, const std::vector<int>& views) {
  std::set<int> sources;
  for (const int view : views) {
    const View& reader = project.views[static_cast<std::size_t>(view)];
    if (reader.source < 0) continue;
    const Source& source = project.sources[static_cast<std::size_t>(reader.source)];
    for (const int lookup : looked_up(source, reader).lookups) {
      const int dimension = source.lookups[static_cast<std::size_t>(lookup)].view;
      sources.insert(project.views[static_cast<std::size_t>(dimension)].source);
    }
  }
  return {sources.begin(), sources.end()};
}

}  // namespace coeval::define
