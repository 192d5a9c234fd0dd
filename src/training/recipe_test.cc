#include "training/recipe.h"

#include <doctest/doctest.h>

#include <functional>
#include <set>

namespace coeval::training {
namespace {

Recipe example() {
  return {.dataset_id = "d1",
          .ir_hash = "i1",
          .split = {.train_until_us = 1, .validate_until_us = 2, .test_until_us = 3},
          .params = {{"eta", "0.1"}, {"max_depth", "6"}},
          .seed = 7,
          .rounds = 150,
          .early_stopping_rounds = 0,
          .trainer = "xgboost",
          .engine = "xgboost 3.4.1",
          .coeval = "0.1.0"};
}

}  // namespace

TEST_CASE("the recipe's text is fixed, so that ids stay comparable over versions") {
  CHECK(canonical_text(example()) ==
        R"({"recipe":1,"dataset_id":"d1","ir_hash":"i1","split":{"train_until_us":1,)"
        R"("validate_until_us":2,"test_until_us":3},"params":[["eta","0.1"],["max_depth","6"]],)"
        R"("seed":"7","rounds":150,"early_stopping_rounds":0,"trainer":"xgboost",)"
        R"("engine":"xgboost 3.4.1","coeval":"0.1.0"})");
}

// The digest was computed with sha256sum over the text above.
TEST_CASE("the recipe's id is the sha256 of its text") {
  CHECK(recipe_id(example()) == "59d56268a839c605bb362313f739f74ffc4368804e93d5e05136da99fe3b5847");
}

TEST_CASE("the order of the parameters does not change the id") {
  Recipe swapped = example();
  std::swap(swapped.params[0], swapped.params[1]);
  CHECK(recipe_id(swapped) == recipe_id(example()));
}

TEST_CASE("every part of the recipe changes the id") {
  const std::vector<std::function<void(Recipe&)>> changes = {
      [](Recipe& r) { r.dataset_id = "d2"; },
      [](Recipe& r) { r.ir_hash = "i2"; },
      [](Recipe& r) { r.split.train_until_us = 0; },
      [](Recipe& r) { r.split.validate_until_us = 0; },
      [](Recipe& r) { r.split.test_until_us = 0; },
      [](Recipe& r) { r.params[0].second = "0.2"; },
      [](Recipe& r) { r.params[0].first = "eta2"; },
      [](Recipe& r) { r.params.pop_back(); },
      [](Recipe& r) { r.seed = ~std::uint64_t{0}; },
      [](Recipe& r) { r.rounds = 151; },
      [](Recipe& r) { r.early_stopping_rounds = 5; },
      [](Recipe& r) { r.trainer = "lightgbm"; },
      [](Recipe& r) { r.engine = "xgboost 3.4.2"; },
      [](Recipe& r) { r.coeval = "0.1.1"; },
  };
  std::set<std::string> ids{recipe_id(example())};
  for (const auto& change : changes) {
    Recipe changed = example();
    change(changed);
    ids.insert(recipe_id(changed));
  }
  CHECK(ids.size() == changes.size() + 1);
}

TEST_CASE("text that moves between fields gives another id") {
  Recipe left = example(), right = example();
  left.params = {{"a", "b\",\"c"}};
  right.params = {{"a\",\"b", "c"}};
  CHECK(recipe_id(left) != recipe_id(right));
}

}  // namespace coeval::training
