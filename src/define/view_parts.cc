#include "define/view_parts.h"

#include <algorithm>
#include <numeric>

#include "define/event_scope.h"
#include "define/read_window.h"
#include "define/table_reader.h"

namespace coeval::define {

namespace {

using data::Type;

constexpr std::size_t kMaxKeys = 16;

// Types that a key can have: those with one spelling per value.
bool is_key_type(Type type) {
  return data::is_integer(type) || type == Type::string || type == Type::boolean;
}

void unknown_key_column(const TomlValue& key, const Source& source, std::vector<std::string> names,
                        Diagnostics& errors) {
  const std::string advice = did_you_mean(key.text, names);
  errors.report(
      Code::unknown_column, key.position, "unknown column " + in_quotes(key.text),
      advice.empty() ? "source " + in_quotes(source.name) + " has " + listed(names) : advice);
}

// The field of the event's row that a key names, or -1 after an error. `what` is "view 'maker'".
int find_key(const TomlValue& key, const std::string& what, const View& view, Draft& draft,
             Diagnostics& errors) {
  const Source& source = draft.project.sources[static_cast<std::size_t>(view.source)];
  const int own = source.schema.index_of(key.text);
  if (own >= 0) return own;
  if (view.lookup || key.text.find('.') == std::string::npos) {
    unknown_key_column(key, source, RowScope(source.schema, "").names(), errors);
    return -1;
  }
  EventScope scope(draft, view.source, key.position, what, errors);
  const Binding found = scope.find(key.text);
  if (!found.found) unknown_key_column(key, source, scope.names(), errors);
  return found.expr ? found.expr->column : -1;
}

void read_key(const TomlValue& key, const std::string& what, View& view, Draft& draft,
              Diagnostics& errors) {
  const int column = find_key(key, what, view, draft, errors);
  if (column < 0) return;
  const Source& source = draft.project.sources[static_cast<std::size_t>(view.source)];
  const Type type = source.event_schema().fields[static_cast<std::size_t>(column)].type;
  if (type != Type::null && !is_key_type(type))
    errors.report(Code::type_error, key.position,
                  "a key cannot be " + std::string(data::name(type)) + ": " + in_quotes(key.text),
                  "keys are strings, integers or booleans");
  view.keys.push_back(key.text);
  view.key_columns.push_back(column);
}

}  // namespace

void read_lateness(const TomlEntry& entry, const std::string& what, View& view,
                   Diagnostics& errors) {
  if (!expect_kind(entry, TomlValue::Kind::string, what, "write lateness = \"1d\"", errors)) return;
  if (const auto us = read_duration(entry.value, entry.value.text, "lateness", 0, errors))
    view.lateness_us = *us;
}

int find_source(const TomlValue& name, const Draft& draft, Diagnostics& errors) {
  const int found = draft.project.source_index(name.text);
  if (found >= 0) return found;
  std::vector<std::string> names;
  for (const auto& source : draft.project.sources) names.push_back(source.name);
  const std::string advice = did_you_mean(name.text, names);
  errors.report(Code::unknown_name, name.position, "unknown source " + in_quotes(name.text),
                advice.empty() ? "the sources are " + listed(names) : advice);
  return -1;
}

void read_view_keys(const TomlEntry& by, const std::string& what, View& view, ViewNotes& notes,
                    Draft& draft, Diagnostics& errors) {
  notes.keys_position = by.value.position;
  const auto keys = strings_of(by, what, "write by = [\"column\"]", errors);
  if (keys.size() > kMaxKeys)
    return errors.report(Code::too_deep, by.value.position, what + " has more than 16 keys",
                         "put them into one column");
  for (const auto* key : keys) {
    if (std::ranges::count(view.keys, key->text))
      errors.report(Code::duplicate_name, key->position,
                    "key " + in_quotes(key->text) + " stands twice", "name each key once");
    else if (view.source >= 0)
      read_key(*key, what, view, draft, errors);
  }
}

void sort_views(Draft& draft) {
  std::vector<std::size_t> order(draft.project.views.size());
  std::iota(order.begin(), order.end(), 0);
  std::ranges::stable_sort(order, {}, [&](std::size_t v) { return draft.project.views[v].name; });
  std::vector<View> views;
  std::vector<ViewNotes> notes;
  for (const std::size_t v : order) {
    views.push_back(std::move(draft.project.views[v]));
    notes.push_back(std::move(draft.view_notes[v]));
  }
  draft.project.views = std::move(views);
  draft.view_notes = std::move(notes);
  for (auto& source : draft.project.sources)
    for (auto& lookup : source.lookups)
      lookup.view = static_cast<int>(
          std::ranges::find(order, static_cast<std::size_t>(lookup.view)) - order.begin());
}

}  // namespace coeval::define
