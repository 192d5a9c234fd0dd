// XGBoost's own predictions as oracle: 0 bits may differ. (semantics: A6, native_models.md §1)

#include <doctest/doctest.h>

#include <algorithm>
#include <bit>
#include <string>
#include <vector>

#include "models/forest.h"
#include "models/oracle_rows.h"
#include "models/xgboost_model.h"
#include "models/xgboost_oracle.h"

namespace coeval::models {
namespace {

std::vector<float> transformed(const Forest& forest, std::span<const float> margins) {
  std::vector<float> out(margins.size());
  std::ranges::transform(margins, out.begin(), [&](float m) { return forest.transform(m); });
  return out;
}

std::vector<float> one_by_one(const Forest& forest, std::span<const float> rows) {
  std::vector<float> out;
  for (std::size_t at = 0; at < rows.size(); at += forest.width()) {
    out.push_back(forest.margin(rows.subspan(at, forest.width())));
  }
  return out;
}

void compare(const XgboostOracle& xgboost, XgboostOracle::Handle booster) {
  const std::string bytes = xgboost.save(booster);
  const auto forest = Forest::from_xgboost_ubj(bytes);
  REQUIRE_MESSAGE(forest.has_value(), (forest ? "" : one_line(forest.error())));
  const auto source = read_xgboost(bytes);
  REQUIRE(source.has_value());
  const std::vector<float> rows = adversarial_rows(*source);
  std::vector<float> margins(kAdversarialRows);
  forest->margins(rows, margins);

  const std::string array = XgboostOracle::array_json(rows, kWidth);
  CHECK(count_bit_differences(std::span<const float>(margins),
                              xgboost.predict(booster, array, XgboostOracle::config(1).c_str())) ==
        0);
  CHECK(count_bit_differences(std::span<const float>(transformed(*forest, margins)),
                              xgboost.predict(booster, array, XgboostOracle::config(0).c_str())) ==
        0);
  CHECK(count_bit_differences<float>(margins, one_by_one(*forest, rows)) == 0);
  CHECK(count_distinct(margins) > 50);
}

struct Kind {
  const char* name;
  XgboostOracle::Parameters parameters;
  int rounds;
};

const std::vector<Kind>& binary_kinds() {
  static const std::vector<Kind> kinds = {
      {"depth 6", {{"max_depth", "6"}, {"max_cat_to_onehot", "4"}}, 30},
      {"depth 10", {{"max_depth", "10"}, {"min_child_weight", "0.1"}}, 12},
      {"lossguide",
       {{"grow_policy", "lossguide"}, {"max_leaves", "200"}, {"max_depth", "0"}, {"eta", "1"}},
       12},
      {"all categories one-hot", {{"max_cat_to_onehot", "1000"}, {"max_depth", "5"}}, 25},
      {"all categories by partition",
       {{"max_cat_to_onehot", "1"}, {"max_cat_threshold", "300"}},
       25},
      {"sampled rows and columns",
       {{"subsample", "0.7"}, {"colsample_bytree", "0.6"}, {"colsample_bynode", "0.7"}},
       31},
      {"several trees a round", {{"num_parallel_tree", "3"}, {"subsample", "0.7"}}, 7},
      {"pruned", {{"gamma", "8"}, {"max_depth", "8"}}, 15},
      {"stumps and single leaves", {{"max_depth", "1"}, {"gamma", "30"}}, 12},
      {"given base score of one half", {{"base_score", "0.5"}}, 3},
      {"few bins", {{"max_bin", "16"}, {"max_depth", "3"}}, 9},
  };
  return kinds;
}

}  // namespace

TEST_CASE("margins and probabilities equal XGBoost's bit for bit on 100,000 adversarial rows") {
  const auto xgboost = open_oracle<XgboostOracle>();
  if (!xgboost) return;
  const Training data = make_training();
  const auto matrix = xgboost->make_matrix(data.rows, data.binary_label, kTypes);
  for (const Kind& kind : binary_kinds()) {
    CAPTURE(std::string(kind.name));
    auto parameters = kind.parameters;
    parameters.emplace_back("objective", "binary:logistic");
    const auto booster = xgboost->train(matrix, parameters, kind.rounds);
    compare(*xgboost, booster);
    xgboost->free_booster(booster);
  }
  xgboost->free_matrix(matrix);
}

TEST_CASE("a forest of numbers alone equals XGBoost's bit for bit") {
  const auto xgboost = open_oracle<XgboostOracle>();
  if (!xgboost) return;
  const Training data = make_training();
  const std::vector<const char*> numbers(kWidth, "q");
  const auto matrix = xgboost->make_matrix(data.rows, data.binary_label, numbers);
  const auto booster =
      xgboost->train(matrix, {{"objective", "reg:logistic"}, {"max_depth", "9"}}, 21);
  compare(*xgboost, booster);
  xgboost->free_booster(booster);
  xgboost->free_matrix(matrix);
}

TEST_CASE("a regression equals XGBoost's bit for bit") {
  const auto xgboost = open_oracle<XgboostOracle>();
  if (!xgboost) return;
  const Training data = make_training();
  const auto matrix = xgboost->make_matrix(data.rows, data.real_label, kTypes);
  const auto booster = xgboost->train(matrix, {{"objective", "reg:squarederror"}}, 22);
  compare(*xgboost, booster);
  xgboost->free_booster(booster);
  xgboost->free_matrix(matrix);
}

TEST_CASE("labels of one class give XGBoost's clamped base margin") {
  const auto xgboost = open_oracle<XgboostOracle>();
  if (!xgboost) return;
  const Training data = make_training();
  for (const float label : {0.0f, 1.0f}) {
    const std::vector<float> labels(kTrainingRows, label);
    const auto matrix = xgboost->make_matrix(data.rows, labels, kTypes);
    const auto booster = xgboost->train(matrix, {{"objective", "binary:logistic"}}, 1);
    const auto forest = Forest::from_xgboost_ubj(xgboost->save(booster));
    REQUIRE(forest.has_value());
    const auto row = std::span(data.rows).first(kWidth);
    const std::string array = XgboostOracle::array_json(row, kWidth);
    const float theirs = xgboost->predict(booster, array, XgboostOracle::config(1).c_str())[0];
    CHECK(std::bit_cast<std::uint32_t>(forest->margin(row)) ==
          std::bit_cast<std::uint32_t>(theirs));
    xgboost->free_booster(booster);
    xgboost->free_matrix(matrix);
  }
}

TEST_CASE("trees after the best iteration are left out") {
  const auto xgboost = open_oracle<XgboostOracle>();
  if (!xgboost) return;
  const Training data = make_training();
  const auto matrix = xgboost->make_matrix(data.rows, data.binary_label, kTypes);
  const auto booster =
      xgboost->train(matrix, {{"objective", "binary:logistic"}, {"num_parallel_tree", "2"}}, 6);
  xgboost->set_attribute(booster, "best_iteration", "2");
  const auto forest = Forest::from_xgboost_ubj(xgboost->save(booster));
  REQUIRE(forest.has_value());
  CHECK(forest->trees() == 6);
  std::vector<float> margins(kTrainingRows);
  forest->margins(data.rows, margins);
  const std::string array = XgboostOracle::array_json(data.rows, kWidth);
  const auto theirs = xgboost->predict(booster, array, XgboostOracle::config(1, 3).c_str());
  CHECK(count_bit_differences<float>(margins, theirs) == 0);
  xgboost->free_booster(booster);
  xgboost->free_matrix(matrix);
}

}  // namespace coeval::models
