#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "stats/regression.h"

namespace coeval::stats {

/// Rows whose predictions lie next to each other: what came of them. Quantiles are linear between
/// order statistics (numpy's default).
struct PredictionBin {
  std::int64_t count = 0;
  double mean_prediction = 0, mean_target = 0;
  double lower_target = 0, upper_target = 0;  ///< their 10 % and 90 % quantiles
};
/// At most `bins` bins of equally many rows (±1), by ascending prediction and, among equal ones,
/// target: the order of rows changes nothing. Equal predictions may lie in two bins. Weights are
/// not read. Empty where something is not finite. Complexity: n log n.
std::vector<PredictionBin> prediction_bins(const RegressionRows& rows, int bins = 20);

/// Residuals (target − prediction) over even bins. The ends are the 0.5 % and 99.5 % quantiles of
/// all residuals; what lies outside is counted in the first and last bin. No bins where there are
/// no rows, something is not finite, or all residuals are one.
struct ResidualHistogram {
  double least = 0, most = 0;
  std::vector<std::int64_t> counts;
};
ResidualHistogram residual_histogram(const RegressionRows& rows, int bins = 40);

}  // namespace coeval::stats
