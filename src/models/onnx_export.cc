#include "models/onnx_export.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "base/check.h"
#include "models/category_sets.h"
#include "models/forest_layout.h"
#include "models/onnx_calibration.h"
#include "models/onnx_graph.h"

namespace coeval::models {
namespace {

constexpr std::int64_t kToFloat32 = 1, kToFloat64 = 11;
constexpr std::int64_t kMaxSetCodes = 100'000;
/// LightGBM takes numbers up to this as 0.
constexpr float kTiny = 1e-35f;

std::unexpected<Error> cannot_say(const std::string& what, std::string advice = {}) {
  return fail(Code::unsupported, what + " cannot be exported to ONNX", std::move(advice));
}

bool is_leaf(const SourceTree& tree, std::size_t node) { return tree.left[node] == -1; }

bool is_category_split(const SourceTree& tree, std::size_t node) {
  return !is_leaf(tree, node) && tree.categorical[node] != 0;
}

/// What must be done to a column before the trees see it.
struct Column {
  bool has_codes = false;        ///< a category set asks for whole numbers
  bool zero_is_missing = false;  ///< of all its splits, or of none
  bool zero_is_number = false;
};

Missing missing_of(const SourceTree& tree, std::size_t node) {
  return tree.missing.empty() ? Missing::nan : tree.missing[node];
}

std::vector<Column> columns_of(const SourceForest& forest) {
  std::vector<Column> columns(forest.width);
  for (const SourceTree& tree : forest.trees) {
    for (std::size_t node = 0; node < tree.size(); ++node) {
      if (is_leaf(tree, node)) continue;
      Column& column = columns[static_cast<std::size_t>(tree.columns[node])];
      if (is_category_split(tree, node)) {
        column.has_codes = true;
      } else {
        const bool zero = missing_of(tree, node) == Missing::zero;
        (zero ? column.zero_is_missing : column.zero_is_number) = true;
      }
    }
  }
  return columns;
}

/// The arrays of a TreeEnsemble, in the forest's precision.
template <class Real>
class Ensemble {
 public:
  explicit Ensemble(const SourceForest& forest) : forest_(forest) {}

  Status add_all() {
    if (!forest_.in_float64) add_constant_tree(static_cast<Real>(forest_.base_margins[0]));
    for (const SourceTree& tree : forest_.trees) COEVAL_TRY(add_tree(tree));
    if (roots_.empty()) add_constant_tree(0);
    return {};
  }

  OnnxGraph::Attributes attributes() const {
    const std::vector<std::int64_t> targets(leaves_.size(), 0);
    OnnxGraph::Attributes all = {
        {"aggregate_function", OnnxGraph::integer(1)},
        {"leaf_targetids", OnnxGraph::integers(targets)},
        {"leaf_weights", OnnxGraph::numbers<Real>(leaves_)},
        {"n_targets", OnnxGraph::integer(1)},
        {"nodes_falseleafs", OnnxGraph::integers(false_is_leaf_)},
        {"nodes_falsenodeids", OnnxGraph::integers(false_)},
        {"nodes_featureids", OnnxGraph::integers(columns_)},
        {"nodes_missing_value_tracks_true", OnnxGraph::integers(missing_true_)},
        {"nodes_modes", OnnxGraph::numbers<std::uint8_t>(modes_)},
        {"nodes_splits", OnnxGraph::numbers<Real>(splits_)},
        {"nodes_trueleafs", OnnxGraph::integers(true_is_leaf_)},
        {"nodes_truenodeids", OnnxGraph::integers(true_)},
        {"post_transform", OnnxGraph::integer(0)},
        {"tree_roots", OnnxGraph::integers(roots_)},
    };
    if (!members_.empty())
      all.emplace_back("membership_values", OnnxGraph::numbers<Real>(members_));
    return all;
  }

 private:
  /// Numbers of the kinds of comparison.
  enum Mode : std::uint8_t { less_or_equal = 0, less = 1, member = 6 };
  static constexpr Real kNan = std::numeric_limits<Real>::quiet_NaN();

