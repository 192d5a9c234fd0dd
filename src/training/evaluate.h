#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "base/error.h"
#include "data/json.h"
#include "stats/metrics.h"
#include "training/evidence.h"

namespace coeval::training {

/// Scores and labels of one part of the split, row by row.
struct ScoredPart {
  std::string name;  ///< "train", "validate", "test"
  std::span<const float> scores;
  std::span<const std::uint8_t> labels;
  Metrics further = {};  ///< the project's metrics of these answers
};

/// Metrics of one part. Errors: no_rows when it is empty or has one class only, for then AUC and
/// average precision do not exist.
Result<stats::BinaryMetrics> evaluate(const ScoredPart& part);

/// All metrics that gates can name, of rows as they are: each counts 1, whatever it weighed in
/// training. Decisions are those of scores at or above the threshold. What is undefined is not
/// there.
Metrics all_metrics(std::span<const float> scores, std::span<const std::uint8_t> labels,
                    double threshold);

/// The metrics of a model as metrics.json keeps them: one object per part with "rows", "positives",
/// "auc", …, with the bins of the calibration error and the clip of the log loss said beside; of
/// the test part also its curves, for plots. (statistics: model metrics) Errors: as evaluate.
Result<data::Json> evaluation_report(std::span<const ScoredPart> parts, double threshold);

/// Adds what the evidence says of the test part beside its metrics: "intervals" by name, what they
/// were drawn by, and DeLong's of the AUC.
void add_intervals(data::Json& report, const Evidence& evidence);

}  // namespace coeval::training
