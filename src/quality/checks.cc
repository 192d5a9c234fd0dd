#include "quality/checks.h"

#include <algorithm>
#include <numeric>
#include <string_view>
#include <unordered_map>

#include "base/check.h"
#include "define/build.h"
#include "kernel/evaluate.h"
#include "quality/column_rules.h"
#include "quality/row_conditions.h"
#include "quality/scans.h"

namespace coeval::quality {

namespace {

using data::Type;

// The known time of rows that hold some columns of a source; null where they lack one that it
// reads.
define::ExprPtr known_over(const define::Source& source, std::span<const int> columns) {
  if (!source.known) return nullptr;
  std::vector<int> places(source.columns.size(), -1);
  for (std::size_t i = 0; i < columns.size(); ++i)
    places[static_cast<std::size_t>(columns[i])] = static_cast<int>(i);
  for (const int read : define::columns_read(*source.known))
    if (places[static_cast<std::size_t>(read)] < 0) return nullptr;
  return define::renumber(source.known, places);
}

// Findings of all rows that are of one severity, by row.
std::vector<RowVerdict> by_row(const Findings& sorted, const std::vector<Rule>& rules,
                               define::Severity severity) {
  std::vector<RowVerdict> verdicts;
  for (const Finding& finding : sorted) {
    if (rules[static_cast<std::size_t>(finding.rule)].severity != severity) continue;
    if (verdicts.empty() || verdicts.back().row != finding.row)
      verdicts.push_back({finding.row, {}});
    verdicts.back().rules.push_back(finding.rule);
  }
  return verdicts;
}

// Takes out what a rule says of a row in which it reads a value that could not be read.
void leave_out_unreadable(const std::vector<Rule>& rules,
                          std::span<const UnreadableValue> unreadable, Findings& findings) {
  if (unreadable.empty()) return;
  std::erase_if(findings, [&](const Finding& finding) {
    const auto of_row =
        std::ranges::equal_range(unreadable, finding.row, {}, &UnreadableValue::row);
    return std::ranges::any_of(of_row, [&](const UnreadableValue& value) {
      return std::ranges::count(rules[static_cast<std::size_t>(finding.rule)].columns,
                                value.column) > 0;
    });
  });
}

// A value that is missing breaks the rule against nulls.
void count_unreadable(const std::vector<Rule>& rules, std::span<const UnreadableValue> unreadable,
                      std::vector<std::int64_t>& counts) {
  if (unreadable.empty()) return;
  std::unordered_map<std::string_view, std::size_t> by_name;
  for (std::size_t rule = 0; rule < rules.size(); ++rule) by_name.emplace(rules[rule].name, rule);
  for (const UnreadableValue& value : unreadable)
    if (const auto rule = by_name.find(value.rule); rule != by_name.end()) ++counts[rule->second];
}

// Rows that break no rule but have a value that could not be read, among those that break one.
void add_unreadable(std::span<const UnreadableValue> unreadable, std::vector<RowVerdict>& bad) {
  std::vector<RowVerdict> others;
  for (const UnreadableValue& value : unreadable)
    if ((others.empty() || others.back().row != value.row) &&
        !std::ranges::binary_search(bad, value.row, {}, &RowVerdict::row))
      others.push_back({value.row, {}});
  const auto middle = bad.insert(bad.end(), others.begin(), others.end());
  std::ranges::inplace_merge(bad, middle, {}, &RowVerdict::row);
}

// The times, and `latest` in place of those after it and of those that cannot be told.
data::Column not_after(const data::Column& times, std::int64_t latest) {
  data::ColumnBuilder earlier(Type::timestamp);
  for (std::int64_t row = 0; row < times.size(); ++row)
    earlier.append_integer(times.is_null(row) ? latest : std::min(times.integer(row), latest));
  return earlier.finish();
}

}  // namespace

struct RowChecks::Parts {
  std::vector<Rule> rules;
  std::vector<ColumnRules> columns;
  std::optional<RowConditions> conditions;
  define::ExprPtr known;     // over the rows; null: nothing needs it, or it cannot be told
  bool asks_ahead = false;   // a column has a rule of max_ahead
  bool needs_times = false;  // a rule compares with the row's time

  /// When each row was known or arrived; null where that cannot be told.
  std::optional<data::Column> times_of(const data::Batch& batch, const RowContext& context) const {
    if (!needs_times) return std::nullopt;
    if (!context.arrivals.empty()) {
      COEVAL_CHECK(static_cast<std::int64_t>(context.arrivals.size()) == batch.rows);
      return data::Column::borrowed(Type::timestamp, batch.rows, nullptr, context.arrivals.data(),
                                    nullptr, nullptr, nullptr, nullptr);
    }
    if (!known) return std::nullopt;
    kernel::EvaluationCounts counts;
    return kernel::evaluate(*known, batch, {}, counts);
  }

