#include "training/recipe.h"

#include <algorithm>

#include "data/hash.h"
#include "data/json.h"

namespace coeval::training {
namespace {

data::Json split_json(const define::Split& split) {
  data::Json json;
  json.set("train_until_us", split.train_until_us);
  json.set("validate_until_us", split.validate_until_us);
  json.set("test_until_us", split.test_until_us);
  return json;
}

data::Json params_json(std::vector<std::pair<std::string, std::string>> params) {
  std::ranges::sort(params);
  data::Json::Array pairs;
  for (auto& [key, value] : params) {
    pairs.emplace_back(data::Json::Array{std::move(key), std::move(value)});
  }
  return pairs;
}

}  // namespace

std::string canonical_text(const Recipe& recipe) {
  data::Json json;
  json.set("recipe", 1);
  json.set("dataset_id", recipe.dataset_id);
  json.set("ir_hash", recipe.ir_hash);
  json.set("split", split_json(recipe.split));
  json.set("params", params_json(recipe.params));
  // As text: a seed may use all 64 bits, a JSON integer of ours has 63.
  json.set("seed", std::to_string(recipe.seed));
  json.set("rounds", recipe.rounds);
  json.set("early_stopping_rounds", recipe.early_stopping_rounds);
  json.set("trainer", recipe.trainer);
  json.set("engine", recipe.engine);
  json.set("coeval", recipe.coeval);
  return json.dump();
}

std::string recipe_id(const Recipe& recipe) { return data::sha256_hex(canonical_text(recipe)); }

}  // namespace coeval::training
