// The libraries' own contributions as oracle (native_models.md §1, SHAP).

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>
#include <vector>

#include "models/contributions.h"
#include "models/forest.h"
#include "models/lightgbm_oracle.h"
#include "models/oracle_rows.h"
#include "models/xgboost_model.h"
#include "models/xgboost_oracle.h"

namespace coeval::models {
namespace {

constexpr std::size_t kRows = 500;

/// Compares contributions of rows with `theirs`, and their sum with the margin.
template <class T>
void compare(const std::string& bytes, std::span<const float> rows, std::span<const T> theirs,
             double tolerance, double sum_tolerance) {
  const auto contributions = Contributions::read(bytes);
  REQUIRE_MESSAGE(contributions.has_value(),
                  (contributions ? "" : one_line(contributions.error())));
  const auto forest = Forest::read(bytes);
  REQUIRE(forest.has_value());
  const std::size_t stride = kWidth + 1, outputs = forest->outputs();
  REQUIRE(theirs.size() == kRows * outputs * stride);
  std::vector<double> margins(kRows * outputs), out(outputs * stride);
  forest->margins(rows, margins);
  double worst = 0, worst_sum = 0;
  std::size_t moved = 0;
  for (std::size_t row = 0; row < kRows; ++row) {
    contributions->of(rows.subspan(row * kWidth, kWidth), out);
    for (std::size_t i = 0; i < out.size(); ++i) {
      const double scale = std::max(1.0, std::fabs(margins[row * outputs + i / stride]));
      worst = std::max(worst, std::fabs(out[i] - theirs[row * out.size() + i]) / scale);
      moved += std::fabs(out[i]) > 1e-3 ? 1 : 0;
    }
    for (std::size_t i = 0; i < outputs; ++i) {
      const double margin = margins[row * outputs + i];
      const double sum = std::accumulate(&out[i * stride], &out[i * stride] + stride, 0.0);
      worst_sum = std::max(worst_sum, std::fabs(sum - margin) / std::max(1.0, std::fabs(margin)));
    }
  }
  CAPTURE(worst);
  CAPTURE(worst_sum);
  CHECK(worst <= tolerance);
  CHECK(worst_sum <= sum_tolerance);
  CHECK(moved > kRows);  // or equality would mean nothing
}

}  // namespace

TEST_CASE("contributions are XGBoost's within 1e-5, and add up to the margin within 1e-6") {
  const auto xgboost = open_oracle<XgboostOracle>();
  if (!xgboost) return;
  const Training data = make_training();
  const struct {
    std::string name;
    XgboostOracle::Parameters parameters;
    std::span<const float> label;
  } kinds[] = {
      {"depth 6",
       {{"objective", "binary:logistic"}, {"max_cat_to_onehot", "4"}},
       data.binary_label},
      {"depth 12", {{"objective", "reg:squarederror"}, {"max_depth", "12"}}, data.real_label},
      {"softprob", {{"objective", "multi:softprob"}, {"num_class", "4"}}, data.class_label},
      {"DART", {{"objective", "binary:logistic"}, {"rate_drop", "0.3"}}, data.binary_label},
  };
  for (const auto& kind : kinds) {
    CAPTURE(kind.name);
    const auto matrix = xgboost->make_matrix(data.rows, kind.label, kTypes);
    const auto booster = xgboost->train(matrix, kind.parameters, 20);
    const std::string bytes = xgboost->save(booster);
    const auto source = read_xgboost(bytes);
    REQUIRE(source.has_value());
    auto rows = adversarial_rows(*source);
    rows.resize(kRows * kWidth);
    std::ranges::replace_if(rows, [](float cell) { return std::isinf(cell); }, 3e30f);
    const auto asked = xgboost->make_matrix(rows, std::vector<float>(kRows, 0.0f), kTypes);
    const auto theirs = xgboost->predict_matrix(booster, asked, XgboostOracle::config(2).c_str());
    compare<float>(bytes, rows, theirs, 1e-5, 1e-6);
    xgboost->free_matrix(asked);
    xgboost->free_booster(booster);
    xgboost->free_matrix(matrix);
  }
}

TEST_CASE("contributions are LightGBM's within 1e-9, and add up to the margin within 1e-12") {
  const auto lightgbm = open_oracle<LightgbmOracle>();
  if (!lightgbm) return;
  const Training data = make_training();
  const std::string common =
      "num_threads=1 deterministic=true force_col_wise=true verbosity=-1 "
      "categorical_feature=10,11,12,13 ";
  const struct {
    std::string name;
    std::span<const float> label;
    std::size_t outputs;
  } kinds[] = {{"objective=binary num_leaves=63", data.binary_label, 1},
               {"objective=regression zero_as_missing=true", data.real_label, 1},
               {"objective=multiclass num_class=4", data.class_label, 4}};
  for (const auto& kind : kinds) {
    CAPTURE(kind.name);
    const auto dataset = lightgbm->make_dataset(data.rows, kWidth, kind.label, common + kind.name);
    const auto booster = lightgbm->train(dataset, common + kind.name, 20);
    const std::string text = lightgbm->save(booster);
    const auto saved = lightgbm->load_booster(text);
    const auto rows = std::span(data.rows).first(kRows * kWidth);
    const auto theirs = lightgbm->predict(saved, rows, kWidth, LightgbmOracle::kContributions,
                                          kind.outputs * (kWidth + 1));
    compare<double>(text, rows, theirs, 1e-9, 1e-12);
    lightgbm->free_booster(saved);
    lightgbm->free_booster(booster);
    lightgbm->free_dataset(dataset);
  }
}

}  // namespace coeval::models
