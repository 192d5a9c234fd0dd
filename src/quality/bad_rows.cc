// Budgets: what counts of bad rows say of a batch.

#include "quality/batch_fold.h"

namespace coeval::quality {

namespace {

using define::Severity;

BatchFinding finding_of(std::string rule, std::string kind, Severity severity, bool passed) {
  BatchFinding finding;
  finding.rule = std::move(rule);
  finding.kind = std::move(kind);
  finding.severity = severity;
  finding.outcome = passed ? Outcome::passed : Outcome::failed;
  return finding;
}

BatchFinding judge_rows(std::int64_t most, const BadRows& counts) {
  BatchFinding finding =
      finding_of("max_bad_rows", "max_bad_rows", Severity::error, counts.quarantined <= most);
  finding.number = static_cast<double>(counts.quarantined);
  finding.observed = counted(counts.quarantined, "bad row", "bad rows");
  finding.expected = "at most " + counted(most, "bad row", "bad rows");
  finding.rows_count = counts.quarantined;
  return finding;
}

// A batch of no rows has no bad ones.
BatchFinding judge_ratio(double most, const BadRows& counts) {
  const double share = counts.read == 0 ? 0 : share_of(counts.quarantined, counts.read);
  BatchFinding finding =
      finding_of("max_bad_ratio", "max_bad_ratio", Severity::error, share <= most);
  finding.number = share;
  finding.observed = share_text(counts.quarantined, counts.read);
  finding.expected = "a share of bad rows of at most " + short_number(most);
  finding.rows_count = counts.quarantined;
  return finding;
}

BatchFinding judge_count(const define::Check& check, const char* bound, std::int64_t from,
                         Severity severity, std::int64_t bad) {
  BatchFinding finding =
      finding_of(check.rule_name(), std::string(define::name(check.kind)), severity, bad < from);
  finding.number = static_cast<double>(bad);
  finding.observed = counted(bad, "row breaks it", "rows break it");
  finding.expected =
      "fewer than " + counted(from, "row", "rows") + " that break it (" + bound + ")";
  finding.rows_count = bad;
  return finding;
}

}  // namespace

std::vector<BatchFinding> judge_bad_rows(const define::Source& source, const BadRows& counts) {
  std::vector<BatchFinding> findings;
  if (source.max_bad_rows) findings.push_back(judge_rows(*source.max_bad_rows, counts));
  if (source.max_bad_ratio) findings.push_back(judge_ratio(*source.max_bad_ratio, counts));
  for (const define::Check& check : source.checks) {
    if (!define::is_row_check(check.kind)) continue;
    const auto found = counts.by_rule.find(check.rule_name());
    const std::int64_t bad = found == counts.by_rule.end() ? 0 : found->second;
    if (check.error_if)
      findings.push_back(judge_count(check, "error_if", *check.error_if, Severity::error, bad));
    const bool fails = check.error_if && bad >= *check.error_if;
    if (check.warn_if && !fails)  // once is enough
      findings.push_back(judge_count(check, "warn_if", *check.warn_if, Severity::warn, bad));
  }
  return findings;
}

}  // namespace coeval::quality
