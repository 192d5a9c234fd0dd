#pragma once

#include <memory>
#include <string>

#include "base/error.h"
#include "define/project.h"
#include "replay/dataset.h"
#include "training/split.h"

namespace coeval::training {

/// Names of the columns that write_model_dataset adds after the inputs.
inline constexpr const char* kLabelColumn = "label";
inline constexpr const char* kSplitColumn = "split";

/// Writes the point-in-time rows of a model, each row of its source being a question at its time,
/// in order of T: the time column, the question's columns, the inputs by name, `label`, `split`:
/// "train", "validate", "test", "gap", "stale" where a question is refused, whatever part it would
/// be in (semantics: D5), or null outside. Duplicates, corrections and deletions ask nothing. (T7)
Result<PartCounts> write_model_dataset(std::shared_ptr<const define::Project> project,
                                       const define::Model& model, const replay::Past& past,
                                       const replay::OpenFormat& formats, const std::string& out,
                                       const replay::AnswerOptions& options);

}  // namespace coeval::training
