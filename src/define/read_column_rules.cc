#include "define/read_column_rules.h"

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "define/read_window.h"

namespace coeval::define {

namespace {

using data::Type;
using Kind = TomlValue::Kind;

constexpr std::int64_t kMostLength = std::int64_t{1} << 40;

// The rules of a column that may warn: a value that breaks one of the others is none of its type.
std::vector<std::string> rules_that_may_warn(const SourceColumn& column) {
  std::vector<std::string> rules;
  if (column.min) rules.emplace_back("min");
  if (column.max) rules.emplace_back("max");
  if (column.pattern) rules.emplace_back("pattern");
  if (!column.allowed.empty()) rules.emplace_back("enum");
  if (column.min_length) rules.emplace_back("min_length");
  if (column.max_length) rules.emplace_back("max_length");
  if (column.max_ahead_us) rules.emplace_back("max_ahead");
  std::ranges::sort(rules);
  return rules;
}

class RuleReader {
 public:
  RuleReader(TableReader& reader, SourceColumn& column, Diagnostics& errors)
      : reader_(reader), column_(column), errors_(errors) {}

  void read() {
    read_lengths();
    read_finite();
    read_max_ahead();
    read_environments();
    const auto pii = reader_.boolean("pii");
    column_.pii = pii.value_or(false);
    column_.not_pii = pii && !*pii;
    if (const TomlEntry* severity = reader_.take("severity")) read_severities(*severity);
  }

 private:
  // Whether the column has one of the types that a key is for; a broken type has been reported.
  bool expect_type(const TomlEntry& entry, bool fits, const std::string& wanted) {
    if (fits || column_.type == Type::null) return true;
    errors_.report(Code::bad_toml_value, entry.position,
                   in_quotes(entry.key) + " of " + reader_.what() + " is for " + wanted + " only",
                   "leave it out of a column of type " + std::string(data::name(column_.type)));
    return false;
  }

  std::optional<std::int64_t> read_length(const std::string& key) {
    const auto length = reader_.integer(key, 0, kMostLength);
    const TomlEntry* entry = reader_.take(key);
    if (entry == nullptr || !expect_type(*entry, column_.type == Type::string, "strings"))
      return std::nullopt;
    return length;
  }
  void read_lengths() {
    column_.min_length = read_length("min_length");
    column_.max_length = read_length("max_length");
    if (column_.min_length && column_.max_length && *column_.min_length > *column_.max_length)
      errors_.report(Code::bad_toml_value, reader_.take("min_length")->position,
                     "min_length of " + reader_.what() + " is above its max_length",
                     "no value could pass");
  }

  void read_finite() {
    const auto finite = reader_.boolean("finite");
    const TomlEntry* entry = reader_.take("finite");
    if (entry != nullptr && expect_type(*entry, data::is_float(column_.type), "floats"))
      column_.finite = finite.value_or(true);
  }

  void read_max_ahead() {
    const TomlEntry* entry = reader_.take("max_ahead");
    if (entry == nullptr || !expect_type(*entry, column_.type == Type::timestamp, "timestamps"))
      return;
    if (expect_kind(*entry, Kind::string, reader_.what(), "write max_ahead = \"1d\"", errors_))
      column_.max_ahead_us =
          read_duration(entry->value, entry->value.text,
                        in_quotes("max_ahead") + " of " + reader_.what(), 0, errors_);
  }

  void read_environments() {
    const TomlEntry* entry = reader_.take("environments");
    if (entry == nullptr) return;
    const std::string advice = "write environments = [\"train\"] or environments = [\"serve\"]";
    const auto names = strings_of(*entry, reader_.what(), advice, errors_);
    if (entry->value.kind != Kind::array) return;
    column_.in_train = column_.in_serve = false;
    for (const auto* name : names) {
      if (name->text == "train")
        column_.in_train = true;
      else if (name->text == "serve")
        column_.in_serve = true;
      else
        report_environment(*name, advice);
    }
    if (entry->value.items.empty())
      errors_.report(Code::bad_toml_value, entry->value.position,
                     reader_.what() + " is in no environment", advice);
  }
  void report_environment(const TomlValue& name, const std::string& advice) {
    const std::string near = did_you_mean(name.text, {"train", "serve"});
    errors_.report(Code::bad_toml_value, name.position,
                   "unknown environment " + in_quotes(name.text), near.empty() ? advice : near);
  }

