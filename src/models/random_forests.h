#pragma once

// For tests only: forests by dice, and rows that break careless readers of them.

#include <cmath>
#include <cstdint>
#include <iterator>
#include <limits>
#include <random>
#include <vector>

#include "models/forest_source.h"

namespace coeval::models {

struct RandomForest {
  std::size_t width = 5;
  std::uint32_t depth = 4;
  std::size_t trees = 21;
  unsigned leaf_odds = 0;      ///< one in so many nodes is a leaf before its time; 0: none
  std::size_t categories = 0;  ///< the last columns
  std::size_t outputs = 1;
  std::uint32_t thresholds = 41;  ///< of a column, at most
};

class RandomForests {
 public:
  explicit RandomForests(std::uint32_t seed) : random_(seed) {}

  SourceForest forest(const RandomForest& kind) {
    SourceForest forest;
    forest.width = kind.width;
    forest.outputs = kind.outputs;
    for (std::size_t i = 0; i < kind.trees; ++i) {
      SourceTree& tree = forest.trees.emplace_back();
      grow(kind, tree, kind.depth);
      if (kind.outputs > 1) forest.tree_outputs.push_back(die(kind.outputs));
    }
    return forest;
  }

  /// For `rows` rows.
  std::vector<float> cells(const RandomForest& kind, std::size_t rows) {
    std::vector<float> made;
    for (std::size_t i = 0; i < rows * kind.width; ++i)
      made.push_back(i % kind.width >= kind.width - kind.categories && die(4) != 0
                         ? code()
                         : cell(kind.thresholds));
    return made;
  }
  /// Thresholds, their neighbours, and what is no ordinary number.
  float cell(std::uint32_t thresholds) {
    static constexpr float kOdd[] = {kNaN,  -kNaN,  kInfinity, -kInfinity, 0.0f,
                                     -0.0f, 1e-45f, -1e-45f,   3.4e38f,    -3.4e38f};
    if (die(6) == 0) return kOdd[die(std::size(kOdd))];
    const float number = threshold(thresholds);
    return die(3) == 0 ? number : std::nextafter(number, die(2) == 0 ? kInfinity : -kInfinity);
  }
  std::uint32_t die(std::size_t sides) { return static_cast<std::uint32_t>(random_() % sides); }

 private:
  static constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();
  static constexpr float kInfinity = std::numeric_limits<float>::infinity();

  float threshold(std::uint32_t thresholds) {
    if (die(20) == 0) return die(2) == 0 ? kInfinity : -kInfinity;
    const auto middle = static_cast<int>(thresholds / 2);
    return static_cast<float>(static_cast<int>(die(thresholds)) - middle) / 8;
  }
  /// Known, unknown, below 0, between two.
  float code() {
    const float whole = static_cast<float>(die(12)) - 1;
    return die(8) == 0 ? whole + 0.5f : whole;
  }

  std::int32_t add_node(SourceTree& tree) {
    tree.left.push_back(-1);
    tree.right.push_back(-1);
    tree.columns.push_back(0);
    tree.conditions.push_back(static_cast<float>(static_cast<int>(die(2001)) - 1000) / 997);
    tree.default_left.push_back(static_cast<std::uint8_t>(die(2)));
    tree.categorical.push_back(0);
    return static_cast<std::int32_t>(tree.size()) - 1;
  }

  std::int32_t grow(const RandomForest& kind, SourceTree& tree, std::uint32_t depth) {
    const std::int32_t number = add_node(tree);
    if (depth == 0 || (kind.leaf_odds != 0 && die(kind.leaf_odds) == 0)) return number;
    const auto node = static_cast<std::size_t>(number);
    const std::uint32_t column = die(kind.width);
    tree.columns[node] = static_cast<std::int32_t>(column);
    if (column >= kind.width - kind.categories) {
      tree.categorical[node] = 1;
      tree.category_nodes.push_back(number);
      tree.category_begins.push_back(static_cast<std::int64_t>(tree.categories.size()));
      for (std::int32_t code = 0; code < 9; ++code)
        if (die(2) == 0) tree.categories.push_back(code);
      tree.category_sizes.push_back(static_cast<std::int64_t>(tree.categories.size()) -
                                    tree.category_begins.back());
    } else {
      tree.conditions[node] = threshold(kind.thresholds);
    }
    const std::int32_t left = grow(kind, tree, depth - 1), right = grow(kind, tree, depth - 1);
    tree.left[node] = left;
    tree.right[node] = right;
    return number;
  }

  std::mt19937 random_;
};

}  // namespace coeval::models
