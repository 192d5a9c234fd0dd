#pragma once

#include <cstdint>
#include <vector>

#include "stats/binary.h"

namespace coeval::stats {

/// Whether rows can be measured: weights finite and not negative, no score NaN.
bool is_measurable(const BinaryRows& rows);

/// The rows of one score.
struct ScoreGroup {
  float score = 0;
  std::int64_t rows = 0;
  double positives = 0, negatives = 0;  ///< weights, the exact sum rounded once
};
/// Ascending; of measurable rows.
std::vector<ScoreGroup> score_groups(const BinaryRows& rows);

/// What is flagged when every score ≥ threshold is.
struct Cut {
  float threshold = 0;
  double true_positives = 0, false_positives = 0;  ///< weights, the exact sum rounded once
};
/// From +∞, which flags none, down through the distinct scores that have weight to the lowest,
/// which flags all. Of measurable rows.
std::vector<Cut> cuts(const BinaryRows& rows);

}  // namespace coeval::stats
