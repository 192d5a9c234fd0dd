#include "stats/regression.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/check.h"
#include "exact/exact_sum.h"
#include "exact/ratio.h"

namespace coeval::stats {
namespace {

constexpr double kUndefined = std::numeric_limits<double>::quiet_NaN();
constexpr double kLeastTarget = std::numeric_limits<double>::epsilon();

bool are_finite(std::span<const double> values) {
  return std::ranges::all_of(values, [](double x) { return std::isfinite(x); });
}

bool are_weights(std::span<const double> weights, std::size_t rows) {
  COEVAL_CHECK(weights.empty() || weights.size() == rows);
  return are_finite(weights) && std::ranges::all_of(weights, [](double w) { return w >= 0; });
}

bool is_defined(const RegressionRows& rows) {
  COEVAL_CHECK(rows.predictions.size() == rows.targets.size());
  return are_finite(rows.predictions) && are_finite(rows.targets) &&
         are_weights(rows.weights, rows.targets.size());
}

double weight_of(std::span<const double> weights, std::size_t row) {
  return weights.empty() ? 1 : weights[row];
}

// Σ w·value(row), exact but for the terms.
template <class Value>
exact::ExactSum weighted_sum(std::span<const double> weights, std::size_t rows,
                             const Value& value) {
  exact::ExactSum sum;
  for (std::size_t i = 0; i < rows; ++i) sum.add(weight_of(weights, i) * value(i));
  return sum;
}

exact::ExactSum sum_of_weights(std::span<const double> weights, std::size_t rows) {
  return weighted_sum(weights, rows, [](std::size_t) { return 1.0; });
}

template <class Value>
double weighted_mean(const RegressionRows& rows, const Value& value) {
  if (!is_defined(rows)) return kUndefined;
  const std::size_t size = rows.targets.size();
  return exact::ratio(weighted_sum(rows.weights, size, value), sum_of_weights(rows.weights, size))
      .value_or(kUndefined);
}

double error_of(const RegressionRows& rows, std::size_t row) {
  return rows.predictions[row] - rows.targets[row];
}

}  // namespace

double rmse(const RegressionRows& rows) {
  return std::sqrt(
      weighted_mean(rows, [&](std::size_t i) { return error_of(rows, i) * error_of(rows, i); }));
}

double mae(const RegressionRows& rows) {
  return weighted_mean(rows, [&](std::size_t i) { return std::abs(error_of(rows, i)); });
}

PercentageError mape(const RegressionRows& rows, double near_zero) {
  PercentageError found;
  found.value = weighted_mean(rows, [&](std::size_t i) {
    return std::abs(error_of(rows, i)) / std::max(std::abs(rows.targets[i]), kLeastTarget);
  });
  if (std::isnan(found.value)) return found;
  exact::ExactSum sizes;
  for (const double target : rows.targets) sizes.add(std::abs(target));
  const double bound = near_zero * sizes.mean(std::ssize(rows.targets));
  // Where all targets are 0, all are near it.
  found.rows_near_zero = std::ranges::count_if(
      rows.targets, [&](double target) { return std::abs(target) < bound || target == 0; });
  return found;
}

double wape(const RegressionRows& rows) {
  if (!is_defined(rows)) return kUndefined;
  const std::size_t size = rows.targets.size();
  const auto errors =
      weighted_sum(rows.weights, size, [&](std::size_t i) { return std::abs(error_of(rows, i)); });
  const auto sizes =
      weighted_sum(rows.weights, size, [&](std::size_t i) { return std::abs(rows.targets[i]); });
  return exact::ratio(errors, sizes).value_or(kUndefined);
}

double mase(const RegressionRows& rows, double naive_error) {
  return naive_error > 0 ? mae(rows) / naive_error : kUndefined;
}

double naive_error(std::span<const double> series, std::size_t season) {
  COEVAL_CHECK(season > 0);
  if (series.size() <= season || !are_finite(series)) return kUndefined;
  exact::ExactSum sum;
  for (std::size_t t = season; t < series.size(); ++t)
    sum.add(std::abs(series[t] - series[t - season]));
  return sum.mean(static_cast<std::int64_t>(series.size() - season));
}

double pinball(const RegressionRows& rows, double tau) {
  if (!(tau > 0 && tau < 1)) return kUndefined;
  return weighted_mean(rows, [&](std::size_t i) {
    const double above = rows.targets[i] - rows.predictions[i];
    return above >= 0 ? tau * above : (tau - 1) * above;
  });
}

Coverage interval_coverage(std::span<const double> lower, std::span<const double> upper,
                           std::span<const double> targets, std::span<const double> weights) {
  const std::size_t size = targets.size();
  COEVAL_CHECK(lower.size() == size && upper.size() == size);
  if (!are_finite(lower) || !are_finite(upper) || !are_finite(targets) ||
      !are_weights(weights, size))
    return {kUndefined, kUndefined};
  const auto all = sum_of_weights(weights, size);
  const auto covered = weighted_sum(weights, size, [&](std::size_t i) {
    return lower[i] <= targets[i] && targets[i] <= upper[i] ? 1.0 : 0.0;
  });
  const auto widths =
      weighted_sum(weights, size, [&](std::size_t i) { return upper[i] - lower[i]; });
  return {exact::ratio(covered, all).value_or(kUndefined),
          exact::ratio(widths, all).value_or(kUndefined)};
}

double r_squared(const RegressionRows& rows) {
  const double mean = weighted_mean(rows, [&](std::size_t i) { return rows.targets[i]; });
  if (std::isnan(mean)) return kUndefined;
  const std::size_t size = rows.targets.size();
  const auto errors = weighted_sum(
      rows.weights, size, [&](std::size_t i) { return error_of(rows, i) * error_of(rows, i); });
  const auto spread = weighted_sum(rows.weights, size, [&](std::size_t i) {
    const double distance = rows.targets[i] - mean;
    return distance * distance;
  });
  const auto ratio = exact::ratio(errors, spread);
  return ratio ? 1 - *ratio : kUndefined;
}

}  // namespace coeval::stats
