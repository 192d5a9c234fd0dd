#include <algorithm>
#include <array>

#include "define/checker.h"
#include "define/checks.h"
#include "define/draft.h"
#include "define/read_column_rules.h"
#include "define/read_window.h"
#include "define/scope.h"
#include "define/table_reader.h"
#include "define/view_parts.h"

namespace coeval::define {

namespace {

using data::Type;
using Kind = TomlValue::Kind;

constexpr std::size_t kMaxChecks = 1'000;
constexpr std::size_t kMaxCheckColumns = 64;
constexpr double kMaxCount = 9e15;  // below 2^53: every integer up to it is a double
constexpr double kMaxNumber = std::numeric_limits<double>::max();

// What rules of columns are called, behind the column's name and a dot.
constexpr std::array<std::string_view, 13> kColumnRules = {
    "enum", "finite",     "json", "length",  "max",  "max_ahead", "max_length",
    "min",  "min_length", "null", "pattern", "type", "utf8"};

constexpr auto kKinds =
    std::to_array<CheckKind>({CheckKind::row,        CheckKind::increasing,
                              CheckKind::refers,     CheckKind::unique,
                              CheckKind::rows,       CheckKind::volume,
                              CheckKind::null_share, CheckKind::distinct,
                              CheckKind::mean,       CheckKind::quantile,
                              CheckKind::sum,        CheckKind::freshness,
                              CheckKind::late_share, CheckKind::out_of_order_share,
                              CheckKind::gap,        CheckKind::psi,
                              CheckKind::ks,         CheckKind::linf,
                              CheckKind::js,         CheckKind::chi2,
                              CheckKind::new_values, CheckKind::vanished_values});

std::vector<std::string> kind_names() {
  std::vector<std::string> names;
  for (const CheckKind kind : kKinds) names.emplace_back(name(kind));
  return names;
}

// What a check's own key holds.
enum class Subject : std::uint8_t { expression, column, columns, span, nothing };
Subject subject_of(CheckKind kind) {
  switch (kind) {
    case CheckKind::row:
      return Subject::expression;
    case CheckKind::unique:
      return Subject::columns;
    case CheckKind::rows:
    case CheckKind::out_of_order_share:
      return Subject::nothing;
    case CheckKind::volume:
    case CheckKind::freshness:
    case CheckKind::late_share:
    case CheckKind::gap:
      return Subject::span;
    default:
      return Subject::column;
  }
}

std::string example_of(CheckKind kind) {
  const std::string key = std::string(name(kind)) + " = ";
  switch (subject_of(kind)) {
    case Subject::expression:
      return key + "\"origin <> destination\"";
    case Subject::columns:
      return key + "[\"flight\", \"date\"]";
    case Subject::span:
      return key + "\"4w\"";
    case Subject::nothing:
      return key + "\"\"";
    case Subject::column:
      break;
  }
  return key + "\"delay\", a column";
}

bool is_ordered(Type type) {
  return data::is_number(type) || type == Type::timestamp || type == Type::date;
}
bool is_category(Type type) { return !data::is_float(type) && !data::is_list(type); }

// Which columns a kind is for, and how to say so.
struct ColumnsFor {
  bool (*fits)(Type);
  std::string_view text;
};
ColumnsFor columns_for(CheckKind kind) {
  switch (kind) {
    case CheckKind::increasing:
      return {is_ordered, "a number or a time"};
    case CheckKind::mean:
    case CheckKind::quantile:
    case CheckKind::sum:
    case CheckKind::ks:
      return {data::is_number, "a number"};
    case CheckKind::refers:
    case CheckKind::chi2:
    case CheckKind::new_values:
    case CheckKind::vanished_values:
      return {is_category, "no float and no list"};
    case CheckKind::null_share:
      return {[](Type) { return true; }, "any column"};
    default:
      return {[](Type type) { return !data::is_list(type); }, "no list"};
  }
}

class CheckReader {
 public:
  CheckReader(const TomlEntry& entry, std::size_t source, Draft& draft, Diagnostics& errors)
      : entry_(entry),
        draft_(draft),
        source_(draft.project.sources[source]),
        errors_(errors),
        what_("check " + in_quotes(entry.key) + " of source " + in_quotes(source_.name)) {}

  void read() {
    check_.name = entry_.key;
    check_.position = entry_.position;
    if (!expect_name(entry_, "a check", errors_) || !expect_own_rule()) return;
    if (!expect_kind(entry_, Kind::table, "[source." + source_.name + ".checks]",
                     "write " + entry_.key + " = { " + example_of(CheckKind::row) + " }", errors_))
      return;
    const TomlEntry* subject = find_kind();
    if (subject == nullptr) return;
    TableReader reader(entry_.value, entry_.position, what_, errors_);
    reader.take(subject->key);
    read_subject(*subject);
    read_parameters(reader, *subject);
    check_.severity = read_severity(reader, errors_);
    if (is_row_check(check_.kind)) read_counts(reader);
    reader.finish();
    source_.checks.push_back(std::move(check_));
  }

