#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace coeval::stats {

/// Definitions and oracles: docs/statistics.md. Scores are probabilities; labels 0 or 1; as many of
/// the one as of the other. Counts are integers and sums exact, so a metric is a function of the
/// multiset of rows: no order, no thread count changes a bit. NaN where a metric is undefined: no
/// rows; AUC of one class; average precision without positives; a score that is NaN.

/// Mann–Whitney with ties counted half, correctly rounded up to 10^8 rows.
/// Source: scikit-learn roc_auc_score. Complexity: linear, by radix sort.
double auc(std::span<const float> scores, std::span<const std::uint8_t> labels);
/// Step sum without interpolation over distinct scores. Source: average_precision_score.
double average_precision(std::span<const float> scores, std::span<const std::uint8_t> labels);
/// Natural log, in double, probabilities clipped to [1e-15, 1 − 1e-15]. Source: log_loss.
double log_loss(std::span<const float> scores, std::span<const std::uint8_t> labels);
/// Mean of (score − label)², each term rounded to double. Source: brier_score_loss.
double brier(std::span<const float> scores, std::span<const std::uint8_t> labels);

struct CalibrationBin {
  std::int64_t count = 0;
  double mean_score = 0, positive_share = 0;  ///< 0 in an empty bin
};
/// 15 bins of equal mass by score: Σ |share − score| · count / n, with the bins. Bin b holds the
/// ranks [⌊b·n/15⌋, ⌊(b+1)·n/15⌋); rows of one score go together, to the bin of the last of them,
/// so bins may be empty. Without rows or with a NaN score: NaN and no bins.
struct CalibrationError {
  double value = 0;
  std::vector<CalibrationBin> bins;
};
CalibrationError calibration_error(std::span<const float> scores,
                                   std::span<const std::uint8_t> labels);

/// All of the above for one part of the split.
struct BinaryMetrics {
  std::int64_t rows = 0, positives = 0;
  double auc = 0, average_precision = 0, log_loss = 0, brier = 0, calibration_error = 0;
};
BinaryMetrics binary_metrics(std::span<const float> scores, std::span<const std::uint8_t> labels);

}  // namespace coeval::stats
