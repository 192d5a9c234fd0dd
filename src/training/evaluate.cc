#include "training/evaluate.h"

#include <algorithm>
#include <cmath>

#include "base/check.h"
#include "stats/curves.h"
#include "stats/thresholds.h"

namespace coeval::training {
namespace {

using data::Json;

Json bins_json(const stats::CalibrationError& error) {
  Json::Array bins;
  for (const stats::CalibrationBin& bin : error.bins) {
    Json json;
    json.set("count", bin.count);
    json.set("mean_score", bin.mean_score);
    json.set("positive_share", bin.positive_share);
    bins.push_back(std::move(json));
  }
  return bins;
}

// Arrays of numbers side by side are a tenth of the text that objects would be.
Json curves_json(const stats::BinaryRows& rows) {
  Json false_positives{Json::Array{}}, true_positives{Json::Array{}};
  for (const auto& point : stats::roc_curve(rows)) {
    false_positives.push(point.false_positive_rate);
    true_positives.push(point.true_positive_rate);
  }
  Json recalls{Json::Array{}}, precisions{Json::Array{}};
  for (const auto& point : stats::precision_recall_curve(rows)) {
    recalls.push(point.recall);
    precisions.push(point.precision);
  }
  Json positives{Json::Array{}}, negatives{Json::Array{}};
  for (const auto& bin : stats::score_histogram(rows)) {
    positives.push(bin.positives);
    negatives.push(bin.negatives);
  }
  Json curves;
  curves.set("false_positive_rate", std::move(false_positives));
  curves.set("true_positive_rate", std::move(true_positives));
  curves.set("recall", std::move(recalls));
  curves.set("precision", std::move(precisions));
  curves.set("histogram_positives", std::move(positives));
  curves.set("histogram_negatives", std::move(negatives));
  return curves;
}

Json confusion_json(const stats::Confusion& counts, double threshold) {
  const auto whole = [](double count) { return static_cast<std::int64_t>(count); };
  Json json;
  json.set("threshold", threshold);
  json.set("true_positives", whole(counts.true_positives));
  json.set("false_positives", whole(counts.false_positives));
  json.set("false_negatives", whole(counts.false_negatives));
  json.set("true_negatives", whole(counts.true_negatives));
  return json;
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

Metrics all_metrics(std::span<const float> scores, std::span<const std::uint8_t> labels,
                    double threshold) {
  const stats::BinaryMetrics binary = stats::binary_metrics(scores, labels);
  const stats::Confusion counts = stats::confusion({.scores = scores, .labels = labels}, threshold);
  Metrics metrics = {{"auc", binary.auc},
                     {"average_precision", binary.average_precision},
                     {"log_loss", binary.log_loss},
                     {"brier", binary.brier},
                     {"calibration_error", binary.calibration_error},
                     {"accuracy", stats::accuracy(counts)},
                     {"precision", stats::precision(counts)},
                     {"recall", stats::recall(counts)},
                     {"f1", stats::f1(counts)}};
  std::erase_if(metrics, [](const auto& metric) { return !std::isfinite(metric.second); });
  return metrics;
}

Result<Json> evaluation_report(std::span<const ScoredPart> parts, double threshold) {
  Json report;
  for (const ScoredPart& part : parts) {
    COEVAL_ASSIGN(const stats::BinaryMetrics binary, evaluate(part));
    const stats::BinaryRows rows{.scores = part.scores, .labels = part.labels};
    Json json;
    json.set("rows", binary.rows);
    json.set("positives", binary.positives);
    for (const auto& [name, value] : all_metrics(part.scores, part.labels, threshold))
      json.set(name, value);
    for (const auto& [name, value] : part.further) json.set(name, value);
    json.set("log_loss_clip", 1e-15);
    json.set("calibration_bins", bins_json(stats::calibration_error(part.scores, part.labels)));
    json.set("confusion", confusion_json(stats::confusion(rows, threshold), threshold));
    if (part.name == "test") json.set("curves", curves_json(rows));
    report.set(part.name, std::move(json));
  }
  return report;
}

void add_intervals(Json& report, const Evidence& evidence) {
  const Json* test = report.find("test");
  if (test == nullptr) return;
  Json extended = *test;
  const Json stored = to_json(evidence);
  for (const char* member : {"intervals", "interval_unit", "interval_units", "auc_delong"})
    if (const Json* found = stored.find(member)) extended.set(member, *found);
  report.set("test", std::move(extended));
}

}  // namespace coeval::training
