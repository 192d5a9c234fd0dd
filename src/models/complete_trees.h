#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "models/forest_layout.h"

namespace coeval::models {

/// A float32 forest's trees filled up to complete binary trees of one depth, which takes a third of
/// the memory and half the instructions of ForestLayout's nodes where the trees are nearly full.
///
/// Ranks. A row becomes `slots` uint16: for each column how many of the forest's thresholds for it
/// lie at or below its number, twice: missing values are 0 in the first plane and kAbove in the
/// second. A threshold is its own place among them, so a number goes right iff rank > bound. Then
/// one slot for each node that splits on a category: kAbove where the code goes right, else 0.
/// Steps. A tree is an array of 2^(depth + 1) nodes; the children of node i are 2 i and 2 i + 1,
/// the root is node 1. Those from 2^depth on are leaves and hold their value's bits. Below a leaf
/// that lies higher, both ways lead to its value.
struct CompleteTrees {
  static constexpr std::uint32_t kMaxDepth = 8;
  static constexpr std::uint16_t kAbove = UINT16_MAX;

  struct Node {
    std::uint16_t bound;
    std::uint16_t slot;
  };
  /// The thresholds of a column that has any: thresholds[first, first + count), ascending.
  struct RankedColumn {
    std::uint32_t column, first, count;
  };

  std::uint32_t depth = 0;
  std::size_t slots = 0;
  std::vector<Node> nodes;
  std::vector<RankedColumn> columns;
  std::vector<std::uint32_t> thresholds;  ///< as bounds of ForestLayout's keys

  /// Nothing for a forest that is summed in float64, deeper than kMaxDepth, with more slots than 16
  /// bits tell apart, or for which this form is over twice as large as ForestLayout's.
  static std::optional<CompleteTrees> of(const ForestLayout& layout);
  std::size_t memory_bytes() const;
};

/// Writes the ranks of one row: layout.width floats in, trees.slots ranks out.
void write_ranks(const ForestLayout& layout, const CompleteTrees& trees, std::span<const float> row,
                 std::span<std::uint16_t> ranks);

/// As add_leaves() of forest_walk.h, for rows × trees.slots ranks: the same bits.
void add_leaves(const ForestLayout& layout, const CompleteTrees& trees,
                std::span<const std::uint16_t> ranks, std::span<float> margins);

}  // namespace coeval::models
