#include "define/model_metrics.h"

#include <algorithm>
#include <array>
#include <span>

#include "define/diagnostics.h"

namespace coeval::define {
namespace {

constexpr std::array<std::string_view, 9> kBinary = {
    "accuracy", "auc",      "average_precision", "brier", "calibration_error",
    "f1",       "log_loss", "precision",         "recall"};
constexpr std::array<std::string_view, 5> kRegression = {"mae", "mape", "r_squared", "rmse",
                                                         "wape"};
constexpr std::array<std::string_view, 5> kMulticlass = {"accuracy", "log_loss", "macro_auc",
                                                         "macro_f1", "weighted_f1"};
constexpr std::array<std::string_view, 4> kRanking = {"hit_rate", "map", "mrr", "ndcg"};
constexpr std::string_view kPinball = "pinball", kMeanCost = "mean_cost";

bool has(std::span<const std::string_view> names, std::string_view name) {
  return std::ranges::find(names, name) != names.end();
}

std::string_view metric_of(const Loss& loss) {
  switch (loss.kind) {
    case Loss::Kind::squared:
      return "rmse";
    case Loss::Kind::absolute:
      return "mae";
    case Loss::Kind::quantile:
      break;
  }
  return kPinball;
}

}  // namespace

std::vector<std::string_view> gate_metrics(const Model& model) {
  if (model.kind == ModelKind::binary) return {kBinary.begin(), kBinary.end()};
  if (model.kind == ModelKind::ranking) return {kRanking.begin(), kRanking.end()};
  if (model.kind == ModelKind::multiclass) {
    std::vector<std::string_view> metrics(kMulticlass.begin(), kMulticlass.end());
    if (!model.cost_matrix.empty()) metrics.push_back(kMeanCost);
    std::ranges::sort(metrics);
    return metrics;
  }
  std::vector<std::string_view> metrics(kRegression.begin(), kRegression.end());
  if (model.loss.kind == Loss::Kind::quantile) metrics.push_back(kPinball);
  std::ranges::sort(metrics);
  return metrics;
}

std::vector<std::string_view> gate_metrics_of_any_kind() {
  std::vector<std::string_view> metrics(kBinary.begin(), kBinary.end());
  metrics.insert(metrics.end(), kRegression.begin(), kRegression.end());
  for (const std::string_view metric : kMulticlass)
    if (!has(kBinary, metric)) metrics.push_back(metric);
  metrics.insert(metrics.end(), kRanking.begin(), kRanking.end());
  metrics.push_back(kPinball);
  metrics.push_back(kMeanCost);
  return metrics;
}

std::string_view primary_metric(const Model& model) {
  if (model.kind == ModelKind::multiclass) return "log_loss";
  if (model.kind == ModelKind::ranking) return "ndcg";
  return model.kind == ModelKind::binary ? "auc" : metric_of(model.loss);
}

std::string_view validation_metric(const Model& model) {
  if (model.kind == ModelKind::ranking) return "ndcg";
  return model.kind == ModelKind::regression ? metric_of(model.loss) : "log_loss";
}

std::string advice_for_other_kind(std::string_view metric, const Model& model) {
  const auto own = gate_metrics(model);
  if (has(own, metric)) return {};
  const std::string listed_own = listed({own.begin(), own.end()});
  if (metric == kPinball)
    return "pinball is the metric of loss = { quantile = 0.9 }; this model has " + listed_own;
  if (metric == kMeanCost)
    return "mean_cost is the metric of a multiclass model with a cost_matrix; this model has " +
           listed_own;
  ModelKind of = ModelKind::binary;
  if (has(kRegression, metric))
    of = ModelKind::regression;
  else if (!has(kBinary, metric))
    of = has(kRanking, metric) ? ModelKind::ranking : ModelKind::multiclass;
  if (of == ModelKind::multiclass && !has(kMulticlass, metric)) return {};
  return std::string(metric) + " is a metric of kind = \"" + std::string(name(of)) +
         "\"; this model, of kind = \"" + std::string(name(model.kind)) + "\", has " + listed_own;
}

}  // namespace coeval::define
