#include "models/xgboost_model.h"

#include <charconv>
#include <cmath>
#include <concepts>
#include <limits>
#include <string>

#include "models/ubj.h"

namespace coeval::models {
namespace {

/// More columns than any table that fits a row's budget; keeps the row's scratch space small.
constexpr std::int64_t kMaxColumns = 1 << 20;

std::unexpected<Error> bad_part(std::string_view part, const std::string& what) {
  return fail(Code::bad_model, "XGBoost model: '" + std::string(part) + "' " + what,
              "the file is damaged or of another format; take it from its source again");
}

std::unexpected<Error> not_supported(const std::string& what, std::string advice = {}) {
  return fail(Code::unsupported, "XGBoost model with " + what + " is not supported",
              std::move(advice));
}

Result<const Ubj*> member(const Ubj& object, std::string_view key) {
  const Ubj* found = object.find(key);
  if (found == nullptr) return bad_part(key, "is missing");
  return found;
}

Result<const Ubj*> member(const Ubj& object, std::string_view key, Ubj::Kind kind) {
  COEVAL_ASSIGN(const Ubj* found, member(object, key));
  if (found->kind() != kind) return bad_part(key, "has another type than expected");
  return found;
}

Result<std::string_view> text(const Ubj& object, std::string_view key) {
  COEVAL_ASSIGN(const Ubj* found, member(object, key, Ubj::Kind::string));
  return found->string();
}

template <class T>
Result<T> parse_number(std::string_view digits, std::string_view key) {
  T value{};
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error != std::errc() || end != digits.data() + digits.size()) {
    return bad_part(key, "is not a number: '" + std::string(digits.substr(0, 40)) + "'");
  }
  return value;
}

/// A whole number that XGBoost writes as a string; `absent` where old versions leave it out.
Result<std::int64_t> count_text(const Ubj& object, std::string_view key, std::int64_t absent) {
  if (object.find(key) == nullptr) return absent;
  COEVAL_ASSIGN(const std::string_view digits, text(object, key));
  return parse_number<std::int64_t>(digits, key);
}

template <std::integral T>
Result<std::vector<T>> integers(const Ubj& object, std::string_view key) {
  COEVAL_ASSIGN(const Ubj* array, member(object, key, Ubj::Kind::array));
  std::vector<T> values(array->size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    const auto element = array->integer_at(i);
    if (!element || *element < std::numeric_limits<T>::min() ||
        *element > std::numeric_limits<T>::max()) {
      return bad_part(key, "holds something other than integers");
    }
    values[i] = static_cast<T>(*element);
  }
  return values;
}

Result<std::vector<float>> reals(const Ubj& object, std::string_view key) {
  COEVAL_ASSIGN(const Ubj* array, member(object, key, Ubj::Kind::array));
  std::vector<float> values(array->size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    const auto element = array->real_at(i);
    if (!element) return bad_part(key, "holds something other than float32");
    values[i] = *element;
  }
  return values;
}

Result<XgboostObjective> read_objective(const Ubj& learner) {
  COEVAL_ASSIGN(const Ubj* objective, member(learner, "objective", Ubj::Kind::object));
  COEVAL_ASSIGN(const std::string_view name, text(*objective, "name"));
  if (name == "binary:logistic" || name == "reg:logistic") return XgboostObjective::logistic;
  if (name == "reg:squarederror") return XgboostObjective::identity;
  return not_supported("objective '" + std::string(name) + "'",
                       "train with binary:logistic, reg:logistic or reg:squarederror");
}

/// "5E-1" before XGBoost 3.1, "[5.495E-1]" since: one entry for each output.
Result<float> read_base_score(const Ubj& parameters) {
  COEVAL_ASSIGN(std::string_view digits, text(parameters, "base_score"));
  if (digits.starts_with('[')) {
    if (!digits.ends_with(']')) return bad_part("base_score", "lacks its ]");
    digits = digits.substr(1, digits.size() - 2);
  }
  return parse_number<float>(digits, "base_score");
}

Status read_parameters(const Ubj& learner, XgboostModel& model) {
  COEVAL_ASSIGN(const Ubj* parameters, member(learner, "learner_model_param", Ubj::Kind::object));
  for (const char* outputs : {"num_class", "num_target"}) {
    COEVAL_ASSIGN(const std::int64_t count, count_text(*parameters, outputs, 1));
    if (count > 1) return not_supported(std::to_string(count) + " outputs");
  }
  COEVAL_ASSIGN(const std::int64_t columns, count_text(*parameters, "num_feature", 0));
  if (columns < 1) return bad_part("num_feature", "is not positive");
  if (columns > kMaxColumns) return not_supported(std::to_string(columns) + " columns");
  model.width = static_cast<std::size_t>(columns);
  COEVAL_ASSIGN(model.base_score, read_base_score(*parameters));
  if (!std::isfinite(model.base_score)) return bad_part("base_score", "is not finite");
  return {};
}

Status check_tree_lengths(const XgboostTree& tree) {
  const std::size_t nodes = tree.size();
  if (nodes == 0) return bad_part("trees", "holds a tree without nodes");
  if (tree.right.size() != nodes || tree.columns.size() != nodes ||
      tree.conditions.size() != nodes || tree.default_left.size() != nodes ||
      tree.categorical.size() != nodes) {
    return bad_part("trees", "holds a tree whose arrays differ in length");
  }
  if (tree.category_begins.size() != tree.category_nodes.size() ||
      tree.category_sizes.size() != tree.category_nodes.size()) {
    return bad_part("categories_nodes", "and its segments differ in length");
  }
  return {};
}

Status read_categories(const Ubj& object, XgboostTree& tree) {
  COEVAL_ASSIGN(tree.categorical, integers<std::uint8_t>(object, "split_type"));
  COEVAL_ASSIGN(tree.category_nodes, integers<std::int32_t>(object, "categories_nodes"));
  COEVAL_ASSIGN(tree.category_begins, integers<std::int64_t>(object, "categories_segments"));
  COEVAL_ASSIGN(tree.category_sizes, integers<std::int64_t>(object, "categories_sizes"));
  COEVAL_ASSIGN(tree.categories, integers<std::int32_t>(object, "categories"));
  return {};
}

Result<XgboostTree> read_tree(const Ubj& object) {
  COEVAL_ASSIGN(const Ubj* parameters, member(object, "tree_param", Ubj::Kind::object));
  COEVAL_ASSIGN(const std::int64_t leaf_width, count_text(*parameters, "size_leaf_vector", 1));
  if (leaf_width > 1) return not_supported("vector leaves");
  XgboostTree tree;
  COEVAL_ASSIGN(tree.left, integers<std::int32_t>(object, "left_children"));
  COEVAL_ASSIGN(tree.right, integers<std::int32_t>(object, "right_children"));
  COEVAL_ASSIGN(tree.columns, integers<std::int32_t>(object, "split_indices"));
  COEVAL_ASSIGN(tree.conditions, reals(object, "split_conditions"));
  COEVAL_ASSIGN(tree.default_left, integers<std::uint8_t>(object, "default_left"));
  COEVAL_TRY(read_categories(object, tree));
  COEVAL_TRY(check_tree_lengths(tree));
  return tree;
}

Result<const Ubj*> find_tree_model(const Ubj& learner) {
  COEVAL_ASSIGN(const Ubj* booster, member(learner, "gradient_booster", Ubj::Kind::object));
  COEVAL_ASSIGN(const std::string_view name, text(*booster, "name"));
  if (name != "gbtree") return not_supported("booster '" + std::string(name) + "'");
  COEVAL_ASSIGN(const Ubj* model, member(*booster, "model", Ubj::Kind::object));
  const Ubj* weights = model->find("weight_drop");
  if (weights != nullptr && weights->size() > 0) return not_supported("dropped trees (DART)");
  const Ubj* dictionaries = model->find("cats");
  const Ubj* encodings = dictionaries == nullptr ? nullptr : dictionaries->find("enc");
  if (encodings != nullptr && encodings->size() > 0) {
    return not_supported("category dictionaries of its own",
                         "train it on codes, so that the encoder's dictionary is the only one");
  }
  return model;
}

/// Trees that predict. Early stopping in Python keeps the surplus trees and only notes the best
/// iteration as an attribute; XGBoost's own scikit-learn interface predicts with those up to it.
Result<std::size_t> count_used_trees(const Ubj& learner, const Ubj& model, std::size_t trees) {
  const Ubj* attributes = learner.find("attributes");
  const Ubj* best = attributes == nullptr ? nullptr : attributes->find("best_iteration");
  if (best == nullptr) return trees;
  COEVAL_ASSIGN(const auto iteration,
                parse_number<std::uint32_t>(best->string(), "best_iteration"));
  if (model.find("iteration_indptr") == nullptr) {
    return not_supported("best_iteration but without iteration_indptr",
                         "slice the model to its best iteration before saving");
  }
  COEVAL_ASSIGN(const auto ends, integers<std::int64_t>(model, "iteration_indptr"));
  if (iteration + std::size_t{1} >= ends.size()) return bad_part("best_iteration", "has no trees");
  const std::int64_t used = ends[iteration + std::size_t{1}];
  if (used < 0 || static_cast<std::size_t>(used) > trees) {
    return bad_part("iteration_indptr", "goes beyond the trees");
  }
  return static_cast<std::size_t>(used);
}

Status read_trees(const Ubj& learner, XgboostModel& model) {
  COEVAL_ASSIGN(const Ubj* source, find_tree_model(learner));
  COEVAL_ASSIGN(const Ubj* trees, member(*source, "trees", Ubj::Kind::array));
  COEVAL_ASSIGN(const auto outputs, integers<std::int32_t>(*source, "tree_info"));
  if (outputs.size() != trees->size()) return bad_part("tree_info", "does not match the trees");
  for (const std::int32_t output : outputs) {
    if (output != 0) return bad_part("tree_info", "names an output that does not exist");
  }
  COEVAL_ASSIGN(const std::size_t used, count_used_trees(learner, *source, trees->size()));
  for (const Ubj& object : trees->elements()) {
    if (model.trees.size() == used) break;
    COEVAL_ASSIGN(XgboostTree tree, read_tree(object));
    model.trees.push_back(std::move(tree));
  }
  if (model.trees.size() != used) return bad_part("trees", "does not hold trees");
  return {};
}

}  // namespace

Result<XgboostModel> read_xgboost_ubj(std::string_view bytes) {
  COEVAL_ASSIGN(const Ubj document, read_ubj(bytes));
  COEVAL_ASSIGN(const Ubj* learner, member(document, "learner", Ubj::Kind::object));
  XgboostModel model;
  COEVAL_ASSIGN(model.objective, read_objective(*learner));
  COEVAL_TRY(read_parameters(*learner, model));
  COEVAL_TRY(read_trees(*learner, model));
  return model;
}

}  // namespace coeval::models