  struct Split {
    Mode mode;
    Real value = 0;
    bool missing_is_true = false, true_is_left = true;
  };

  void add_constant_tree(Real value) {
    const std::int64_t leaf = add_leaf(value);
    roots_.push_back(add_node(0, {less_or_equal, 0, false, true}));
    set_children(modes_.size() - 1, {leaf, true}, {leaf, true});
  }

  std::int64_t add_leaf(Real value) {
    leaves_.push_back(value);
    return static_cast<std::int64_t>(leaves_.size()) - 1;
  }

  std::int64_t add_node(std::int64_t column, const Split& split) {
    modes_.push_back(split.mode);
    splits_.push_back(split.value);
    columns_.push_back(column);
    missing_true_.push_back(split.missing_is_true ? 1 : 0);
    for (auto* children : {&true_, &false_, &true_is_leaf_, &false_is_leaf_})
      children->push_back(0);
    return static_cast<std::int64_t>(modes_.size()) - 1;
  }

  struct Child {
    std::int64_t place;
    bool leaf;
  };
  void set_children(std::size_t node, Child on_true, Child on_false) {
    true_[node] = on_true.place;
    true_is_leaf_[node] = on_true.leaf ? 1 : 0;
    false_[node] = on_false.place;
    false_is_leaf_[node] = on_false.leaf ? 1 : 0;
  }

  Real leaf_value(const SourceTree& tree, std::size_t node) const {
    return tree.leaf_values.empty() ? static_cast<Real>(tree.conditions[node])
                                    : static_cast<Real>(tree.leaf_values[node]);
  }

  // Nodes get their places first, so that no recursion is needed: a tree may be deep.
  Status add_tree(const SourceTree& tree) {
    if (is_leaf(tree, 0)) {
      add_constant_tree(leaf_value(tree, 0));
      return {};
    }
    const std::vector<std::uint32_t> sets = CategorySets::index(tree);
    std::vector<Child> places(tree.size());
    std::vector<bool> true_is_left(tree.size(), true);
    for (std::size_t node = 0; node < tree.size(); ++node) {
      if (is_leaf(tree, node)) {
        places[node] = {add_leaf(leaf_value(tree, node)), true};
        continue;
      }
      COEVAL_ASSIGN(const Split split, split_of(tree, node, sets[node]));
      places[node] = {add_node(tree.columns[node], split), false};
      true_is_left[node] = split.true_is_left;
    }
    for (std::size_t node = 0; node < tree.size(); ++node) {
      if (is_leaf(tree, node)) continue;
      const Child left = places[static_cast<std::size_t>(tree.left[node])],
                  right = places[static_cast<std::size_t>(tree.right[node])];
      const auto at = static_cast<std::size_t>(places[node].place);
      set_children(at, true_is_left[node] ? left : right, true_is_left[node] ? right : left);
    }
    roots_.push_back(places[0].place);
    return {};
  }

  Result<Split> split_of(const SourceTree& tree, std::size_t node, std::uint32_t set) {
    const bool to_left = tree.default_left[node] != 0;
    if (is_category_split(tree, node)) return category_split(tree, set, to_left);
    const Real condition = static_cast<Real>(tree.conditions[node]);
    Split split{forest_.or_equal ? less_or_equal : less, condition, to_left, true};
    if (missing_of(tree, node) == Missing::none)
      split.missing_is_true = forest_.or_equal ? 0 <= condition : 0 < condition;
    return split;
  }

