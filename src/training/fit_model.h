#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "define/project.h"
#include "models/model_folder.h"
#include "training/trainer.h"
#include "training/training_rows.h"

namespace coeval::training {

struct Workshop;

/// A model as it would be served, with what it answers on every row of its dataset.
struct FittedModel {
  TrainedModel trained;
  models::Runtime runtime;
  std::optional<stats::CalibrationMap> calibration;
  double threshold = 0.5;
  std::size_t outputs = 1;  ///< margins of a row, and scores: one, or one of each class
  /// TrainingRows::rows() × outputs, each: margins, the trainer's own scores, and what is served,
  /// calibrated where that is.
  std::vector<float> margins, raw_scores, scores;

  std::span<const float> scores_of(TrainingRows::Range range) const {
    return std::span(scores).subspan(range.from * outputs, range.count * outputs);
  }
};

/// Which rows train and which ones steer (early stopping); places in TrainingRows, the second right
/// behind the first.
struct TrainingRange {
  std::size_t from = 0, train = 0, validate = 0;
};
TrainingRange training_range(const TrainingRows& rows);

/// What a model's trainer makes small.
Objective objective_of(const define::Model& model);

/// What each row of the range counts: its weight times its class's, none where all count 1.
/// (balanced: n / (2 · rows of its class), over the training rows)
std::vector<float> training_weights(const define::Model& model, const TrainingRows& rows,
                                    const TrainingRange& range);

/// Trains in a child process, within the model's limits; or takes the model that the build was
/// given. Errors: those of train_in_child, train_by_command and check_input_names.
Result<TrainedModel> train_on(const Workshop& shop, const define::Model& model,
                              const TrainingRows& rows, const TrainingRange& range);

/// The runtime of what was trained, which must have as many inputs as the rows, and one output
/// or one of each class. An ONNX model is tried in a child first (onnx_trial.h). Errors:
/// training_failed, saying what is wrong with the model.
Result<models::Runtime> runtime_of(const Workshop& shop, const define::Model& model,
                                   const TrainedModel& trained, const TrainingRows& rows);

/// Trains, calibrates on the split's calibration part, and then chooses the threshold on its own.
/// Errors: those of train_on; training_failed where a threshold cannot be had.
Result<FittedModel> fit_model(const Workshop& shop, const define::Model& model,
                              const TrainingRows& rows);

/// 64 test rows chosen by the hash of their place, the same for every build of the same rows.
std::vector<models::GoldenRow> golden_rows(const TrainingRows& rows, const FittedModel& fitted);

/// What one row takes in our runtime, alone: the median of 201 trials of up to 64 rows, in µs.
/// Errors: the runtime's.
Result<double> median_latency_us(const models::Runtime& runtime, std::span<const float> rows,
                                 std::size_t width);

}  // namespace coeval::training