  void read_severities(const TomlEntry& entry) {
    const auto rules = rules_that_may_warn(column_);
    if (entry.value.kind == Kind::table) {
      for (const auto& rule : entry.value.entries) read_severity_of(rule, rules);
      return;
    }
    const auto severity = severity_text(entry);
    if (severity != Severity::warn) return;
    column_.warnings = rules;
    if (rules.empty() && !has_rule_keys())
      errors_.report(Code::bad_toml_value, entry.position,
                     reader_.what() + " has no rule that could warn",
                     "what its type and nullable say are always errors");
  }

  // A rule that is broken has been reported, and is none of the column's.
  bool has_rule_keys() {
    constexpr auto kKeys = std::to_array<std::string_view>(
        {"min", "max", "pattern", "enum", "min_length", "max_length", "max_ahead"});
    return std::ranges::any_of(kKeys, [&](auto key) { return reader_.take(key) != nullptr; });
  }

  void read_severity_of(const TomlEntry& rule, const std::vector<std::string>& rules) {
    const auto severity = severity_text(rule);
    if (std::ranges::binary_search(rules, rule.key)) {
      if (severity == Severity::warn) column_.warnings.push_back(rule.key);
      return;  // they come by key, so that the rules stay sorted
    }
    const bool of_type = rule.key == "null" || rule.key == "finite" || rule.key == "type" ||
                         rule.key == "utf8" || rule.key == "length";
    const std::string near = did_you_mean(rule.key, rules);
    errors_.report(Code::bad_toml_value, rule.position,
                   of_type ? in_quotes(rule.key) + " of " + reader_.what() + " is always an error"
                           : reader_.what() + " has no rule " + in_quotes(rule.key),
                   rule.key == "null"     ? "declare nullable = true, and a check of null_share"
                   : rule.key == "finite" ? "declare finite = false where such values are good"
                   : !near.empty()        ? near
                   : rules.empty()        ? "it has no rule that could warn"
                                          : "its rules are " + listed(rules));
  }

  std::optional<Severity> severity_text(const TomlEntry& entry) {
    const std::string advice = "write \"warn\" or \"error\"";
    if (!expect_kind(entry, Kind::string, reader_.what(), advice, errors_)) return std::nullopt;
    if (entry.value.text == "warn") return Severity::warn;
    if (entry.value.text == "error") return Severity::error;
    errors_.report(Code::bad_toml_value, entry.value.position,
                   in_quotes(entry.key) + " of " + reader_.what() + " cannot be " +
                       in_quotes(entry.value.text),
                   advice);
    return std::nullopt;
  }

  TableReader& reader_;
  SourceColumn& column_;
  Diagnostics& errors_;
};

}  // namespace

Severity read_severity(TableReader& reader, Diagnostics& errors) {
  const TomlEntry* entry = reader.take("severity");
  const std::string advice = "write severity = \"warn\" or severity = \"error\"";
  if (entry == nullptr || !expect_kind(*entry, Kind::string, reader.what(), advice, errors))
    return Severity::error;
  if (entry->value.text == "warn") return Severity::warn;
  if (entry->value.text != "error")
    errors.report(Code::bad_toml_value, entry->value.position,
                  "severity of " + reader.what() + " cannot be " + in_quotes(entry->value.text),
                  advice);
  return Severity::error;
}

void read_column_rules(TableReader& reader, SourceColumn& column, Diagnostics& errors) {
  RuleReader(reader, column, errors).read();
}

}  // namespace coeval::define
