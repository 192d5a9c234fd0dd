#include <algorithm>
#include <set>

#include "base/time.h"
#include "define/aggregate_checker.h"
#include "define/conversion.h"
#include "define/draft.h"
#include "define/event_scope.h"
#include "define/read_window.h"
#include "define/table_reader.h"
#include "define/typed_value.h"
#include "define/view_parts.h"

namespace coeval::define {

namespace {

using data::Type;
using Kind = TomlValue::Kind;

constexpr std::size_t kMaxFeatures = 100'000;
constexpr std::size_t kMaxWindows = 100;

class ViewReader {
 public:
  /// `views` is the table that holds the entry.
  ViewReader(const TomlEntry& entry, const TomlValue& views, Draft& draft, Diagnostics& errors)
      : entry_(entry),
        views_(views),
        draft_(draft),
        errors_(errors),
        what_("view " + in_quotes(entry.key)) {}

  void read() {
    const std::size_t errors_before = errors_.count();
    expect_name(entry_, "a view", errors_);
    view_.name = entry_.key;
    view_.lateness_us = kDefaultLatenessUs;
    notes_.keys_position = entry_.position;
    if (expect_kind(entry_, Kind::table, "[view]", "write [view." + entry_.key + "]", errors_))
      read_table();
    notes_.broken = errors_.count() > errors_before;
    draft_.project.views.push_back(std::move(view_));
    draft_.view_notes.push_back(std::move(notes_));
  }

 private:
  void read_table() {
    TableReader reader(entry_.value, entry_.position, what_, errors_);
    const TomlEntry* from = reader.require("from", "name a source: from = \"…\"");
    if (from && expect_kind(*from, Kind::string, what_, "name a source", errors_)) read_from(*from);
    const TomlEntry* by = reader.require(
        "by", "name the key columns, or write by = [] for one entity over all events");
    if (by) read_view_keys(*by, what_, view_, notes_, draft_, errors_);
    const TomlEntry* windows = reader.require("windows", "write windows = [\"3h\", \"14d\"]");
    if (windows) read_windows(*windows);
    if (const auto* lateness = reader.take("lateness"))
      read_lateness(*lateness, what_, view_, errors_);
    reader.later({"offset"});
    for (const auto& entry : entry_.value.entries)
      if (!reader.was_taken(entry.key)) read_aggregate(entry, reader);
    if (view_.aggregates.empty())
      errors_.report(Code::missing_toml_key, entry_.position, what_ + " has no aggregates",
                     "add one such as late = \"mean(delay >= 15)\"");
    check_size();
    check_feature_names();
  }

  // "late_7d_offset" over "7d" and "late" over "7d offset 7d" would be one name.
  void check_feature_names() {
    if (std::ranges::none_of(view_.windows, [](const Window& w) { return w.offset_us > 0; }))
      return;
    std::set<std::string> names;
    for (std::size_t f = 0; f < view_.feature_count(); ++f)
      if (!names.insert(view_.feature_name(f)).second)
        errors_.report(Code::duplicate_name, notes_.aggregate_positions[f / view_.windows.size()],
                       "two features are called " + in_quotes(view_.feature_name(f)),
                       "rename the aggregate");
  }

  void check_size() {
    std::size_t features = view_.feature_count();
    for (const auto& other : draft_.project.views) features += other.feature_count();
    if (features <= kMaxFeatures) return;
    errors_.report(Code::too_deep, entry_.position,
                   what_ + " brings the features of all views to " + std::to_string(features),
                   "at most " + std::to_string(kMaxFeatures) + " in a project");
    view_.aggregates.clear();
    notes_.aggregate_positions.clear();
  }

  void read_from(const TomlEntry& entry) {
    const std::string& name = entry.value.text;
    if (draft_.project.source_index(name) < 0 && views_.find(name))
      errors_.report(Code::unsupported, entry.value.position,
                     what_ + " reads view " + in_quotes(name) +
                         ", but only the events of a source can be counted",
                     "name a source; a feature can combine the values of several views, and a "
                     "view can be keyed by what a lookup says");
    else
      view_.source = find_source(entry.value, draft_, errors_);
  }

  const Source* source() const {
    return view_.source < 0 ? nullptr
                            : &draft_.project.sources[static_cast<std::size_t>(view_.source)];
  }

  void read_windows(const TomlEntry& windows) {
    const std::string advice = "write windows = [\"3h\", \"14d\", \"all\"]";
    const auto lengths = strings_of(windows, what_, advice, errors_);
    if (lengths.size() > kMaxWindows)
      return errors_.report(Code::too_deep, windows.value.position,
                            what_ + " has more than 100 windows", "split the view");
    std::vector<std::pair<Window, SourcePosition>> found;
    for (const auto* length : lengths) {
      auto window = read_window(*length, what_, errors_);
      if (!window) continue;
      const auto same = [&](const auto& other) { return same_meaning(other.first, *window); };
      if (std::ranges::any_of(found, same))
        errors_.report(Code::bad_window, length->position,
                       "two windows have one length: " + in_quotes(length->text),
                       "name each length once");
      else
        found.emplace_back(std::move(*window), length->position);
    }
    if (windows.value.kind == Kind::array && windows.value.items.empty())
      errors_.report(Code::bad_window, windows.value.position, what_ + " has no window", advice);
    // Lengths, not their order in the file, make a view.
    std::ranges::sort(found, window_before, [](const auto& each) -> auto& { return each.first; });
    for (auto& [window, position] : found) {
      view_.windows.push_back(std::move(window));
      notes_.window_positions.push_back(position);
    }
  }

