#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "stats/metrics.h"

namespace coeval::stats {

/// Scored rows of a binary model, with a weight each.
///
/// All metrics of this folder that take them: a function of the multiset of rows unless said
/// otherwise; sums are exact (src/exact), the bits the same on every machine and for any number of
/// threads. NaN where a metric is undefined: no rows, or weights that add up to 0 where it divides
/// by them; a score that is NaN; a weight that is NaN, infinite or negative. Rows of weight 0
/// change nothing.
struct BinaryRows {
  std::span<const float> scores;         ///< probabilities where the metric says so
  std::span<const std::uint8_t> labels;  ///< 0 or 1, as many as scores
  std::span<const double> weights = {};  ///< as many, or none: 1 each
};

/// P(score of a positive > score of a negative) + ½ P(equal), rows drawn by weight:
/// Σ over tie groups P_g·(N_below + N_g/2) / (P·N). NaN where a class has no weight.
/// Source: scikit-learn roc_auc_score(sample_weight).
double auc(const BinaryRows& rows);
/// Σ over distinct scores, from the highest, of (recall gained)·precision. NaN without positives.
/// Source: average_precision_score(sample_weight).
double average_precision(const BinaryRows& rows);
/// Σ w·loss / Σ w, natural logarithm of the probability clipped to [1e-15, 1 − 1e-15]; nats.
/// Source: log_loss(sample_weight), whose clip is 2.2e-16.
double log_loss(const BinaryRows& rows);
/// Σ w·(score − label)² / Σ w. Source: brier_score_loss(sample_weight).
double brier(const BinaryRows& rows);

/// One bin of a calibration curve.
struct CalibrationPoint {
  std::int64_t rows = 0;
  double weight = 0;
  double mean_score = 0, positive_share = 0;  ///< weighted; 0 in a bin without weight
};
/// Bins of equal mass, ascending by score. Rows of one score go together, to the first bin b with
/// bins·C ≤ (b + 1)·W, where C is the weight up to and with them and W that of all, both rounded to
/// double. With weights of 1 these are the bins of metrics.h. Undefined: no points.
std::vector<CalibrationPoint> calibration_curve(const BinaryRows& rows, int bins = 15);
/// Σ over the 15 bins of |Σ w·label − Σ w·score| / W.
double calibration_error(const BinaryRows& rows);

/// The same for many weightings of the same rows, as a bootstrap needs it: sorted once, and sums of
/// doubles in ascending order of score instead of exact ones.
class RankedCalibration {
 public:
  RankedCalibration(std::span<const float> scores, std::span<const std::uint8_t> labels);
  /// weights: one a row, finite, not negative. NaN where they add up to 0, or a score is NaN.
  /// Complexity: linear. Threading: const, so from any.
  double error(std::span<const double> weights) const;

 private:
  std::vector<std::uint32_t> order_;
  std::vector<double> too_high_;         ///< score − label, in that order
  std::vector<std::uint8_t> ends_ties_;  ///< whether the next one has another score
  bool undefined_ = false;
};

}  // namespace coeval::stats
