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

TEST_CASE("the calibration bins of a report add up to its rows") {
  const ScoredPart parts[] = {{"test", kScores, kLabels}};
  const auto report = evaluation_report(parts);
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
