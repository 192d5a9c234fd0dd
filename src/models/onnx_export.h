#pragma once

#include <map>
#include <optional>
#include <string>

#include "base/error.h"
#include "models/forest_source.h"
#include "models/linear_model.h"
#include "stats/calibration.h"

namespace coeval::models {

/// The names of what an exported model takes and gives.
inline constexpr const char *kOnnxInput = "inputs", *kOnnxMargin = "margin";

/// A forest with one output as an ONNX model: input "inputs", float32 [rows, width], the row as the
/// encoder writes it; outputs "margin" and "score", float32 [rows, 1], the score calibrated. Trees
/// are one node TreeEnsemble (ai.onnx.ml 5), whose first tree is the base margin: a runtime that
/// adds trees in their order in the forest's own precision has the margin's bits. Links and
/// calibration are nodes in the precision in which they are computed here, exponentials in float64,
/// so that their last bit may differ.
/// `metadata` are texts that go into the file. Same arguments, same bytes.
/// Errors: bad_model as lay_out; unsupported, with the reason: several outputs, links of classes,
/// LightGBM's zero_as_missing on a column where other splits take zero as a number, a category set
/// of over 100,000 codes.
Result<std::string> forest_to_onnx(const SourceForest& forest,
                                   const std::optional<stats::CalibrationMap>& calibration,
                                   const std::map<std::string, std::string>& metadata);

/// A linear model in the same way: its terms in float64, added in the order of the columns.
/// Errors: none but those of a model with over 2^24 coefficients (unsupported).
Result<std::string> linear_to_onnx(const LinearModel& model,
                                   const std::optional<stats::CalibrationMap>& calibration,
                                   const std::map<std::string, std::string>& metadata);

}  // namespace coeval::models
