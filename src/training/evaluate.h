#pragma once

#include <optional>
#include <span>
#include <string>

#include "base/error.h"
#include "data/json.h"
#include "training/evidence.h"
#include "training/model_answers.h"

namespace coeval::training {

/// Scores and labels of one part of the split, row by row.
struct ScoredPart {
  std::string name;  ///< "train", "validate", "test"
  ModelAnswers answers;
  Metrics further = {};  ///< the project's metrics of these answers
};

/// Whether metrics of a part can be told. Errors: no_rows when it is empty, or of a binary model
/// has one class only, for then AUC and average precision do not exist.
Status check_evaluable(const ScoredPart& part);

/// All metrics that gates can name, of rows as they are: each counts 1, whatever it weighed in
/// training. Decisions are those of scores at or above the threshold, of several classes
/// those of stats::decided_class. What is undefined is not
/// there: R² of constant labels, WAPE of labels that are all 0.
Metrics all_metrics(const ModelAnswers& answers);

/// The metrics of a model as metrics.json keeps them, one object per part. Of a binary model
/// "rows", "positives", "auc", …, with the bins of the calibration error and the clip of the log
/// loss said beside, and of the test part its curves. Of a regression "rows", "label_mean", "rmse",
/// …, how many rows' labels are so near 0 that they rule the MAPE, and of the test part what its
/// plots show: bins by prediction, and residuals. Of a multiclass model "rows", "log_loss", …, and
/// "classes": of each its rows, metrics against the others, and as what its rows were decided.
/// (statistics: model metrics) Errors: as check_evaluable.
Result<data::Json> evaluation_report(std::span<const ScoredPart> parts);

/// Adds what the evidence says of the test part beside its metrics: "intervals" by name, what they
/// were drawn by, and DeLong's of the AUC.
void add_intervals(data::Json& report, const Evidence& evidence);

}  // namespace coeval::training