  void read_aggregate(const TomlEntry& entry, const TableReader& reader) {
    if (!expect_name(entry, "an aggregate", errors_)) return;
    Aggregate aggregate;
    aggregate.name = entry.key;
    const std::string what = "aggregate " + in_quotes(entry.key) + " of " + what_;
    if (entry.value.kind == Kind::string) {
      check(entry.value, aggregate);
      add(std::move(aggregate), entry.value.position);
    } else if (entry.value.kind == Kind::table) {
      read_aggregate_table(entry, what, std::move(aggregate));
    } else {
      const std::string advice = did_you_mean(entry.key, reader.known_keys());
      errors_.report(
          Code::bad_toml_value, entry.position,
          what + " must be a string or a table, not " + std::string(describe(entry.value.kind)),
          advice.empty() ? "write one such as \"count()\" or \"mean(delay)\"" : advice);
      add(std::move(aggregate), entry.value.position);
    }
  }

  void check(const TomlValue& text, Aggregate& aggregate) {
    if (!source()) return;
    EventScope scope(draft_, view_.source, text.position, what_, errors_);
    if (!check_aggregate(ExpressionText::of(text), scope, aggregate, errors_))
      aggregate.result = Type::null;
  }

  void add(Aggregate aggregate, const SourcePosition& position) {
    view_.aggregates.push_back(std::move(aggregate));
    notes_.aggregate_positions.push_back(position);
  }

  // { value = "mean(delay)", default = 0, max_age = "7d", on_stale = "default" }: semantics V3, D5.
  void read_aggregate_table(const TomlEntry& entry, const std::string& what, Aggregate aggregate) {
    TableReader reader(entry.value, entry.position, what, errors_);
    const TomlEntry* value = reader.require("value", "write value = \"mean(delay >= 15)\"");
    const TomlEntry* otherwise = reader.take("default");
    const TomlEntry* max_age = reader.take("max_age");
    const TomlEntry* on_stale = reader.take("on_stale");
    reader.finish();
    const SourcePosition place = value ? value->value.position : entry.position;
    if (value && expect_kind(*value, Kind::string, what, "write it in quotes", errors_))
      check(value->value, aggregate);
    if (otherwise) read_default(*otherwise, what, aggregate);
    if (max_age && expect_kind(*max_age, Kind::string, what, "write max_age = \"7d\"", errors_))
      aggregate.max_age_us =
          read_duration(max_age->value, max_age->value.text, "max_age", 1, errors_);
    aggregate.stale_is_default = aggregate.default_value.has_value();
    if (on_stale) read_on_stale(*on_stale, what, aggregate);
    if (on_stale && !max_age)
      errors_.report(Code::missing_toml_key, on_stale->position,
                     what + " has on_stale but no max_age", "add max_age = \"7d\"");
    if (aggregate.stale_is_default && !otherwise)
      errors_.report(Code::missing_toml_key, on_stale->value.position,
                     what + " has on_stale = \"default\" but no default", "add default = …");
    auto age = aggregate.max_age_us ? std::optional(age_of(aggregate)) : std::nullopt;
    if (age) aggregate.age_aggregate = static_cast<int>(view_.aggregates.size()) + 1;
    add(std::move(aggregate), place);
    if (age) add(std::move(*age), place);
  }

  void read_default(const TomlEntry& entry, const std::string& what, Aggregate& aggregate) {
    if (aggregate.result == Type::null) return;
    if (data::is_list(aggregate.result))
      return errors_.report(Code::bad_toml_value, entry.value.position,
                            "a list has no default: " + what,
                            "give one to what reads it: coalesce(element(list, 0), 0)");
    aggregate.default_value = typed_value(entry.value, aggregate.result);
    if (!aggregate.default_value)
      errors_.report(Code::bad_toml_value, entry.value.position,
                     "the default of " + what + " does not fit its type " +
                         std::string(data::name(aggregate.result)),
                     "write a value of that type");
    else if (aggregate.result == Type::float32)
      *aggregate.default_value = to_float32(std::get<double>(*aggregate.default_value));
  }

  void read_on_stale(const TomlEntry& entry, const std::string& what, Aggregate& aggregate) {
    const std::string advice =
        "write on_stale = \"null\", on_stale = \"default\" or on_stale = \"refuse\"";
    if (!expect_kind(entry, Kind::string, what, advice, errors_)) return;
    const std::string& policy = entry.value.text;
    aggregate.stale_is_default = policy == "default";
    aggregate.stale_is_refused = policy == "refuse";
    if (policy != "null" && policy != "default" && policy != "refuse")
      errors_.report(Code::bad_toml_value, entry.value.position,
                     "on_stale of " + what + " cannot be " + in_quotes(policy), advice);
  }

  // The age of the newest event that an aggregate counts. Its name has a dot, so no person can have
  // given it to another.
  static Aggregate age_of(const Aggregate& aggregate) {
    Aggregate age;
    age.name = aggregate.name + ".age";
    age.kind = Aggregation::since_last;
    age.where = aggregate.where;
    age.result = Type::float64;
    age.hidden = true;
    return age;
  }

  const TomlEntry& entry_;
  const TomlValue& views_;
  Draft& draft_;
  Diagnostics& errors_;
  std::string what_;
  View view_;
  ViewNotes notes_;
};

}  // namespace

void read_views(const TomlEntry& entry, Draft& draft, Diagnostics& errors) {
  if (!expect_kind(entry, Kind::table, "the definition", "write [view.NAME]", errors)) return;
  for (const auto& view : entry.value.entries) ViewReader(view, entry.value, draft, errors).read();
  sort_views(draft);
}

}  // namespace coeval::define