  // The set is what is true. An empty one is said by a comparison that no number passes.
  Result<Split> category_split(const SourceTree& tree, std::uint32_t set, bool to_left) {
    const bool true_is_left = forest_.sets_go_left;
    const bool missing_is_true = to_left == true_is_left;
    const std::int64_t size = set == kNoSet ? 0 : tree.category_sizes[set];
    if (size == 0)
      return Split{less, -std::numeric_limits<Real>::infinity(), missing_is_true, true_is_left};
    if (size > kMaxSetCodes)
      return cannot_say("a split by a set of " + std::to_string(size) + " categories",
                        "train with fewer categories");
    const auto* codes = tree.categories.data() + tree.category_begins[set];
    std::transform(codes, codes + size, std::back_inserter(members_),
                   [](std::int32_t code) { return static_cast<Real>(code); });
    members_.push_back(kNan);
    return Split{member, 0, missing_is_true, true_is_left};
  }

  const SourceForest& forest_;
  std::vector<std::uint8_t> modes_;
  std::vector<Real> splits_, leaves_, members_;
  std::vector<std::int64_t> columns_, missing_true_, true_, false_, true_is_leaf_, false_is_leaf_,
      roots_;
};

/// Turns one forest into nodes.
class Export {
 public:
  explicit Export(const SourceForest& forest) : forest_(forest), columns_(columns_of(forest)) {}

  Status add(const std::optional<stats::CalibrationMap>& calibration) {
    COEVAL_TRY(check());
    graph_.input(kOnnxInput, forest_.width);
    graph_.output(kOnnxMargin);
    graph_.output("score");
    COEVAL_TRY(forest_.in_float64 ? add_trees_in_float64() : add_trees_in_float32());
    COEVAL_TRY(add_link());
    add_score(graph_, calibration, raw_score_);
    return {};
  }

  std::string model(const std::map<std::string, std::string>& metadata) const {
    return graph_.model(metadata);
  }

 private:
  Status check() const {
    if (forest_.outputs != 1)
      return cannot_say("a model with " + std::to_string(forest_.outputs) + " outputs");
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      if (columns_[i].zero_is_missing && columns_[i].zero_is_number)
        return cannot_say("column " + std::to_string(i) +
                              ", for which some splits take zero as missing and others do not,",
                          "train with zero_as_missing = false");
    }
    return {};
  }

  std::vector<std::uint8_t> code_columns() const {
    std::vector<std::uint8_t> mask;
    for (const Column& column : columns_) mask.push_back(column.has_codes ? 1 : 0);
    return mask;
  }

  bool has_codes() const { return std::ranges::any_of(columns_, &Column::has_codes); }

  /// A code between whole numbers counts as the one below it.
  std::string with_whole_codes(const std::string& rows, const std::string& whole) {
    return graph_.add("Where", {graph_.mask(code_columns()), whole, rows});
  }

  Status add_trees_in_float32() {
    std::string rows = kOnnxInput;
    if (has_codes()) rows = with_whole_codes(rows, graph_.add("Floor", {rows}));
    Ensemble<float> trees(forest_);
    COEVAL_TRY(trees.add_all());
    graph_.add_as(kOnnxMargin, "TreeEnsemble", {rows}, trees.attributes(), "ai.onnx.ml");
    return {};
  }

  /// What LightGBM does to every cell first: what is nearly zero is zero, and in some columns
  /// missing.
  std::string without_tiny(const std::string& rows) {
    std::vector<float> instead;
    for (const Column& column : columns_)
      instead.push_back(column.zero_is_missing ? std::numeric_limits<float>::quiet_NaN() : 0.0f);
    const auto shape = static_cast<std::int64_t>(instead.size());
    const std::string tiny =
        graph_.add("LessOrEqual", {graph_.add("Abs", {rows}), graph_.constant(kTiny)});
    return graph_.add("Where", {tiny, graph_.constant<float>(instead, {shape}), rows});
  }

  Status add_trees_in_float64() {
    std::string rows = without_tiny(kOnnxInput);
    if (has_codes()) {
      const std::string size = graph_.add("Floor", {graph_.add("Abs", {rows})});
      rows = with_whole_codes(rows, graph_.add("Mul", {graph_.add("Sign", {rows}), size}));
    }
    Ensemble<double> trees(forest_);
    COEVAL_TRY(trees.add_all());
    wide_margin_ = graph_.add("TreeEnsemble", {graph_.cast(rows, kToFloat64)}, trees.attributes(),
                              "ai.onnx.ml");
    graph_.add_as(kOnnxMargin, "Cast", {wide_margin_}, {{"to", OnnxGraph::integer(kToFloat32)}});
    return {};
  }

