#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/error.h"
#include "models/forest_source.h"

namespace coeval::models {

/// A forest's trees in one array of nodes, made so that a step down is a handful of instructions
/// without a branch.
///
/// Keys. Before trees are walked, a row of `width` floats becomes `keys_count` uint32 keys: first
/// `width` for each of `planes`, the number, ordered as float compares; what is missing lies below
/// or above every number. XGBoost's forests have two planes, with NaN below and above. Then, for
/// each category column, one bit for each node that splits on it, 32 a key: set = goes right. They
/// are copied from `category_bits`, which holds them for every code. Last comes kLowest, which is
/// above nothing. Steps. A node's children are neighbours: the next node is left + (goes right),
/// and it goes right iff (keys[slot / 32] << slot % 32) > bound. For a number the shift is 0 and
/// bound is the key just below the threshold's; the key is chosen by the side on which missing
/// values go. For a category the shift brings the node's bit to the top and bound is all bits below
/// it. Leaves. A leaf reads kLowest and leads to itself, so a tree may be walked for any number of
/// steps beyond its depth. Its `bound` holds the value's bits, or the value's place in
/// `leaf_values` where those are float64.
struct ForestLayout {
  static constexpr std::uint32_t kLowest = 0, kHighest = UINT32_MAX;

  struct Node {
    std::uint32_t bound;  ///< or a leaf's value
    std::uint32_t slot;   ///< which key, and its shift
    std::uint32_t left;
  };
  struct Tree {
    std::uint32_t root;
    std::uint32_t depth;  ///< steps to the deepest leaf
  };
  /// How a plane of keys tells what is missing, and where that goes.
  struct Plane {
    Missing missing = Missing::nan;
    bool left = false;  ///< missing values lie below every number, instead of above
    friend bool operator==(const Plane&, const Plane&) = default;
  };
  /// A block of `category_bits`: limit + 2 rows of `words`, for codes 0 … limit - 1, for codes that
  /// no node knows, and for missing values.
  struct CategoryColumn {
    std::uint32_t column;
    std::uint32_t limit;  ///< codes at or above it are in no node's set
    std::uint32_t words;
    std::uint32_t first_key;
    std::size_t first_word;
  };

  std::size_t width = 0;
  std::size_t outputs = 1;
  std::size_t keys_count = 1;
  bool in_float64 = false;     ///< leaves are in `leaf_values`
  bool codes_are_cut = false;  ///< codes in (-1, 0) are 0, as LightGBM reads them
  std::vector<Plane> planes;
  std::vector<Node> nodes;
  std::vector<Tree> trees;
  std::vector<std::uint32_t> tree_outputs;  ///< empty when there is one output
  std::vector<double> leaf_values;          ///< of forests that are summed in float64
  std::vector<CategoryColumn> category_columns;
  std::vector<std::uint32_t> category_bits;

  /// Whether every split is by a number: then no slot has a shift.
  bool numbers_only() const { return category_columns.empty(); }
  bool is_leaf(const Node& node) const { return node.slot / 32 == keys_count - 1; }
  std::size_t memory_bytes() const;
};

/// The place of a number among numbers: a < b iff order_key(a) < order_key(b), and -0 equals +0.
/// NaN has no place. Every key lies above kLowest + 1 and below kHighest.
std::uint32_t order_key(float number);

/// Checks every index of the trees and lays them out. Errors: bad_model for an index out of range,
/// a node with two parents or in a cycle, a threshold that is NaN; unsupported beyond 2^30 nodes or
/// 128 MiB of category sets.
/// `origins`, when asked for, gets for each node of the layout its number in its tree of the file.
Result<ForestLayout> lay_out(const SourceForest& model,
                             std::vector<std::uint32_t>* origins = nullptr);

}  // namespace coeval::models
