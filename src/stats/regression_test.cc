#include "stats/regression.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <vector>

namespace coeval::stats {

// scikit-learn's own values over 1,000 random cases: tests/statistics/test_regression.py.

namespace {
using Numbers = std::vector<double>;
}

TEST_CASE("metrics of predicted numbers by hand") {
  const Numbers predictions = {1, 2, 6}, targets = {2, 4, 2};
  const RegressionRows rows{predictions, targets};
  CHECK(rmse(rows) == std::sqrt(7.0));  // 1 + 4 + 16 over 3
  CHECK(mae(rows) == 7.0 / 3);
  CHECK(mape(rows).value == (0.5 + 0.5 + 2) / 3);
  CHECK(mape(rows).rows_near_zero == 0);
  CHECK(wape(rows) == 7.0 / 8);
  CHECK(pinball(rows, 0.75) == (0.75 + 1.5 + 0.25 * 4) / 3);
  CHECK(r_squared(rows) == doctest::Approx(1 - 21 / (8.0 / 3)).epsilon(1e-15));
  const Numbers weights = {1, 1, 0};
  CHECK(mae({predictions, targets, weights}) == 1.5);
  CHECK(naive_error(targets) == 2);
  CHECK(naive_error(targets, 2) == 0);
  CHECK(mase(rows, 2) == 7.0 / 6);
}

TEST_CASE("targets near 0 are counted beside the percentage error") {
  const Numbers predictions = {1, 1, 1}, targets = {100, 0, 0.5};
  CHECK(mape({predictions, targets}).rows_near_zero == 1);
  CHECK(mape({predictions, targets}, 0.02).rows_near_zero == 2);
  CHECK(mape({predictions, targets}).value > 1e14);
  CHECK(mape({predictions, Numbers{0, 0, 0}}).rows_near_zero == 3);
}

TEST_CASE("an interval covers its own ends") {
  const Coverage coverage =
      interval_coverage(Numbers{0, 0, 0, 0}, Numbers{1, 1, 1, 1}, Numbers{0, 1, 0.5, 1.5});
  CHECK(coverage.share == 0.75);
  CHECK(coverage.mean_width == 1);
}

TEST_CASE("what has no definition is NaN") {
  const Numbers one = {1}, zero = {0}, endless = {std::numeric_limits<double>::infinity()};
  CHECK(std::isnan(rmse({})));
  CHECK(std::isnan(mae({endless, one})));
  CHECK(std::isnan(mae({one, Numbers{std::nan("")}})));
  CHECK(std::isnan(mae({one, one, zero})));
  CHECK(std::isnan(wape({one, zero})));
  CHECK(std::isnan(r_squared({Numbers{1, 2}, Numbers{3, 3}})));
  CHECK(std::isnan(pinball({one, one}, 0)));
  CHECK(std::isnan(pinball({one, one}, 1)));
  CHECK(std::isnan(mase({one, zero}, 0)));
  CHECK(std::isnan(naive_error(one)));
  CHECK(std::isnan(interval_coverage({}, {}, {}).share));
}

}  // namespace coeval::stats
