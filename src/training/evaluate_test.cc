#include "training/evaluate.h"

#include <doctest/doctest.h>

#include <vector>

namespace coeval::training {
namespace {

const std::vector<float> kScores = {0.1F, 0.4F, 0.35F, 0.8F};
const std::vector<std::uint8_t> kLabels = {0, 0, 1, 1};

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
  const ScoredPart parts[] = {{"validate", kScores, kLabels}, {"test", kScores, kLabels}};
  const auto report = evaluation_report(parts, 0.5);
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
  const Metrics metrics = all_metrics(kScores, kLabels, 0.3);
  // 0.4, 0.35 and 0.8 are flagged, two of them rightly.
  CHECK(metrics.at("recall") == 1);
  CHECK(metrics.at("precision") == doctest::Approx(2.0 / 3));
  CHECK(metrics.at("accuracy") == doctest::Approx(0.75));
  CHECK(metrics.at("f1") == doctest::Approx(0.8));
  // 0.7F is below the double 0.7, so a score of 0.7F is not flagged by a threshold of 0.7.
  const std::vector<float> scores = {0.7F, 0.2F};
  const std::vector<std::uint8_t> labels = {1, 0};
  CHECK(all_metrics(scores, labels, 0.7).at("recall") == 0);
  CHECK_FALSE(all_metrics(scores, labels, 0.7).contains("precision"));
}

TEST_CASE("a report of the test part has its curves") {
  const ScoredPart parts[] = {{"train", kScores, kLabels}, {"test", kScores, kLabels}};
  const auto report = evaluation_report(parts, 0.5);
  REQUIRE(report.has_value());
  CHECK(report->find("train")->find("curves") == nullptr);
  const data::Json* curves = report->find("test")->find("curves");
  REQUIRE(curves != nullptr);
  CHECK(curves->find("true_positive_rate")->array()->size() == 5);
  CHECK(curves->find("histogram_positives")->array()->size() == 50);
  CHECK(*report->find("test")->find("confusion")->find("true_positives")->integer() == 1);
}

TEST_CASE("the calibration bins of a report add up to its rows") {
  const ScoredPart parts[] = {{"test", kScores, kLabels}};
  const auto report = evaluation_report(parts, 0.5);
  REQUIRE(report.has_value());
  const data::Json* bins = report->find("test")->find("calibration_bins");
  REQUIRE(bins != nullptr);
  std::int64_t rows = 0;
  for (const data::Json& bin : *bins->array()) rows += *bin.find("count")->integer();
  CHECK(rows == 4);
}

TEST_CASE("a part without rows, or of one class, has no metrics") {
  const auto empty = evaluate({"test", {}, {}});
  REQUIRE_FALSE(empty.has_value());
  CHECK(empty.error().code == Code::no_rows);
  const std::vector<std::uint8_t> ones = {1, 1, 1, 1};
  const auto one_class = evaluate({"test", kScores, ones});
  REQUIRE_FALSE(one_class.has_value());
  CHECK(one_class.error().message ==
        "the test part has one class only, so it has no AUC: 4 positives in 4 rows");
}

}  // namespace coeval::training
