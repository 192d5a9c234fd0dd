#include "models/forest_walk.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <limits>

namespace coeval::models {
namespace {

using Node = ForestLayout::Node;

/// Trees walked side by side: while one waits for memory, the others step.
constexpr std::size_t kLanes = 8;
/// Steps taken without asking whether every lane has reached its leaf.
constexpr std::uint32_t kBlindSteps = 8;

std::uint32_t step(const Node& node, const std::int32_t* keys) {
  const auto key = static_cast<std::uint32_t>(keys[node.slot / 32]);
  return node.left + (static_cast<std::int32_t>(key << node.slot % 32) > node.bound ? 1u : 0u);
}

/// Adds the leaves of trees[0 … kCount) for one row.
template <std::size_t kCount>
void walk(const ForestLayout& layout, const ForestLayout::Tree* trees, const std::int32_t* keys,
          float& margin) {
  const Node* const nodes = layout.nodes.data();
  std::array<std::uint32_t, kCount> at;
  std::uint32_t depth = 0;
  for (std::size_t lane = 0; lane < kCount; ++lane) {
    at[lane] = trees[lane].root;
    depth = std::max(depth, trees[lane].depth);
  }
  const auto step_all = [&] {
#pragma GCC unroll 8  // keeps every lane in a register; as many as kLanes
    for (std::size_t lane = 0; lane < kCount; ++lane) at[lane] = step(nodes[at[lane]], keys);
  };
  const auto all_at_leaf = [&] {
    return std::ranges::all_of(at, [&](auto place) { return layout.is_leaf(nodes[place]); });
  };
  for (std::uint32_t left = std::min(depth, kBlindSteps); left > 0; --left) step_all();
  if (depth > kBlindSteps) {
    while (!all_at_leaf()) step_all();
  }
  for (const auto place : at) margin += std::bit_cast<float>(nodes[place].bound);
}

/// Which row of a category block a code reads.
std::size_t category_row(float code, std::uint32_t limit) {
  if (code != code) return std::size_t{limit} + 1;
  // Infinities and codes beyond 2^24 must not reach the conversion.
  if (code >= 0.0f && code < static_cast<float>(limit)) return static_cast<std::size_t>(code);
  return limit;
}

}  // namespace

void write_keys(const ForestLayout& layout, std::span<const float> row,
                std::span<std::int32_t> keys) {
  const std::size_t width = layout.width;
  for (std::size_t i = 0; i < width; ++i) {
    const std::int32_t key = order_key(row[i]);
    const bool missing = row[i] != row[i];
    keys[i] = missing ? ForestLayout::kLowest : key;
    keys[width + i] = missing ? std::numeric_limits<std::int32_t>::max() : key;
  }
  for (const auto& block : layout.category_columns) {
    const std::size_t place = category_row(row[block.column], block.limit) * block.words;
    std::memcpy(&keys[block.first_key], &layout.category_bits[block.first_word + place],
                block.words * sizeof(std::int32_t));
  }
  keys[layout.keys_count - 1] = ForestLayout::kLowest;
}

void add_leaves(const ForestLayout& layout, std::span<const std::int32_t> keys,
                std::span<float> margins) {
  const std::size_t count = layout.trees.size(), stride = layout.keys_count;
  std::size_t tree = 0;
  for (; tree + kLanes <= count; tree += kLanes) {
    for (std::size_t row = 0; row < margins.size(); ++row) {
      walk<kLanes>(layout, &layout.trees[tree], &keys[row * stride], margins[row]);
    }
  }
  for (; tree < count; ++tree) {
    for (std::size_t row = 0; row < margins.size(); ++row) {
      walk<1>(layout, &layout.trees[tree], &keys[row * stride], margins[row]);
    }
  }
}

}  // namespace coeval::models
