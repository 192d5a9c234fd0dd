#include "training/param_space.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <set>

namespace coeval::training {
namespace {

define::Model model_of(const std::string& trainer) {
  define::Model model;
  model.trainer = trainer;
  return model;
}

// A bowl whose least is at 0.2 in the first dimension and 0.7 in the second.
double bowl(const SpacePoint& point) {
  return (point[0] - 0.2) * (point[0] - 0.2) + (point[1] - 0.7) * (point[1] - 0.7);
}

double best_after(int trials, std::uint64_t seed, bool learn) {
  std::vector<TriedPoint> tried;
  double best = 1e9;
  for (int trial = 1; trial <= trials; ++trial) {
    const SpacePoint point = next_point(2, seed, trial, learn ? tried : std::vector<TriedPoint>{});
    tried.push_back({.point = point, .loss = bowl(point)});
    best = std::min(best, tried.back().loss);
  }
  return best;
}

}  // namespace

TEST_CASE("a place becomes parameters within their ranges, whole where they are") {
  const auto space = search_space(model_of("xgboost"));
  const auto low = params_at(space, SpacePoint(space.size(), 0.0));
  const auto high = params_at(space, SpacePoint(space.size(), 1.0));
  const auto value = [](const auto& params, const std::string& name) {
    const auto found = std::ranges::find(params, name, [](const auto& each) { return each.first; });
    REQUIRE(found != params.end());
    return found->second;
  };
  CHECK(value(low, "max_depth") == "3");
  CHECK(value(high, "max_depth") == "10");
  CHECK(value(low, "eta") == "0.02");
  CHECK(value(high, "eta") == "0.3");
  // Ratios: half way between 0.02 and 0.3 is their geometric mean, √0.006.
  CHECK(std::stod(value(params_at(space, SpacePoint(space.size(), 0.5)), "eta")) ==
        doctest::Approx(std::sqrt(0.006)).epsilon(1e-5));
}

TEST_CASE("a definition's ranges take the place of the trainer's") {
  define::Model model = model_of("xgboost");
  model.training.search.space = {{"max_depth", 2, 3}, {"gamma", 0, 5}};
  const auto space = search_space(model);
  const auto depth = std::ranges::find(space, "max_depth", &SpaceDimension::param);
  REQUIRE(depth != space.end());
  CHECK(depth->most == 3);
  const auto gamma = std::ranges::find(space, "gamma", &SpaceDimension::param);
  REQUIRE(gamma != space.end());
  CHECK_FALSE(gamma->logarithmic);
  CHECK(std::ranges::count(space, "max_depth", &SpaceDimension::param) == 1);
}

TEST_CASE("the same seed proposes the same places, another one others") {
  CHECK(next_point(3, 7, 1, {}) == next_point(3, 7, 1, {}));
  CHECK(next_point(3, 7, 1, {}) != next_point(3, 8, 1, {}));
  CHECK(next_point(3, 7, 1, {}) != next_point(3, 7, 2, {}));
}

TEST_CASE("uniform places cover the space evenly") {
  std::vector<int> counts(10);
  for (int trial = 0; trial < 10'000; ++trial)
    ++counts[static_cast<std::size_t>(next_point(1, 3, trial, {})[0] * 10)];
  for (const int count : counts) {
    CHECK(count > 850);
    CHECK(count < 1'150);
  }
}

TEST_CASE("the estimator finds the bottom of a bowl sooner than chance") {
  int sooner = 0;
  for (std::uint64_t seed = 0; seed < 50; ++seed)
    sooner += best_after(60, seed, true) < best_after(60, seed, false) ? 1 : 0;
  CHECK(sooner >= 40);
}

TEST_CASE("lightgbm has parameters of its own names") {
  std::set<std::string> names;
  for (const auto& dimension : search_space(model_of("lightgbm"))) names.insert(dimension.param);
  CHECK(names.contains("num_leaves"));
  CHECK_FALSE(names.contains("max_depth"));
}

}  // namespace coeval::training
