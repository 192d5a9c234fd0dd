#include "define/event_scope.h"

#include <algorithm>

#include "define/checker.h"

namespace coeval::define {

namespace {

constexpr std::size_t kMaxLookups = 100;

std::string joined(const std::vector<std::string>& steps) {
  std::string text;
  for (const auto& step : steps) text += (text.empty() ? "" : " → ") + step;
  return text;
}

}  // namespace

std::string EventScope::description() const { return "source " + in_quotes(source().name); }

std::vector<std::string> EventScope::names() const {
  std::vector<std::string> names;
  for (const auto& field : source().schema.fields) names.push_back(field.name);
  for (const auto& view : draft_.project.views)
    if (view.lookup)
      for (const auto& column : view.aggregates) names.push_back(view.name + "." + column.name);
  add_constants(&draft_.project, names);
  return names;
}

Binding EventScope::find(std::string_view name) {
  const Binding own = bind_field(source().schema, source().schema.index_of(name));
  if (own.found) return own;
  const std::size_t dot = name.find('.');
  const int view =
      dot == std::string_view::npos ? -1 : draft_.project.view_index(name.substr(0, dot));
  if (view < 0 || !draft_.project.views[static_cast<std::size_t>(view)].lookup)
    return bind_constant(&draft_.project, name);
  return lookup_column(view, name.substr(dot + 1));
}

Binding EventScope::lookup_column(int view, std::string_view column) {
  const View& lookup = draft_.project.views[static_cast<std::size_t>(view)];
  const auto found = std::ranges::find(lookup.aggregates, column, &Aggregate::name);
  if (found == lookup.aggregates.end())
    return {draft_.view_notes[static_cast<std::size_t>(view)].broken, nullptr};
  if (!add_lookup(view)) return {true, nullptr};
  const auto& lookups = source().lookups;
  const auto mine = std::ranges::find(lookups, view, &EventLookup::view);
  return bind_field(source().looked_up_schema,
                    mine->first_field + static_cast<int>(found - lookup.aggregates.begin()));
}

// False after an error, which has been reported.
bool EventScope::add_lookup(int view) {
  const View& lookup = draft_.project.views[static_cast<std::size_t>(view)];
  if (draft_.view_notes[static_cast<std::size_t>(view)].broken) return false;
  if (std::ranges::count(source().lookups, view, &EventLookup::view) > 0) return true;
  const std::string step = "lookup " + in_quotes(lookup.name);
  if (std::ranges::count(path_, step) > 0) {
    const auto begin = std::ranges::find(path_, step);
    errors_.report(
        Code::cycle, place_,
        reader_ + ": " + joined({begin, path_.end()}) + " → " + step + ": a key is found by itself",
        "let one of these keys be a column of " + description());
    return false;
  }
  if (source().lookups.size() >= kMaxLookups) {
    errors_.report(Code::too_deep, place_,
                   "views of " + description() + " read more than 100 lookups",
                   "look up what is read");
    return false;
  }
  for (const int side : {source_, lookup.source}) {
    const Source& named = draft_.project.sources[static_cast<std::size_t>(side)];
    if (!named.has_names()) continue;
    errors_.report(
        Code::unsupported, place_,
        reader_ + " reads lookup " + in_quotes(lookup.name) + " for events, and source " +
            in_quotes(named.name) + " names its events by id",
        "this version cannot do both: leave id out, or look the value up at the question");
    return false;
  }
  path_.push_back(step);
  EventLookup added{view, {}, 0};
  for (std::size_t key = 0; key < lookup.keys.size(); ++key)
    if (ExprPtr expr = key_of(lookup, key)) added.keys.push_back(std::move(expr));
  path_.pop_back();
  if (added.keys.size() < lookup.keys.size()) return false;
  if (source().lookups.empty()) source().looked_up_schema = source().schema;
  data::Schema& schema = source().looked_up_schema;
  added.first_field = static_cast<int>(schema.fields.size());
  for (std::size_t column = 0; column < lookup.aggregates.size(); ++column)
    schema.fields.push_back({lookup.feature_name(column), lookup.feature_type(column), true});
  source().lookups.push_back(std::move(added));
  return true;
}

// The value of one key of a lookup for an event, or null after an error.
ExprPtr EventScope::key_of(const View& lookup, std::size_t key) {
  const std::string& name = lookup.keys[key];
  const Binding own = bind_field(source().schema, source().schema.index_of(name));
  ExprPtr expr = own.expr;
  if (!own.found) {
    const auto declared = draft_.keys.find(name);
    if (declared == draft_.keys.end()) {
      errors_.report(Code::unknown_column, place_,
                     reader_ + " reads lookup " + in_quotes(lookup.name) + ", whose key " + name +
                         " is no column of " + description(),
                     "give the source a column of that name, or say in [keys] what it is");
      return nullptr;
    }
    expr = declared_key(name, declared->second);
  }
  if (!expr) return nullptr;
  const data::Type wanted = draft_.project.sources[static_cast<std::size_t>(lookup.source)]
                                .schema.fields[static_cast<std::size_t>(lookup.key_columns[key])]
                                .type;
  if (wanted == expr->type || wanted == data::Type::null) return expr;
  errors_.report(Code::type_error, place_,
                 reader_ + " reads lookup " + in_quotes(lookup.name) + ", whose key " + name +
                     " is " + std::string(data::name(wanted)) + ", but " +
                     std::string(data::name(expr->type)) +
                     (own.found ? " in " + description() : " by [keys]"),
                 "declare both with one type, or write cast(… as " +
                     std::string(data::name(wanted)) + ") in [keys]");
  return nullptr;
}

ExprPtr EventScope::declared_key(const std::string& name, const ExpressionText& text) {
  path_.push_back("key " + in_quotes(name));
  ExprPtr expr = check_expression(text, *this, errors_);
  path_.pop_back();
  return expr;
}

}  // namespace coeval::define
