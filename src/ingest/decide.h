#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "quality/batch_checks.h"
#include "quality/checks.h"

namespace coeval::ingest {

/// How many rows of a batch may be bad.
struct Budgets {
  std::optional<std::int64_t> max_bad_rows;
  std::optional<double> max_bad_ratio;  ///< of the rows read
};

/// What becomes of a batch.
struct Decision {
  std::vector<std::string> reasons;   ///< why it is held; none = it is published
  std::vector<std::string> warnings;  ///< of checks that failed and only warn
  bool publish() const { return reasons.empty(); }
};

/// Decides by the counts and findings alone: a batch is held when it is over a budget, or a check
/// of severity error failed or could not run. `budgets` are all there are: findings of those that
/// the source declares are passed over.
Decision decide(const quality::Conservation& counts,
                std::span<const quality::BatchFinding> findings, const Budgets& budgets);

}  // namespace coeval::ingest
