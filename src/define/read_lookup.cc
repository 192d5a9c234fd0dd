#include <algorithm>

#include "define/aggregate_checker.h"
#include "define/draft.h"
#include "define/read_window.h"
#include "define/scope.h"
#include "define/table_reader.h"
#include "define/view_parts.h"

namespace coeval::define {

namespace {

using data::Type;
using Kind = TomlValue::Kind;

constexpr std::size_t kMaxColumns = 1'000;

// The word that an expression calls a column by, whatever its name.
std::string quoted_name(const std::string& name) {
  std::string text = "\"";
  for (const char c : name) text += c == '"' ? std::string("\"\"") : std::string(1, c);
  return text + "\"";
}

// A lookup is a view over "all" whose aggregates are the columns of the newest row. (semantics: T5)
class LookupReader {
 public:
  LookupReader(const TomlEntry& entry, const TomlEntry* views, Draft& draft, Diagnostics& errors)
      : entry_(entry),
        views_(views),
        draft_(draft),
        errors_(errors),
        what_("lookup " + in_quotes(entry.key)) {}

  void read() {
    const std::size_t errors_before = errors_.count();
    expect_name(entry_, "a lookup", errors_);
    if (views_ != nullptr && views_->value.find(entry_.key) != nullptr)
      errors_.report(Code::duplicate_name, entry_.position, what_ + " has the name of a view",
                     "rename one of them");
    view_.name = entry_.key;
    view_.lookup = true;
    view_.lateness_us = kDefaultLatenessUs;
    Window all;
    all.us = kAllTime;
    all.text = "all";
    view_.windows.push_back(all);
    notes_.keys_position = entry_.position;
    notes_.window_positions.push_back(entry_.position);
    if (expect_kind(entry_, Kind::table, "[lookup]", "write [lookup." + entry_.key + "]", errors_))
      read_table();
    notes_.broken = errors_.count() > errors_before;
    draft_.project.views.push_back(std::move(view_));
    draft_.view_notes.push_back(std::move(notes_));
  }

 private:
  void read_table() {
    TableReader reader(entry_.value, entry_.position, what_, errors_);
    const TomlEntry* from = reader.require("from", "name a source: from = \"aircraft\"");
    const TomlEntry* by = reader.require("by", "name the key columns: by = [\"tailnum\"]");
    const TomlEntry* columns =
        reader.require("columns", "name what is looked up: columns = [\"maker\"]");
    const TomlEntry* lateness = reader.take("lateness");
    reader.finish();
    if (lateness) read_lateness(*lateness, what_, view_, errors_);
    if (!from || !expect_kind(*from, Kind::string, what_, "name a source", errors_)) return;
    view_.source = find_source(from->value, draft_, errors_);
    if (view_.source < 0) return;
    check_validity(from->value);
    if (by) read_view_keys(*by, what_, view_, notes_, draft_, errors_);
    if (by && by->value.kind == Kind::array && by->value.items.empty())
      errors_.report(Code::bad_toml_value, by->value.position, what_ + " has no key",
                     "name the key columns: by = [\"tailnum\"]");
    if (columns) read_columns(*columns);
  }

  const Source& source() const {
    return draft_.project.sources[static_cast<std::size_t>(view_.source)];
  }

  // semantics: D2. Rows without a time hold at every time, also before anyone knew of them.
  void check_validity(const TomlValue& from) {
    if (!source().time_column.empty()) return;
    errors_.report(Code::leak, from.position,
                   what_ + " reads source " + in_quotes(source().name) +
                       ", whose rows do not say from when on they hold: a question would see what "
                       "was written after it",
                   "give the source a time column, from when on a row is valid");
  }

  void read_columns(const TomlEntry& columns) {
    const auto names = strings_of(columns, what_, "write columns = [\"maker\"]", errors_);
    if (columns.value.kind == Kind::array && columns.value.items.empty())
      errors_.report(Code::bad_toml_value, columns.value.position, what_ + " has no columns",
                     "name what is looked up: columns = [\"maker\"]");
    if (names.size() > kMaxColumns)
      return errors_.report(Code::too_deep, columns.value.position,
                            what_ + " has more than 1,000 columns", "name those that are read");
    for (const auto* name : names) read_column(*name);
    // Their order has no meaning. (semantics: D1)
    std::ranges::sort(view_.aggregates, {}, &Aggregate::name);
  }

  void read_column(const TomlValue& name) {
    if (std::ranges::count(view_.aggregates, name.text, &Aggregate::name))
      return errors_.report(Code::duplicate_name, name.position,
                            "column " + in_quotes(name.text) + " stands twice",
                            "name each column once");
    Aggregate aggregate;
    aggregate.name = name.text;
    RowScope scope(source().schema, "source " + in_quotes(source().name));
    const ExpressionText text{"latest(" + quoted_name(name.text) + ")", name.position, false};
    if (!check_aggregate(text, scope, aggregate, errors_)) aggregate.result = Type::null;
    view_.aggregates.push_back(std::move(aggregate));
    // One place for all, since their order changes.
    notes_.aggregate_positions.push_back(entry_.position);
  }

  const TomlEntry& entry_;
  const TomlEntry* views_;
  Draft& draft_;
  Diagnostics& errors_;
  std::string what_;
  View view_;
  ViewNotes notes_;
};

}  // namespace

void read_lookups(const TomlEntry& entry, const TomlEntry* views, Draft& draft,
                  Diagnostics& errors) {
  if (!expect_kind(entry, Kind::table, "the definition", "write [lookup.NAME]", errors)) return;
  for (const auto& lookup : entry.value.entries) LookupReader(lookup, views, draft, errors).read();
}

}  // namespace coeval::define
