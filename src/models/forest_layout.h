#pragma once

#include <cstdint>
#include <vector>

#include "base/error.h"
#include "models/xgboost_model.h"

namespace coeval::models {

/// A forest's trees in one array of nodes, made so that a step down is a few instructions without a
/// branch.
///
/// Rows. Before trees are walked, a row of `width` floats becomes `slots()` integers, the keys:
///   [0, width)          the number, ordered as float compares; NaN below every number
///   [width, 2·width)    the same; NaN above every number
///   [2·width, 3·width)  only for category columns: the code as an offset into a node's bits; codes
///                       that no node knows share the offset `limit`, NaN has `limit` + 1
///   3·width             kLowest, which is above nothing
/// Steps. A node's children are neighbours, and the next node is left + (goes right). A number goes
/// right iff keys[slot] > bound: bound is the key below the threshold's own, and the slot is chosen by
/// the side on which missing values go. A category goes right iff bit `bound + keys[slot]` is set.
/// Leaves. A leaf reads the slot of kLowest and leads to itself, so a tree may be walked a fixed
/// number of steps. Its `bound` holds the value's bits.
struct ForestLayout {
  static constexpr std::uint32_t kCategorical = 1u << 31;  ///< flag in Node::slot
  static constexpr std::int32_t kLowest = INT32_MIN;

  struct Node {
    std::int32_t bound;  ///< key, first bit of the category set, or leaf value
    std::uint32_t slot;  ///< which key to read
    std::uint32_t left;
  };
  struct Tree {
    std::uint32_t root;
    std::uint32_t depth;  ///< steps to the deepest leaf
  };
  struct CategoryColumn {
    std::uint32_t column;
    std::uint32_t limit;  ///< codes at or above it are in no node's set
  };

  std::size_t width = 0;
  std::vector<Node> nodes;
  std::vector<Tree> trees;
  std::vector<CategoryColumn> category_columns;
  std::vector<std::uint64_t> category_bits;

  std::size_t slots() const { return 3 * width + 1; }
  std::size_t memory_bytes() const;
};

/// The place of a number among numbers: a < b iff order_key(a) < order_key(b), and -0 equals +0.
/// NaN has no place. Every key lies above kLowest + 1 and below INT32_MAX.
std::int32_t order_key(float number);

/// Checks every index of the trees and lays them out. Errors: bad_model for an index out of range, a
/// node with two parents or in a cycle, a threshold that is NaN; unsupported beyond 2^31 nodes or bits.
Result<ForestLayout> lay_out(const XgboostModel& model);

}  // namespace coeval::models
