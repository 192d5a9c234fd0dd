#include "stats/reached_counts.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

namespace coeval::stats {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

std::vector<double> some_values(std::mt19937_64& random, std::size_t size) {
  constexpr double kOdd[] = {0.0, -0.0, NAN, kInfinity, -kInfinity, 5e-324, -5e-324, 1.5};
  std::vector<double> values(size);
  for (double& value : values)
    value = random() % 4 == 0 ? kOdd[random() % std::size(kOdd)]
                              : static_cast<double>(random() % 64) / 8 - 4;
  return values;
}

TEST_CASE("every loop counts the values that have reached an edge, as the plain one does") {
  std::mt19937_64 random(1);
  REQUIRE(reached_loops().size() >= 2);
  for (std::size_t size = 0; size < 70; ++size) {
    const auto values = some_values(random, size);
    const auto edges = some_values(random, ReachedCounts::kGroup);
    ReachedCounts::Group group{};
    std::ranges::copy(edges, group.begin());
    for (const ReachedLoop& loop : reached_loops()) {
      CAPTURE(loop.name);
      std::vector<std::int64_t> found(group.size(), 7);
      loop.add(values.data(), size, group, found.data());
      for (std::size_t i = 0; i < group.size(); ++i)
        CHECK(found[i] ==
              7 + std::ranges::count_if(values, [&](double v) { return v >= group[i]; }));
    }
  }
}

TEST_CASE("any number of edges is counted") {
  std::mt19937_64 random(2);
  const auto values = some_values(random, 1001);
  for (std::size_t size = 0; size < 30; ++size) {
    const auto edges = some_values(random, size);
    const ReachedCounts counts(edges);
    REQUIRE(counts.size() == size);
    std::vector<std::int64_t> found(size, 0);
    counts.add(values, found);
    for (std::size_t i = 0; i < size; ++i)
      CHECK(found[i] == std::ranges::count_if(values, [&](double v) { return v >= edges[i]; }));
  }
}

}  // namespace
}  // namespace coeval::stats
