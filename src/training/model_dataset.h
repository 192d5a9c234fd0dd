#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "define/project.h"
#include "replay/dataset.h"
#include "training/split.h"

namespace coeval::training {

/// The rows of a model: each row of its source is a question at its time.
struct ModelRows {
  replay::Questions questions;  ///< the columns known at the question's time
  data::Column label;           ///< boolean, null where undecided
  std::vector<SplitPart> parts;  ///< by time alone; which are stale only answering them tells
  PartCounts counts;
};
Result<ModelRows> model_rows(const define::Project& project, const define::Model& model,
                             const replay::Past& past);

/// Names of the columns that write_model_dataset adds after the inputs.
inline constexpr const char* kLabelColumn = "label";
inline constexpr const char* kSplitColumn = "split";

/// Writes the point-in-time rows of a model, in order of T: the time column, the question's
/// columns, the inputs by name, `label`, `split`: "train", "validate", "test", "gap", "stale" where
/// a question is refused (whatever part it would be in), or null outside.
Result<PartCounts> write_model_dataset(std::shared_ptr<const define::Project> project,
                                       const define::Model& model, const replay::Past& past,
                                       const replay::OpenFormat& formats, const std::string& out,
                                       const replay::AnswerOptions& options);

}  // namespace coeval::training
