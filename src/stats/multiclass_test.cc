#include "stats/multiclass.h"

#include <doctest/doctest.h>

#include <cmath>

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

}  // namespace coeval::stats
