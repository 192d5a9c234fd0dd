#include <algorithm>
#include <numeric>

#include "data/text_tables.h"
#include "data/utf8.h"
#include "define/expr.h"
#include "quality/checks.h"

namespace coeval::quality {

std::string to_text(const Conservation& counts) {
  return std::to_string(counts.read) + " read = " + std::to_string(counts.accepted) +
         " accepted + " + std::to_string(counts.quarantined) + " quarantined + " +
         std::to_string(counts.duplicates) + " duplicates";
}

namespace {

std::vector<std::int64_t> rows_of(const std::vector<RowVerdict>& verdicts) {
  std::vector<std::int64_t> rows;
  rows.reserve(verdicts.size());
  for (const RowVerdict& verdict : verdicts) rows.push_back(verdict.row);
  return rows;
}

// Rows 0 to `count` - 1 without those of `bad`, which ascend.
std::vector<std::int64_t> rows_without(const std::vector<std::int64_t>& bad, std::int64_t count) {
  std::vector<std::int64_t> rows(static_cast<std::size_t>(count) - bad.size());
  auto to = rows.begin();
  std::int64_t next = 0;
  for (const std::int64_t row : bad) {
    const auto end = to + (row - next);
    std::iota(to, end, next);
    to = end;
    next = row + 1;
  }
  std::iota(to, rows.end(), next);
  return rows;
}

// A text of any length may break a rule, and a row's own bytes are kept anyway.
constexpr std::size_t kMostObservedBytes = 1000, kMostObservedElements = 100;

data::Json bounded(const data::Json& value) {
  if (const std::string* text = value.string()) {
    if (text->size() <= kMostObservedBytes) return value;
    return std::string(data::utf8_prefix(*text, kMostObservedBytes)) + "…";
  }
  if (const auto* elements = value.array()) {
    if (elements->size() <= kMostObservedElements) return value;
    data::Json::Array first(elements->begin(), elements->begin() + kMostObservedElements);
    first.emplace_back("…");
    return first;
  }
  if (const std::string* digits = value.number_text();
      digits != nullptr && digits->size() > kMostObservedBytes)
    return digits->substr(0, kMostObservedBytes) + "…";
  if (value.object() == nullptr) return value;
  data::Json out{data::Json::Object{}};
  for (const auto& [name, member] : *value.object()) out.set(name, bounded(member));
  return out;
}

void add_fault(RowFaults& faults, const std::string& rule, const std::string& reason,
               const data::Json& observed) {
  faults.rules.push_back(rule);
  faults.reason += (faults.reason.empty() ? "" : "; ") + reason;
  faults.observed.set(rule, bounded(observed));
}

}  // namespace

void add_unknown(const define::Source& source, std::span<const std::int64_t> unknown,
                 std::vector<UnreadableValue>& unreadable) {
  if (unknown.empty()) return;
  const std::vector<int> read =
      source.known ? define::columns_read(*source.known) : std::vector{source.time_index};
  std::vector<UnreadableValue> added;
  for (const std::int64_t row : unknown) {
    const auto of_row = std::ranges::equal_range(unreadable, row, {}, &UnreadableValue::row);
    const bool says_why = std::ranges::any_of(of_row, [&](const UnreadableValue& value) {
      return std::ranges::find(read, value.column) != read.end();
    });
    if (!says_why) added.push_back({row, -1, "known", "the known time of this row is null"});
  }
  const auto middle = unreadable.insert(unreadable.end(), added.begin(), added.end());
  std::ranges::inplace_merge(unreadable, middle, {}, &UnreadableValue::row);
}

RowFaults faults_of(const RowChecks& checks, const data::Batch& batch, const RowFindings& found,
                    const RowVerdict& verdict, const RowContext& context) {
  RowFaults faults;
  for (const UnreadableValue& value :
       std::ranges::equal_range(context.unreadable, verdict.row, {}, &UnreadableValue::row))
    if (!value.rule.empty()) add_fault(faults, value.rule, value.reason, value.observed);
  const auto add_rules = [&](const std::vector<int>& rules) {
    for (const int rule : rules)
      add_fault(faults, checks.rules()[static_cast<std::size_t>(rule)].name,
                checks.explain(batch, verdict.row, rule), checks.found(batch, verdict.row, rule));
  };
  add_rules(verdict.rules);
  const auto warned = std::ranges::lower_bound(found.warned, verdict.row, {}, &RowVerdict::row);
  if (warned != found.warned.end() && warned->row == verdict.row) add_rules(warned->rules);
  return faults;
}

Screened screen(const RowChecks& checks, const define::Source& source, const data::Batch& batch,
                const std::string& origin, std::int64_t first_row) {
  // Without a context nothing fails.
  return *screen(checks, source, batch, origin, first_row, {});
}

Result<Screened> screen(const RowChecks& checks, const define::Source& source,
                        const data::Batch& batch, const std::string& origin, std::int64_t first_row,
                        const RowContext& context) {
  COEVAL_ASSIGN(RowFindings found, checks.find(batch, context));
  const std::vector<std::int64_t> bad = rows_of(found.bad);
  Screened out;
  out.counts = std::move(found.counts);
  out.accepted_rows = rows_without(bad, batch.rows);
  if (bad.empty()) {
    out.accepted = batch;
    out.warned = std::move(found.warned);
    return out;
  }
  out.accepted = data::take(batch, out.accepted_rows);
  for (const RowVerdict& verdict : found.bad) {
    RowFaults faults = faults_of(checks, batch, found, verdict, context);
    out.quarantined.push_back({source.name, origin, first_row + verdict.row,
                               data::row_json(batch, verdict.row), std::move(faults.rules),
                               std::move(faults.reason)});
    out.quarantined.back().observed = std::move(faults.observed);
  }
  out.warned = std::move(found.warned);
  return out;
}

}  // namespace coeval::quality
