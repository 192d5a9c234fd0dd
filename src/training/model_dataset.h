#pragma once

#include <memory>
#include <string>

#include "base/error.h"
#include "define/project.h"
#include "replay/dataset.h"
#include "training/dataset_facts.h"
#include "training/split.h"

namespace coeval::training {

/// Names of the columns that write_model_dataset adds after the inputs.
inline constexpr const char* kLabelColumn = "label";
inline constexpr const char* kSplitColumn = "split";
/// Those of a model that has weights, slices or a unit of resampling; no name of an input has a
/// colon.
inline constexpr const char* kWeightColumn = "row:weight";
inline constexpr const char* kUnitColumn = "row:unit";
inline constexpr const char* kKnownColumn = "row:label_known";
std::string slice_column(const define::Slice& slice);  ///< "slice:origin"
/// A column of the question's row that a metric of the project reads: "row:column:amount".
std::string metric_column(std::string_view column);

/// Writes the point-in-time rows of a model, each row of its source being a question at its time,
/// in order of T: the time column, the question's columns, the inputs by name, `label`, `split`:
/// the name of a part, "gap", "stale" where a question is refused, whatever part it would be in
/// (semantics: D5), or null outside; and what training and evaluation read of the question's row
/// besides. Duplicates, corrections and deletions ask nothing. (T7)
/// `checked_rows` of the test part are computed by the server's way too, and compared. The facts
/// say nothing of sources and faults yet.
Result<DatasetFacts> write_model_dataset(std::shared_ptr<const define::Project> project,
                                         const define::Model& model, const replay::Past& past,
                                         const replay::OpenFormat& formats, const std::string& out,
                                         const replay::AnswerOptions& options,
                                         std::size_t checked_rows = 0);

}  // namespace coeval::training
