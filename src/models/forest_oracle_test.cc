// XGBoost's own predictions as oracle: 0 bits may differ. (semantics: A6, native_models.md §1)

#include <doctest/doctest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "models/forest.h"
#include "models/xgboost_model.h"
#include "models/xgboost_oracle.h"

namespace coeval::models {
namespace {

constexpr std::size_t kWidth = 14;
constexpr std::size_t kFirstCategory = 10;
constexpr std::size_t kTrainingRows = 6000;
constexpr std::size_t kAdversarialRows = 100'000;
/// Distinct codes of the last four columns: below and above max_cat_to_onehot.
constexpr int kCodes[] = {3, 8, 60, 400};

const std::vector<const char*> kTypes = {"q", "q", "q", "q", "q", "q", "q",
                                         "q", "q", "q", "c", "c", "c", "c"};

struct Training {
  std::vector<float> rows, real_label, binary_label;
};

/// Numbers with ties, heavy tails and missing cells, codes with their own effects.
Training make_training() {
  std::mt19937_64 random(7);
  std::normal_distribution<float> normal;
  Training data;
  for (std::size_t row = 0; row < kTrainingRows; ++row) {
    float cells[kWidth];
    for (std::size_t i = 0; i < kFirstCategory; ++i) {
      cells[i] = normal(random);
      if (i % 3 == 1) cells[i] = std::round(cells[i] * 4);
      if (i % 3 == 2) cells[i] = std::exp(10 * cells[i]);
    }
    for (std::size_t i = kFirstCategory; i < kWidth; ++i) {
      cells[i] = static_cast<float>(random() % static_cast<unsigned>(kCodes[i - kFirstCategory]));
    }
    const float effect = cells[0] + cells[1] / 4 + std::sin(cells[kFirstCategory + 2] * 12.9898f) +
                         std::cos(cells[kFirstCategory + 3] * 78.233f) + cells[10];
    data.real_label.push_back(effect + normal(random));
    data.binary_label.push_back(effect + normal(random) > 1 ? 1.0f : 0.0f);
    for (float& cell : cells) {
      if (random() % 10 == 0) cell = std::numeric_limits<float>::quiet_NaN();
    }
    data.rows.insert(data.rows.end(), cells, cells + kWidth);
  }
  return data;
}

/// Every threshold of the model, its neighbours, and the values that break careless readers.
std::vector<std::vector<float>> adversarial_cells(const std::string& model_bytes) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  std::vector<std::vector<float>> cells(
      kWidth, {0.0f, -0.0f, kInfinity, -kInfinity, std::numeric_limits<float>::denorm_min(),
               -std::numeric_limits<float>::denorm_min(), 3.4e38f, -3.4e38f,
               std::numeric_limits<float>::quiet_NaN(), 1e-38f, 1.0f, -1.0f});
  const auto model = read_xgboost_ubj(model_bytes);
  REQUIRE(model.has_value());
  for (const XgboostTree& tree : model->trees) {
    for (std::size_t node = 0; node < tree.size(); ++node) {
      if (tree.left[node] == -1 || tree.categorical[node] != 0) continue;
      const float threshold = tree.conditions[node];
      auto& column = cells[static_cast<std::size_t>(tree.columns[node])];
      column.insert(column.end(), {threshold, std::nextafter(threshold, -kInfinity),
                                   std::nextafter(threshold, kInfinity)});
    }
  }
  for (std::size_t i = kFirstCategory; i < kWidth; ++i) {
    const int codes = kCodes[i - kFirstCategory];
    for (int code = 0; code < codes; ++code) cells[i].push_back(static_cast<float>(code));
    for (const float odd : {-0.3f, -1.0f, 2.5f, 0.999f, 16777215.0f, 16777216.0f, 1e9f}) {
      cells[i].push_back(odd);
    }
    for (const int past : {0, 1, 31, 32, 64}) cells[i].push_back(static_cast<float>(codes + past));
  }
  return cells;
}

std::vector<float> adversarial_rows(const std::string& model_bytes) {
  const auto cells = adversarial_cells(model_bytes);
  std::mt19937_64 random(11);
  std::vector<float> rows;
  rows.reserve(kAdversarialRows * kWidth);
  for (std::size_t row = 0; row < kAdversarialRows; ++row) {
    for (const auto& column : cells) rows.push_back(column[random() % column.size()]);
  }
  return rows;
}

std::size_t count_bit_differences(std::span<const float> a, std::span<const float> b) {
  REQUIRE(a.size() == b.size());
  std::size_t differences = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    differences += std::bit_cast<std::uint32_t>(a[i]) != std::bit_cast<std::uint32_t>(b[i]);
  }
  return differences;
}

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
  const std::vector<float> rows = adversarial_rows(bytes);
  std::vector<float> margins(kAdversarialRows);
  forest->margins(rows, margins);

  const std::string array = XgboostOracle::array_json(rows, kWidth);
  CHECK(count_bit_differences(
            margins, xgboost.predict(booster, array, XgboostOracle::config(1).c_str())) == 0);
  CHECK(count_bit_differences(transformed(*forest, margins),
                              xgboost.predict(booster, array, XgboostOracle::config(0).c_str())) ==
        0);
  CHECK(count_bit_differences(margins, one_by_one(*forest, rows)) == 0);
  // The rows must reach different leaves, or equal bits would mean nothing.
  std::ranges::sort(margins);
  const auto distinct = std::ranges::unique(margins);
  CHECK(margins.size() - distinct.size() > 50);
}

/// The oracle, or null after saying why. Absent although `./dev setup` ran is a failure.
std::unique_ptr<XgboostOracle> open_oracle() {
  if (!XgboostOracle::is_expected()) {
    MESSAGE("not compared with XGBoost: there is no third_party folder; run ./dev setup");
    return nullptr;
  }
  try {
    return std::make_unique<XgboostOracle>();
  } catch (const std::exception& error) {
    FAIL_CHECK(error.what() << "; run ./dev setup");
    return nullptr;
  }
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
  const auto xgboost = open_oracle();
  if (!xgboost) return;
  const Training data = make_training();
  const auto matrix = xgboost->make_matrix(data.rows, data.binary_label, kTypes);
  for (const Kind& kind : binary_kinds()) {
    CAPTURE(kind.name);
    auto parameters = kind.parameters;
    parameters.emplace_back("objective", "binary:logistic");
    const auto booster = xgboost->train(matrix, parameters, kind.rounds);
    compare(*xgboost, booster);
    xgboost->free_booster(booster);
  }
  xgboost->free_matrix(matrix);
}

TEST_CASE("a forest of numbers alone equals XGBoost's bit for bit") {
  const auto xgboost = open_oracle();
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
  const auto xgboost = open_oracle();
  if (!xgboost) return;
  const Training data = make_training();
  const auto matrix = xgboost->make_matrix(data.rows, data.real_label, kTypes);
  const auto booster = xgboost->train(matrix, {{"objective", "reg:squarederror"}}, 22);
  compare(*xgboost, booster);
  xgboost->free_booster(booster);
  xgboost->free_matrix(matrix);
}

TEST_CASE("labels of one class give XGBoost's clamped base margin") {
  const auto xgboost = open_oracle();
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
  const auto xgboost = open_oracle();
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
  CHECK(count_bit_differences(margins, theirs) == 0);
  xgboost->free_booster(booster);
  xgboost->free_matrix(matrix);
}

}  // namespace coeval::models
