#pragma once

#include <string>

#include "data/json.h"
#include "training/pipeline.h"

namespace coeval::cli {

/// A build's two steps as JSON: {"model", "dataset": {"hit", "why", "key"}, "train": {…}}.
data::Json plan_json(const std::string& model, const training::BuildPlan& plan);

}  // namespace coeval::cli
