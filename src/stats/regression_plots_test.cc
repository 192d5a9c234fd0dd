#include "stats/regression_plots.h"

#include <doctest/doctest.h>

#include <limits>
#include <numeric>

namespace coeval::stats {

TEST_CASE("bins of predictions have equally many rows, and say what came of them") {
  std::vector<double> predictions, targets;
  for (int row = 9; row >= 0; --row) {  // the order of rows does not matter
    predictions.push_back(row);
    targets.push_back(row * 10);
  }
  const auto bins = prediction_bins({predictions, targets}, 2);
  REQUIRE(bins.size() == 2);
  CHECK(bins[0].count == 5);
  CHECK(bins[0].mean_prediction == 2);
  CHECK(bins[0].mean_target == 20);
  CHECK(bins[0].lower_target == 4);   // numpy.quantile([0, 10, 20, 30, 40], 0.1)
  CHECK(bins[0].upper_target == 36);  // … 0.9
  CHECK(bins[1].mean_prediction == 7);
  CHECK(prediction_bins({predictions, targets}, 20).size() == 10);
  CHECK(prediction_bins({{}, {}}).empty());
}

TEST_CASE("residuals are counted between their outer half percents, what lies beyond at the ends") {
  std::vector<double> predictions(201, 0), targets;
  for (int row = 0; row <= 200; ++row) targets.push_back(row);
  targets[200] = 1e6;
  const auto histogram = residual_histogram({predictions, targets}, 10);
  CHECK(histogram.least == 1);
  CHECK(histogram.most == 199);
  REQUIRE(histogram.counts.size() == 10);
  CHECK(std::accumulate(histogram.counts.begin(), histogram.counts.end(), std::int64_t{0}) == 201);
  CHECK(histogram.counts[0] == 21);  // 0 … 20: below the first end counts, too
  CHECK(histogram.counts[9] == 21);
}

TEST_CASE("without spread, or with values that are not finite, there is nothing to draw") {
  const std::vector<double> same = {2, 2, 2}, odd = {1, std::numeric_limits<double>::infinity(), 2};
  CHECK(residual_histogram({same, same}).counts.empty());
  CHECK(residual_histogram({odd, same}).counts.empty());
  CHECK(prediction_bins({odd, same}).empty());
}

}  // namespace coeval::stats
