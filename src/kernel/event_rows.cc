#include "kernel/event_rows.h"

#include <algorithm>
#include <set>

#include "data/row_codec.h"
#include "define/event_lookups.h"

namespace coeval::kernel {

namespace {

const define::View& view_of(const define::Project& project, int view) {
  return project.views[static_cast<std::size_t>(view)];
}
const define::Source& source_of(const define::Project& project, int source) {
  return project.sources[static_cast<std::size_t>(source)];
}

data::Schema values_of(const define::View& lookup) {
  data::Schema schema;
  for (std::size_t i = 0; i < lookup.feature_count(); ++i)
    schema.fields.push_back({lookup.feature_name(i), lookup.feature_type(i), true});
  return schema;
}

std::span<const std::int64_t> times_of(const define::Source& source, const data::Batch& rows) {
  return rows.columns[static_cast<std::size_t>(source.time_index)].values<std::int64_t>();
}

}  // namespace

EventRows::EventRows(const define::Project& project, std::span<const int> views)
    : project_(&project) {
  std::map<int, std::set<int>> read;
  for (const int index : views) {
    const define::View& view = view_of(project, index);
    const define::Source& source = source_of(project, view.source);
    for (const int lookup : define::looked_up(source, view).lookups) {
      read[view.source].insert(lookup);
      const int table = source.lookups[static_cast<std::size_t>(lookup)].view;
      tables_.try_emplace(table, values_of(view_of(project, table)));
    }
  }
  for (const auto& [source, lookups] : read)
    lookups_.emplace(source, std::vector<int>(lookups.begin(), lookups.end()));
}

bool EventRows::learns(int source) const {
  return std::ranges::any_of(
      tables_, [&](const auto& table) { return view_of(*project_, table.first).source == source; });
}

bool EventRows::extends(int source) const { return lookups_.contains(source); }

void EventRows::learn(int source_index, const data::Batch& rows,
                      std::span<const std::int64_t> known_us, std::span<const std::int64_t> order) {
  const define::Source& source = source_of(*project_, source_index);
  for (auto& [index, table] : tables_) {
    const define::View& lookup = view_of(*project_, index);
    if (lookup.source != source_index) continue;
    std::vector<const data::Column*> keys;
    for (const int key : lookup.key_columns)
      keys.push_back(&rows.columns[static_cast<std::size_t>(key)]);
    data::Batch values{table.values(), {}, rows.rows};
    for (const auto& column : lookup.aggregates)
      values.columns.push_back(rows.columns[static_cast<std::size_t>(column.argument->column)]);
    table.add(keys, values, times_of(source, rows), known_us, order);
  }
}

data::Batch EventRows::extended(int source_index, const data::Batch& rows,
                                std::span<const std::int64_t> known_us,
                                EvaluationCounts& counts) const {
  const define::Source& source = source_of(*project_, source_index);
  data::Batch out = rows;
  out.schema = source.event_schema();
  out.columns.resize(out.schema.fields.size());
  for (const int index : lookups_.at(source_index)) {
    const define::EventLookup& lookup = source.lookups[static_cast<std::size_t>(index)];
    std::vector<data::Column> values;
    for (const auto& key : lookup.keys) values.push_back(evaluate(*key, out, {}, counts));
    std::vector<const data::Column*> keys;
    for (const auto& value : values) keys.push_back(&value);
    auto found = tables_.at(lookup.view).find(keys, times_of(source, rows), known_us);
    for (std::size_t i = 0; i < found.size(); ++i)
      out.columns[static_cast<std::size_t>(lookup.first_field) + i] = std::move(found[i]);
  }
  return out;
}

std::int64_t EventRows::size() const {
  std::int64_t rows = 0;
  for (const auto& [index, table] : tables_) rows += table.size();
  return rows;
}

void EventRows::serialize(std::string& out) const {
  for (const auto& [index, table] : tables_) {
    data::put_text(out, view_of(*project_, index).name);
    table.serialize(out);
  }
}

bool EventRows::restore(std::string_view& bytes) {
  bool good = true;
  for (auto& [index, table] : tables_) {
    data::ByteReader reader(bytes);
    std::string_view name;
    good = good && reader.text(name) && name == view_of(*project_, index).name;
    if (good) bytes.remove_prefix(bytes.size() - reader.remaining());
    std::string_view nothing;
    good = table.restore(good ? bytes : nothing) && good;
  }
  return good;
}

std::vector<NamedPart> EventRows::state_parts() {
  std::vector<NamedPart> parts;
  for (auto& [index, table] : tables_)
    parts.push_back({"lookup " + view_of(*project_, index).name, &table});
  return parts;
}

}  // namespace coeval::kernel
