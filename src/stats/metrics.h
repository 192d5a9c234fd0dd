#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/error.h"

namespace coeval::stats {

/// Definitions and oracles: docs/statistics.md. Scores are probabilities; labels 0 or 1. Every function
/// accumulates exactly or in a fixed order, so the same rows give the same bits. One-class input gives
/// NaN where the metric is undefined (AUC, average precision without positives).

/// Mann–Whitney with ties counted half. Source: scikit-learn roc_auc_score.
double auc(std::span<const float> scores, std::span<const std::uint8_t> labels);
/// Step sum without interpolation over distinct scores. Source: average_precision_score.
double average_precision(std::span<const float> scores, std::span<const std::uint8_t> labels);
/// Natural log, in double, probabilities clipped to [1e-15, 1 − 1e-15].
double log_loss(std::span<const float> scores, std::span<const std::uint8_t> labels);
double brier(std::span<const float> scores, std::span<const std::uint8_t> labels);

struct CalibrationBin {
  std::int64_t count = 0;
  double mean_score = 0, positive_share = 0;
};
/// 15 equal-mass bins by (score, order): Σ |share − score| · count / n, with the bins.
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