  // One byte a row: whether it may not stay, by what is known so far.
  std::vector<std::uint8_t> bad_rows(const Findings& findings,
                                     std::span<const UnreadableValue> unreadable,
                                     std::int64_t rows) const {
    std::vector<std::uint8_t> bad(static_cast<std::size_t>(rows), 0);
    for (const UnreadableValue& value : unreadable) bad[static_cast<std::size_t>(value.row)] = 1;
    for (const Finding& finding : findings)
      if (rules[static_cast<std::size_t>(finding.rule)].severity == define::Severity::error)
        bad[static_cast<std::size_t>(finding.row)] = 1;
    return bad;
  }
};

RowChecks::RowChecks() : parts_(std::make_unique<Parts>()) {}
RowChecks::~RowChecks() = default;

Result<std::unique_ptr<RowChecks>> RowChecks::compile(const define::Source& source,
                                                      define::Environment environment) {
  std::vector<int> all(source.columns.size());
  std::iota(all.begin(), all.end(), 0);
  return compile(source, all, environment);
}

Result<std::unique_ptr<RowChecks>> RowChecks::compile(const define::Source& source,
                                                      std::span<const int> columns,
                                                      define::Environment environment) {
  std::unique_ptr<RowChecks> checks(new RowChecks());
  Parts& parts = *checks->parts_;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    COEVAL_ASSIGN(ColumnRules rules, compile_column_rules(source, columns[i], static_cast<int>(i),
                                                          environment, parts.rules));
    parts.asks_ahead = parts.asks_ahead || rules.ahead_rule >= 0;
    parts.columns.push_back(std::move(rules));
  }
  parts.conditions.emplace(source, columns, parts.rules);
  parts.needs_times = parts.asks_ahead || parts.conditions->asks_for_keys();
  if (parts.needs_times) parts.known = known_over(source, columns);
  return checks;
}

const std::vector<Rule>& RowChecks::rules() const { return parts_->rules; }

void RowChecks::follow(const data::Batch& batch, LastValues& last_values) const {
  parts_->conditions->follow(batch, last_values);
}

Result<RowFindings> RowChecks::find(const data::Batch& batch, const RowContext& context) const {
  COEVAL_CHECK(batch.columns.size() == parts_->columns.size());
  const std::optional<data::Column> times = parts_->times_of(batch, context);
  std::optional<data::Column> earlier;
  if (times && parts_->asks_ahead && context.arrivals.empty() && context.now_us)
    earlier = not_after(*times, *context.now_us);
  const data::Column* const ahead_of = earlier ? &*earlier : times ? &*times : nullptr;
  Findings findings;
  for (std::size_t i = 0; i < batch.columns.size(); ++i)
    scan_column(batch.columns[i], parts_->columns[i], ahead_of, findings);
  const RowConditions& conditions = *parts_->conditions;
  conditions.scan_expressions(batch, findings);
  if (context.known_keys != nullptr && conditions.asks_for_keys() && times)
    COEVAL_TRY(conditions.scan_references(batch, *times, *context.known_keys, findings));
  leave_out_unreadable(parts_->rules, context.unreadable, findings);
  // Last: a row that does not stay is none that others follow.
  if (context.last_values != nullptr && conditions.asks_for_order())
    conditions.scan_increasing(batch, *context.last_values,
                               parts_->bad_rows(findings, context.unreadable, batch.rows),
                               findings);
  leave_out_unreadable(parts_->rules, context.unreadable, findings);
  RowFindings found;
  found.counts.resize(parts_->rules.size());
  if (findings.empty() && context.unreadable.empty()) return found;
  std::sort(findings.begin(), findings.end());
  for (const Finding& finding : findings) ++found.counts[static_cast<std::size_t>(finding.rule)];
  count_unreadable(parts_->rules, context.unreadable, found.counts);
  found.bad = by_row(findings, parts_->rules, define::Severity::error);
  add_unreadable(context.unreadable, found.bad);
  found.warned = by_row(findings, parts_->rules, define::Severity::warn);
  return found;
}

std::vector<RowVerdict> RowChecks::check(const data::Batch& batch) const {
  return std::move(find(batch, {})->bad);  // without a context nothing fails
}

std::string RowChecks::explain(const data::Batch& batch, std::int64_t row, int rule) const {
  const Rule& broken = parts_->rules[static_cast<std::size_t>(rule)];
  std::string found;
  for (const int index : broken.columns) {
    const data::Column& column = batch.columns[static_cast<std::size_t>(index)];
    const std::string value =
        column.is_null(row) ? "null" : value_text(column.value(row), column.type());
    if (broken.column >= 0)
      return broken.description + (column.is_null(row) ? "" : ", found " + value);
    found += (found.empty() ? ", found " : ", ") +
             batch.schema.fields[static_cast<std::size_t>(index)].name + " = " + value;
  }
  return broken.description + found;
}

data::Json RowChecks::found(const data::Batch& batch, std::int64_t row, int rule) const {
  const Rule& broken = parts_->rules[static_cast<std::size_t>(rule)];
  data::Json all{data::Json::Object{}};
  for (const int index : broken.columns) {
    const data::Column& column = batch.columns[static_cast<std::size_t>(index)];
    data::Json value = data::to_json(column.value(row), column.type());
    if (broken.column >= 0) return value;
    all.set(batch.schema.fields[static_cast<std::size_t>(index)].name, std::move(value));
  }
  return all;
}

}  // namespace coeval::quality
