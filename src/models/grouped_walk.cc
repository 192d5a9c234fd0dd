#include "models/grouped_walk.h"

#include <algorithm>
#include <cstring>

#include "models/forest_walk.h"

namespace coeval::models {
namespace {

using Group = GroupedTrees::Group;

constexpr std::size_t kWays = GroupedTrees::kWays;
constexpr std::size_t kSideBySide = GroupedTrees::kSideBySide;

std::size_t count_below(const GroupedTrees::SixteenBounds& some, std::int32_t key) {
  return static_cast<std::size_t>(
      std::ranges::count_if(some.bounds, [&](std::int32_t bound) { return bound < key; }));
}

void write_ranks(const GroupedTrees& trees, const float* row, std::int8_t* ranks) {
  for (const auto& search : trees.searches) {
    const float cell = row[search.column];
    const bool missing = cell != cell;
    // What is missing lies above all: right for its high slot.
    const std::int32_t key =
        missing ? INT32_MAX : static_cast<std::int32_t>(order_key(cell) ^ 0x8000'0000u);
    const auto* bounds = &trees.bounds[search.first];
    const std::size_t sixteens = count_below(bounds[0], key);
    const auto rank =
        static_cast<std::int8_t>(sixteens * 16 + count_below(bounds[1 + sixteens], key) - 128);
    ranks[search.low_slot] = missing ? GroupedTrees::kLowest : rank;
    ranks[search.high_slot] = rank;
  }
}

/// Walks the trees of one row.
class RowWalk {
 public:
  RowWalk(const GroupedTrees& trees, const std::int8_t* ranks) : trees_(trees), ranks_(ranks) {}

  float leaf(std::size_t tree) const {
    std::size_t way = 0, before = 0;  // masks of the steps before
    if (trees_.steps > 1) {
      const auto& four = trees_.firsts[tree / kSideBySide];
      const std::size_t own = tree % kSideBySide;
      way = way_below({four.slots[own], four.bounds[own]}, tree);
      before += trees_.trees;
    }
    if (trees_.steps > 2) {
      const std::size_t second = tree * trees_.second_ways + way;
      way = way * kWays + way_below(trees_.seconds[second], before + second);
      before += trees_.seconds.size();
    }
    const std::size_t last = tree * trees_.last_ways + way;
    const auto& [group, leaves] = trees_.lasts[last];
    return leaves[way_below(group, before + last)];
  }

 private:
  std::size_t way_below(const Group& group, std::size_t mask) const {
    std::size_t bits =
        trees_.masks == 0 ? 0 : static_cast<std::uint8_t>(ranks_[trees_.masks_begin() + mask]);
    for (std::size_t i = 0; i < kWays; ++i)
      bits |= (ranks_[group.slots[i]] > group.bounds[i] ? std::size_t{1} : 0) << i;
    return kWayOf[bits];
  }

  const GroupedTrees& trees_;
  const std::int8_t* ranks_;
};

void add_leaves(const GroupedTrees& trees, const std::int8_t* ranks, std::size_t rows,
                float* margins) {
  for (std::size_t row = 0; row < rows; ++row) {
    const RowWalk walk(trees, ranks + row * trees.stride());
    float* const own = margins + row * trees.outputs;
    for (std::size_t tree = 0; tree < trees.trees; ++tree)
      own[trees.tree_outputs.empty() ? 0 : trees.tree_outputs[tree]] += walk.leaf(tree);
  }
}

/// Sixteen bytes in one register.
void merge(std::int8_t* masks, const std::uint8_t* more) {
  using Sixteen [[gnu::vector_size(16)]] = std::uint8_t;
  Sixteen own, other;
  std::memcpy(&own, masks, sizeof own);
  std::memcpy(&other, more, sizeof other);
  own |= other;
  std::memcpy(masks, &own, sizeof own);
}

}  // namespace

void write_masks(const ForestLayout& layout, const GroupedTrees& trees, std::span<const float> row,
                 std::int8_t* ranks) {
  std::int8_t* const masks = ranks + trees.masks_begin();
  for (std::size_t i = 0; i < layout.category_columns.size(); ++i) {
    const auto& block = layout.category_columns[i];
    const std::uint8_t* const more =
        &trees.category_masks[trees.category_begins[i] +
                              category_place(layout, block, row[block.column]) * trees.masks];
    if (i == 0) {
      std::memcpy(masks, more, trees.masks);
    } else {
      for (std::size_t at = 0; at < trees.masks; at += 16) merge(masks + at, more + at);
    }
  }
}

const GroupedWalk& plain_grouped_walk() {
  static const GroupedWalk kWalk = {"plain", write_ranks, add_leaves};
  return kWalk;
}

}  // namespace coeval::models
