#include "stats/curves.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <random>

namespace coeval::stats {
namespace {

struct Table {
  std::vector<float> scores;
  std::vector<std::uint8_t> labels;
  BinaryRows rows() const { return {scores, labels, {}}; }
};

Table drawn(std::size_t rows) {
  std::mt19937_64 random(3);
  Table table;
  for (std::size_t i = 0; i < rows; ++i) {
    table.scores.push_back(static_cast<float>(random() % (1 << 20)) / (1 << 20));
    table.labels.push_back(random() % 5 == 0 ? 1 : 0);
  }
  return table;
}

}  // namespace

// Whole curves of 1,000 random cases against scikit-learn: tests/statistics/test_binary.py.

TEST_CASE("a curve of many scores keeps as many points as asked for, spread over it") {
  const Table table = drawn(20'000);
  const auto whole = roc_curve(table.rows(), 1 << 20), bounded = roc_curve(table.rows());
  CHECK(whole.size() > 15'000);
  CHECK(bounded.size() <= kPlotPoints);
  CHECK(bounded.size() > kPlotPoints / 2);
  CHECK(bounded.front().true_positive_rate == 0);
  CHECK(bounded.back().true_positive_rate == 1);
  double widest = 0;
  for (std::size_t i = 1; i < bounded.size(); ++i)
    widest = std::max(widest, bounded[i].false_positive_rate + bounded[i].true_positive_rate -
                                  bounded[i - 1].false_positive_rate -
                                  bounded[i - 1].true_positive_rate);
  // Two steps of 2/199, and one point more.
  CHECK(widest < 0.022);
  CHECK(precision_recall_curve(table.rows()).size() <= kPlotPoints);
  CHECK(precision_recall_curve(table.rows(), 2).size() == 2);
}

TEST_CASE("a curve of a class without rows has no points") {
  const std::vector<float> scores = {0.25f, 0.5f};
  const std::vector<std::uint8_t> ones = {1, 1}, zeros = {0, 0};
  CHECK(roc_curve({scores, ones}).empty());
  CHECK(roc_curve({scores, zeros}).empty());
  CHECK(precision_recall_curve({scores, zeros}).empty());
  CHECK(precision_recall_curve({scores, ones}).size() == 2);
  CHECK(roc_curve({}).empty());
  CHECK(score_histogram({std::vector<float>{std::nanf("")}, std::vector<std::uint8_t>{1}}).empty());
}

TEST_CASE("scores outside [0, 1] count in the first and last bin of the histogram") {
  const std::vector<float> scores = {-3.0f, 0.0f, 0.5f, 1.0f, 7.0f};
  const std::vector<std::uint8_t> labels = {1, 0, 1, 0, 1};
  const auto bins = score_histogram({scores, labels}, 2);
  REQUIRE(bins.size() == 2);
  CHECK(bins[0].positives == 1);
  CHECK(bins[0].negatives == 1);
  CHECK(bins[1].positives == 2);
  CHECK(bins[1].negatives == 1);
  CHECK(bins[1].from == 0.5);
  CHECK(bins[1].to == 1);
}

}  // namespace coeval::stats
