#include "models/contributions.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "base/check.h"
#include "models/forest_layout.h"
#include "models/forest_walk.h"
#include "models/gauss_legendre.h"
#include "models/lightgbm_model.h"
#include "models/runtime.h"
#include "models/xgboost_model.h"

namespace coeval::models {

/// The layout that serves, and beside each of its nodes what only explanations need.
struct Contributions::Model {
  ForestLayout layout;
  std::vector<double> shares;  ///< of its parent's cover that came to a node; 1 for a root
  std::vector<std::uint32_t> columns;
  std::vector<double> biases;        ///< of each output
  std::vector<GaussLegendre> rules;  ///< rule k has k + 1 points
  std::vector<std::uint32_t> tree_rules;
  std::uint32_t depth = 0;
};

namespace {

constexpr std::uint32_t kMaxDepth = 512;

double leaf_value(const ForestLayout& layout, std::size_t leaf) {
  const std::uint32_t held = layout.nodes[leaf].bound;
  return layout.in_float64 ? layout.leaf_values[held]
                           : static_cast<double>(std::bit_cast<float>(held));
}

std::size_t output_of(const ForestLayout& layout, std::size_t tree) {
  return layout.tree_outputs.empty() ? 0 : layout.tree_outputs[tree];
}

/// The places of one tree's nodes in the layout. Children lie behind their parents.
struct Places {
  std::size_t begin, end;
};

Places places_of(const ForestLayout& layout, std::size_t tree) {
  return {layout.trees[tree].root,
          tree + 1 < layout.trees.size() ? layout.trees[tree + 1].root : layout.nodes.size()};
}

/// Covers of a tree's nodes, in the layout's order. LightGBM writes those of leaves alone.
Result<std::vector<double>> covers_of(const SourceForest& forest, std::size_t tree,
                                      const ForestLayout& layout,
                                      std::span<const std::uint32_t> origins) {
  const Places places = places_of(layout, tree);
  std::vector<double> covers;
  for (std::size_t node = places.begin; node < places.end; ++node) {
    const double cover = forest.trees[tree].covers[origins[node]];
    if (!(cover >= 0) || !std::isfinite(cover)) {
      return fail(
          Code::bad_model,
          std::string(forest.library) + " model: a tree's covers are negative or not finite",
          "the file is damaged; take it from its source again");
    }
    covers.push_back(cover);
  }
  if (!forest.in_float64) return covers;
  for (std::size_t node = places.end; node-- > places.begin;) {
    if (layout.is_leaf(layout.nodes[node])) continue;
    const std::size_t left = layout.nodes[node].left - places.begin;
    covers[node - places.begin] = covers[left] + covers[left + 1];
  }
  return covers;
}

/// Hands a tree's covers down as shares, and returns the mean of its leaves.
double share_out(const ForestLayout& layout, std::size_t tree, std::span<const double> covers,
                 std::span<double> shares) {
  const Places places = places_of(layout, tree);
  std::vector<double> reach(covers.size(), 1.0);  // of all training rows
  double mean = 0;
  for (std::size_t node = places.begin; node < places.end; ++node) {
    const std::size_t at = node - places.begin;
    if (layout.is_leaf(layout.nodes[node])) {
      mean += reach[at] * leaf_value(layout, node);
      continue;
    }
    for (const std::size_t child :
         {std::size_t{layout.nodes[node].left}, std::size_t{layout.nodes[node].left} + 1}) {
      const std::size_t below = child - places.begin;
      // Where no training row came, no share can be told: both sides count the same.
      shares[child] = covers[at] > 0 ? covers[below] / covers[at] : 0.5;
      reach[below] = reach[at] * shares[child];
    }
  }
  return mean;
}

/// The most columns that are read on the way to a leaf of the tree. Its polynomials have a degree
/// below that.
std::size_t most_columns(const ForestLayout& layout, std::size_t tree,
                         std::span<const std::uint32_t> columns) {
  const Places places = places_of(layout, tree);
  std::vector<std::size_t> parents(places.end - places.begin), read(places.end - places.begin);
  std::size_t most = 0;
  for (std::size_t node = places.begin; node < places.end; ++node) {
    const std::size_t at = node - places.begin;
    most = std::max(most, read[at]);
    if (layout.is_leaf(layout.nodes[node])) continue;
    bool is_new = true;
    for (std::size_t above = at; above != 0 && is_new; above = parents[above]) {
      is_new = columns[places.begin + parents[above]] != columns[node];
    }
    for (const std::size_t child :
         {layout.nodes[node].left - places.begin, layout.nodes[node].left - places.begin + 1}) {
      parents[child] = at;
      read[child] = read[at] + (is_new ? 1 : 0);
    }
  }
  return most;
}

/// The Shapley values of one row, tree by tree.
///
/// Let a leaf of value v have, for each column j on the way to it, the share z_j of the training
/// rows that the splits by j let through, and o_j = 1 if the row itself passes all of them, else 0.
/// Its part of column i's Shapley value is v (o_i - z_i) times the mean, over all orders in which
/// columns become known, of the product of the other columns' o (known before) or z (not yet). With
/// t for the moment at which i becomes known this is the integral over t from 0 to 1 of the product
/// over j ≠ i of f_j(t) = z_j (1 - t) + o_j t: a polynomial, for which the quadrature is exact.
///
/// Going down, `products` holds the product of all f_j at each point; coming up, a subtree's `sums`
/// hold the sum of v times it over its leaves. An edge that turns column i's (z, o) into (z', o')
/// adds (o' - z') ∫ sums / f' and takes back (o - z) ∫ sums / f, which the edges above add too.
class RowWalk {
 public:
  RowWalk(const ForestLayout& layout, std::span<const double> shares,
          std::span<const std::uint32_t> columns, std::uint32_t depth, std::size_t most_points,
          std::span<const float> row)
      : layout_(layout),
        shares_(shares),
        columns_(columns),
        keys_(layout.keys_count),
        passed_(layout.width),
        products_((depth + 1) * most_points),
        sums_((depth + 1) * most_points) {
    write_keys(layout, row, keys_);
  }

