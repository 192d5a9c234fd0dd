#include "stats/concordance.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "stats/metrics.h"

namespace coeval::stats {
namespace {

double concordance(const std::vector<float>& scores, const std::vector<double>& targets) {
  return RankedTargets(targets).concordance(scores);
}

// Pair by pair, as the definition says.
double by_pairs(const std::vector<float>& scores, const std::vector<double>& targets) {
  double right = 0, pairs = 0;
  for (std::size_t a = 0; a < targets.size(); ++a)
    for (std::size_t b = 0; b < targets.size(); ++b) {
      if (!(targets[a] < targets[b])) continue;
      pairs += 1;
      right += scores[a] < scores[b] ? 1 : scores[a] == scores[b] ? 0.5 : 0;
    }
  return right / pairs;
}

}  // namespace

TEST_CASE("scores in the targets' order have concordance 1, reversed 0, equal ones one half") {
  const std::vector<double> targets = {-3, 0.5, 2, 2, 70};
  CHECK(concordance({1, 2, 3, 4, 5}, targets) == 1);
  CHECK(concordance({5, 4, 3, 2, 1}, targets) == 0);
  CHECK(concordance({7, 7, 7, 7, 7}, targets) == 0.5);
}

TEST_CASE("the concordance is what counting every pair gives, with ties of both") {
  std::uint64_t state = 3;
  const auto next = [&](int below) {
    state = state * 6364136223846793005ULL + 1442695040888963407ULL;
    return static_cast<int>((state >> 33) % static_cast<std::uint64_t>(below));
  };
  for (int round = 0; round < 200; ++round) {
    std::vector<float> scores;
    std::vector<double> targets = {0, 1};
    scores = {static_cast<float>(next(5)), static_cast<float>(next(5))};
    for (int row = next(40); row > 0; --row) {
      scores.push_back(static_cast<float>(next(12)) - 5);
      targets.push_back(next(9) / 2.0);
    }
    CHECK(concordance(scores, targets) == by_pairs(scores, targets));
  }
}

TEST_CASE("of two targets the concordance is the AUC") {
  const std::vector<float> scores = {0.1F, 0.4F, 0.4F, 0.9F, 0.2F};
  const std::vector<std::uint8_t> labels = {0, 1, 0, 1, 1};
  const std::vector<double> targets(labels.begin(), labels.end());
  CHECK(concordance(scores, targets) == auc(scores, labels));
}

TEST_CASE("without two different targets, or with NaN, there is no concordance") {
  CHECK(std::isnan(concordance({}, {})));
  CHECK(std::isnan(concordance({1, 2}, {4, 4})));
  CHECK(std::isnan(concordance({1, std::numeric_limits<float>::quiet_NaN()}, {4, 5})));
  CHECK(std::isnan(concordance({1, 2}, {4, std::nan("")})));
}

}  // namespace coeval::stats
