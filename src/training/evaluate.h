#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "base/error.h"
#include "data/json.h"
#include "stats/metrics.h"

namespace coeval::training {

/// Scores and labels of one part of the split, row by row.
struct ScoredPart {
  std::string name;  ///< "train", "validate", "test"
  std::span<const float> scores;
  std::span<const std::uint8_t> labels;
};

/// Metrics of one part. Errors: no_rows when it is empty or has one class only, for then AUC and
/// average precision do not exist.
Result<stats::BinaryMetrics> evaluate(const ScoredPart& part);

/// {"rows", "positives", "auc", …}.
data::Json to_json(const stats::BinaryMetrics& metrics);
/// The metrics of a model as metrics.json keeps them: one object per part, with the bins of the
/// calibration error and the clip of the log loss said beside. (statistics: model metrics)
/// Errors: as evaluate.
Result<data::Json> evaluation_report(std::span<const ScoredPart> parts);

}  // namespace coeval::training
