#pragma once

#include <memory>
#include <string>

#include "base/error.h"
#include "training/trainer.h"

namespace coeval::adapters {

/// Opens XGBoost's library, `library_folder`/xgboost/lib/libxgboost.so, with the wheel's folders as
/// they are (the library finds its OpenMP runtime in the sibling xgboost_cpu.libs).
///
/// Call it in a process of its own, before it has other threads: it sets OMP_WAIT_POLICY and maps
/// an OpenMP runtime that stays until the end. The trainer then trains binary:logistic with
/// tree_method hist, unless the plan's parameters say otherwise; its bytes depend on table, plan
/// and version, not on the number of threads. A parameter that XGBoost does not know is an error.
/// Threading of the trainer: one thread at a time.
/// Errors: missing_component when the library is absent, cannot be loaded, or is another version
/// line.
Result<std::unique_ptr<training::Trainer>> open_xgboost(const std::string& library_folder);

}  // namespace coeval::adapters
