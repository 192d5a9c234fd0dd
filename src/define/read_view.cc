#include <algorithm>

#include "base/time.h"
#include "define/checker.h"
#include "define/draft.h"
#include "define/scope.h"
#include "define/table_reader.h"

namespace coeval::define {

namespace {

using data::Type;
using Kind = TomlValue::Kind;

constexpr std::int64_t kLongestWindowUs = 36'525 * kDayUs;  // a century
constexpr std::int64_t kDefaultLatenessUs = kDayUs;         // semantics: T6

constexpr std::size_t kMaxFeatures = 100'000;
constexpr std::size_t kMaxWindows = 100;
constexpr std::size_t kMaxKeys = 16;

// Types that a key can have: those with one spelling per value.
bool is_key_type(Type type) {
  return data::is_integer(type) || type == Type::string || type == Type::boolean;
}

class ViewReader {
 public:
  ViewReader(const TomlEntry& entry, Draft& draft, Diagnostics& errors)
      : entry_(entry), draft_(draft), errors_(errors), what_("view " + in_quotes(entry.key)) {}

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
    if (by) read_keys(*by);
    const TomlEntry* windows = reader.require("windows", "write windows = [\"3h\", \"14d\"]");
    if (windows) read_windows(*windows);
    if (const auto* lateness = reader.take("lateness")) read_lateness(*lateness);
    reader.later({"default", "max_age", "offset"});
    for (const auto& entry : entry_.value.entries)
      if (!reader.was_taken(entry.key)) read_aggregate(entry, reader);
    if (view_.aggregates.empty())
      errors_.report(Code::missing_toml_key, entry_.position, what_ + " has no aggregates",
                     "add one such as late = \"mean(delay >= 15)\"");
    check_size();
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
    view_.source = draft_.project.source_index(entry.value.text);
    if (view_.source >= 0) return;
    std::vector<std::string> names;
    for (const auto& source : draft_.project.sources) names.push_back(source.name);
    const std::string advice = did_you_mean(entry.value.text, names);
    errors_.report(Code::unknown_name, entry.value.position,
                   "unknown source " + in_quotes(entry.value.text),
                   advice.empty() ? "the sources are " + listed(names) : advice);
  }

  const Source* source() const {
    return view_.source < 0 ? nullptr
                            : &draft_.project.sources[static_cast<std::size_t>(view_.source)];
  }

  void read_keys(const TomlEntry& by) {
    notes_.keys_position = by.value.position;
    const std::string advice = "write by = [\"column\"]";
    const auto keys = strings_of(by, what_, advice, errors_);
    if (keys.size() > kMaxKeys)
      return errors_.report(Code::too_deep, by.value.position, what_ + " has more than 16 keys",
                            "put them into one column");
    for (const auto* key : keys) {
      if (std::ranges::count(view_.keys, key->text)) {
        errors_.report(Code::duplicate_name, key->position,
                       "key " + in_quotes(key->text) + " stands twice", "name each key once");
        continue;
      }
      read_key(*key);
    }
  }

  void read_key(const TomlValue& key) {
    if (!source()) return;
    RowScope scope(source()->schema, "source " + in_quotes(source()->name));
    const int column = source()->schema.index_of(key.text);
    if (column < 0) {
      const std::string advice = did_you_mean(key.text, scope.names());
      errors_.report(Code::unknown_column, key.position, "unknown column " + in_quotes(key.text),
                     advice.empty()
                         ? "source " + in_quotes(source()->name) + " has " + listed(scope.names())
                         : advice);
      return;
    }
    const Type type = source()->schema.fields[static_cast<std::size_t>(column)].type;
    if (type != Type::null && !is_key_type(type))
      errors_.report(
          Code::type_error, key.position,
          "a key cannot be " + std::string(data::name(type)) + ": " + in_quotes(key.text),
          "keys are strings, integers or booleans");
    view_.keys.push_back(key.text);
    view_.key_columns.push_back(column);
  }

