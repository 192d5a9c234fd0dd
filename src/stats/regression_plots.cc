#include "stats/regression_plots.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/check.h"
#include "exact/exact_sum.h"

namespace coeval::stats {
namespace {

bool are_finite(const RegressionRows& rows) {
  COEVAL_CHECK(rows.predictions.size() == rows.targets.size());
  const auto finite = [](double x) { return std::isfinite(x); };
  return std::ranges::all_of(rows.predictions, finite) && std::ranges::all_of(rows.targets, finite);
}

double quantile(std::span<const double> sorted, double p) {
  const double at = p * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(at);
  const std::size_t above = std::min(below + 1, sorted.size() - 1);
  const double part = at - static_cast<double>(below);
  return sorted[below] + (sorted[above] - sorted[below]) * part;
}

using Row = std::pair<double, double>;  // prediction, target

PredictionBin bin_of(std::span<const Row> rows) {
  PredictionBin bin{.count = std::ssize(rows)};
  exact::ExactSum predictions, targets;
  std::vector<double> sorted;
  for (const auto& [prediction, target] : rows) {
    predictions.add(prediction);
    targets.add(target);
    sorted.push_back(target);
  }
  std::ranges::sort(sorted);
  bin.mean_prediction = predictions.mean(bin.count);
  bin.mean_target = targets.mean(bin.count);
  bin.lower_target = quantile(sorted, 0.1);
  bin.upper_target = quantile(sorted, 0.9);
  return bin;
}

}  // namespace

std::vector<PredictionBin> prediction_bins(const RegressionRows& rows, int bins) {
  COEVAL_CHECK(bins > 0);
  if (!are_finite(rows)) return {};
  std::vector<Row> sorted;
  sorted.reserve(rows.targets.size());
  for (std::size_t i = 0; i < rows.targets.size(); ++i)
    sorted.emplace_back(rows.predictions[i], rows.targets[i]);
  std::ranges::sort(sorted);
  const std::size_t count = std::min(static_cast<std::size_t>(bins), sorted.size());
  std::vector<PredictionBin> found;
  for (std::size_t bin = 0; bin < count; ++bin) {
    const std::size_t from = bin * sorted.size() / count, to = (bin + 1) * sorted.size() / count;
    found.push_back(bin_of(std::span(sorted).subspan(from, to - from)));
  }
  return found;
}

ResidualHistogram residual_histogram(const RegressionRows& rows, int bins) {
  COEVAL_CHECK(bins > 0);
  ResidualHistogram histogram;
  if (!are_finite(rows) || rows.targets.empty()) return histogram;
  std::vector<double> residuals;
  residuals.reserve(rows.targets.size());
  for (std::size_t i = 0; i < rows.targets.size(); ++i)
    residuals.push_back(rows.targets[i] - rows.predictions[i]);
  std::ranges::sort(residuals);
  histogram.least = quantile(residuals, 0.005);
  histogram.most = quantile(residuals, 0.995);
  const double width = (histogram.most - histogram.least) / bins;
  if (!(width > 0) || !std::isfinite(width)) return {};
  histogram.counts.resize(static_cast<std::size_t>(bins));
  for (const double residual : residuals) {
    const double place = std::clamp((residual - histogram.least) / width, 0.0, bins - 1.0);
    ++histogram.counts[static_cast<std::size_t>(place)];
  }
  return histogram;
}

}  // namespace coeval::stats
