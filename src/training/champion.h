#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "define/project.h"
#include "training/training_rows.h"

namespace coeval::training {

struct Workshop;

/// What the champion says of the test rows of a candidate.
struct ChampionScores {
  int version = 0;  ///< 0: there is no champion yet
  /// One a test row, calibrated where the champion is; of a multiclass model one of each class.
  std::vector<float> scores;
  double threshold = 0.5;
  std::vector<double> cost_matrix;  ///< of a multiclass model
  std::vector<std::string> inputs;  ///< what it reads
  std::string missing;              ///< why there are no scores, where there is a champion
};

/// Scores the same questions, at the same moments, by the champion as it was registered: its own
/// definition says what its inputs are, which are computed anew when they are others than the
/// candidate's. `rows` are those of the dataset at `path`. Errors: metadata; io. Whatever else
/// prevents it is told in `missing`, for the gate that needs it to fail.
Result<ChampionScores> champion_scores(const Workshop& shop, const define::Model& model,
                                       const std::string& path, const TrainingRows& rows);

}  // namespace coeval::training
