#include "stats/binary.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <numeric>
#include <random>

namespace coeval::stats {
namespace {

using Floats = std::vector<float>;
using Labels = std::vector<std::uint8_t>;
using Weights = std::vector<double>;

std::uint64_t bits(double x) { return std::bit_cast<std::uint64_t>(x); }

std::vector<double> all_of(const BinaryRows& rows) {
  return {auc(rows), average_precision(rows), log_loss(rows), brier(rows), calibration_error(rows)};
}

struct Table {
  Floats scores;
  Labels labels;
  Weights weights;
  BinaryRows rows() const { return {scores, labels, weights}; }
};

Table drawn(std::uint64_t seed, std::size_t rows) {
  std::mt19937_64 random(seed);
  Table table;
  for (std::size_t i = 0; i < rows; ++i) {
    table.scores.push_back(static_cast<float>(random() % 50) / 64);
    table.labels.push_back(random() % 3 == 0 ? 1 : 0);
    table.weights.push_back(static_cast<double>(random() % 1000) / 7);
  }
  return table;
}

}  // namespace

// scikit-learn's own values over 1,000 random cases: tests/statistics/test_binary.py.

TEST_CASE("a row of weight 2 counts as two rows, a row of weight 0 as none") {
  const Floats scores = {0.125f, 0.5f, 0.5f, 0.75f, 0.875f};
  const Labels labels = {0, 1, 0, 0, 1};
  const Weights weights = {1, 2, 3, 0, 1};
  const Floats repeated = {0.125f, 0.5f, 0.5f, 0.5f, 0.5f, 0.5f, 0.875f};
  const Labels repeated_labels = {0, 1, 1, 0, 0, 0, 1};
  // Bins may cut between rows that a weight joins, so the calibration error is left out.
  const BinaryRows rows{scores, labels, weights}, same{repeated, repeated_labels};
  CHECK(auc(rows) == auc(same));
  CHECK(average_precision(rows) == average_precision(same));
  CHECK(log_loss(rows) == doctest::Approx(log_loss(same)).epsilon(1e-15));
  CHECK(brier(rows) == brier(same));
}

TEST_CASE("weighted AUC by hand") {
  // Pairs: (0.5 against 0.25) right, weight 3·2; (0.5 against 0.5) half, 3·4; (0.25 against 0.25)
  // half, 1·2; (0.25 against 0.5) wrong, 1·4.
  const Floats scores = {0.5f, 0.25f, 0.25f, 0.5f};
  const Labels labels = {1, 1, 0, 0};
  const Weights weights = {3, 1, 2, 4};
  CHECK(auc(BinaryRows{scores, labels, weights}) == (6 + 12 / 2.0 + 2 / 2.0) / 24);
}

TEST_CASE("weights of 1 give the bits of the metrics without weights") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    const Table table = drawn(seed, 10 + 37 * seed);
    const Weights ones(table.scores.size(), 1.0);
    const BinaryMetrics plain = binary_metrics(table.scores, table.labels);
    for (const BinaryRows& rows : {BinaryRows{table.scores, table.labels, ones},
                                   BinaryRows{table.scores, table.labels, {}}}) {
      CHECK(bits(auc(rows)) == bits(plain.auc));
      CHECK(std::abs(average_precision(rows) - plain.average_precision) < 1e-15);
      CHECK(bits(log_loss(rows)) == bits(plain.log_loss));
      CHECK(bits(brier(rows)) == bits(plain.brier));
      CHECK(bits(calibration_error(rows)) == bits(plain.calibration_error));
    }
  }
}

TEST_CASE("the order of the rows does not change a bit of a weighted metric") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    const Table table = drawn(seed, 500);
    std::vector<std::size_t> order(500);
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::shuffle(order.begin(), order.end(), std::mt19937_64(seed));
    Table shuffled;
    for (const std::size_t row : order) {
      shuffled.scores.push_back(table.scores[row]);
      shuffled.labels.push_back(table.labels[row]);
      shuffled.weights.push_back(table.weights[row]);
    }
    auto a = all_of(table.rows()), b = all_of(shuffled.rows());
    // Ties at a bin's edge go by the order of the rows.
    a.pop_back();
    b.pop_back();
    for (std::size_t i = 0; i < a.size(); ++i) CHECK(bits(a[i]) == bits(b[i]));
  }
}

TEST_CASE("what cannot be measured is NaN") {
  const double infinity = std::numeric_limits<double>::infinity();
  const Floats scores = {0.25f, 0.5f};
  const Labels labels = {0, 1};
  for (const Weights& weights :
       {Weights{0, 0}, Weights{-1, 2}, Weights{std::nan(""), 1}, Weights{1, infinity}})
    for (const double metric : all_of({scores, labels, weights})) CHECK(std::isnan(metric));
  for (const double metric : all_of({Floats{0.25f, std::nanf("")}, labels, {}}))
    CHECK(std::isnan(metric));
  for (const double metric : all_of({})) CHECK(std::isnan(metric));
  CHECK(calibration_curve({}).empty());
  // A class without weight.
  const Weights one_class = {1, 0};
  CHECK(std::isnan(auc(BinaryRows{scores, labels, one_class})));
  CHECK(std::isnan(average_precision(BinaryRows{scores, labels, one_class})));
  CHECK(brier(BinaryRows{scores, labels, one_class}) == 0.0625);
}

TEST_CASE("calibration bins hold equal shares of the weight") {
  const Floats scores = {0.125f, 0.25f, 0.5f, 0.75f};
  const Labels labels = {0, 1, 0, 1};
  const Weights weights = {1, 1, 2, 4};
  const auto points = calibration_curve({scores, labels, weights}, 2);
  REQUIRE(points.size() == 2);
  CHECK(points[0].rows == 3);
  CHECK(points[0].weight == 4);
  CHECK(points[0].mean_score == (0.125 + 0.25 + 2 * 0.5) / 4);
  CHECK(points[0].positive_share == 0.25);
  CHECK(points[1].rows == 1);
  CHECK(points[1].mean_score == 0.75);
  CHECK(points[1].positive_share == 1);
}

}  // namespace coeval::stats