 private:
  // The rule of a check is "checks.NAME", which may not be the rule of a column "checks" too.
  bool expect_own_rule() {
    if (source_.schema.index_of("checks") < 0 ||
        std::ranges::find(kColumnRules, entry_.key) == kColumnRules.end())
      return true;
    errors_.report(Code::duplicate_name, entry_.position,
                   what_ + " has the rule " + in_quotes("checks." + entry_.key) +
                       ", as the column 'checks' has",
                   "give the check another name");
    return false;
  }

  // The key that says what is checked: there is exactly one.
  const TomlEntry* find_kind() {
    const TomlEntry* found = nullptr;
    for (const CheckKind kind : kKinds) {
      const TomlEntry* entry = entry_.value.find(name(kind));
      if (entry == nullptr) continue;
      if (found != nullptr) {
        errors_.report(Code::bad_toml_value, entry->position,
                       what_ + " checks two things: " + in_quotes(found->key) + " and " +
                           in_quotes(entry->key),
                       "write a check for each");
        return nullptr;
      }
      found = entry;
      check_.kind = kind;
    }
    if (found == nullptr) report_no_kind();
    return found;
  }

  void report_no_kind() {
    for (const auto& entry : entry_.value.entries) {
      const std::string advice = did_you_mean(entry.key, kind_names());
      if (advice.empty()) continue;
      return errors_.report(Code::unknown_toml_key, entry.position,
                            "unknown key " + in_quotes(entry.key) + " in " + what_, advice);
    }
    errors_.report(Code::missing_toml_key, entry_.position, what_ + " does not say what it checks",
                   "write one of " + listed_kinds());
  }

  static std::string listed_kinds() {
    std::string text;
    for (const std::string& each : kind_names()) text += (text.empty() ? "" : ", ") + each;
    return text;
  }

  void read_subject(const TomlEntry& subject) {
    const std::string advice = "write " + example_of(check_.kind);
    switch (subject_of(check_.kind)) {
      case Subject::expression:
        if (expect_kind(subject, Kind::string, what_, advice, errors_)) read_expression(subject);
        return;
      case Subject::columns:
        check_.columns = read_columns(subject, advice, false);
        return;
      case Subject::column:
        if (expect_kind(subject, Kind::string, what_, advice, errors_))
          if (const int column = find_column(subject.value); column >= 0)
            check_.columns.push_back(column);
        return;
      case Subject::span:
        if (expect_kind(subject, Kind::string, what_, advice, errors_))
          check_.span_us = read_duration(subject.value, subject.value.text,
                                         in_quotes(subject.key) + " of " + what_, 1, errors_)
                               .value_or(1);
        return;
      case Subject::nothing:
        if (expect_kind(subject, Kind::string, what_, advice, errors_) &&
            !subject.value.text.empty())
          errors_.report(Code::bad_toml_value, subject.value.position,
                         in_quotes(subject.key) + " of " + what_ + " is of no column", advice);
        return;
    }
  }

  // semantics: V4. Null passes, as in a CHECK of SQL.
  void read_expression(const TomlEntry& subject) {
    RowScope scope(source_.schema, "source " + in_quotes(source_.name), &draft_.project);
    check_.text = subject.value.text;
    check_.expr = check_expression_of(Type::boolean, ExpressionText::of(subject.value), scope,
                                      what_, "write a condition that good rows fulfil", errors_);
    if (check_.expr) check_.columns = columns_read(*check_.expr);
  }

  // The column, or -1 after an error.
  int find_column(const TomlValue& column) {
    const int index = source_.schema.index_of(column.text);
    if (index < 0) {
      report_unknown(column, column.text, source_);
      return -1;
    }
    const data::Field& field = source_.schema.fields[static_cast<std::size_t>(index)];
    const ColumnsFor wanted = columns_for(check_.kind);
    if (field.type == Type::null || wanted.fits(field.type)) return index;
    errors_.report(Code::type_error, column.position,
                   in_quotes(name(check_.kind)) + " is not for column " + in_quotes(field.name) +
                       ", which is " + std::string(data::name(field.type)),
                   "it needs " + std::string(wanted.text));
    return -1;
  }

  void report_unknown(const TomlValue& place, const std::string& column, const Source& source) {
    std::vector<std::string> names;
    for (const auto& field : source.schema.fields) names.push_back(field.name);
    const std::string near = errors_.suggests() ? did_you_mean(column, names) : std::string();
    errors_.report(
        Code::unknown_column, place.position, "unknown column " + in_quotes(column),
        near.empty() ? "source " + in_quotes(source.name) + " has " + listed(names) : near);
  }

