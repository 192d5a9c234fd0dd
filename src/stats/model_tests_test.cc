#include "stats/model_tests.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <random>

namespace coeval::stats {
namespace {
using Scores = std::vector<float>;
using Labels = std::vector<std::uint8_t>;
}  // namespace

// Brute force, scipy and exact fractions over 1,000 random cases:
// tests/statistics/test_comparison.py.

TEST_CASE("DeLong's test by hand") {
  const Labels labels = {1, 1, 0, 0};
  const Scores perfect = {4, 3, 2, 1}, worse = {4, 1, 3, 2};
  // Differences of placements: positives 0 and 1, negatives ½ and ½.
  const DeLong test = delong(perfect, worse, labels);
  CHECK(test.challenger == 1);
  CHECK(test.champion == 0.5);
  CHECK(test.difference == 0.5);
  CHECK(test.standard_error == 0.5);  // variance ½ of the positives, over 2
  CHECK(test.z == 1);
  CHECK(test.p_value == doctest::Approx(0.31731050786291415).epsilon(1e-13));
}

TEST_CASE("DeLong's interval of one AUC by hand") {
  const Labels labels = {1, 1, 0, 0};
  // Placements: positives 1 and ½, negatives 1 and ½, so each s² is 1/8.
  const DeLongAuc found = delong_auc(Scores{4, 2, 3, 1}, labels);
  CHECK(found.auc == 0.75);
  CHECK(found.standard_error == doctest::Approx(std::sqrt(0.125)));
  CHECK(found.lower == doctest::Approx(0.75 - 1.959963984540054 * std::sqrt(0.125)));
  CHECK(found.upper == 1);  // cut
  CHECK(std::isnan(delong_auc(Scores{4, 3, 2, 1}, Labels{1, 0, 0, 0}).standard_error));
}

TEST_CASE("DeLong's test where the variance is 0 or undefined") {
  const Labels labels = {1, 1, 0, 0};
  const Scores scores = {4, 3, 2, 1}, inverted = {1, 2, 3, 4};
  CHECK(delong(scores, scores, labels).p_value == 1);
  CHECK(delong(scores, scores, labels).z == 0);
  CHECK(delong(scores, inverted, labels).z == std::numeric_limits<double>::infinity());
  CHECK(delong(scores, inverted, labels).p_value == 0);
  CHECK(delong(inverted, scores, labels).z == -std::numeric_limits<double>::infinity());
  CHECK(std::isnan(delong(scores, inverted, Labels{1, 0, 0, 0}).p_value));
  CHECK(std::isnan(delong(scores, Scores{1, 2, 3, std::nanf("")}, labels).z));
  CHECK(std::isnan(delong({}, {}, {}).p_value));
}

TEST_CASE("DeLong's test holds its level") {
  // Two models of equal worth: p is below 0.05 in about one of twenty samples.
  int rejected = 0;
  for (std::uint64_t seed = 0; seed < 400; ++seed) {
    std::mt19937_64 random(seed);
    std::normal_distribution<float> normal;
    Scores a, b;
    Labels labels;
    for (int i = 0; i < 200; ++i) {
      const float truth = normal(random);
      a.push_back(truth + normal(random));
      b.push_back(truth + normal(random));
      labels.push_back(truth + normal(random) > 0 ? 1 : 0);
    }
    rejected += delong(a, b, labels).p_value < 0.05 ? 1 : 0;
  }
  CHECK(rejected >= 8);  // 20 ± 4.4
  CHECK(rejected <= 36);
}

TEST_CASE("McNemar's test by hand") {
  CHECK(mcnemar(0, 0).p_value == 1);
  CHECK(mcnemar(3, 3).p_value == 1);
  CHECK(mcnemar(0, 5).p_value == 2.0 / 32);
  CHECK(mcnemar(5, 0).p_value == 2.0 / 32);
  CHECK(mcnemar(1, 5).p_value == doctest::Approx(2 * 7 / 64.0).epsilon(1e-14));
  CHECK(mcnemar(4, 5).p_value == 1);
  const McNemar found = mcnemar(Labels{1, 1, 0, 0, 1}, Labels{1, 0, 0, 1, 0});
  CHECK(found.challenger_only == 2);
  CHECK(found.champion_only == 1);
  CHECK(mcnemar(0, 5000).p_value == 0);
}

TEST_CASE("tails of many coin tosses agree with the sum of the law over them") {
  // Σ P(X ≤ k) over both halves: P(X ≤ (n−1)/2) = ½ for odd n.
  for (const std::int64_t n : {1, 3, 15, 33, 1001, 1'000'001, 100'000'001})
    CHECK(binomial_half_tail(n / 2, n) == doctest::Approx(0.5).epsilon(1e-11));
}

TEST_CASE("Holm's adjustment by hand") {
  const auto adjusted = holm(std::vector<double>{0.01, 0.04, 0.03, std::nan(""), 0.005});
  REQUIRE(adjusted.size() == 5);
  CHECK(adjusted[4] == 5 * 0.005);
  CHECK(adjusted[0] == 4 * 0.01);
  CHECK(adjusted[2] == 3 * 0.03);
  CHECK(adjusted[1] == 3 * 0.03);  // 2 · 0.04 is less than the one before
  CHECK(adjusted[3] == 1);
  CHECK(holm({}).empty());
}

}  // namespace coeval::stats
