#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "data/json.h"
#include "define/project.h"
#include "training/pipeline.h"
#include "training/recipe.h"

namespace coeval::training {

/// Everything that a dataset's bytes depend on, by name, so that a miss can say which one changed.
/// Errors: io, no_such_file, those of the log.
Result<data::Json> dataset_inputs(const Workshop& shop, const define::Model& model);
/// Everything that a model's bytes and verdicts depend on, the dataset by its key.
data::Json train_inputs(const Workshop& shop, const define::Model& model,
                        const std::string& dataset_key);

/// What a model of this dataset is made by; `engine` is the trainer's library as it told itself.
Recipe recipe_of(const Workshop& shop, const define::Model& model, const std::string& dataset_id,
                 const std::string& engine);

/// The inputs that differ, by name: "file:orders", "engine", "view:user (gone)".
std::vector<std::string> differing_inputs(const data::Json& now, const data::Json& then);

/// Looks a step up by the hash of its inputs, and says why it was found or not. Errors: metadata.
Result<StepPlan> plan_step(const Workshop& shop, const define::Model& model,
                           const std::string& step, data::Json inputs);
/// Notes what a step made. Errors: metadata, disk_full.
Status remember(const Workshop& shop, const define::Model& model, const StepPlan& plan);

}  // namespace coeval::training
