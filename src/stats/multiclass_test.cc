#include "stats/multiclass.h"

#include <doctest/doctest.h>

#include <cmath>
#include <random>

namespace coeval::stats {

// scikit-learn's own values over 1,000 random cases: tests/statistics/test_multiclass.py.

TEST_CASE("metrics of three classes by hand") {
  const std::vector<float> p = {0.5f,  0.25f, 0.25f,   // 0: right
                                0.25f, 0.5f,  0.25f,   // 0: wrong
                                0.25f, 0.5f,  0.25f};  // 1: right
  const std::vector<std::int32_t> labels = {0, 0, 1};
  const MulticlassRows rows{p, labels, 3};
  CHECK(accuracy(rows) == 2.0 / 3);
  CHECK(log_loss(rows) == doctest::Approx((2 * std::log(2.0) + std::log(4.0)) / 3).epsilon(1e-15));
  const MulticlassMetrics metrics = multiclass_metrics(rows);
  REQUIRE(metrics.classes.size() == 3);
  CHECK(metrics.classes[0].recall == 0.5);
  CHECK(metrics.classes[1].precision == 0.5);
  CHECK(std::isnan(metrics.classes[2].f1));
  // Both F1 are 2/3; the third class has neither rows nor predictions.
  CHECK(metrics.macro_f1 == 2.0 / 3);
  CHECK(metrics.weighted_f1 == 2.0 / 3);
  // Class 0: 0.5 and 0.25 against 0.25: 0.75. Class 1: 0.5 against 0.25 and 0.5: 0.75.
  CHECK(metrics.macro_auc == 0.75);
  CHECK(metrics.classes_with_auc == 2);
}

TEST_CASE("of equally likely classes the lowest is predicted") {
  const std::vector<float> p = {0.25f, 0.375f, 0.375f};
  CHECK(accuracy({p, std::vector<std::int32_t>{1}, 3}) == 1);
  CHECK(accuracy({p, std::vector<std::int32_t>{2}, 3}) == 0);
}

TEST_CASE("with costs the class of least expected cost is decided") {
  // To miss the third class costs 10, everything else that is wrong 1.
  const std::vector<double> costs = {0, 1, 1, 1, 0, 1, 10, 10, 0};
  const std::vector<float> p = {0.75f,  0.125f,  0.125f,   // 0: third (costs 0.875, 1.375 + …)
                                0.875f, 0.0625f, 0.0625f,  // 0: 0.6875 < 0.9375
                                0.25f,  0.5f,    0.25f};
  const std::vector<std::int32_t> labels = {0, 0, 2};
  const MulticlassRows judged{p, labels, 3, {}, costs};
  CHECK(decided_classes(judged) == std::vector<std::int32_t>{2, 0, 2});
  CHECK(accuracy(judged) == 2.0 / 3);
  CHECK(mean_cost(judged) == 1.0 / 3);
  CHECK(std::isnan(mean_cost({p, labels, 3})));
  CHECK(decided_class(std::vector<float>{0.5f, 0.5f}, std::vector<double>{0, 1, 1, 0}) == 0);
}

TEST_CASE("rows that are not of K classes have no metrics") {
  const std::vector<float> p = {0.5f, 0.5f};
  const auto is_undefined = [](const MulticlassRows& rows) {
    return std::isnan(log_loss(rows)) && std::isnan(accuracy(rows)) &&
           std::isnan(multiclass_metrics(rows).macro_f1) &&
           multiclass_metrics(rows).classes.empty();
  };
  CHECK(is_undefined({p, std::vector<std::int32_t>{2}, 2}));
  CHECK(is_undefined({p, std::vector<std::int32_t>{-1}, 2}));
  CHECK(is_undefined({p, std::vector<std::int32_t>{0, 0}, 1}));
  CHECK(is_undefined({std::vector<float>{0.5f, std::nanf("")}, std::vector<std::int32_t>{0}, 2}));
  CHECK(is_undefined({p, std::vector<std::int32_t>{0}, 2, std::vector<double>{-1}}));
  CHECK(is_undefined({{}, {}, 2}));
}

TEST_CASE("metrics of weighed rows, worked out once, are those of rows that are there so often") {
  std::mt19937_64 random(7);
  for (int trial = 0; trial < 200; ++trial) {
    const int classes = 2 + static_cast<int>(random() % 4);
    const std::size_t rows = 1 + random() % 30;
    std::vector<float> p;
    std::vector<std::int32_t> labels;
    std::vector<double> weights;
    for (std::size_t i = 0; i < rows; ++i) {
      for (int k = 0; k < classes; ++k) p.push_back(static_cast<float>(random() % 5) / 4);
      labels.push_back(static_cast<std::int32_t>(random() % static_cast<unsigned>(classes)));
      weights.push_back(static_cast<double>(random() % 3));
    }
    std::vector<float> repeated;
    std::vector<std::int32_t> repeated_labels;
    for (std::size_t i = 0; i < rows; ++i)
      for (int times = 0; times < static_cast<int>(weights[i]); ++times) {
        const auto from = p.begin() + static_cast<std::ptrdiff_t>(i) * classes;
        repeated.insert(repeated.end(), from, from + classes);
        repeated_labels.push_back(labels[i]);
      }
    const RankedClasses ranked({p, labels, classes}, true);
    const MulticlassMetrics wanted = multiclass_metrics({repeated, repeated_labels, classes});
    const auto same = [](double a, double b) {
      return (std::isnan(a) && std::isnan(b)) || std::abs(a - b) <= 1e-14;
    };
    CHECK(same(ranked.macro_f1(weights), wanted.macro_f1));
    CHECK(same(ranked.weighted_f1(weights), wanted.weighted_f1));
    CHECK(same(ranked.macro_auc(weights), wanted.macro_auc));
  }
}

}  // namespace coeval::stats
