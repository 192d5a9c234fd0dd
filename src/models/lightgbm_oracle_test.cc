// LightGBM's own predictions as oracle: 0 bits may differ. (semantics: A6, native_models.md §2)

#include "models/lightgbm_oracle.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "models/forest.h"
#include "models/lightgbm_model.h"
#include "models/oracle_rows.h"

namespace coeval::models {
namespace {

const std::string kCategories = "categorical_feature=10,11,12,13 ";
const std::string kCommon =
    "num_threads=1 deterministic=true force_col_wise=true verbosity=-1 min_data_in_leaf=5 ";

enum class Label { binary, real, positive, classes };

struct Kind {
  std::string name, parameters;
  Label label = Label::binary;
  std::size_t outputs = 1;
  int rounds = 25;
  bool categories = true;
};

const std::vector<Kind>& kinds() {
  static const std::vector<Kind> all = {
      {"binary", "objective=binary"},
      {"many leaves", "objective=binary num_leaves=200 max_bin=1000"},
      {"sigmoid 0.7", "objective=binary sigmoid=0.7"},
      {"numbers alone", "objective=binary", Label::binary, 1, 25, false},
      {"zero is missing", "objective=binary zero_as_missing=true"},
      {"nothing is missing", "objective=binary use_missing=false"},
      {"one-hot categories", "objective=binary max_cat_to_onehot=1000"},
      {"bagging", "objective=binary bagging_fraction=0.5 bagging_freq=1 feature_fraction=0.6"},
      {"multiclass", "objective=multiclass num_class=4", Label::classes, 4, 12},
      {"one against all", "objective=multiclassova num_class=4 sigmoid=1.3", Label::classes, 4, 12},
      {"lambdarank", "objective=lambdarank", Label::classes},
      {"rank_xendcg", "objective=rank_xendcg", Label::classes},
      {"L2", "objective=regression", Label::real},
      {"L2 of the root", "objective=regression reg_sqrt=true", Label::real},
      {"L1", "objective=regression_l1", Label::real},
      {"Huber", "objective=huber", Label::real},
      {"fair", "objective=fair", Label::real},
      {"quantile", "objective=quantile alpha=0.8", Label::real},
      {"mape", "objective=mape", Label::positive},
      {"poisson", "objective=poisson", Label::positive},
      {"gamma", "objective=gamma", Label::positive},
      {"tweedie", "objective=tweedie tweedie_variance_power=1.3", Label::positive},
      {"cross-entropy", "objective=cross_entropy"},
      {"cross-entropy, lambda", "objective=cross_entropy_lambda"},
      {"random forest", "objective=binary boosting=rf bagging_fraction=0.6 bagging_freq=1"},
      {"random forest of classes",
       "objective=multiclass num_class=4 boosting=rf bagging_fraction=0.6 bagging_freq=1",
       Label::classes, 4, 7},
      {"dart", "objective=binary boosting=dart drop_rate=0.4"},
      {"quantised gradients", "objective=binary use_quantized_grad=true"},
      {"single leaves", "objective=binary min_data_in_leaf=5000", Label::binary, 1, 3},
  };
  return all;
}

std::span<const float> label_of(const Training& data, Label label) {
  switch (label) {
    case Label::real:
      return data.real_label;
    case Label::positive:
      return data.positive_label;
    case Label::classes:
      return data.class_label;
    default:
      return data.binary_label;
  }
}

std::vector<double> one_by_one(const Forest& forest, std::span<const float> rows) {
  std::vector<double> out(rows.size() / forest.width() * forest.outputs());
  for (std::size_t row = 0; row * forest.width() < rows.size(); ++row) {
    forest.margins(rows.subspan(row * forest.width(), forest.width()),
                   std::span(out).subspan(row * forest.outputs(), forest.outputs()));
  }
  return out;
}

void compare(const LightgbmOracle& lightgbm, LightgbmOracle::Handle booster, const Kind& kind) {
  const std::string text = lightgbm.save(booster);
  const auto source = read_lightgbm(text);
  REQUIRE_MESSAGE(source.has_value(), (source ? "" : one_line(source.error())));
  const auto forest = Forest::read(text);
  REQUIRE_MESSAGE(forest.has_value(), (forest ? "" : one_line(forest.error())));
  REQUIRE(forest->width() == kWidth);
  REQUIRE(forest->outputs() == kind.outputs);
  // A saved model is what is served: the booster in memory has not been through the text.
  const auto saved = lightgbm.load_booster(text);
  const std::vector<float> rows = adversarial_rows(*source);
  const auto their_margins =
      lightgbm.predict(saved, rows, kWidth, LightgbmOracle::kMargins, kind.outputs);
  const auto their_scores =
      lightgbm.predict(saved, rows, kWidth, LightgbmOracle::kScores, kind.outputs);
  lightgbm.free_booster(saved);

  std::vector<double> margins(their_margins.size()), scores(their_scores.size());
  forest->predict(rows, margins, scores);
  CHECK(count_bit_differences<double>(margins, their_margins) == 0);
  CHECK(count_bit_differences<double>(scores, their_scores) == 0);
  CHECK(count_bit_differences<double>(margins, one_by_one(*forest, rows)) == 0);
  if (kind.name != "single leaves") CHECK(count_distinct(margins) > 50);

  std::vector<float> narrow_margins(margins.size()), narrow_scores(scores.size());
  forest->predict(rows, narrow_margins, narrow_scores);
  const std::vector<float> rounded(their_scores.begin(), their_scores.end());
  CHECK(count_bit_differences<float>(narrow_scores, rounded) == 0);
}

}  // namespace

TEST_CASE("every objective and booster of LightGBM, bit for bit on 100,000 adversarial rows") {
  const auto lightgbm = open_oracle<LightgbmOracle>();
  if (!lightgbm) return;
  const Training data = make_training();
  for (const Kind& kind : kinds()) {
    CAPTURE(kind.name);
    const std::string parameters = kCommon + (kind.categories ? kCategories : "") + kind.parameters;
    const auto dataset =
        lightgbm->make_dataset(data.rows, kWidth, label_of(data, kind.label), parameters);
    if (kind.name.contains("rank")) {
      lightgbm->set_groups(dataset, std::vector<std::int32_t>(kTrainingRows / 20, 20));
    }
    const auto booster = lightgbm->train(dataset, parameters, kind.rounds);
    compare(*lightgbm, booster, kind);
    lightgbm->free_booster(booster);
    lightgbm->free_dataset(dataset);
  }
}

TEST_CASE("linear trees of LightGBM are refused by name") {
  const auto lightgbm = open_oracle<LightgbmOracle>();
  if (!lightgbm) return;
  const Training data = make_training();
  const std::string parameters = kCommon + "objective=regression linear_tree=true";
  const auto dataset = lightgbm->make_dataset(data.rows, kWidth, data.real_label, parameters);
  const auto booster = lightgbm->train(dataset, parameters, 2);
  const auto forest = Forest::read(lightgbm->save(booster));
  REQUIRE(!forest.has_value());
  CHECK(forest.error().code == Code::unsupported);
  CHECK_MESSAGE(forest.error().message.contains("linear trees"), forest.error().message);
  lightgbm->free_booster(booster);
  lightgbm->free_dataset(dataset);
}

}  // namespace coeval::models
