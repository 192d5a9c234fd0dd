#include "models/forest_layout.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <string>

#include "models/category_sets.h"

namespace coeval::models {
namespace {

using Node = ForestLayout::Node;
using Plane = ForestLayout::Plane;

constexpr std::size_t kMaxNodes = std::size_t{1} << 30;

std::unexpected<Error> bad_tree(const SourceForest& forest, const std::string& what) {
  return fail(Code::bad_model, std::string(forest.library) + " model: a tree " + what,
              "the file is damaged; take it from its source again");
}

Status check_columns(const SourceForest& forest, const SourceTree& tree) {
  for (const std::int32_t column : tree.columns) {
    if (column < 0 || static_cast<std::size_t>(column) >= forest.width) {
      return bad_tree(forest, "reads a column that does not exist: " + std::to_string(column));
    }
  }
  return {};
}

Plane plane_of(const SourceTree& tree, std::size_t node) {
  return {tree.missing.empty() ? Missing::nan : tree.missing[node], tree.default_left[node] != 0};
}

/// XGBoost's two planes are always there, so that their keys are written by one loop.
std::vector<Plane> planes_of(const SourceForest& forest) {
  if (!forest.in_float64) return {{Missing::nan, true}, {Missing::nan, false}};
  std::vector<Plane> planes;
  for (const SourceTree& tree : forest.trees) {
    for (std::size_t node = 0; node < tree.size(); ++node) {
      if (tree.left[node] == -1 || tree.categorical[node] != 0) continue;
      const Plane plane = plane_of(tree, node);
      if (std::ranges::find(planes, plane) == planes.end()) planes.push_back(plane);
    }
  }
  return planes;
}

/// Lays out one tree, breadth first, so that children are neighbours.
class TreeLayout {
 public:
  TreeLayout(const SourceForest& forest, const SourceTree& tree, CategorySets& categories,
             ForestLayout& layout, std::vector<std::uint32_t>* origins)
      : forest_(forest),
        tree_(tree),
        categories_(categories),
        layout_(layout),
        root_(layout.nodes.size()),
        sets_(CategorySets::index(tree)),
        reached_(tree.size(), false),
        origins_(origins) {}

  Status add() && {
    COEVAL_TRY(reach(0));
    std::uint32_t depth = 0;
    for (std::size_t done = 0, level_end = 1; done < order_.size(); ++done) {
      if (done == level_end) {
        level_end = order_.size();
        ++depth;
      }
      COEVAL_TRY(add_node(order_[done]));
    }
    layout_.trees.push_back({static_cast<std::uint32_t>(root_), depth});
    if (origins_ != nullptr) origins_->insert(origins_->end(), order_.begin(), order_.end());
    return {};
  }

 private:
  /// A node reached twice is no tree: it has two parents or lies in a cycle.
  Status reach(std::int32_t node) {
    if (node < 0 || static_cast<std::size_t>(node) >= tree_.size()) {
      return bad_tree(forest_, "has a child that does not exist: " + std::to_string(node));
    }
    if (reached_[static_cast<std::size_t>(node)]) return bad_tree(forest_, "reaches a node twice");
    reached_[static_cast<std::size_t>(node)] = true;
    order_.push_back(static_cast<std::uint32_t>(node));
    return {};
  }

  Status add_node(std::size_t node) {
    if (layout_.nodes.size() >= kMaxNodes) {
      return fail(Code::unsupported, std::string(forest_.library) +
                                         " model with more than 2^30 nodes is not supported");
    }
    if (tree_.left[node] == -1) {
      layout_.nodes.push_back(leaf(node));
      return {};
    }
    const auto children = static_cast<std::uint32_t>(root_ + order_.size());
    COEVAL_TRY(reach(tree_.left[node]));
    COEVAL_TRY(reach(tree_.right[node]));
    return tree_.categorical[node] == 0 ? add_number(node, children) : add_category(node, children);
  }

  Node leaf(std::size_t node) {
    auto value = std::bit_cast<std::uint32_t>(tree_.conditions[node]);
    if (!tree_.leaf_values.empty()) {
      value = static_cast<std::uint32_t>(layout_.leaf_values.size());
      layout_.leaf_values.push_back(tree_.leaf_values[node]);
    }
    return {value, static_cast<std::uint32_t>((layout_.keys_count - 1) * 32),
            static_cast<std::uint32_t>(layout_.nodes.size())};
  }

  Status add_number(std::size_t node, std::uint32_t children) {
    const float threshold = tree_.conditions[node];
    if (std::isnan(threshold)) return bad_tree(forest_, "compares with NaN");
    const auto plane = static_cast<std::size_t>(
        std::ranges::find(layout_.planes, plane_of(tree_, node)) - layout_.planes.begin());
    const std::size_t key = plane * layout_.width + static_cast<std::size_t>(tree_.columns[node]);
    layout_.nodes.push_back({order_key(threshold) - (forest_.or_equal ? 0u : 1u),
                             static_cast<std::uint32_t>(key * 32), children});
    return {};
  }

  Status add_category(std::size_t node, std::uint32_t children) {
    if (sets_[node] == kNoSet) return bad_tree(forest_, "has a category node without its set");
    layout_.nodes.push_back({0x7fff'ffffu, categories_.add(layout_, tree_, sets_[node]), children});
    return {};
  }

  const SourceForest& forest_;
  const SourceTree& tree_;
  CategorySets& categories_;
  ForestLayout& layout_;
  std::size_t root_;
  std::vector<std::uint32_t> sets_;
  std::vector<bool> reached_;
  std::vector<std::uint32_t> order_;  ///< nodes in the order in which they are laid out
  std::vector<std::uint32_t>* origins_;
};

}  // namespace

std::size_t ForestLayout::memory_bytes() const {
  return nodes.capacity() * sizeof(Node) + trees.capacity() * sizeof(Tree) +
         tree_outputs.capacity() * sizeof(std::uint32_t) + leaf_values.capacity() * sizeof(double) +
         planes.capacity() * sizeof(Plane) + category_columns.capacity() * sizeof(CategoryColumn) +
         category_bits.capacity() * sizeof(std::uint32_t);
}

std::uint32_t order_key(float number) {
  const auto bits = std::bit_cast<std::uint32_t>(number + 0.0f);  // -0 becomes +0
  // Negative numbers come in reverse, below the others.
  const auto negative = static_cast<std::uint32_t>(static_cast<std::int32_t>(bits) >> 31);
  return bits ^ (negative | 0x8000'0000u);
}

Result<ForestLayout> lay_out(const SourceForest& model, std::vector<std::uint32_t>* origins) {
  ForestLayout layout;
  layout.width = model.width;
  layout.outputs = model.outputs;
  layout.in_float64 = model.in_float64;
  layout.codes_are_cut = model.sets_go_left;
  layout.planes = planes_of(model);
  layout.tree_outputs = model.tree_outputs;
  CategorySets categories(model);
  std::size_t nodes = 0, leaves = 0;
  for (const SourceTree& tree : model.trees) {
    COEVAL_TRY(check_columns(model, tree));
    COEVAL_TRY(categories.count(tree));
    nodes += tree.size();
    if (!tree.leaf_values.empty()) leaves += tree.size() / 2 + 1;
  }
  COEVAL_TRY(categories.allocate(layout));
  layout.nodes.reserve(nodes);
  layout.leaf_values.reserve(leaves);
  for (const SourceTree& tree : model.trees) {
    COEVAL_TRY(TreeLayout(model, tree, categories, layout, origins).add());
  }
  return layout;
}

}  // namespace coeval::models
