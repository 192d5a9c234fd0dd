#include "replay/looked_up_rows.h"

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "define/event_lookups.h"
#include "kernel/evaluate.h"

namespace coeval::replay {

namespace {

using Keys = std::vector<const data::Column*>;

// The text of a key, or nothing where a part is null.
std::optional<std::string> key_text(const Keys& keys, std::int64_t row) {
  std::string text;
  for (const auto* column : keys) {
    if (column->is_null(row)) return std::nullopt;
    const std::string part = data::to_text(column->value(row), column->type());
    text += std::to_string(part.size()) + ":" + part;
  }
  return text;
}

// Finds rows of one lookup by key.
class Dimension {
 public:
  Dimension(const define::Project& project, const define::View& lookup, const Past& past)
      : lookup_(lookup),
        history_(past.sources[static_cast<std::size_t>(lookup.source)]),
        times_(history_.rows
                   .columns[static_cast<std::size_t>(
                       project.sources[static_cast<std::size_t>(lookup.source)].time_index)]
                   .values<std::int64_t>()) {
    Keys keys;
    for (const int key : lookup.key_columns)
      keys.push_back(&history_.rows.columns[static_cast<std::size_t>(key)]);
    for (const std::int64_t row : history_.order)
      if (const auto key = key_text(keys, row)) rows_[*key].push_back(row);
  }

  // The newest row valid before the event's time and known before the event was, or -1. Of equal
  // event times the later in position order holds. (semantics: T3 T5)
  std::int64_t find(const std::string& key, std::int64_t event_time_us,
                    std::int64_t known_us) const {
    const auto rows = rows_.find(key);
    std::int64_t newest = -1;
    if (rows == rows_.end()) return newest;
    for (const std::int64_t row : rows->second) {
      const auto place = static_cast<std::size_t>(row);
      if (times_[place] >= event_time_us || history_.known_us[place] >= known_us) continue;
      if (newest < 0 || times_[place] >= times_[static_cast<std::size_t>(newest)]) newest = row;
    }
    return newest;
  }

  const data::Column& column(std::size_t aggregate) const {
    const int index = lookup_.aggregates[aggregate].argument->column;
    return history_.rows.columns[static_cast<std::size_t>(index)];
  }

 private:
  const define::View& lookup_;
  const SourceHistory& history_;
  std::span<const std::int64_t> times_;
  std::map<std::string, std::vector<std::int64_t>> rows_;  // by key, in position order
};

// Events that read lookups: their rows as far as they are found, and their times.
struct Events {
  data::Batch rows;
  std::vector<std::int64_t> time_us, known_us;
};

// Which row of the lookup each event reads.
std::vector<std::int64_t> rows_read(const Dimension& dimension, const define::EventLookup& lookup,
                                    const Events& events) {
  kernel::EvaluationCounts counts;
  std::vector<data::Column> values;
  for (const auto& key : lookup.keys)
    values.push_back(kernel::evaluate(*key, events.rows, {}, counts));
  Keys keys;
  for (const auto& value : values) keys.push_back(&value);
  std::vector<std::int64_t> rows;
  for (std::int64_t row = 0; row < events.rows.rows; ++row) {
    const auto place = static_cast<std::size_t>(row);
    const auto key = key_text(keys, row);
    rows.push_back(key ? dimension.find(*key, events.time_us[place], events.known_us[place]) : -1);
  }
  return rows;
}

data::Column picked(const data::Column& column, const std::vector<std::int64_t>& rows) {
  data::ColumnBuilder builder(column.type());
  for (const std::int64_t row : rows) {
    if (row < 0)
      builder.append_null();
    else
      builder.append_from(column, row);
  }
  return builder.finish();
}

data::Batch extended(const define::Project& project, const Past& past, const define::View& view,
                     Events events) {
  const auto& source = project.sources[static_cast<std::size_t>(view.source)];
  events.rows.schema = source.event_schema();
  events.rows.columns.resize(events.rows.schema.fields.size());
  for (const int index : define::looked_up(source, view).lookups) {
    const auto& lookup = source.lookups[static_cast<std::size_t>(index)];
    const define::View& declared = project.views[static_cast<std::size_t>(lookup.view)];
    const Dimension dimension(project, declared, past);
    const auto rows = rows_read(dimension, lookup, events);
    for (std::size_t i = 0; i < declared.feature_count(); ++i)
      events.rows.columns[static_cast<std::size_t>(lookup.first_field) + i] =
          picked(dimension.column(i), rows);
  }
  return std::move(events.rows);
}

bool reads_lookups(const define::Project& project, const define::View& view) {
  const auto& source = project.sources[static_cast<std::size_t>(view.source)];
  return !define::looked_up(source, view).lookups.empty();
}

std::span<const std::int64_t> times_of(const define::Project& project, const define::View& view,
                                       const SourceHistory& history) {
  const auto& source = project.sources[static_cast<std::size_t>(view.source)];
  return history.rows.columns[static_cast<std::size_t>(source.time_index)].values<std::int64_t>();
}

}  // namespace

data::Batch looked_up_rows(const define::Project& project, const Past& past,
                           const define::View& view) {
  const SourceHistory& history = past.sources[static_cast<std::size_t>(view.source)];
  if (!reads_lookups(project, view)) return history.rows;
  const auto times = times_of(project, view, history);
  return extended(project, past, view,
                  {history.rows, {times.begin(), times.end()}, history.known_us});
}

data::Batch looked_up_rows(const define::Project& project, const Past& past,
                           const define::View& view, std::span<const std::int64_t> rows) {
  const SourceHistory& history = past.sources[static_cast<std::size_t>(view.source)];
  Events events{data::take(history.rows, rows), {}, {}};
  if (!reads_lookups(project, view)) return std::move(events.rows);
  const auto times = times_of(project, view, history);
  for (const std::int64_t row : rows) {
    events.time_us.push_back(times[static_cast<std::size_t>(row)]);
    events.known_us.push_back(history.known_us[static_cast<std::size_t>(row)]);
  }
  return extended(project, past, view, std::move(events));
}

}  // namespace coeval::replay
