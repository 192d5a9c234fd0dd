#include <algorithm>
#include <numeric>

#include "data/text_tables.h"
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

// With the rules that warn, behind those that the row leaves by. Both ascend by row.
RowVerdict all_rules(RowVerdict verdict, const std::vector<RowVerdict>& warned) {
  const auto its = std::ranges::lower_bound(warned, verdict.row, {}, &RowVerdict::row);
  if (its != warned.end() && its->row == verdict.row)
    verdict.rules.insert(verdict.rules.end(), its->rules.begin(), its->rules.end());
  return verdict;
}

QuarantinedRow describe(const RowChecks& checks, const data::Batch& batch,
                        const RowVerdict& verdict) {
  QuarantinedRow row;
  for (const int rule : verdict.rules) {
    row.rules.push_back(checks.rules()[static_cast<std::size_t>(rule)].name);
    if (!row.reason.empty()) row.reason += "; ";
    row.reason += checks.explain(batch, verdict.row, rule);
    row.observed.set(row.rules.back(), checks.found(batch, verdict.row, rule));
  }
  return row;
}

}  // namespace

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
  out.warned = std::move(found.warned);
  out.counts = std::move(found.counts);
  out.accepted_rows = rows_without(bad, batch.rows);
  if (bad.empty()) {
    out.accepted = batch;
    return out;
  }
  out.accepted = data::take(batch, out.accepted_rows);
  for (const RowVerdict& verdict : found.bad) {
    QuarantinedRow row = describe(checks, batch, all_rules(verdict, out.warned));
    row.source = source.name;
    row.origin = origin;
    row.row = first_row + verdict.row;
    row.raw = data::row_json(batch, verdict.row);
    out.quarantined.push_back(std::move(row));
  }
  return out;
}

}  // namespace coeval::quality