  // Columns that tell rows apart: of types that are equal or not.
  std::vector<int> read_columns(const TomlEntry& entry, const std::string& advice, bool as_keys) {
    std::vector<int> columns;
    const auto texts = strings_of(entry, what_, advice, errors_);
    if (entry.value.kind == Kind::array && entry.value.items.empty() && !as_keys)
      errors_.report(Code::bad_toml_value, entry.value.position, what_ + " names no column",
                     advice);
    if (texts.size() > kMaxCheckColumns) {
      errors_.report(Code::too_deep, entry.value.position,
                     what_ + " has more than " + std::to_string(kMaxCheckColumns) + " columns",
                     "name those that tell rows apart");
      return columns;
    }
    for (const auto* text : texts) {
      const int column = as_keys ? find_key(*text) : find_column(*text);
      if (column < 0) continue;
      if (std::ranges::count(columns, column) > 0)
        errors_.report(Code::duplicate_name, text->position,
                       "column " + in_quotes(text->text) + " stands twice", "name it once");
      else
        columns.push_back(column);
    }
    return columns;
  }

  int find_key(const TomlValue& key) {
    const int index = source_.schema.index_of(key.text);
    if (index < 0) {
      report_unknown(key, key.text, source_);
      return -1;
    }
    const Type type = source_.schema.fields[static_cast<std::size_t>(index)].type;
    if (!data::is_float(type) && !data::is_list(type)) return index;
    errors_.report(Code::type_error, key.position,
                   "a key cannot be " + std::string(data::name(type)) + ": " + in_quotes(key.text),
                   "name a column whose values are equal or not");
    return -1;
  }

  void read_parameters(TableReader& reader, const TomlEntry& subject) {
    switch (check_.kind) {
      case CheckKind::row:
        return;
      case CheckKind::increasing:
        check_.strictly = reader.boolean("strictly").value_or(false);
        return read_by(reader);
      case CheckKind::refers:
        return read_other(reader, "to");
      case CheckKind::unique:
        return;
      case CheckKind::rows:
      case CheckKind::distinct:
        return read_bounds(reader, 0, kMaxCount);
      case CheckKind::volume:
        check_.max = read_required(reader, "max_ratio", 1, kMaxCount, "3");
        return;
      case CheckKind::null_share:
      case CheckKind::late_share:
      case CheckKind::out_of_order_share:
        return read_most(reader, 1, "0.02");
      case CheckKind::quantile:
        check_.p = read_required(reader, "p", 0, 1, "0.99").value_or(0);
        return read_bounds(reader, -kMaxNumber, kMaxNumber);
      case CheckKind::mean:
        return read_bounds(reader, -kMaxNumber, kMaxNumber);
      case CheckKind::sum:
        check_.tolerance = reader.number("tolerance", 0, kMaxNumber).value_or(0);
        return read_other(reader, "equals");
      case CheckKind::freshness:
        return read_of(reader);
      case CheckKind::gap:
        read_by(reader);
        return read_most(reader, kMaxCount, "0");
      case CheckKind::psi:
      case CheckKind::ks:
      case CheckKind::linf:
      case CheckKind::js:
      case CheckKind::chi2:
      case CheckKind::new_values:
      case CheckKind::vanished_values:
        read_reference(reader, subject);
        return read_most(reader, kMaxNumber, "0.2");
    }
  }

  void read_by(TableReader& reader) {
    if (const TomlEntry* by = reader.take("by"))
      check_.keys = read_columns(*by, "write by = [\"device\"]", true);
  }

  std::optional<double> read_required(TableReader& reader, const std::string& key, double least,
                                      double most, const std::string& example) {
    if (entry_.value.find(key) != nullptr) return reader.number(key, least, most);
    reader.require(key, "write " + key + " = " + example);
    return std::nullopt;
  }
  void read_most(TableReader& reader, double most, const std::string& example) {
    check_.max = read_required(reader, "max", 0, most, example);
  }

  void read_bounds(TableReader& reader, double least, double most) {
    const TomlEntry* max = entry_.value.find("max");
    check_.min = reader.number("min", least, most);
    check_.max = reader.number("max", least, most);
    if (entry_.value.find("min") == nullptr && max == nullptr)
      errors_.report(Code::missing_toml_key, entry_.position, what_ + " has no bound",
                     "add min = …, max = …, or both");
    if (check_.min && check_.max && *check_.min > *check_.max)
      errors_.report(Code::bad_toml_value, max->value.position,
                     "min of " + what_ + " is above its max", "no batch could pass");
  }

