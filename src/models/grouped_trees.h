#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "models/forest_layout.h"

namespace coeval::models {

/// A float32 forest's trees filled up to complete binary trees of one depth and cut into groups of
/// three levels, so that a handful of vector instructions take four trees three levels down.
///
/// Ranks. A row becomes one byte for each slot. A slot belongs to a column and up to 255 of its
/// thresholds: how many of those lie below the number, less 128. A threshold is its own place among
/// them, so a number goes right iff rank > bound. A column with more thresholds has more slots. And
/// it has slots for missing values at the low end, at the high end, or both, as its nodes demand.
/// Groups. Seven nodes in the order of a heap: the first, its two children, their four. Their
/// comparisons are seven bits, and kWayOf tells to which of the eight groups or leaves below these
/// lead. The eighth node and those that fill up have the bound kHighest, which no rank exceeds.
/// Levels that the depth lacks to a multiple of three are added above the root: all go left. Below
/// a leaf that lies higher, all ways lead to its value.
/// Categories. A row gets one byte more for each group, its mask: the bits of those nodes that
/// split on a category and whose code goes right. `category_masks` holds them for every code.
/// Trees. They come by fours; those that fill up have leaves of -0, which changes no sum.
struct GroupedTrees {
  static constexpr std::size_t kLevels = 3, kWays = 8;
  static constexpr std::uint32_t kMaxDepth = 9;
  static constexpr std::size_t kSideBySide = 4;  ///< trees
  static constexpr std::size_t kTableSlots = 16;
  static constexpr std::size_t kMaxThresholds = 255;
  static constexpr std::int8_t kLowest = INT8_MIN, kHighest = INT8_MAX;
  /// The numbers of tables for which there are loops.
  static constexpr std::array<std::size_t, 9> kTableCounts = {1, 2, 3, 4, 5, 6, 8, 12, 16};

  struct Group {
    std::array<std::uint8_t, kWays> slots;
    std::array<std::int8_t, kWays> bounds;
  };
  /// The first groups of four trees, as vectors want them.
  struct FirstGroups {
    std::array<std::array<std::uint8_t, kWays>, kSideBySide> slots;
    std::array<std::array<std::int8_t, kWays>, kSideBySide> bounds;
  };
  /// One line of the cache. The only group of a tree of one step is its last.
  struct alignas(64) LastGroup {
    Group group;
    std::array<float, kWays> leaves;
  };
  /// Bounds of ForestLayout's keys less 2^31: they ascend as signed numbers.
  struct alignas(64) SixteenBounds {
    std::array<std::int32_t, 16> bounds;
  };
  /// One look in bounds[first], every sixteenth bound, tells which of those after it to look in.
  /// Both are filled up with INT32_MAX.
  struct Search {
    std::uint32_t column, first;
    std::uint16_t low_slot, high_slot;  ///< where missing values are lowest, highest
  };

  std::size_t steps = 1;        ///< groups from the root to a leaf: 1, 2 or 3
  std::size_t second_ways = 1;  ///< groups of a tree in its second step, if that is not the last
  std::size_t last_ways = 1;    ///< in the last
  std::size_t trees = 0;        ///< with those that fill up
  std::size_t outputs = 1;
  std::size_t tables = 1;  ///< of kTableSlots ranks
  std::size_t masks = 0;   ///< bytes of a row: of the first groups, the second, the last; or none
  std::vector<FirstGroups> firsts;
  std::vector<Group> seconds;
  std::vector<LastGroup> lasts;
  std::vector<std::uint32_t> tree_outputs;  ///< empty when there is one output
  std::vector<Search> searches;
  std::vector<SixteenBounds> bounds;
  std::vector<std::size_t> category_begins;  ///< of ForestLayout's category columns
  std::vector<std::uint8_t> category_masks;  ///< (limit + 2) rows of `masks` for each of them

  /// Nothing for a forest that is summed in float64, deeper than kMaxDepth, with more slots than a
  /// byte tells apart, or for which this form takes over three times the memory of ForestLayout's.
  static std::optional<GroupedTrees> of(const ForestLayout& layout);
  /// Where the slot lies that nobody reads.
  std::size_t unread_slot() const { return tables * kTableSlots; }
  std::size_t masks_begin() const { return (tables + 1) * kTableSlots; }
  /// Bytes of a row.
  std::size_t stride() const { return masks_begin() + masks; }
  std::size_t memory_bytes() const;
};

/// The way that seven comparisons lead, by their bits.
inline constexpr std::array<std::uint8_t, 128> kWayOf = [] {
  std::array<std::uint8_t, 128> ways{};
  for (std::size_t bits = 0; bits < ways.size(); ++bits) {
    const std::size_t first = bits & 1, second = bits >> (1 + first) & 1;
    const std::size_t third = bits >> (3 + 2 * first + second) & 1;
    ways[bits] = static_cast<std::uint8_t>(4 * first + 2 * second + third);
  }
  return ways;
}();

}  // namespace coeval::models
