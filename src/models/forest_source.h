#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "models/forest_link.h"

namespace coeval::models {

/// What a split by a number does with values that are missing. A library's missing value is NaN;
/// LightGBM can also take 0 for it, or NaN for 0.
enum class Missing : std::uint8_t {
  nan,           ///< NaN goes to the default side
  zero,          ///< NaN and 0 go to the default side
  none,          ///< NaN is 0
  nan_not_tiny,  ///< as nan, but numbers up to 1e-35 are 0 first, as in all LightGBM's splits
};

/// One tree as its file says it: parallel arrays of equal length, node 0 the root. A node without
/// children (left = right = -1) is a leaf. A number goes left if x < condition, or x <= condition
/// where the forest says so.
struct SourceTree {
  std::vector<std::int32_t> left, right, columns;
  std::vector<float> conditions;  ///< of a leaf: its value, if the tree has no `leaf_values`
  std::vector<std::uint8_t> default_left, categorical;
  std::vector<Missing> missing;  ///< empty = nan everywhere
  /// For categorical node `category_nodes[k]`: the codes of its set are
  /// `categories[category_begins[k] .. category_begins[k] + category_sizes[k])`.
  std::vector<std::int32_t> category_nodes, categories;
  std::vector<std::int64_t> category_begins, category_sizes;
  std::vector<double> leaf_values;  ///< at a leaf's place its value in float64, or empty
  std::vector<double> covers;       ///< training weight that reached the node; only when asked for

  std::size_t size() const { return left.size(); }
};

/// A forest as its file says it, whichever library wrote it: what prediction needs.
struct SourceForest {
  std::string_view library = "XGBoost";  ///< for messages
  std::size_t width = 0;                 ///< columns of a row
  std::size_t outputs = 1;
  std::vector<SourceTree> trees;  ///< those that predict: early stopping's surplus is left out
  std::vector<std::uint32_t> tree_outputs;  ///< of each tree; empty when there is one output
  std::vector<float> base_margins;          ///< of each output, before the first tree
  bool or_equal = false;                    ///< numbers go left if x <= condition (LightGBM)
  /// Sums are float64 and start at 0 (LightGBM), instead of float32 from the base margin.
  bool in_float64 = false;
  /// A category set names the codes that go left, and a code is cut towards zero (LightGBM),
  /// instead of the codes that go right.
  bool sets_go_left = false;
  ForestLink link;
};

}  // namespace coeval::models
