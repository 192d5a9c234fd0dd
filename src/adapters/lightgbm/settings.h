#pragma once

#include <string>

#include "base/error.h"
#include "training/trainer.h"

namespace coeval::adapters::lightgbm {

/// A plan in LightGBM's terms.
struct Settings {
  std::string text;               ///< "key=value key=value"
  bool higher_is_better = false;  ///< of the metric that early stopping reads
};

/// Adds our defaults (binary objective and log loss) and what the plan itself fixes: the seed, and
/// the deterministic way through the columns. Errors: training_failed for a parameter that the plan
/// has another place for, or whose text holds a space; unsupported for another objective than the
/// label's kind needs, for a metric whose better direction is not known, and for what does not
/// repeat bit for bit.
Result<Settings> settings_of(const training::TrainingTable& table,
                             const training::TrainingPlan& plan);

}  // namespace coeval::adapters::lightgbm
