#pragma once

#include <memory>
#include <string>

#include "base/error.h"
#include "training/trainer.h"

namespace coeval::adapters {

/// Opens LightGBM's library, `library_folder`/lightgbm/lib/lib_lightgbm.so.
///
/// Call it in a process of its own, before it has other threads: it sets OMP_WAIT_POLICY and maps
/// an OpenMP runtime that stays until the end. The trainer then trains the binary objective, unless
/// the plan's parameters say otherwise; its bytes, LightGBM's text, depend on table, plan and
/// version, not on the number of threads. A parameter that LightGBM does not know is an error.
/// Margins and scores are float64 in that library and come back rounded once.
/// Threading of the trainer: one thread at a time.
/// Errors: missing_component when the library is absent or cannot be loaded.
Result<std::unique_ptr<training::Trainer>> open_lightgbm(const std::string& library_folder);

}  // namespace coeval::adapters
