#include "training/evaluate.h"

#include <algorithm>

#include "base/check.h"

namespace coeval::training {
namespace {

data::Json bins_json(const stats::CalibrationError& error) {
  data::Json::Array bins;
  for (const stats::CalibrationBin& bin : error.bins) {
    data::Json json;
    json.set("count", bin.count);
    json.set("mean_score", bin.mean_score);
    json.set("positive_share", bin.positive_share);
    bins.push_back(std::move(json));
  }
  return bins;
}

}  // namespace

Result<stats::BinaryMetrics> evaluate(const ScoredPart& part) {
  COEVAL_CHECK(part.scores.size() == part.labels.size());
  if (part.labels.empty()) {
    return fail(Code::no_rows, "the " + part.name + " part has no rows to evaluate",
                "move the dates of `split` into the time that the source covers");
  }
  const auto positives = std::ranges::count(part.labels, 1);
  if (positives == 0 || positives == std::ssize(part.labels)) {
    return fail(Code::no_rows,
                "the " + part.name +
                    " part has one class only, so it has no AUC: " + std::to_string(positives) +
                    " positives in " + std::to_string(part.labels.size()) + " rows",
                "check the label, or choose dates with labels of both kinds");
  }
  return stats::binary_metrics(part.scores, part.labels);
}

data::Json to_json(const stats::BinaryMetrics& metrics) {
  data::Json json;
  json.set("rows", metrics.rows);
  json.set("positives", metrics.positives);
  json.set("auc", metrics.auc);
  json.set("average_precision", metrics.average_precision);
  json.set("log_loss", metrics.log_loss);
  json.set("brier", metrics.brier);
  json.set("calibration_error", metrics.calibration_error);
  return json;
}

Result<data::Json> evaluation_report(std::span<const ScoredPart> parts) {
  data::Json report;
  for (const ScoredPart& part : parts) {
    COEVAL_ASSIGN(const stats::BinaryMetrics metrics, evaluate(part));
    data::Json json = to_json(metrics);
    json.set("log_loss_clip", 1e-15);
    json.set("calibration_bins", bins_json(stats::calibration_error(part.scores, part.labels)));
    report.set(part.name, std::move(json));
  }
  return report;
}

}  // namespace coeval::training