  // "aircraft.tail": a column of a source, of the type of the check's own column.
  void read_other(TableReader& reader, const std::string& key) {
    const std::string advice = "name a column of a source: " + key + " = \"aircraft.tail\"";
    const TomlEntry* entry = reader.require(key, advice);
    if (entry == nullptr || !expect_kind(*entry, Kind::string, what_, advice, errors_)) return;
    const std::string& text = entry->value.text;
    check_.text = text;
    const std::size_t dot = text.find('.');
    if (dot == std::string::npos)
      return errors_.report(
          Code::bad_toml_value, entry->value.position,
          in_quotes(key) + " of " + what_ + " names no column of a source: " + in_quotes(text),
          advice);
    TomlValue source_name = entry->value;
    source_name.text = text.substr(0, dot);
    check_.other_source = find_source(source_name, draft_, errors_);
    if (check_.other_source < 0) return;
    const Source& other = draft_.project.sources[static_cast<std::size_t>(check_.other_source)];
    const std::string column = text.substr(dot + 1);
    check_.other_column = other.schema.index_of(column);
    if (check_.other_column < 0) return report_unknown(entry->value, column, other);
    expect_same_kind(entry->value,
                     other.schema.fields[static_cast<std::size_t>(check_.other_column)].type);
  }

  void expect_same_kind(const TomlValue& place, Type other) {
    if (check_.columns.empty() || other == Type::null) return;
    const Type own = source_.schema.fields[static_cast<std::size_t>(check_.columns[0])].type;
    if (own == Type::null || own == other) return;
    if (check_.kind == CheckKind::sum && data::is_number(own) && data::is_number(other)) return;
    errors_.report(Code::type_error, place.position,
                   in_quotes(check_.text) + " is " + std::string(data::name(other)) +
                       ", but the column of " + what_ + " is " + std::string(data::name(own)),
                   "declare both with one type");
  }

  void read_of(TableReader& reader) {
    const TomlEntry* of = reader.take("of");
    if (of == nullptr) return;
    const std::string advice = "write of = \"event time\", \"arrival\" or \"both\"";
    if (!expect_kind(*of, Kind::string, what_, advice, errors_)) return;
    const std::string& text = of->value.text;
    if (text == "arrival")
      check_.freshness_of = FreshnessOf::arrival;
    else if (text == "both")
      check_.freshness_of = FreshnessOf::both;
    else if (text != "event time")
      errors_.report(Code::bad_toml_value, of->value.position,
                     "'of' of " + what_ + " cannot be " + in_quotes(text), advice);
  }

  void read_reference(TableReader& reader, const TomlEntry& subject) {
    const std::string advice = "name a profile: reference = \"reference/flights.profile\"";
    const TomlEntry* entry = reader.require("reference", advice);
    if (entry == nullptr || !expect_kind(*entry, Kind::string, what_, advice, errors_)) return;
    check_.reference = entry->value.text;
    if (check_.reference.empty())
      errors_.report(Code::bad_toml_value, entry->value.position,
                     in_quotes(subject.key) + " of " + what_ + " has no reference", advice);
  }

  void read_counts(TableReader& reader) {
    const auto most = static_cast<std::int64_t>(kMaxCount);
    check_.warn_if = reader.integer("warn_if", 1, most);
    check_.error_if = reader.integer("error_if", 1, most);
    if (check_.warn_if && check_.error_if && *check_.warn_if > *check_.error_if)
      errors_.report(Code::bad_toml_value, entry_.value.find("warn_if")->value.position,
                     "warn_if of " + what_ + " is above its error_if",
                     "a batch is held from error_if bad rows on");
  }

  const TomlEntry& entry_;
  Draft& draft_;
  Source& source_;
  Diagnostics& errors_;
  const std::string what_;
  Check check_;
};

}  // namespace

void read_checks(const TomlEntry& entry, Draft& draft, Diagnostics& errors) {
  for (std::size_t s = 0; s < draft.project.sources.size(); ++s) {
    const TomlEntry* source = entry.value.find(draft.project.sources[s].name);
    const TomlEntry* checks = source == nullptr ? nullptr : source->value.find("checks");
    if (checks == nullptr) continue;
    const std::string what = "source " + in_quotes(source->key);
    if (!expect_kind(*checks, Kind::table, what, "write [source." + source->key + ".checks]",
                     errors))
      continue;
    if (checks->value.entries.size() > kMaxChecks) {
      errors.report(Code::too_deep, checks->position, what + " has more than 1,000 checks",
                    "split the source");
      continue;
    }
    for (const auto& check : checks->value.entries) CheckReader(check, s, draft, errors).read();
  }
}

}  // namespace coeval::define
