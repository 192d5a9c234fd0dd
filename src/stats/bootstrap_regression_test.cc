#include <doctest/doctest.h>

#include <cmath>
#include <vector>

#include "base/worker_pool.h"
#include "stats/bootstrap.h"
#include "stats/regression.h"

namespace coeval::stats {
namespace {

struct Rows {
  std::vector<double> targets, mine, theirs;
  std::vector<std::int64_t> units;
};

// Targets around 1,000 with a spread of 1: sums of squares alone would lose them.
Rows made() {
  Rows rows;
  std::uint64_t state = 5;
  const auto next = [&] {
    state = state * 6364136223846793005ULL + 1442695040888963407ULL;
    return static_cast<double>(state >> 33) / 2147483648.0;
  };
  for (int row = 0; row < 300; ++row) {
    const double signal = next(), noise = next();
    rows.targets.push_back(1000 + signal + noise);
    rows.mine.push_back(1000.5 + signal);
    rows.theirs.push_back(1000.7 + signal / 2);
    rows.units.push_back(row / 7 * 3);
  }
  return rows;
}

// Each replicate anew, by the weighted metric that scikit-learn is the oracle of.
Improvement by_weights(const Rows& rows, Units units, const BootstrapOptions& options) {
  const auto both = [&](std::span<const double> w) {
    return MetricPair{r_squared({rows.mine, rows.targets, w}),
                      r_squared({rows.theirs, rows.targets, w})};
  };
  return *compare_by(rows.targets.size(), both, Better::higher, units, options, nullptr);
}

}  // namespace

TEST_CASE("replicates of R² by sums of units are those of the weighted metric") {
  const Rows rows = made();
  const BootstrapOptions options{.seed = 9, .replicates = 100};
  for (const Units units : {Units(), Units(rows.units)}) {
    const auto expected = by_weights(rows, units, options);
    const auto found =
        *compare_r_squared(rows.mine, rows.theirs, rows.targets, units, options, nullptr);
    CHECK(found.challenger == r_squared({rows.mine, rows.targets}));
    CHECK(found.value == found.challenger - found.champion);
    CHECK(found.units == expected.units);
    REQUIRE(found.replicates.size() == 100);
    for (std::size_t i = 0; i < 100; ++i)
      CHECK(std::abs(found.replicates[i] - expected.replicates[i]) < 1e-10);
    const auto one = *estimate_r_squared(rows.mine, rows.targets, units, options, nullptr);
    CHECK(one.value == found.challenger);
    CHECK(one.interval.lower < one.value);
    CHECK(one.value < one.interval.upper);
  }
}

TEST_CASE("two threads give R² the same replicates") {
  const Rows rows = made();
  const BootstrapOptions options{.seed = 9, .replicates = 200};
  WorkerPool pool(2);
  const auto one = *compare_r_squared(rows.mine, rows.theirs, rows.targets, {}, options, nullptr);
  const auto two = *compare_r_squared(rows.mine, rows.theirs, rows.targets, {}, options, &pool);
  CHECK(one.replicates == two.replicates);
}

TEST_CASE("constant targets have no R² and no interval") {
  const std::vector<double> targets(20, 3), scores(20, 2);
  const auto found = *estimate_r_squared(scores, targets, {}, {.replicates = 50}, nullptr);
  CHECK(std::isnan(found.value));
  CHECK(std::isnan(found.interval.lower));
}

}  // namespace coeval::stats
