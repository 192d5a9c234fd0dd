#include "models/forest_layout.h"

#include <bit>
#include <cmath>
#include <string>

#include "models/category_sets.h"

namespace coeval::models {
namespace {

using Node = ForestLayout::Node;

constexpr std::size_t kMaxNodes = std::size_t{1} << 30;

std::unexpected<Error> bad_tree(const std::string& what) {
  return fail(Code::bad_model, "XGBoost model: a tree " + what,
              "the file is damaged; take it from its source again");
}

Status check_columns(const XgboostTree& tree, std::size_t width) {
  for (const std::int32_t column : tree.columns) {
    if (column < 0 || static_cast<std::size_t>(column) >= width) {
      return bad_tree("reads a column that does not exist: " + std::to_string(column));
    }
  }
  return {};
}

/// Lays out one tree, breadth first, so that children are neighbours.
class TreeLayout {
 public:
  TreeLayout(const XgboostTree& tree, CategorySets& categories, ForestLayout& layout)
      : tree_(tree),
        categories_(categories),
        layout_(layout),
        root_(layout.nodes.size()),
        sets_(CategorySets::index(tree)),
        reached_(tree.size(), false) {}

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
    return {};
  }

 private:
  /// A node reached twice is no tree: it has two parents or lies in a cycle.
  Status reach(std::int32_t node) {
    if (node < 0 || static_cast<std::size_t>(node) >= tree_.size()) {
      return bad_tree("has a child that does not exist: " + std::to_string(node));
    }
    if (reached_[static_cast<std::size_t>(node)]) return bad_tree("reaches a node twice");
    reached_[static_cast<std::size_t>(node)] = true;
    order_.push_back(static_cast<std::size_t>(node));
    return {};
  }

  Status add_node(std::size_t node) {
    if (layout_.nodes.size() >= kMaxNodes) {
      return fail(Code::unsupported, "XGBoost model with more than 2^30 nodes is not supported");
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

  Node leaf(std::size_t node) const {
    return {std::bit_cast<std::int32_t>(tree_.conditions[node]),
            static_cast<std::uint32_t>((layout_.keys_count - 1) * 32),
            static_cast<std::uint32_t>(layout_.nodes.size())};
  }

  Status add_number(std::size_t node, std::uint32_t children) {
    const float threshold = tree_.conditions[node];
    if (std::isnan(threshold)) return bad_tree("compares with NaN");
    const std::size_t side = tree_.default_left[node] != 0 ? 0 : layout_.width;
    const std::size_t key = side + static_cast<std::size_t>(tree_.columns[node]);
    layout_.nodes.push_back(
        {order_key(threshold) - 1, static_cast<std::uint32_t>(key * 32), children});
    return {};
  }

  Status add_category(std::size_t node, std::uint32_t children) {
    if (sets_[node] == kNoSet) return bad_tree("has a category node without its set");
    layout_.nodes.push_back({-1, categories_.add(layout_, tree_, sets_[node]), children});
    return {};
  }

  const XgboostTree& tree_;
  CategorySets& categories_;
  ForestLayout& layout_;
  std::size_t root_;
  std::vector<std::uint32_t> sets_;
  std::vector<bool> reached_;
  std::vector<std::size_t> order_;  ///< nodes in the order in which they are laid out
};

}  // namespace

std::size_t ForestLayout::memory_bytes() const {
  return nodes.capacity() * sizeof(Node) + trees.capacity() * sizeof(Tree) +
         category_columns.capacity() * sizeof(CategoryColumn) +
         category_bits.capacity() * sizeof(std::uint32_t);
}

std::int32_t order_key(float number) {
  const auto bits = std::bit_cast<std::int32_t>(number + 0.0f);  // -0 becomes +0
  return bits ^ static_cast<std::int32_t>(static_cast<std::uint32_t>(bits >> 31) >> 1);
}

Result<ForestLayout> lay_out(const XgboostModel& model) {
  ForestLayout layout;
  layout.width = model.width;
  CategorySets categories(model.width);
  std::size_t nodes = 0;
  for (const XgboostTree& tree : model.trees) {
    COEVAL_TRY(check_columns(tree, model.width));
    COEVAL_TRY(categories.count(tree));
    nodes += tree.size();
  }
  COEVAL_TRY(categories.allocate(layout));
  layout.nodes.reserve(nodes);
  for (const XgboostTree& tree : model.trees) {
    COEVAL_TRY(TreeLayout(tree, categories, layout).add());
  }
  return layout;
}

}  // namespace coeval::models
