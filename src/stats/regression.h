#pragma once

#include <cstdint>
#include <span>

namespace coeval::stats {

/// Predictions of numbers. Exact sums and NaN as for BinaryRows (binary.h); NaN also where a target
/// or a prediction is not finite. The error of a row is prediction − target, rounded to double, and
/// what is added up of it is rounded once more before the sum, which is exact.
struct RegressionRows {
  std::span<const double> predictions, targets;
  std::span<const double> weights = {};  ///< none: 1 each
};

/// √(Σ w·e² / Σ w), in the target's unit. Source: scikit-learn root_mean_squared_error.
double rmse(const RegressionRows& rows);
/// Σ w·|e| / Σ w, in the target's unit. Source: mean_absolute_error.
double mae(const RegressionRows& rows);

/// Σ w·|e| / max(|target|, 2^-52) / Σ w, a share (not percent), with the number of rows whose
/// |target| is below `near_zero` of the mean |target|: they rule the figure. Warn when it is not 0.
/// Source: mean_absolute_percentage_error.
struct PercentageError {
  double value = 0;
  std::int64_t rows_near_zero = 0;
};
PercentageError mape(const RegressionRows& rows, double near_zero = 0.01);

/// Σ w·|e| / Σ w·|target|. NaN where all targets are 0. Source: Kolassa & Schütz 2007 (MAD/mean).
double wape(const RegressionRows& rows);
/// MAE / `naive_error`, the mean absolute error of the seasonal naive forecast on the training part
/// (naive_error below). NaN where that is 0. Source: Hyndman & Koehler 2006.
double mase(const RegressionRows& rows, double naive_error);
/// Mean of |y[t] − y[t − season]|, t ≥ season, of one series in order of time. NaN where the series
/// is not longer than the season, or has a value that is not finite; season > 0.
double naive_error(std::span<const double> series, std::size_t season = 1);

/// Σ w·max(τ·(y − q), (τ − 1)·(y − q)) / Σ w, τ in (0, 1): the loss that the τ-quantile minimises.
/// Source: mean_pinball_loss(alpha=τ).
double pinball(const RegressionRows& rows, double tau);

/// Share of weight whose target lies in [lower, upper], and the mean width of the intervals.
struct Coverage {
  double share = 0, mean_width = 0;
};
Coverage interval_coverage(std::span<const double> lower, std::span<const double> upper,
                           std::span<const double> targets, std::span<const double> weights = {});

/// 1 − Σ w·e² / Σ w·(y − ȳ)², ȳ the weighted mean. NaN where the targets are constant (r2_score has
/// 1 or 0 there). Source: r2_score.
double r_squared(const RegressionRows& rows);

}  // namespace coeval::stats