  /// Adds the tree's part of each column to `out`, which has a place for each column.
  void add_tree(std::size_t tree, const GaussLegendre& rule, std::span<double> out) {
    out_ = out;
    rule_ = &rule;
    points_ = rule.points.size();
    std::fill_n(products_.begin(), points_, 1.0);
    visit(layout_.trees[tree].root, 0);
  }

 private:
  /// What one column's splits on the way down have let through.
  struct Passed {
    double share = 1, row = 1;
    double at(double t) const { return share * (1 - t) + row * t; }
    double gain() const { return row - share; }
  };

  bool goes_right(const ForestLayout::Node& node) const {
    return keys_[node.slot / 32] << node.slot % 32 > node.bound;
  }

  /// Leaves the sums of the subtree at its level. As deep as the tree: at most kMaxDepth.
  void visit(std::size_t node, std::size_t level) {
    double* const sums = &sums_[level * points_];
    if (layout_.is_leaf(layout_.nodes[node])) {
      const double value = leaf_value(layout_, node);
      for (std::size_t m = 0; m < points_; ++m) sums[m] = value * products_[level * points_ + m];
      return;
    }
    std::fill_n(sums, points_, 0.0);
    const std::size_t left = layout_.nodes[node].left;
    const bool right = goes_right(layout_.nodes[node]);
    follow(columns_[node], left, !right, level);
    follow(columns_[node], left + 1, right, level);
  }

  void follow(std::uint32_t column, std::size_t child, bool taken, std::size_t level) {
    const Passed before = passed_[column];
    const Passed after{before.share * shares_[child], taken ? before.row : 0.0};
    if (after.share == 0 && after.row == 0) return;  // nothing gets through: all products are 0
    const bool first = before.share == 1 && before.row == 1;  // the column's first split: f is 1
    for (std::size_t m = 0; m < points_; ++m) {
      const double t = rule_->points[m];
      products_[(level + 1) * points_ + m] =
          products_[level * points_ + m] * (first ? after.at(t) : after.at(t) / before.at(t));
    }
    passed_[column] = after;
    visit(child, level + 1);
    passed_[column] = before;
    const double* const below = &sums_[(level + 1) * points_];
    double added = 0, taken_back = 0;
    for (std::size_t m = 0; m < points_; ++m) {
      const double t = rule_->points[m];
      const double weighted = rule_->weights[m] * below[m];
      added += weighted / after.at(t);
      if (!first) taken_back += weighted / before.at(t);
      sums_[level * points_ + m] += below[m];
    }
    out_[column] += after.gain() * added - before.gain() * taken_back;
  }

