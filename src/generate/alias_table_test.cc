#include "generate/alias_table.h"

#include <doctest/doctest.h>

#include <cmath>
#include <numeric>

#include "generate/poisson.h"

namespace coeval::generate {
namespace {

TEST_CASE("an alias table has the probabilities of its weights") {
  for (const std::size_t n : {1u, 2u, 7u, 1000u}) {
    const std::vector<double> weights = zipf_weights(n, 0.9);
    const double sum = std::accumulate(weights.begin(), weights.end(), 0.0);
    const std::vector<double> has = AliasTable(weights).probabilities();
    for (std::size_t i = 0; i < n; ++i) CHECK(std::abs(has[i] - weights[i] / sum) < 1e-9);
  }
}

TEST_CASE("what a table picks comes as often as it should, and never what has no weight") {
  const AliasTable table(std::vector<double>{1, 0, 3});
  int picked[3] = {};
  for (std::uint32_t i = 0; i < 40000; ++i) {
    const PhiloxBlock block = Draws(1).at(Purpose::user, i);
    ++picked[table.pick(block[0], block[1])];
  }
  CHECK(picked[1] == 0);
  CHECK(std::abs(picked[0] - 10000) < 5 * std::sqrt(40000 * 0.25 * 0.75));
}

TEST_CASE("Poisson numbers have their mean and variance") {
  for (const double mean : {0.01, 1.5, 4.0, 40.0}) {
    double sum = 0, squares = 0;
    const int n = 20000;
    for (int i = 0; i < n; ++i) {
      const double unit = (i + 0.5) / n;  // every part once
      const int count = poisson(unit, mean, std::exp(-mean));
      sum += count;
      squares += static_cast<double>(count) * count;
    }
    CHECK(std::abs(sum / n - mean) < 0.001 * (1 + mean));
    CHECK(std::abs(squares / n - sum / n * (sum / n) - mean) < 0.01 * (1 + mean));
  }
}

}  // namespace
}  // namespace coeval::generate
