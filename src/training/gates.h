#pragma once

#include <optional>
#include <string>
#include <vector>

#include "data/json.h"
#include "define/project.h"
#include "stats/metrics.h"

namespace coeval::training {

/// All that a verdict may depend on: a snapshot, so that it can be replayed.
struct Evidence {
  std::optional<stats::BinaryMetrics> test;         ///< of the candidate on the test part
  std::optional<stats::BinaryMetrics> champion;     ///< of the champion on the same rows
  std::optional<std::int64_t> runtime_differences;  ///< scores that differ from the vendor's bits
  bool first_model = false;                         ///< there is no champion yet
};

struct Verdict {
  std::string gate;  ///< "auc >= 0.77"
  bool passed = false;
  std::string measured;  ///< "0.7821", or why it could not be evaluated
};

/// One verdict per gate of the model, then the built-in "runtime equals trainer". A gate that could
/// not run has failed. Pure.
std::vector<Verdict> judge(const std::vector<define::Gate>& gates, const Evidence& evidence);
bool all_passed(const std::vector<Verdict>& verdicts);
data::Json to_json(const std::vector<Verdict>& verdicts);

}  // namespace coeval::training
