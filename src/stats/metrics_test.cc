#include "stats/metrics.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <functional>
#include <limits>
#include <vector>

#include "stats/binary.h"

namespace coeval::stats {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

/// 24-bit numbers below 1, the same as in make_expected.py.
class Draws {
 public:
  explicit Draws(std::uint64_t seed) : state_(seed) {}
  double next() {
    state_ = state_ * 6364136223846793005u + 1442695040888963407u;
    return static_cast<double>(state_ >> 40) / (1 << 24);
  }

 private:
  std::uint64_t state_;
};

struct Sample {
  std::vector<float> scores;
  std::vector<std::uint8_t> labels;
};

Sample sample(int rows, std::uint64_t seed, int levels, int sharpness) {
  Draws draws(seed);
  Sample made;
  for (int row = 0; row < rows; ++row) {
    double score = draws.next(), chance = 1;
    if (levels > 0) score = std::floor(score * levels) / levels;
    for (int i = 0; i < sharpness; ++i) chance *= score;
    made.scores.push_back(static_cast<float>(score));
    made.labels.push_back(draws.next() < chance);
  }
  return made;
}

struct Expected {
  int rows;
  std::uint64_t seed;
  int levels, sharpness;
  std::int64_t positives;
  double values[5];  // AUC, average precision, log loss, Brier, calibration error
};

// Printed by src/stats/make_expected.py with scikit-learn 1.9.1. Continuous scores, ties, one
// class.
constexpr Expected kExpected[] = {
    {1000,
     1,
     0,
     1,
     491,
     {0.8330098952060467, 0.8238401160113933, 0.5001586582405352, 0.16700024769608468,
      0.04421595680713654}},
    {1000,
     2,
     8,
     1,
     447,
     {0.8322531969205998, 0.7598485626732117, 0.4913077930828798, 0.165046875, 0.039375}},
    {5000,
     3,
     0,
     3,
     1251,
     {0.90095989359486, 0.7555428890606869, 0.5365375641266737, 0.18066780931515394,
      0.24598169991970062}},
    {4999,
     4,
     3,
     2,
     915,
     {0.8313574765979994, 0.41364986843363183, 0.4214367337285591, 0.14689605030734024,
      0.1495632558947779}},
    {7,
     5,
     0,
     1,
     5,
     {0.8, 0.9266666666666665, 0.5278763948047283, 0.1768645786789114, 0.37015558992113384}},
    {100, 6, 2, 400, 0, {kNan, kNan, 0.3673680056967714, 0.1325, 0.265}},
    {40, 7, 0, 2000, 0, {kNan, kNan, 0.978070702702069, 0.30679280604064807, 0.46958707720041276}},
    {200, 8, 1, 1, 0, {kNan, kNan, 9.992007221626413e-16, 0.0, 0.0}},
    {30, 9, 4, 0, 30, {kNan, 1.0, 10.904372359355524, 0.5, 0.65}},
};

void check_near(double ours, double expected) {
  if (std::isnan(expected)) {
    CHECK(std::isnan(ours));
  } else {
    CHECK(std::abs(ours - expected) <= 1e-12);
  }
}

bool same_bits(double a, double b) {
  return std::bit_cast<std::uint64_t>(a) == std::bit_cast<std::uint64_t>(b);
}

/// By the definition: the share of (positive, negative) pairs in order.
double auc_of_all_pairs(const Sample& s) {
  double twice = 0, pairs = 0;
  for (std::size_t i = 0; i < s.scores.size(); ++i) {
    for (std::size_t j = 0; j < s.scores.size(); ++j) {
      if (s.labels[i] == 0 || s.labels[j] != 0) continue;
      pairs += 1;
      twice += s.scores[i] > s.scores[j] ? 2 : s.scores[i] == s.scores[j] ? 1 : 0;
    }
  }
  return twice / (2 * pairs);
}

/// By the definition: each distinct score as a threshold, from above.
double average_precision_by_thresholds(const Sample& s) {
  std::vector<float> thresholds = s.scores;
  std::ranges::sort(thresholds, std::greater{});
  thresholds.erase(std::unique(thresholds.begin(), thresholds.end()), thresholds.end());
  double positives = 0, found_before = 0, sum = 0;
  for (const auto label : s.labels) positives += label;
  for (const float threshold : thresholds) {
    double found = 0, flagged = 0;
    for (std::size_t i = 0; i < s.scores.size(); ++i) {
      if (s.scores[i] < threshold) continue;
      flagged += 1;
      found += s.labels[i];
    }
    sum += (found - found_before) / positives * (found / flagged);
    found_before = found;
  }
  return sum;
}

Sample reversed(Sample s) {
  std::ranges::reverse(s.scores);
  std::ranges::reverse(s.labels);
  return s;
}

}  // namespace

