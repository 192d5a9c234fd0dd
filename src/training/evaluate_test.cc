#include "training/evaluate.h"

#include <doctest/doctest.h>

#include <vector>

namespace coeval::training {
namespace {

const std::vector<float> kScores = {0.1F, 0.4F, 0.35F, 0.8F};
const std::vector<std::uint8_t> kLabels = {0, 0, 1, 1};

ModelAnswers answers(double threshold = 0.5) {
  return {.scores = kScores, .labels = LabelSpan::of(kLabels), .threshold = threshold};
}

// The example of scikit-learn's manual for the metrics of regression.
const std::vector<float> kPredictions = {2.5F, 0.0F, 2.0F, 8.0F};
const std::vector<double> kNumbers = {3, -0.5, 2, 7};

ModelAnswers regression() {
  return {.scores = kPredictions, .labels = LabelSpan::of(kNumbers), .quantile = 0.9};
}

double number(const data::Json& report, std::string_view part, std::string_view metric) {
  const data::Json* object = report.find(part);
  const data::Json* value = object == nullptr ? nullptr : object->find(metric);
  REQUIRE(value != nullptr);
  REQUIRE(value->real() != nullptr);
  return *value->real();
}

}  // namespace

// The example of scikit-learn's manual for roc_auc_score and average_precision_score.
TEST_CASE("a report holds the metrics of every part by its name") {
  const ScoredPart parts[] = {{"validate", answers()}, {"test", answers()}};
  const auto report = evaluation_report(parts);
  REQUIRE(report.has_value());
  CHECK(number(*report, "validate", "auc") == doctest::Approx(0.75));
  CHECK(number(*report, "test", "auc") == doctest::Approx(0.75));
  CHECK(number(*report, "test", "average_precision") == doctest::Approx(0.8333333333));
  CHECK(number(*report, "test", "brier") == doctest::Approx(0.158125));
  CHECK(number(*report, "test", "log_loss_clip") == 1e-15);
  CHECK(*report->find("test")->find("rows")->integer() == 4);
  CHECK(*report->find("test")->find("positives")->integer() == 2);
}

TEST_CASE("decisions are those of scores at or above the threshold, as a server makes them") {
  const Metrics metrics = all_metrics(answers(0.3));
  // 0.4, 0.35 and 0.8 are flagged, two of them rightly.
  CHECK(metrics.at("recall") == 1);
  CHECK(metrics.at("precision") == doctest::Approx(2.0 / 3));
  CHECK(metrics.at("accuracy") == doctest::Approx(0.75));
  CHECK(metrics.at("f1") == doctest::Approx(0.8));
  // 0.7F is below the double 0.7, so a score of 0.7F is not flagged by a threshold of 0.7.
  const std::vector<float> scores = {0.7F, 0.2F};
  const std::vector<std::uint8_t> labels = {1, 0};
  const ModelAnswers near{.scores = scores, .labels = LabelSpan::of(labels), .threshold = 0.7};
  CHECK(all_metrics(near).at("recall") == 0);
  CHECK_FALSE(all_metrics(near).contains("precision"));
}

TEST_CASE("a report of the test part has its curves") {
  const ScoredPart parts[] = {{"train", answers()}, {"test", answers()}};
  const auto report = evaluation_report(parts);
  REQUIRE(report.has_value());
  CHECK(report->find("train")->find("curves") == nullptr);
  const data::Json* curves = report->find("test")->find("curves");
  REQUIRE(curves != nullptr);
  CHECK(curves->find("true_positive_rate")->array()->size() == 5);
  CHECK(curves->find("histogram_positives")->array()->size() == 50);
  CHECK(*report->find("test")->find("confusion")->find("true_positives")->integer() == 1);
}

TEST_CASE("the calibration bins of a report add up to its rows") {
  const ScoredPart parts[] = {{"test", answers()}};
  const auto report = evaluation_report(parts);
  REQUIRE(report.has_value());
  const data::Json* bins = report->find("test")->find("calibration_bins");
  REQUIRE(bins != nullptr);
  std::int64_t rows = 0;
  for (const data::Json& bin : *bins->array()) rows += *bin.find("count")->integer();
  CHECK(rows == 4);
}

// Values of scikit-learn 1.9.1.
TEST_CASE("a report of a regression holds its metrics, and of the test part what plots show") {
  const ScoredPart parts[] = {{"train", regression()}, {"test", regression(), {{"own", 4.5}}}};
  const auto report = evaluation_report(parts);
  REQUIRE(report.has_value());
  CHECK(number(*report, "test", "mae") == 0.5);
  CHECK(number(*report, "test", "rmse") == doctest::Approx(0.6123724356957945));
  CHECK(number(*report, "test", "r_squared") == doctest::Approx(0.9486081370449679));
  CHECK(number(*report, "test", "mape") == doctest::Approx(0.3273809523809524));
  CHECK(number(*report, "test", "wape") == doctest::Approx(0.16));
  CHECK(number(*report, "test", "pinball") == doctest::Approx(0.15));
  CHECK(number(*report, "test", "label_mean") == 2.875);
  CHECK(number(*report, "test", "own") == 4.5);
  for (const char* other : {"auc", "positives", "confusion", "curves", "log_loss_clip"})
    CHECK(report->find("test")->find(other) == nullptr);
  CHECK(report->find("train")->find("plots") == nullptr);
  const data::Json* plots = report->find("test")->find("plots");
  REQUIRE(plots != nullptr);
  CHECK(plots->find("mean_prediction")->array()->size() == 4);
  CHECK(plots->find("residuals")->array()->size() == 40);
}

TEST_CASE(
    "a regression on constant labels has errors and no R², and without a quantile no pinball") {
  const std::vector<double> constant(4, 2.0);
  const Metrics metrics = all_metrics({.scores = kPredictions, .labels = LabelSpan::of(constant)});
  CHECK(metrics.at("mae") == 2.125);
  CHECK_FALSE(metrics.contains("r_squared"));
  CHECK_FALSE(metrics.contains("pinball"));
  const ScoredPart empty{"test",
                         {.scores = {}, .labels = LabelSpan::of(std::span<const double>())}};
  CHECK(check_evaluable(empty).error().code == Code::no_rows);
}

TEST_CASE("a part without rows, or of one class, has no metrics") {
  const auto empty = check_evaluable({"test", {}});
  REQUIRE_FALSE(empty.has_value());
  CHECK(empty.error().code == Code::no_rows);
  const std::vector<std::uint8_t> ones = {1, 1, 1, 1};
  const auto one_class =
      check_evaluable({"test", {.scores = kScores, .labels = LabelSpan::of(ones)}});
  REQUIRE_FALSE(one_class.has_value());
  CHECK(one_class.error().message ==
        "the test part has one class only, so it has no AUC: 4 positives in 4 rows");
}

}  // namespace coeval::training
