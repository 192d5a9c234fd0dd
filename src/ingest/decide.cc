#include "ingest/decide.h"

#include <cstdio>

namespace coeval::ingest {

namespace {

constexpr std::string_view kMaxBadRows = "max_bad_rows", kMaxBadRatio = "max_bad_ratio";

std::string percent(double share) {
  char text[32];
  std::snprintf(text, sizeof text, "%.4g %%", share * 100);
  return text;
}

void ask_budgets(const quality::Conservation& counts, const Budgets& budgets, Decision& decision) {
  const std::string bad =
      std::to_string(counts.quarantined) + " bad rows of " + std::to_string(counts.read);
  if (budgets.max_bad_rows && counts.quarantined > *budgets.max_bad_rows)
    decision.reasons.push_back(std::string(kMaxBadRows) + ": " + bad + ", at most " +
                               std::to_string(*budgets.max_bad_rows) + " may be");
  const double share =
      counts.read == 0 ? 0
                       : static_cast<double>(counts.quarantined) / static_cast<double>(counts.read);
  if (budgets.max_bad_ratio && share > *budgets.max_bad_ratio)
    decision.reasons.push_back(std::string(kMaxBadRatio) + ": " + bad + " are " + percent(share) +
                               ", at most " + percent(*budgets.max_bad_ratio) + " may be");
}

}  // namespace

Decision decide(const quality::Conservation& counts,
                std::span<const quality::BatchFinding> findings, const Budgets& budgets) {
  Decision decision;
  ask_budgets(counts, budgets, decision);
  for (const quality::BatchFinding& finding : findings) {
    if (finding.is_green() || finding.rule == kMaxBadRows || finding.rule == kMaxBadRatio) continue;
    std::string text = finding.rule + ": " + finding.observed;
    if (finding.outcome == quality::Outcome::not_evaluated) text += " (could not be judged)";
    if (!finding.expected.empty()) text += "; expected " + finding.expected;
    (finding.holds_batch() ? decision.reasons : decision.warnings).push_back(std::move(text));
  }
  return decision;
}

}  // namespace coeval::ingest
