#pragma once

#include <cstdint>
#include <vector>

#include "stats/binary.h"

namespace coeval::stats {

/// Points of curves for plots, at most `most_points` of them (at least 2), each a true point of the
/// whole curve, whose first and last are always there. A curve of no more points than that is
/// whole; of a longer one, the first point is kept in each of most_points − 2 even steps of the two
/// coordinates' sum. Undefined rows (binary.h), or a class without weight: no points.
inline constexpr std::size_t kPlotPoints = 201;

struct RocPoint {
  float threshold = 0;  ///< +∞ for the first: nothing is flagged
  double false_positive_rate = 0, true_positive_rate = 0;
};
/// From (0, 0) to (1, 1). Source: scikit-learn roc_curve(drop_intermediate=False).
std::vector<RocPoint> roc_curve(const BinaryRows& rows, std::size_t most_points = kPlotPoints);

struct PrecisionRecallPoint {
  float threshold = 0;
  double recall = 0, precision = 0;
};
/// From the highest score to the lowest; bounded by recall + share flagged. A class without weight:
/// only positives are needed. Cuts that flag no weight are left out.
/// Source: precision_recall_curve, without its last point (recall 0, precision 1).
std::vector<PrecisionRecallPoint> precision_recall_curve(const BinaryRows& rows,
                                                         std::size_t most_points = kPlotPoints);

struct HistogramBin {
  double from = 0, to = 0;              ///< [from, to); the last one is closed
  double positives = 0, negatives = 0;  ///< weights
};
/// Even bins over [0, 1]; lower scores count in the first, higher ones in the last. bins in
/// [1, 10,000]. Source: numpy.histogram(range=(0, 1), weights).
std::vector<HistogramBin> score_histogram(const BinaryRows& rows, int bins = 50);

}  // namespace coeval::stats