TEST_CASE("metrics agree with scikit-learn to 1e-12, with ties and with one class") {
  for (const Expected& expected : kExpected) {
    CAPTURE(expected.seed);
    const Sample s = sample(expected.rows, expected.seed, expected.levels, expected.sharpness);
    const BinaryMetrics metrics = binary_metrics(s.scores, s.labels);
    CHECK(metrics.rows == expected.rows);
    CHECK(metrics.positives == expected.positives);
    check_near(metrics.auc, expected.values[0]);
    check_near(metrics.average_precision, expected.values[1]);
    check_near(metrics.log_loss, expected.values[2]);
    check_near(metrics.brier, expected.values[3]);
    check_near(metrics.calibration_error, expected.values[4]);
  }
}

TEST_CASE("AUC equals the count over all pairs to the last bit") {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    const int levels = static_cast<int>(seed % 5) * 3;
    const Sample s = sample(20 + static_cast<int>(seed), seed, levels, 1);
    if (std::ranges::count(s.labels, 1) == 0) continue;
    CHECK(same_bits(auc(s.scores, s.labels), auc_of_all_pairs(s)));
    check_near(average_precision(s.scores, s.labels), average_precision_by_thresholds(s));
  }
}

TEST_CASE("the order of the rows does not change a bit") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    const Sample s = sample(997, seed, seed % 2 == 0 ? 50 : 0, 2), r = reversed(s);
    CHECK(same_bits(auc(s.scores, s.labels), auc(r.scores, r.labels)));
    CHECK(same_bits(average_precision(s.scores, s.labels), average_precision(r.scores, r.labels)));
    CHECK(same_bits(log_loss(s.scores, s.labels), log_loss(r.scores, r.labels)));
    CHECK(same_bits(brier(s.scores, s.labels), brier(r.scores, r.labels)));
  }
}

TEST_CASE("single metrics equal those of binary_metrics") {
  const Sample s = sample(500, 42, 20, 1);
  const BinaryMetrics all = binary_metrics(s.scores, s.labels);
  CHECK(same_bits(all.auc, auc(s.scores, s.labels)));
  CHECK(same_bits(all.average_precision, average_precision(s.scores, s.labels)));
  CHECK(same_bits(all.log_loss, log_loss(s.scores, s.labels)));
  CHECK(same_bits(all.brier, brier(s.scores, s.labels)));
  CHECK(same_bits(all.calibration_error, calibration_error(s.scores, s.labels).value));
}

TEST_CASE("perfect, inverted and constant scores") {
  const std::vector<std::uint8_t> labels = {0, 0, 1, 1};
  CHECK(auc(std::vector<float>{0.1f, 0.2f, 0.8f, 0.9f}, labels) == 1.0);
  CHECK(auc(std::vector<float>{0.9f, 0.8f, 0.2f, 0.1f}, labels) == 0.0);
  CHECK(auc(std::vector<float>{0.5f, 0.5f, 0.5f, 0.5f}, labels) == 0.5);
  CHECK(average_precision(std::vector<float>{0.5f, 0.5f, 0.5f, 0.5f}, labels) == 0.5);
  CHECK(auc(std::vector<float>{-0.0f, 0.0f, 0.0f, -0.0f}, labels) == 0.5);
  CHECK(auc(std::vector<float>{-2.0f, -3.0f, -1.0f, 5.0f}, labels) == 1.0);
}

