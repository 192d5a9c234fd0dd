// What models/onnx_export.h writes, run in ONNX Runtime, against our own forests and linear models.

#include <doctest/doctest.h>

#include <bit>
#include <cstdlib>
#include <string>
#include <vector>

#include "adapters/onnxruntime/library_for_tests.h"
#include "adapters/onnxruntime/onnx_session.h"
#include "models/boundary_rows.h"
#include "models/lightgbm_model.h"
#include "models/lightgbm_oracle.h"
#include "models/onnx_export.h"
#include "models/onnx_file.h"
#include "models/oracle_rows.h"
#include "models/test_files.h"
#include "models/xgboost_model.h"
#include "models/xgboost_oracle.h"

namespace coeval::adapters {
namespace {

using namespace models;
using stats::CalibrationMap;

constexpr std::size_t kRows = 10'000;
/// An exp that is one float32 off moves 1 / (1 + exp) by up to two.
constexpr std::int64_t kMostSteps = 2;

struct Kind {
  const char* name;
  std::vector<std::pair<std::string, std::string>> parameters;
  bool positive = false;  ///< of numbers above 0, not of 0 and 1
};

std::shared_ptr<const Session> opened(const Result<std::string>& onnx) {
  REQUIRE_MESSAGE(onnx.has_value(), (onnx ? "" : one_line(onnx.error())));
  auto session = open_onnx(onnxruntime_folder(), *onnx);
  REQUIRE_MESSAGE(session.has_value(), (session ? "" : one_line(session.error())));
  return *session;
}

/// Places of float32 between two numbers.
std::int64_t steps_between(float a, float b) {
  const auto place = [](float value) {
    const auto bits = static_cast<std::int64_t>(std::bit_cast<std::uint32_t>(std::abs(value)));
    return std::signbit(value) ? -bits : bits;
  };
  return std::abs(place(a) - place(b));
}

struct Differences {
  std::size_t margins = 0, scores = 0;
  std::int64_t most_steps = 0;  ///< of a score
};

Differences compare(const Session& session, std::span<const float> rows,
                    std::span<const float> margins, std::span<const float> scores) {
  std::vector<float> their_margins(margins.size()), their_scores(scores.size());
  const Status done = session.predict(rows, their_margins, their_scores);
  REQUIRE_MESSAGE(done.has_value(), (done ? "" : one_line(done.error())));
  Differences found;
  found.margins = count_bit_differences<float>(margins, their_margins);
  found.scores = count_bit_differences<float>(scores, their_scores);
  for (std::size_t i = 0; i < scores.size(); ++i)
    found.most_steps = std::max(found.most_steps, steps_between(scores[i], their_scores[i]));
  return found;
}

/// The margin of every row has the same bits; a score may be a float32 beside, seldom.
void check_forest(const std::string& bytes, std::span<const float> rows) {
  const auto source = is_lightgbm(bytes) ? read_lightgbm(bytes) : read_xgboost(bytes);
  REQUIRE_MESSAGE(source.has_value(), (source ? "" : one_line(source.error())));
  const auto forest = Forest::read(bytes);
  REQUIRE(forest.has_value());
  std::vector<float> margins(rows.size() / forest->width()), scores(margins.size());
  forest->predict(rows, margins, scores);
  const auto found = compare(*opened(forest_to_onnx(*source, {}, {})), rows, margins, scores);
  CHECK(found.margins == 0);
  CHECK(found.scores * 1000 <= margins.size());
  CHECK(found.most_steps <= kMostSteps);
}

std::span<const float> first_rows(const std::vector<float>& rows) {
  return std::span(rows).first(kRows * kWidth);
}

const std::vector<Kind>& xgboost_kinds() {
  static const std::vector<Kind> all = {
      {"binary", {{"objective", "binary:logistic"}, {"max_depth", "6"}}},
      {"one-hot categories", {{"objective", "binary:logistic"}, {"max_cat_to_onehot", "1000"}}},
      {"logitraw", {{"objective", "binary:logitraw"}}},
      {"hinge", {{"objective", "binary:hinge"}}},
      {"squared error", {{"objective", "reg:squarederror"}}, true},
      {"one quantile", {{"objective", "reg:quantileerror"}, {"quantile_alpha", "0.9"}}, true},
      {"gamma", {{"objective", "reg:gamma"}}, true},
      {"DART", {{"objective", "binary:logistic"}, {"rate_drop", "0.3"}, {"one_drop", "1"}}},
  };
  return all;
}

const std::vector<Kind>& lightgbm_kinds() {
  static const std::vector<Kind> all = {
      {"binary", {{"objective", "binary"}}},
      {"sigmoid 0.7", {{"objective", "binary"}, {"sigmoid", "0.7"}}},
      {"zero is missing", {{"objective", "binary"}, {"zero_as_missing", "true"}}},
      {"nothing is missing", {{"objective", "binary"}, {"use_missing", "false"}}},
      {"one-hot categories", {{"objective", "binary"}, {"max_cat_to_onehot", "1000"}}},
      {"L2 of the root", {{"objective", "regression"}, {"reg_sqrt", "true"}}, true},
      {"poisson", {{"objective", "poisson"}}, true},
      {"cross-entropy, lambda", {{"objective", "cross_entropy_lambda"}}},
      {"random forest",
       {{"objective", "binary"},
        {"boosting", "rf"},
        {"bagging_fraction", "0.6"},
        {"bagging_freq", "1"}}},
      {"single leaves", {{"objective", "binary"}, {"min_data_in_leaf", "5000"}}},
  };
  return all;
}

/// A linear model of numbers and two categories.
LinearModel linear(LinearLink link) {
  LinearParts parts;
  parts.link = link;
  parts.intercept = -0.3;
  for (std::size_t i = 0; i < 5; ++i) {
    LinearTerm term;
    term.name = "x" + std::to_string(i);
    term.mean = 0.1 * static_cast<double>(i);
    term.coefficient = 0.7 - 0.3 * static_cast<double>(i);
    term.missing = 0.05;
    term.categorical = i >= 3;
    if (term.categorical) {
      term.mean = term.coefficient = 0;
      for (int code = 0; code < 7; ++code) term.coefficients.push_back(0.11 * code - 0.4);
    }
    parts.terms.push_back(term);
  }
  auto model = LinearModel::make(parts);
  REQUIRE_MESSAGE(model.has_value(), (model ? "" : one_line(model.error())));
  return std::move(*model);
}

/// Rows without numbers so large that a margin is infinite.
std::vector<float> linear_rows(const LinearModel& model) {
  std::vector<float> rows = boundary_rows(model, kRows);
  for (float& cell : rows)
    if (std::abs(cell) > 1e9f && std::isfinite(cell)) cell = 12.5f;
  return rows;
}

}  // namespace

TEST_CASE("XGBoost's forests keep every margin's bits in ONNX Runtime") {
  const auto xgboost = open_oracle<XgboostOracle>();
  if (!xgboost) return;
  const Training data = make_training();
  for (const Kind& kind : xgboost_kinds()) {
    CAPTURE(std::string(kind.name));
    const auto& label = kind.positive ? data.positive_label : data.binary_label;
    const auto matrix = xgboost->make_matrix(data.rows, label, kTypes);
    const auto booster = xgboost->train(matrix, kind.parameters, 25);
    const std::string bytes = xgboost->save(booster);
    check_forest(bytes, first_rows(adversarial_rows(*read_xgboost(bytes))));
    xgboost->free_booster(booster);
    xgboost->free_matrix(matrix);
  }
}

TEST_CASE("LightGBM's forests keep every margin's bits in ONNX Runtime") {
  const auto lightgbm = open_oracle<LightgbmOracle>();
  if (!lightgbm) return;
  const Training data = make_training();
  for (const Kind& kind : lightgbm_kinds()) {
    CAPTURE(std::string(kind.name));
    std::string parameters =
        "num_threads=1 deterministic=true force_col_wise=true verbosity=-1 "
        "categorical_feature=10,11,12,13";
    for (const auto& [key, value] : kind.parameters) parameters += " " + key + "=" + value;
    const auto& label = kind.positive ? data.positive_label : data.binary_label;
    const auto dataset = lightgbm->make_dataset(data.rows, kWidth, label, parameters);
    const auto booster = lightgbm->train(dataset, parameters, 20);
    const std::string text = lightgbm->save(booster);
    check_forest(text, first_rows(adversarial_rows(*read_lightgbm(text))));
    lightgbm->free_booster(booster);
    lightgbm->free_dataset(dataset);
  }
}

TEST_CASE("forests of older versions, on rows at their own boundaries") {
  for (const char* name : {"v1_7.ubj", "v3_4.ubj", "lightgbm_v4.txt"}) {
    CAPTURE(std::string(name));
    const std::string bytes = test_data(name);
    const auto source = is_lightgbm(bytes) ? read_lightgbm(bytes) : read_xgboost(bytes);
    REQUIRE(source.has_value());
    check_forest(bytes, boundary_rows(*source, kRows));
  }
}

TEST_CASE("linear models keep every margin's bits in ONNX Runtime") {
  for (const LinearLink link : {LinearLink::logistic, LinearLink::identity}) {
    const LinearModel model = linear(link);
    const std::vector<float> rows = linear_rows(model);
    std::vector<float> margins(kRows), scores(kRows);
    model.predict(rows, margins, scores);
    CHECK(count_distinct(scores) > 50);
    const auto found = compare(*opened(linear_to_onnx(model, {}, {})), rows, margins, scores);
    CHECK(found.margins == 0);
    CHECK(found.scores * 1000 <= kRows);
    CHECK(found.most_steps <= kMostSteps);
  }
}

TEST_CASE("a calibration goes along") {
  CalibrationMap platt, isotonic, one_knot;
  platt.slope = -5.5;
  platt.intercept = 2.25;
  isotonic.kind = one_knot.kind = CalibrationMap::Kind::isotonic;
  for (int i = 0; i < 200; ++i) {
    isotonic.scores.push_back(0.1 + 0.004 * i);
    isotonic.values.push_back(0.001 * i * i / 40);
  }
  one_knot.scores = {0.5};
  one_knot.values = {0.25};
  const LinearModel model = linear(LinearLink::logistic);
  const std::vector<float> rows = linear_rows(model);
  for (const CalibrationMap& map : {platt, isotonic, one_knot}) {
    std::vector<float> margins(kRows), scores(kRows);
    model.predict(rows, margins, scores);
    for (float& score : scores) score = static_cast<float>(map.apply(static_cast<double>(score)));
    const auto found = compare(*opened(linear_to_onnx(model, map, {})), rows, margins, scores);
    CHECK(found.margins == 0);
    CHECK(found.scores * 1000 <= kRows);
    CHECK(found.most_steps <= kMostSteps);
  }
}

TEST_CASE("the file names its inputs and carries the texts that it was given") {
  const std::string bytes = test_data("v3_4.ubj");
  const auto onnx = forest_to_onnx(*read_xgboost(bytes), {}, {{"coeval.model", "risk"}});
  REQUIRE(onnx.has_value());
  CHECK(*onnx == *forest_to_onnx(*read_xgboost(bytes), {}, {{"coeval.model", "risk"}}));
  const auto file = read_onnx(*onnx);
  REQUIRE_MESSAGE(file.has_value(), (file ? "" : one_line(file.error())));
  CHECK(file->metadata.at("coeval.model") == "risk");
  CHECK(file->opsets.at("ai.onnx.ml") == 5);
  const auto signature = onnx_signature(*file);
  REQUIRE(signature.has_value());
  CHECK(signature->input == kOnnxInput);
  CHECK(signature->width == 5);
  CHECK(signature->margin == kOnnxMargin);
}

TEST_CASE("a model of several classes is refused by name") {
  const auto source = read_lightgbm(test_data("lightgbm_classes.txt"));
  REQUIRE(source.has_value());
  const auto onnx = forest_to_onnx(*source, {}, {});
  REQUIRE(!onnx.has_value());
  CHECK(onnx.error().code == Code::unsupported);
  CHECK_MESSAGE(onnx.error().message.contains("outputs"), onnx.error().message);
}

}  // namespace coeval::adapters
