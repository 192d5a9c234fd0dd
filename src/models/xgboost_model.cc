#include "models/xgboost_model.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <concepts>
#include <iterator>
#include <limits>
#include <string>

#include "exact/float_maths.h"
#include "models/ubj.h"
#include "models/xgboost_json.h"

namespace coeval::models {
namespace {

/// More columns than any table that fits a row's budget; keeps the row's scratch space small.
constexpr std::int64_t kMaxColumns = 1 << 20;
/// More classes than any model that fits a row's budget; keeps a block's sums small.
constexpr std::int64_t kMaxOutputs = 1 << 12;

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
  auto values = array->integers<T>();
  if (!values) return bad_part(key, "holds something other than integers");
  return std::move(*values);
}

Result<std::vector<float>> reals(const Ubj& object, std::string_view key) {
  COEVAL_ASSIGN(const Ubj* array, member(object, key, Ubj::Kind::array));
  auto values = array->reals();
  if (!values) return bad_part(key, "holds something other than float32");
  return std::move(*values);
}

using Link = ForestLink::Kind;

/// From the output's scale, on which the base score is stored, to the margin's.
enum class BaseScale : std::uint8_t { margin, probability, positive };

struct Objective {
  std::string_view name;
  Link link;
  BaseScale base;
};
constexpr Objective kObjectives[] = {
    {"binary:logistic", Link::logistic, BaseScale::probability},
    {"reg:logistic", Link::logistic, BaseScale::probability},
    {"binary:logitraw", Link::identity, BaseScale::margin},
    {"binary:hinge", Link::hinge, BaseScale::margin},
    {"reg:squarederror", Link::identity, BaseScale::margin},
    {"reg:squaredlogerror", Link::identity, BaseScale::margin},
    {"reg:absoluteerror", Link::identity, BaseScale::margin},
    {"reg:pseudohubererror", Link::identity, BaseScale::margin},
    {"reg:quantileerror", Link::ascending, BaseScale::margin},
    {"rank:pairwise", Link::identity, BaseScale::margin},
    {"rank:ndcg", Link::identity, BaseScale::margin},
    {"rank:map", Link::identity, BaseScale::margin},
    {"count:poisson", Link::exponential, BaseScale::positive},
    {"reg:gamma", Link::exponential, BaseScale::positive},
    {"reg:tweedie", Link::exponential, BaseScale::positive},
    {"multi:softprob", Link::softmax, BaseScale::margin},
    {"multi:softmax", Link::arg_max, BaseScale::margin},
};

Result<Objective> read_objective(const Ubj& learner) {
  COEVAL_ASSIGN(const Ubj* objective, member(learner, "objective", Ubj::Kind::object));
  COEVAL_ASSIGN(const std::string_view name, text(*objective, "name"));
  const auto* found = std::ranges::find(kObjectives, name, &Objective::name);
  if (found != std::end(kObjectives)) return *found;
  std::string known;
  for (const Objective& one : kObjectives)
    known += (known.empty() ? "" : ", ") + std::string(one.name);
  return not_supported("objective '" + std::string(name) + "'", "train with one of " + known);
}

struct Version {
  std::int64_t major = 0, minor = 0;
};

/// Newer majors may mean something else by the same words; 0 had no such files.
Result<Version> read_version(const Ubj& document) {
  COEVAL_ASSIGN(const auto parts, integers<std::int64_t>(document, "version"));
  if (parts.size() != 3) return bad_part("version", "does not have three parts");
  if (parts[0] < 1 || parts[0] > 3) {
    return not_supported("version " + std::to_string(parts[0]) + "." + std::to_string(parts[1]),
                         "save it with XGBoost 1, 2 or 3");
  }
  return Version{parts[0], parts[1]};
}

/// The same steps as XGBoost's ProbToMargin, in float32.
float base_margin(float score, BaseScale scale) {
  if (scale == BaseScale::margin) return score;
  if (scale == BaseScale::positive) return exact::logf(score);
  const float clamped = std::min(std::max(score, 1e-6f), 1.0f - 1e-6f);
  return -exact::logf(1.0f / clamped - 1.0f);
}

/// "5E-1" before XGBoost 3.1, "[2.16E0,3.96E0]" since: one entry for each output, or one for all.
Status read_base_margins(const Ubj& parameters, BaseScale scale, SourceForest& model) {
  COEVAL_ASSIGN(std::string_view digits, text(parameters, "base_score"));
  if (digits.starts_with('[')) {
    if (!digits.ends_with(']')) return bad_part("base_score", "lacks its ]");
    digits = digits.substr(1, digits.size() - 2);
  }
  while (model.base_margins.size() < model.outputs) {
    const std::size_t comma = std::min(digits.find(','), digits.size());
    COEVAL_ASSIGN(const float score, parse_number<float>(digits.substr(0, comma), "base_score"));
    const float margin = base_margin(score, scale);
    if (!std::isfinite(margin)) return bad_part("base_score", "is out of range");
    model.base_margins.push_back(margin);
    if (comma == digits.size()) break;
    digits.remove_prefix(comma + 1);
  }
  if (model.base_margins.size() == 1)
    model.base_margins.resize(model.outputs, model.base_margins[0]);
  if (model.base_margins.size() != model.outputs) {
    return bad_part("base_score", "has another number of values than the model has outputs");
  }
  return {};
}

Status read_parameters(const Ubj& learner, BaseScale scale, SourceForest& model) {
  COEVAL_ASSIGN(const Ubj* parameters, member(learner, "learner_model_param", Ubj::Kind::object));
  std::int64_t outputs = 1;
  for (const char* key : {"num_class", "num_target"}) {
    COEVAL_ASSIGN(const std::int64_t count, count_text(*parameters, key, 1));
    outputs = std::max(outputs, count);
  }
  if (outputs > kMaxOutputs) return not_supported(std::to_string(outputs) + " outputs");
  COEVAL_ASSIGN(const std::int64_t columns, count_text(*parameters, "num_feature", 0));
  if (columns < 1) return bad_part("num_feature", "is not positive");
  if (columns > kMaxColumns) return not_supported(std::to_string(columns) + " columns");
  model.width = static_cast<std::size_t>(columns);
  model.outputs = static_cast<std::size_t>(outputs);
  return read_base_margins(*parameters, scale, model);
}

Status check_tree_lengths(const SourceTree& tree) {
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

Status read_categories(const Ubj& object, SourceTree& tree) {
  COEVAL_ASSIGN(tree.categorical, integers<std::uint8_t>(object, "split_type"));
  COEVAL_ASSIGN(tree.category_nodes, integers<std::int32_t>(object, "categories_nodes"));
  COEVAL_ASSIGN(tree.category_begins, integers<std::int64_t>(object, "categories_segments"));
  COEVAL_ASSIGN(tree.category_sizes, integers<std::int64_t>(object, "categories_sizes"));
  COEVAL_ASSIGN(tree.categories, integers<std::int32_t>(object, "categories"));
  return {};
}

/// The training weight that reached each node.
Status read_covers(const Ubj& object, SourceTree& tree) {
  COEVAL_ASSIGN(const auto covers, reals(object, "sum_hessian"));
  if (covers.size() != tree.size()) return bad_part("sum_hessian", "does not match the nodes");
  tree.covers.assign(covers.begin(), covers.end());
  return {};
}

Result<SourceTree> read_tree(const Ubj& object, Covers covers) {
  COEVAL_ASSIGN(const Ubj* parameters, member(object, "tree_param", Ubj::Kind::object));
  COEVAL_ASSIGN(const std::int64_t leaf_width, count_text(*parameters, "size_leaf_vector", 1));
  if (leaf_width > 1) {
    return not_supported("vector leaves",
                         "train with multi_strategy = one_output_per_tree, which is the default");
  }
  SourceTree tree;
  COEVAL_ASSIGN(tree.left, integers<std::int32_t>(object, "left_children"));
  COEVAL_ASSIGN(tree.right, integers<std::int32_t>(object, "right_children"));
  COEVAL_ASSIGN(tree.columns, integers<std::int32_t>(object, "split_indices"));
  COEVAL_ASSIGN(tree.conditions, reals(object, "split_conditions"));
  COEVAL_ASSIGN(tree.default_left, integers<std::uint8_t>(object, "default_left"));
  COEVAL_TRY(read_categories(object, tree));
  COEVAL_TRY(check_tree_lengths(tree));
  if (covers == Covers::yes) COEVAL_TRY(read_covers(object, tree));
  return tree;
}

/// Where a booster keeps its trees, and the weights of DART: inside the trees' model since 3.4,
/// beside it before.
struct TreeModel {
  const Ubj* trees = nullptr;
  const Ubj* weights = nullptr;  ///< null: 1 for every tree
};

Result<TreeModel> find_tree_model(const Ubj& learner) {
  COEVAL_ASSIGN(const Ubj* booster, member(learner, "gradient_booster", Ubj::Kind::object));
  COEVAL_ASSIGN(const std::string_view name, text(*booster, "name"));
  TreeModel found;
  if (name == "dart") {
    COEVAL_ASSIGN(const Ubj* inner, member(*booster, "gbtree", Ubj::Kind::object));
    COEVAL_ASSIGN(found.trees, member(*inner, "model", Ubj::Kind::object));
    COEVAL_ASSIGN(found.weights, member(*booster, "weight_drop", Ubj::Kind::array));
  } else if (name == "gbtree") {
    COEVAL_ASSIGN(found.trees, member(*booster, "model", Ubj::Kind::object));
    found.weights = found.trees->find("weight_drop");
    if (found.weights != nullptr && found.weights->size() == 0) found.weights = nullptr;
  } else {
    return not_supported("booster '" + std::string(name) + "'",
                         "train with booster = gbtree or dart");
  }
  const Ubj* dictionaries = found.trees->find("cats");
  const Ubj* encodings = dictionaries == nullptr ? nullptr : dictionaries->find("enc");
  if (encodings != nullptr && encodings->size() > 0) {
    return not_supported("category dictionaries of its own",
                         "train it on codes, so that the encoder's dictionary is the only one");
  }
  return found;
}

/// A leaf times its tree's weight is rounded before it is added, so it may be done once, here.
Status weigh_leaves(const Ubj& weights, std::vector<SourceTree>& trees) {
  for (std::size_t i = 0; i < trees.size(); ++i) {
    const auto weight = weights.real_at(i);
    if (!weight) return bad_part("weight_drop", "does not have a number for every tree");
    for (std::size_t node = 0; node < trees[i].size(); ++node) {
      if (trees[i].left[node] == -1) trees[i].conditions[node] *= *weight;
    }
  }
  return {};
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

Status read_trees(const Ubj& learner, Covers covers, SourceForest& model) {
  COEVAL_ASSIGN(const TreeModel source, find_tree_model(learner));
  COEVAL_ASSIGN(const Ubj* trees, member(*source.trees, "trees", Ubj::Kind::array));
  COEVAL_ASSIGN(const auto outputs, integers<std::int32_t>(*source.trees, "tree_info"));
  if (outputs.size() != trees->size()) return bad_part("tree_info", "does not match the trees");
  COEVAL_ASSIGN(const std::size_t used, count_used_trees(learner, *source.trees, trees->size()));
  for (const Ubj& object : trees->elements()) {
    const std::size_t at = model.trees.size();
    if (at == used) break;
    if (outputs[at] < 0 || static_cast<std::size_t>(outputs[at]) >= model.outputs) {
      return bad_part("tree_info", "names an output that does not exist");
    }
    if (model.outputs > 1) model.tree_outputs.push_back(static_cast<std::uint32_t>(outputs[at]));
    COEVAL_ASSIGN(SourceTree tree, read_tree(object, covers));
    model.trees.push_back(std::move(tree));
  }
  if (model.trees.size() != used) return bad_part("trees", "does not hold trees");
  return source.weights == nullptr ? Status() : weigh_leaves(*source.weights, model.trees);
}

Result<SourceForest> read_document(const Ubj& document, Covers covers) {
  COEVAL_ASSIGN(const Version version, read_version(document));
  COEVAL_ASSIGN(const Ubj* learner, member(document, "learner", Ubj::Kind::object));
  COEVAL_ASSIGN(const Objective objective, read_objective(*learner));
  SourceForest model;
  model.link.kind = objective.link;
  const bool since_3_4 = version.major > 3 || (version.major == 3 && version.minor >= 4);
  // Quantiles that cross are put in order since 3.4.
  if (objective.link == Link::ascending && !since_3_4) model.link.kind = Link::identity;
  // Its base score is a margin in 3.4; what older versions do with it was never compared.
  if (objective.name == "binary:logitraw" && !since_3_4) {
    return not_supported("objective 'binary:logitraw' of a version before 3.4",
                         "train with binary:logistic, or save it with XGBoost 3.4");
  }
  COEVAL_TRY(read_parameters(*learner, objective.base, model));
  COEVAL_TRY(read_trees(*learner, covers, model));
  return model;
}

}  // namespace

bool is_xgboost_json(std::string_view bytes) {
  // Both begin with a brace; after it UBJSON has the marker of a length, JSON a key.
  const std::size_t next = bytes.find_first_not_of(" \t\r\n", 1);
  return bytes.starts_with('{') && next != std::string_view::npos && bytes[next] == '"';
}

Result<SourceForest> read_xgboost(std::string_view bytes, Covers covers) {
  COEVAL_ASSIGN(const Ubj document,
                is_xgboost_json(bytes) ? read_xgboost_json(bytes) : read_ubj(bytes));
  return read_document(document, covers);
}

}  // namespace coeval::models
