#include "models/forest_walk.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>

namespace coeval::models {
namespace {

using Node = ForestLayout::Node;

/// Trees walked side by side: while one waits for memory, the others step.
constexpr std::size_t kLanes = 16;
/// Of the trees that are left over.
constexpr std::size_t kFewLanes = 4;
/// Steps taken without asking whether every lane has reached its leaf.
constexpr std::uint32_t kBlindSteps = 8;

template <bool kShifts>
std::uint32_t step(const Node& node, const std::uint32_t* keys) {
  std::uint32_t key = keys[node.slot / 32];
  if constexpr (kShifts) key <<= node.slot % 32;
  return node.left + (node.bound < key);  // two instructions: compare, add with carry
}

/// Walks trees[0 … kCount) for one row and gives each one's leaf to `add`, in order.
template <bool kShifts, std::size_t kCount, class Add>
void walk(const ForestLayout& layout, const ForestLayout::Tree* trees, const std::uint32_t* keys,
          const Add& add) {
  const Node* const nodes = layout.nodes.data();
  std::array<std::uint32_t, kCount> at;
  std::uint32_t depth = 0;
  for (std::size_t lane = 0; lane < kCount; ++lane) {
    at[lane] = trees[lane].root;
    depth = std::max(depth, trees[lane].depth);
  }
  const auto step_all = [&] {
#pragma GCC unroll 16  // no loop over lanes; as many as kLanes
    for (std::size_t lane = 0; lane < kCount; ++lane)
      at[lane] = step<kShifts>(nodes[at[lane]], keys);
  };
  const auto all_at_leaf = [&] {
    return std::ranges::all_of(at, [&](auto place) { return layout.is_leaf(nodes[place]); });
  };
  for (std::uint32_t left = std::min(depth, kBlindSteps); left > 0; --left) step_all();
  if (depth > kBlindSteps) {
    while (!all_at_leaf()) step_all();
  }
  for (std::size_t lane = 0; lane < kCount; ++lane) add(lane, nodes[at[lane]].bound);
}

/// Walks trees for all rows, kCount at a time, from `tree` on as long as so many are left; returns
/// the first that is not done.
template <bool kShifts, std::size_t kCount, class Add>
std::size_t walk_groups(const ForestLayout& layout, std::span<const std::uint32_t> keys,
                        std::size_t rows, std::size_t tree, const Add& add) {
  for (; tree + kCount <= layout.trees.size(); tree += kCount) {
    for (std::size_t row = 0; row < rows; ++row) {
      walk<kShifts, kCount>(
          layout, &layout.trees[tree], &keys[row * layout.keys_count],
          [&](std::size_t lane, std::uint32_t leaf) { add(row, tree + lane, leaf); });
    }
  }
  return tree;
}

/// Walks all trees for all rows. `add` gets a row, a tree and what its leaf holds, for each row in
/// the order of the trees.
template <bool kShifts, class Add>
void walk_all(const ForestLayout& layout, std::span<const std::uint32_t> keys, std::size_t rows,
              const Add& add) {
  std::size_t tree = walk_groups<kShifts, kLanes>(layout, keys, rows, 0, add);
  tree = walk_groups<kShifts, kFewLanes>(layout, keys, rows, tree, add);
  walk_groups<kShifts, 1>(layout, keys, rows, tree, add);
}

/// `value` makes a number of what a leaf holds.
template <bool kShifts, class Sum, class Value>
void add_all(const ForestLayout& layout, std::span<const std::uint32_t> keys,
             std::span<Sum> margins, const Value& value) {
  const std::size_t outputs = layout.outputs;
  if (outputs == 1) {
    walk_all<kShifts>(
        layout, keys, margins.size(),
        [&](std::size_t row, std::size_t, std::uint32_t leaf) { margins[row] += value(leaf); });
    return;
  }
  walk_all<kShifts>(layout, keys, margins.size() / outputs,
                    [&](std::size_t row, std::size_t tree, std::uint32_t leaf) {
                      margins[row * outputs + layout.tree_outputs[tree]] += value(leaf);
                    });
}

template <class Sum, class Value>
void add_any(const ForestLayout& layout, std::span<const std::uint32_t> keys,
             std::span<Sum> margins, const Value& value) {
  if (layout.numbers_only()) return add_all<false>(layout, keys, margins, value);
  add_all<true>(layout, keys, margins, value);
}

/// Which row of a category block a code reads.
std::size_t row_of_code(float code, std::uint32_t limit, bool cut) {
  if (code != code) return std::size_t{limit} + 1;
  // Infinities and codes beyond 2^24 must not reach the conversion.
  if (code >= 0.0f && code < static_cast<float>(limit)) return static_cast<std::size_t>(code);
  return cut && code > -1.0f && code < 0.0f ? 0 : limit;
}

/// The keys of one plane. All but Missing::nan are LightGBM's, for which tiny numbers are 0.
void write_plane(const ForestLayout::Plane& plane, std::span<const float> row,
                 std::uint32_t* keys) {
  constexpr float kTiny = 1e-35f;
  const std::uint32_t missing_key = plane.left ? ForestLayout::kLowest : ForestLayout::kHighest;
  const std::uint32_t zero_key = order_key(0.0f);
  for (std::size_t i = 0; i < row.size(); ++i) {
    const float cell = row[i];
    const bool not_a_number = cell != cell;
    const bool zero = plane.missing != Missing::nan && std::fabs(cell) <= kTiny;
    const bool missing = plane.missing == Missing::none   ? false
                         : plane.missing == Missing::zero ? zero || not_a_number
                                                          : not_a_number;
    keys[i] = missing ? missing_key : zero || not_a_number ? zero_key : order_key(cell);
  }
}

/// Both of XGBoost's planes in one loop: missing values below, missing values above.
void write_both_sides(std::span<const float> row, std::span<std::uint32_t> keys) {
  const std::size_t width = row.size();
  for (std::size_t i = 0; i < width; ++i) {
    const std::uint32_t key = order_key(row[i]);
    const bool missing = row[i] != row[i];
    keys[i] = missing ? ForestLayout::kLowest : key;
    keys[width + i] = missing ? ForestLayout::kHighest : key;
  }
}

}  // namespace

std::size_t category_place(const ForestLayout& layout, const ForestLayout::CategoryColumn& block,
                           float code) {
  return row_of_code(code, block.limit, layout.codes_are_cut);
}

std::span<const std::uint32_t> category_row(const ForestLayout& layout,
                                            const ForestLayout::CategoryColumn& block, float code) {
  const std::size_t row = row_of_code(code, block.limit, layout.codes_are_cut);
  return std::span(layout.category_bits).subspan(block.first_word + row * block.words, block.words);
}

void write_keys(const ForestLayout& layout, std::span<const float> row,
                std::span<std::uint32_t> keys) {
  const std::size_t width = layout.width;
  if (!layout.in_float64) {
    write_both_sides(row, keys);
  } else {
    for (std::size_t i = 0; i < layout.planes.size(); ++i) {
      write_plane(layout.planes[i], row.first(width), &keys[i * width]);
    }
  }
  for (const auto& block : layout.category_columns) {
    const auto bits = category_row(layout, block, row[block.column]);
    std::memcpy(&keys[block.first_key], bits.data(), bits.size_bytes());
  }
  keys[layout.keys_count - 1] = ForestLayout::kLowest;
}

void add_leaves(const ForestLayout& layout, std::span<const std::uint32_t> keys,
                std::span<float> margins) {
  add_any(layout, keys, margins, [](std::uint32_t leaf) { return std::bit_cast<float>(leaf); });
}

void add_leaves(const ForestLayout& layout, std::span<const std::uint32_t> keys,
                std::span<double> margins) {
  add_any(layout, keys, margins, [&](std::uint32_t leaf) { return layout.leaf_values[leaf]; });
}

}  // namespace coeval::models
