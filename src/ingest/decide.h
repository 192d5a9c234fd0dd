#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "define/checks.h"
#include "quality/checks.h"

namespace coeval::ingest {

/// What a check of a whole batch found.
struct Finding {
  std::string rule;  ///< "checks.size"
  define::Severity severity = define::Severity::error;
  bool passed = true;
  std::string observed, expected;  ///< "3 rows", "at least 1000"
};

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
/// of severity error failed.
Decision decide(const quality::Conservation& counts, std::span<const Finding> findings,
                const Budgets& budgets);

}  // namespace coeval::ingest