  void read_windows(const TomlEntry& windows) {
    const std::string advice = "write windows = [\"3h\", \"14d\", \"all\"]";
    const auto lengths = strings_of(windows, what_, advice, errors_);
    if (lengths.size() > kMaxWindows)
      return errors_.report(Code::too_deep, windows.value.position,
                            what_ + " has more than 100 windows", "split the view");
    for (const auto* window : lengths) read_window(*window);
    if (windows.value.kind == Kind::array && windows.value.items.empty())
      errors_.report(Code::bad_window, windows.value.position, what_ + " has no window", advice);
    // "all" is the longest; lengths, not their order in the file, make a view.
    std::sort(view_.windows.begin(), view_.windows.end(), [](const Window& a, const Window& b) {
      return static_cast<std::uint64_t>(a.us) < static_cast<std::uint64_t>(b.us);
    });
  }

  void read_window(const TomlValue& value) {
    Window window{kAllTime, value.text};
    if (value.text != "all") {
      const auto us = read_duration(value, "a window", 1);
      if (!us) return;
      window.us = *us;
    }
    const auto same = [&](const Window& other) { return other.us == window.us; };
    if (std::ranges::any_of(view_.windows, same)) {
      errors_.report(Code::bad_window, value.position,
                     "two windows have one length: " + in_quotes(value.text),
                     "name each length once");
      return;
    }
    view_.windows.push_back(std::move(window));
  }

  std::optional<std::int64_t> read_duration(const TomlValue& value, const std::string& what,
                                            std::int64_t least) {
    if (value.text == "today" || value.text.starts_with("this_")) {
      errors_.report(Code::unsupported, value.position,
                     "calendar window " + in_quotes(value.text) + " is not in this version",
                     "write a length such as \"24h\"");
      return std::nullopt;
    }
    const auto us = parse_duration(value.text);
    if (us && *us >= least && *us <= kLongestWindowUs) return *us;
    errors_.report(
        Code::bad_window, value.position, what + " cannot be " + in_quotes(value.text),
        "write a whole number above 0 and a unit: 90s, 15min, 3h, 14d, 2w; at most 100 years");
    return std::nullopt;
  }

  void read_lateness(const TomlEntry& entry) {
    if (!expect_kind(entry, Kind::string, what_, "write lateness = \"1d\"", errors_)) return;
    if (const auto us = read_duration(entry.value, "lateness", 0)) view_.lateness_us = *us;
  }

  void read_aggregate(const TomlEntry& entry, const TableReader& reader) {
    if (!expect_name(entry, "an aggregate", errors_)) return;
    Aggregate aggregate;
    aggregate.name = entry.key;
    if (entry.value.kind != Kind::string) {
      const std::string advice = did_you_mean(entry.key, reader.known_keys());
      errors_.report(Code::bad_toml_value, entry.position,
                     "aggregate " + in_quotes(entry.key) + " of " + what_ +
                         " must be a string, not " + std::string(describe(entry.value.kind)),
                     advice.empty() ? "write one such as \"count()\" or \"mean(delay)\"" : advice);
    } else if (source()) {
      RowScope scope(source()->schema, "source " + in_quotes(source()->name));
      if (!check_aggregate(ExpressionText::of(entry.value), scope, aggregate, errors_))
        aggregate.result = Type::null;
    }
    view_.aggregates.push_back(std::move(aggregate));
    notes_.aggregate_positions.push_back(entry.value.position);
  }

  const TomlEntry& entry_;
  Draft& draft_;
  Diagnostics& errors_;
  std::string what_;
  View view_;
  ViewNotes notes_;
};

}  // namespace

void read_views(const TomlEntry& entry, Draft& draft, Diagnostics& errors) {
  if (!expect_kind(entry, Kind::table, "the definition", "write [view.NAME]", errors)) return;
  for (const auto& view : entry.value.entries) ViewReader(view, draft, errors).read();
}

}  // namespace coeval::define
