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
constexpr std::string_view kPinball = "pinball";

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
  std::vector<std::string_view> metrics(kRegression.begin(), kRegression.end());
  if (model.loss.kind == Loss::Kind::quantile) metrics.push_back(kPinball);
  std::ranges::sort(metrics);
  return metrics;
}

std::vector<std::string_view> gate_metrics_of_any_kind() {
  std::vector<std::string_view> metrics(kBinary.begin(), kBinary.end());
  metrics.insert(metrics.end(), kRegression.begin(), kRegression.end());
  metrics.push_back(kPinball);
  return metrics;
}

std::string_view primary_metric(const Model& model) {
  return model.kind == ModelKind::binary ? "auc" : metric_of(model.loss);
}

std::string_view validation_metric(const Model& model) {
  return model.kind == ModelKind::binary ? "log_loss" : metric_of(model.loss);
}

std::string advice_for_other_kind(std::string_view metric, const Model& model) {
  const auto own = gate_metrics(model);
  if (has(own, metric)) return {};
  const std::string listed_own = listed({own.begin(), own.end()});
  if (metric == kPinball)
    return "pinball is the metric of loss = { quantile = 0.9 }; this model has " + listed_own;
  if (!has(kBinary, metric) && !has(kRegression, metric)) return {};
  const ModelKind of = has(kBinary, metric) ? ModelKind::binary : ModelKind::regression;
  return std::string(metric) + " is a metric of kind = \"" + std::string(name(of)) +
         "\"; this model, of kind = \"" + std::string(name(model.kind)) + "\", has " + listed_own;
}

}  // namespace coeval::define