TEST_CASE("a certain and wrong score costs the clipped logarithm") {
  const std::vector<std::uint8_t> labels = {1};
  CHECK(log_loss(std::vector<float>{0.0f}, labels) == -std::log(1e-15));
  CHECK(brier(std::vector<float>{0.0f}, labels) == 1.0);
}

TEST_CASE("without rows, or with a NaN score, every metric is NaN") {
  for (const Sample& s : {Sample{}, Sample{{0.5f, std::nanf(""), 0.1f}, {1, 0, 0}},
                          Sample{{0.5f, -std::nanf(""), 0.1f}, {1, 0, 0}}}) {
    const BinaryMetrics metrics = binary_metrics(s.scores, s.labels);
    CHECK(std::isnan(metrics.auc));
    CHECK(std::isnan(metrics.average_precision));
    CHECK(std::isnan(metrics.log_loss));
    CHECK(std::isnan(metrics.brier));
    CHECK(std::isnan(metrics.calibration_error));
  }
}

TEST_CASE("calibration bins hold equal shares of the rows") {
  std::vector<float> scores;
  std::vector<std::uint8_t> labels(30, 0);
  for (int i = 0; i < 30; ++i) scores.push_back(static_cast<float>(i) / 32);
  labels[0] = labels[1] = labels[5] = 1;
  const CalibrationError error = calibration_error(scores, labels);
  REQUIRE(error.bins.size() == 15);
  CHECK(error.bins[0].positive_share == 1.0);
  CHECK(error.bins[1].positive_share == 0.0);
  CHECK(error.bins[2].positive_share == 0.5);
  for (const CalibrationBin& bin : error.bins) CHECK(bin.count == 2);
}

TEST_CASE("rows of one score lie in one calibration bin, whatever their order") {
  std::vector<float> scores = {0.125f};
  std::vector<std::uint8_t> labels = {0};
  for (int i = 0; i < 28; ++i) {
    scores.push_back(0.25f);
    labels.push_back(i < 7 ? 1 : 0);
  }
  scores.push_back(0.5f);
  labels.push_back(1);
  const CalibrationError error = calibration_error(scores, labels);
  REQUIRE(error.bins.size() == 15);
  CHECK(error.bins[0].count == 1);
  for (std::size_t bin = 1; bin < 14; ++bin) CHECK(error.bins[bin].count == 0);
  CHECK(error.bins[14].count == 29);  // the last of the ties is the first of its two ranks
  // |0 − 0.125| + |8 − 7.5|
  CHECK(error.value == 0.625 / 30);
  for (const std::size_t by : {5u, 11u, 23u}) {
    std::ranges::rotate(labels, labels.begin() + static_cast<std::ptrdiff_t>(by));
    std::ranges::rotate(scores, scores.begin() + static_cast<std::ptrdiff_t>(by));
    CHECK(same_bits(calibration_error(scores, labels).value, error.value));
    const std::vector<double> ones(scores.size(), 1.0);
    CHECK(same_bits(calibration_error(BinaryRows{scores, labels, ones}), error.value));
  }
}

TEST_CASE("fewer rows than bins leave bins empty") {
  const CalibrationError error =
      calibration_error(std::vector<float>{0.5f, 1.0f}, std::vector<std::uint8_t>{0, 1});
  std::int64_t rows = 0;
  for (const CalibrationBin& bin : error.bins) rows += bin.count;
  CHECK(rows == 2);
  CHECK(error.value == 0.25);
}

}  // namespace coeval::stats