  // exp in float64, rounded once: what a good float32 exp gives but for a rare last bit.
  std::string exp32(const std::string& x) {
    return graph_.cast(graph_.add("Exp", {graph_.cast(x, kToFloat64)}), kToFloat32);
  }

  /// log(1 + x) for x ≥ 0, where 1 + x is rounded: x·log(u)/(u − 1) with u = 1 + x cancels that
  /// out.
  std::string log1p(const std::string& x) {
    const std::string one = graph_.constant(1.0), u = graph_.add("Add", {x, one});
    const std::string scaled = graph_.add("Mul", {x, graph_.add("Log", {u})});
    const std::string corrected = graph_.add("Div", {scaled, graph_.add("Sub", {u, one})});
    return graph_.add("Where", {graph_.add("Equal", {u, one}), x, corrected});
  }

  Status add_link() { return forest_.in_float64 ? add_link_in_float64() : add_link_in_float32(); }

  std::unexpected<Error> no_such_link() const {
    return cannot_say("an objective that answers with a class or several probabilities",
                      "train one with a single output, such as binary:logistic");
  }

  /// The steps of ForestLink, float32.
  Status add_link_in_float32() {
    using Kind = ForestLink::Kind;
    switch (forest_.link.kind) {
      case Kind::identity:
      case Kind::ascending:
        raw_score_ = kOnnxMargin;
        return {};
      case Kind::logistic: {
        const std::string one = graph_.constant(1.0f);
        const std::string exponent =
            graph_.add("Min", {graph_.add("Neg", {kOnnxMargin}), graph_.constant(88.7f)});
        raw_score_ = graph_.add("Div", {one, graph_.add("Add", {exp32(exponent), one})});
        return {};
      }
      case Kind::hinge:
        raw_score_ =
            graph_.cast(graph_.add("Greater", {kOnnxMargin, graph_.constant(0.0f)}), kToFloat32);
        return {};
      case Kind::exponential:
        raw_score_ = exp32(kOnnxMargin);
        return {};
      default:
        return no_such_link();
    }
  }

  /// The steps of ForestLink, float64 until the end.
  Status add_link_in_float64() {
    using Kind = ForestLink::Kind;
    std::string wide = wide_margin_;
    const auto real = [&](double value) { return graph_.constant(value); };
    if (forest_.link.divisor != 1) wide = graph_.add("Div", {wide, real(forest_.link.divisor)});
    switch (forest_.link.kind) {
      case Kind::identity:
        break;
      case Kind::logistic:
        wide = add_sigmoid(graph_, graph_.add("Mul", {wide, real(-forest_.link.steepness)}));
        break;
      case Kind::exponential:
        wide = graph_.add("Exp", {wide});
        break;
      case Kind::log1p_exp:
        wide = log1p(graph_.add("Exp", {wide}));
        break;
      case Kind::signed_square:
        wide = graph_.add("Mul", {graph_.add("Mul", {graph_.add("Sign", {wide}), wide}), wide});
        break;
      default:
        return no_such_link();
    }
    raw_score_ = graph_.cast(wide, kToFloat32);
    return {};
  }

  const SourceForest& forest_;
  std::vector<Column> columns_;
  OnnxGraph graph_;
  std::string wide_margin_, raw_score_;
};

}  // namespace

Result<std::string> forest_to_onnx(const SourceForest& forest,
                                   const std::optional<stats::CalibrationMap>& calibration,
                                   const std::map<std::string, std::string>& metadata) {
  COEVAL_TRY(lay_out(forest));  // checks every index that is followed below
  Export graph(forest);
  COEVAL_TRY(graph.add(calibration));
  return graph.model(metadata);
}

}  // namespace coeval::models
