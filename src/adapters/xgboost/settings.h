#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "training/trainer.h"

namespace coeval::adapters::xgboost {

/// A plan in XGBoost's terms.
struct Settings {
  std::vector<std::pair<std::string, std::string>> params;  ///< all of them, in the order to be set
  int bins = 256;
  bool higher_is_better = false;  ///< of the metric that early stopping reads
};

/// Adds our defaults (hist, the plan's objective and the metric that fits it) and what the plan
/// itself fixes (threads, seed). Errors: training_failed for a parameter that the plan has another
/// place for, or a bad max_bin; unsupported for another objective than the label's kind needs, or a
/// metric whose better direction is not known.
Result<Settings> settings_of(const training::TrainingPlan& plan);

}  // namespace coeval::adapters::xgboost
