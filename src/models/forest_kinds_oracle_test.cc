// The objectives, boosters and file formats beside binary classification: XGBoost's own predictions
// as oracle, 0 bits may differ. (semantics: A6, native_models.md §1)

#include <doctest/doctest.h>

#include <bit>
#include <string>
#include <vector>

#include "models/forest.h"
#include "models/oracle_rows.h"
#include "models/xgboost_model.h"
#include "models/xgboost_oracle.h"

namespace coeval::models {
namespace {

/// Which label a kind trains on.
enum class Label { binary, real, positive, classes, three_targets };

struct Kind {
  const char* name;
  Label label;
  XgboostOracle::Parameters parameters;
  std::size_t outputs = 1;
  int rounds = 20;
  std::size_t scores = outputs;
};

const std::vector<Kind>& kinds() {
  static const std::vector<Kind> all = {
      {"softprob", Label::classes, {{"objective", "multi:softprob"}, {"num_class", "4"}}, 4},
      {"softprob, several trees a round",
       Label::classes,
       {{"objective", "multi:softprob"},
        {"num_class", "4"},
        {"num_parallel_tree", "2"},
        {"subsample", "0.7"}},
       4,
       7},
      {"softmax", Label::classes, {{"objective", "multi:softmax"}, {"num_class", "4"}}, 4, 13, 1},
      {"three targets", Label::three_targets, {{"objective", "reg:squarederror"}}, 3},
      {"quantiles that may cross",
       Label::real,
       {{"objective", "reg:quantileerror"}, {"quantile_alpha", "[0.4,0.5,0.6]"}},
       3},
      {"one quantile",
       Label::real,
       {{"objective", "reg:quantileerror"}, {"quantile_alpha", "0.9"}}},
      {"rank:ndcg", Label::classes, {{"objective", "rank:ndcg"}, {"eval_metric", "ndcg"}}},
      {"rank:pairwise", Label::classes, {{"objective", "rank:pairwise"}, {"eval_metric", "ndcg"}}},
      {"rank:map", Label::binary, {{"objective", "rank:map"}, {"eval_metric", "map"}}},
      {"poisson", Label::classes, {{"objective", "count:poisson"}}},
      {"gamma", Label::positive, {{"objective", "reg:gamma"}}},
      {"tweedie",
       Label::positive,
       {{"objective", "reg:tweedie"}, {"tweedie_variance_power", "1.4"}}},
      {"absolute error", Label::real, {{"objective", "reg:absoluteerror"}}},
      {"squared log error", Label::positive, {{"objective", "reg:squaredlogerror"}}},
      {"pseudo-Huber", Label::real, {{"objective", "reg:pseudohubererror"}}},
      {"logitraw", Label::binary, {{"objective", "binary:logitraw"}}},
      {"hinge", Label::binary, {{"objective", "binary:hinge"}}},
      {"DART, by rate_drop",
       Label::binary,
       {{"objective", "binary:logistic"}, {"rate_drop", "0.3"}, {"one_drop", "1"}},
       1,
       30},
      {"DART, by booster",
       Label::classes,
       {{"objective", "multi:softprob"},
        {"num_class", "4"},
        {"booster", "dart"},
        {"rate_drop", "0.5"},
        {"normalize_type", "forest"}},
       4,
       15},
  };
  return all;
}

std::span<const float> label_of(const Training& data, Label label, std::vector<float>& targets) {
  switch (label) {
    case Label::binary:
      return data.binary_label;
    case Label::real:
      return data.real_label;
    case Label::positive:
      return data.positive_label;
    case Label::classes:
      return data.class_label;
    default:
      for (std::size_t i = 0; i < kTrainingRows; ++i) {
        targets.insert(targets.end(),
                       {data.real_label[i], data.binary_label[i], data.positive_label[i]});
      }
      return targets;
  }
}

std::vector<float> block_of_one(const Forest& forest, std::span<const float> rows) {
  std::vector<float> out(rows.size() / forest.width() * forest.outputs());
  for (std::size_t row = 0; row * forest.width() < rows.size(); ++row) {
    forest.margins(rows.subspan(row * forest.width(), forest.width()),
                   std::span(out).subspan(row * forest.outputs(), forest.outputs()));
  }
  return out;
}

/// As the files of versions before 3.4 have it: the trees inside the booster, the weights beside.
std::string older_dart_layout(std::string json) {
  const std::string model = R"("gradient_booster":{"model":{)";
  const std::size_t begin = json.find(model);
  REQUIRE(begin != std::string::npos);
  const std::size_t weights = json.find(R"("weight_drop":)", begin);
  REQUIRE(weights != std::string::npos);
  const std::size_t end = json.find(']', weights) + 1;
  const std::string stored = json.substr(weights, end - weights);
  const std::size_t close = json.find(R"(,"name":"gbtree"})", end);
  REQUIRE(close != std::string::npos);
  json.replace(close, std::string(R"(,"name":"gbtree"})").size(),
               R"(,"name":"gbtree"},"name":"dart",)" + stored + "}");
  json.replace(weights, end - weights, R"("unused":[])");
  return json.replace(begin, model.size(), R"("gradient_booster":{"gbtree":{"model":{)");
}

void compare(const XgboostOracle& xgboost, XgboostOracle::Handle booster, const Kind& kind) {
  const std::string bytes = xgboost.save(booster), json = xgboost.save(booster, "json");
  const auto source = read_xgboost(bytes);
  REQUIRE_MESSAGE(source.has_value(), (source ? "" : one_line(source.error())));
  const std::vector<float> rows = adversarial_rows(*source);
  const std::string array = XgboostOracle::array_json(rows, kWidth);
  const auto their_margins = xgboost.predict(booster, array, XgboostOracle::config(1).c_str());
  const std::vector<float> expected(their_margins.begin(), their_margins.end());
  const auto their_scores = xgboost.predict(booster, array, XgboostOracle::config(0).c_str());
  std::vector<std::string> files = {bytes, json};
  if (!json.contains(R"("weight_drop":[])") && json.contains(R"("weight_drop":[)")) {
    files.push_back(older_dart_layout(json));
  }
  for (const std::string& file : files) {
    const auto forest = Forest::read(file);
    REQUIRE_MESSAGE(forest.has_value(), (forest ? "" : one_line(forest.error())));
    CHECK(forest->outputs() == kind.outputs);
    CHECK(forest->scores() == kind.scores);
    std::vector<float> margins(kAdversarialRows * forest->outputs());
    std::vector<float> scores(kAdversarialRows * forest->scores());
    forest->predict(rows, margins, scores);
    CHECK(count_bit_differences<float>(margins, expected) == 0);
    CHECK(count_bit_differences<float>(scores, their_scores) == 0);
    CHECK(count_bit_differences<float>(margins, block_of_one(*forest, rows)) == 0);
    CHECK(count_distinct(margins) > 50);
  }
}

}  // namespace

TEST_CASE("every objective and booster of XGBoost, from UBJSON and JSON, bit for bit") {
  const auto xgboost = open_oracle<XgboostOracle>();
  if (!xgboost) return;
  const Training data = make_training();
  for (const Kind& kind : kinds()) {
    CAPTURE(std::string(kind.name));
    std::vector<float> targets;
    const auto label = label_of(data, kind.label, targets);
    const std::size_t width = kind.label == Label::three_targets ? 3 : 1;
    const auto matrix = xgboost->make_matrix(data.rows, label, kTypes, width);
    if (std::string(kind.name).starts_with("rank")) {
      xgboost->set_groups(matrix, std::vector<std::uint32_t>(kTrainingRows / 20, 20));
    }
    const auto booster = xgboost->train(matrix, kind.parameters, kind.rounds);
    compare(*xgboost, booster, kind);
    xgboost->free_booster(booster);
    xgboost->free_matrix(matrix);
  }
}

TEST_CASE(
    "several targets: a tree for each has the library's bits, vectors in leaves are refused") {
  const auto xgboost = open_oracle<XgboostOracle>();
  if (!xgboost) return;
  const Training data = make_training();
  std::vector<float> targets;
  const auto label = label_of(data, Label::three_targets, targets);
  const auto matrix =
      xgboost->make_matrix(data.rows, label, std::vector<const char*>(kWidth, "q"), 3);
  Kind kind{"three targets", Label::three_targets, {{"objective", "reg:squarederror"}}, 3};
  kind.parameters.emplace_back("multi_strategy", "one_output_per_tree");
  const auto one_each = xgboost->train(matrix, kind.parameters, 5);
  compare(*xgboost, one_each, kind);
  kind.parameters.back().second = "multi_output_tree";
  const auto vectors = xgboost->train(matrix, kind.parameters, 5);
  for (const char* format : {"ubj", "json"}) {
    const auto forest = Forest::read(xgboost->save(vectors, format));
    REQUIRE(!forest.has_value());
    CHECK(forest.error().code == Code::unsupported);
    CHECK_MESSAGE(forest.error().message.contains("vector leaves"), forest.error().message);
    CHECK(forest.error().advice.contains("one_output_per_tree"));
  }
  xgboost->free_booster(one_each);
  xgboost->free_booster(vectors);
  xgboost->free_matrix(matrix);
}

TEST_CASE("what is not supported of XGBoost is refused by name") {
  const auto xgboost = open_oracle<XgboostOracle>();
  if (!xgboost) return;
  const Training data = make_training();
  const std::vector<const char*> numbers(kWidth, "q");
  const auto matrix = xgboost->make_matrix(data.rows, data.class_label, numbers);
  const struct {
    XgboostOracle::Parameters parameters;
    const char* named;
  } refused[] = {
      {{{"objective", "reg:squarederror"}, {"booster", "gblinear"}}, "booster 'gblinear'"},
      {{{"objective", "multi:softprob"},
        {"num_class", "4"},
        {"multi_strategy", "multi_output_tree"}},
       "vector leaves"},
      {{{"objective", "survival:cox"}}, "objective 'survival:cox'"},
  };
  for (const auto& one : refused) {
    const auto booster = xgboost->train(matrix, one.parameters, 2);
    for (const char* format : {"ubj", "json"}) {
      const auto forest = Forest::read(xgboost->save(booster, format));
      REQUIRE(!forest.has_value());
      CHECK(forest.error().code == Code::unsupported);
      CHECK_MESSAGE(forest.error().message.contains(one.named), forest.error().message);
      CHECK(!forest.error().advice.empty());
    }
    xgboost->free_booster(booster);
  }
  xgboost->free_matrix(matrix);
}

}  // namespace coeval::models