  const ForestLayout& layout_;
  std::span<const double> shares_;
  std::span<const std::uint32_t> columns_;
  const GaussLegendre* rule_ = nullptr;
  std::size_t points_ = 0;
  std::vector<std::uint32_t> keys_;
  std::vector<Passed> passed_;           ///< of each column; 1 and 1 where no split was
  std::vector<double> products_, sums_;  ///< of each level, one a point
  std::span<double> out_;
};

}  // namespace

Result<Contributions> Contributions::read(std::string_view model_bytes) {
  const ModelFormat format = format_of(model_bytes);
  if (format == ModelFormat::onnx)
    return fail(Code::unsupported, "an ONNX model does not tell what each input contributes",
                "take a forest or a linear model where reasons are needed");
  if (format == ModelFormat::linear) {
    Contributions contributions;
    COEVAL_ASSIGN(contributions.linear_, LinearModel::read(model_bytes));
    return contributions;
  }
  COEVAL_ASSIGN(const SourceForest forest, format == ModelFormat::lightgbm
                                               ? read_lightgbm(model_bytes, Covers::yes)
                                               : read_xgboost(model_bytes, Covers::yes));
  Model model;
  std::vector<std::uint32_t> origins;
  COEVAL_ASSIGN(model.layout, lay_out(forest, &origins));
  const ForestLayout& layout = model.layout;
  model.biases.assign(forest.base_margins.begin(), forest.base_margins.end());
  model.shares.assign(layout.nodes.size(), 1.0);
  model.columns.reserve(layout.nodes.size());
  for (std::size_t tree = 0; tree < layout.trees.size(); ++tree) {
    model.depth = std::max(model.depth, layout.trees[tree].depth);
    if (model.depth > kMaxDepth) {
      return fail(
          Code::unsupported,
          "contributions of trees deeper than " + std::to_string(kMaxDepth) + " are not supported",
          "train with a smaller max_depth");
    }
    const Places places = places_of(layout, tree);
    for (std::size_t node = places.begin; node < places.end; ++node) {
      model.columns.push_back(
          static_cast<std::uint32_t>(forest.trees[tree].columns[origins[node]]));
    }
    COEVAL_ASSIGN(const auto covers, covers_of(forest, tree, layout, origins));
    model.biases[output_of(layout, tree)] += share_out(layout, tree, covers, model.shares);
  }
  for (std::size_t tree = 0; tree < layout.trees.size(); ++tree) {
    const std::size_t columns = most_columns(layout, tree, model.columns);
    const std::size_t points = std::max<std::size_t>(1, (columns + 1) / 2);
    while (model.rules.size() < points) {
      model.rules.push_back(gauss_legendre(static_cast<int>(model.rules.size()) + 1));
    }
    model.tree_rules.push_back(static_cast<std::uint32_t>(points - 1));
  }
  Contributions contributions;
  contributions.model_ = std::make_shared<const Model>(std::move(model));
  return contributions;
}

std::size_t Contributions::width() const {
  return linear_ ? linear_->width() : model_->layout.width;
}
std::size_t Contributions::outputs() const { return linear_ ? 1 : model_->layout.outputs; }
std::size_t Contributions::memory_bytes() const {
  if (linear_) return linear_->memory_bytes();
  return sizeof(Model) + model_->layout.memory_bytes() +
         model_->shares.capacity() * sizeof(double) +
         model_->columns.capacity() * sizeof(std::uint32_t);
}

void Contributions::of(std::span<const float> row, std::span<double> out) const {
  if (linear_) return linear_->contributions(row, out);
  const ForestLayout& layout = model_->layout;
  const std::size_t stride = layout.width + 1;
  COEVAL_CHECK(row.size() == layout.width && out.size() == layout.outputs * stride);
  std::ranges::fill(out, 0.0);
  for (std::size_t i = 0; i < layout.outputs; ++i) {
    out[i * stride + layout.width] = model_->biases[i];
  }
  RowWalk walk(layout, model_->shares, model_->columns, model_->depth, model_->rules.size(), row);
  for (std::size_t tree = 0; tree < layout.trees.size(); ++tree) {
    walk.add_tree(tree, model_->rules[model_->tree_rules[tree]],
                  out.subspan(output_of(layout, tree) * stride, layout.width));
  }
}

}  // namespace coeval::models
