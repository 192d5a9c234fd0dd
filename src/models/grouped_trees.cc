#include "models/grouped_trees.h"

#include <algorithm>
#include <bit>

namespace coeval::models {
namespace {

using Group = GroupedTrees::Group;
using Search = GroupedTrees::Search;

constexpr std::size_t kLevels = GroupedTrees::kLevels, kWays = GroupedTrees::kWays;
constexpr std::size_t kSideBySide = GroupedTrees::kSideBySide;
constexpr std::size_t kMaxThresholds = GroupedTrees::kMaxThresholds;
constexpr std::int8_t kNever = GroupedTrees::kHighest;
constexpr Group kFilling = {{}, {kNever, kNever, kNever, kNever, kNever, kNever, kNever, kNever}};
/// As large as any forest may be.
constexpr std::size_t kSmall = 4096;
/// Beyond this, a row's masks come from memory that no cache holds.
constexpr std::size_t kMaxCategoryBytes = std::size_t{16} << 20;

std::size_t round_up(std::size_t size, std::size_t step) { return (size + step - 1) / step * step; }

/// Whether the node splits by a number; its column then is key % width, its plane key / width.
bool is_number(const ForestLayout& layout, const ForestLayout::Node& node) {
  return node.slot / 32 < layout.planes.size() * layout.width;
}

/// Gives slots to the columns.
class SlotMaking {
 public:
  SlotMaking(const ForestLayout& layout, GroupedTrees& trees)
      : layout_(layout), trees_(trees), columns_(layout.width) {}

  /// Whether there are slots for all.
  bool make() {
    for (const auto& node : layout_.nodes) {
      if (!is_number(layout_, node)) continue;
      Column& column = columns_[node.slot / 32 % layout_.width];
      column.bounds.push_back(node.bound);
      (is_low(node) ? column.low : column.high) = true;
    }
    for (std::uint32_t i = 0; i < columns_.size(); ++i) add_column(i);
    const std::size_t needed = round_up(std::max<std::size_t>(slots_, 1), kSlots) / kSlots;
    const auto* const tables = std::ranges::lower_bound(GroupedTrees::kTableCounts, needed);
    if (tables == GroupedTrees::kTableCounts.end()) return false;
    trees_.tables = *tables;
    for (Search& search : trees_.searches) {
      const Column& column = columns_[search.column];
      if (!column.low) search.low_slot = static_cast<std::uint16_t>(trees_.unread_slot());
      if (!column.high) search.high_slot = static_cast<std::uint16_t>(trees_.unread_slot());
    }
    return true;
  }

  void set(Group& group, std::size_t place, const ForestLayout::Node& node) const {
    const Column& column = columns_[node.slot / 32 % layout_.width];
    const auto rank = static_cast<std::size_t>(std::ranges::lower_bound(column.bounds, node.bound) -
                                               column.bounds.begin());
    const Search& search = trees_.searches[column.first_search + rank / kMaxThresholds];
    group.slots[place] =
        static_cast<std::uint8_t>(is_low(node) ? search.low_slot : search.high_slot);
    group.bounds[place] = static_cast<std::int8_t>(rank % kMaxThresholds - 128);
  }

 private:
  static constexpr std::size_t kSlots = GroupedTrees::kTableSlots;
  static constexpr std::size_t kMaxSlots = kSlots * GroupedTrees::kTableCounts.back();

  struct Column {
    std::vector<std::uint32_t> bounds;  ///< ascending
    std::size_t first_search = 0;
    bool low = false, high = false;  ///< whether missing values go left somewhere, right
  };

  bool is_low(const ForestLayout::Node& node) const {
    return layout_.planes[node.slot / 32 / layout_.width].left;
  }

  void add_column(std::uint32_t number) {
    Column& column = columns_[number];
    std::ranges::sort(column.bounds);
    column.bounds.erase(std::ranges::unique(column.bounds).begin(), column.bounds.end());
    column.first_search = trees_.searches.size();
    for (std::size_t at = 0; at < column.bounds.size() && slots_ <= kMaxSlots;
         at += kMaxThresholds) {
      Search search = {.column = number,
                       .first = static_cast<std::uint32_t>(trees_.bounds.size()),
                       .low_slot = 0,
                       .high_slot = 0};
      if (column.low) search.low_slot = static_cast<std::uint16_t>(slots_++);
      if (column.high) search.high_slot = static_cast<std::uint16_t>(slots_++);
      trees_.searches.push_back(search);
      const auto own = std::span(column.bounds).subspan(at);
      add_bounds(own.first(std::min(own.size(), kMaxThresholds)));
    }
  }

  /// Of one search, whose last sixteen are never full: so many numbers may lie above all.
  void add_bounds(std::span<const std::uint32_t> own) {
    GroupedTrees::SixteenBounds empty{};
    empty.bounds.fill(INT32_MAX);
    const std::size_t first = trees_.bounds.size();
    trees_.bounds.resize(first + 2 + own.size() / 16, empty);
    for (std::size_t i = 0; i < own.size(); ++i) {
      const auto bound = static_cast<std::int32_t>(own[i] ^ 0x8000'0000u);
      trees_.bounds[first + 1 + i / 16].bounds[i % 16] = bound;
      if (i % 16 == 15) trees_.bounds[first].bounds[i / 16] = bound;
    }
  }

  const ForestLayout& layout_;
  GroupedTrees& trees_;
  std::vector<Column> columns_;
  std::size_t slots_ = 0;
};

/// Fills one tree after the other.
class GroupFilling {
 public:
  GroupFilling(const ForestLayout& layout, const SlotMaking& slots, GroupedTrees& trees,
               std::uint32_t depth)
      : layout_(layout),
        slots_(slots),
        trees_(trees),
        depth_(depth),
        mask_bits_(layout.category_columns.size()) {
    for (std::size_t i = 0; i < mask_bits_.size(); ++i)
      mask_bits_[i].resize(std::size_t{layout.category_columns[i].words} * 32);
  }

  void fill(std::size_t tree) {
    const std::size_t leaves = std::size_t{1} << depth_;
    from_.resize(2 * leaves);
    from_[1] = layout_.trees[tree].root;
    for (std::size_t i = 1; i < leaves; ++i) {
      const auto& node = layout_.nodes[from_[i]];
      const bool leaf = layout_.is_leaf(node);
      if (!leaf) set(tree, i, node);
      from_[2 * i] = node.left;  // a leaf leads to itself
      from_[2 * i + 1] = node.left + (leaf ? 0 : 1);
    }
    for (std::size_t i = 0; i < leaves; ++i) {
      trees_.lasts[tree * trees_.last_ways + i / kWays].leaves[i % kWays] =
          std::bit_cast<float>(layout_.nodes[from_[leaves + i]].bound);
    }
  }

  /// After all trees: code by code, so that what is written lies close together.
  void fill_masks() {
    for (std::size_t i = 0; i < mask_bits_.size(); ++i) {
      const auto& block = layout_.category_columns[i];
      for (std::size_t row = 0; row < std::size_t{block.limit} + 2; ++row) {
        const std::uint32_t* words = &layout_.category_bits[block.first_word + row * block.words];
        std::uint8_t* masks =
            &trees_.category_masks[trees_.category_begins[i] + row * trees_.masks];
        fill_row(i, {words, block.words}, masks);
      }
    }
  }

 private:
  /// Where a node's bit goes.
  struct MaskBit {
    std::size_t mask = 0;
    std::uint8_t value = 0;
  };

  /// Puts node i of the complete tree, whose root is node 1, into its group.
  void set(std::size_t tree, std::size_t i, const ForestLayout::Node& node) {
    const auto level = static_cast<std::size_t>(std::bit_width(i)) - 1;
    const std::size_t across = i - (std::size_t{1} << level);  // its place in its level
    const std::size_t deep = level + trees_.steps * kLevels - depth_;
    const std::size_t step = deep / kLevels, in_group = deep % kLevels;
    const std::size_t way = across >> in_group, first = (std::size_t{1} << in_group) - 1;
    set_in(step, tree, way, first + (across & first), node);
  }

  void set_in(std::size_t step, std::size_t tree, std::size_t way, std::size_t place,
              const ForestLayout::Node& node) {
    const bool numeric = is_number(layout_, node);
    std::size_t mask = tree;
    if (step + 1 == trees_.steps) {
      const std::size_t last = tree * trees_.last_ways + way;
      mask = (step > 0 ? trees_.trees : 0) + trees_.seconds.size() + last;
      if (numeric) slots_.set(trees_.lasts[last].group, place, node);
    } else if (step == 1) {
      const std::size_t second = tree * trees_.second_ways + way;
      mask = trees_.trees + second;
      if (numeric) slots_.set(trees_.seconds[second], place, node);
    } else if (numeric) {
      auto& four = trees_.firsts[tree / kSideBySide];
      const std::size_t own = tree % kSideBySide;
      Group group = {four.slots[own], four.bounds[own]};
      slots_.set(group, place, node);
      four.slots[own] = group.slots;
      four.bounds[own] = group.bounds;
    }
    if (!numeric) note_mask(mask, place, node);
  }

  /// Notes a node that splits on a category.
  void note_mask(std::size_t mask, std::size_t place, const ForestLayout::Node& node) {
    const std::uint32_t key = node.slot / 32;
    std::size_t i = layout_.category_columns.size() - 1;
    while (layout_.category_columns[i].first_key > key) --i;
    const std::size_t bit = (key - layout_.category_columns[i].first_key) * 32 + node.slot % 32;
    mask_bits_[i][bit] = {mask, static_cast<std::uint8_t>(1 << place)};
  }

  void fill_row(std::size_t column, std::span<const std::uint32_t> words,
                std::uint8_t* masks) const {
    const MaskBit* bits = mask_bits_[column].data();
    for (std::uint32_t left : words) {
      while (left != 0) {
        const auto first = static_cast<std::uint32_t>(std::countl_zero(left));
        left ^= 0x8000'0000u >> first;
        masks[bits[first].mask] |= bits[first].value;
      }
      bits += 32;
    }
  }

  const ForestLayout& layout_;
  const SlotMaking& slots_;
  GroupedTrees& trees_;
  std::uint32_t depth_;
  std::vector<std::size_t> from_;                ///< by node of the complete tree, in layout_.nodes
  std::vector<std::vector<MaskBit>> mask_bits_;  ///< by category column and bit
};

/// Says how many groups there are and of what kind.
GroupedTrees make_shape(const ForestLayout& layout, std::uint32_t depth) {
  GroupedTrees trees;
  trees.outputs = layout.outputs;
  trees.trees = round_up(layout.trees.size(), kSideBySide);
  trees.steps = std::max<std::size_t>(1, (depth + kLevels - 1) / kLevels);
  if (trees.steps > 1) trees.last_ways = std::size_t{1} << (depth - kLevels);
  if (trees.steps > 2) trees.second_ways = trees.last_ways / kWays;
  return trees;
}

/// Bytes of the groups and of the masks of all codes.
std::pair<std::size_t, std::size_t> sizes(const ForestLayout& layout, const GroupedTrees& trees) {
  const std::size_t lasts = trees.trees * trees.last_ways;
  const std::size_t seconds = trees.steps > 2 ? trees.trees * trees.second_ways : 0;
  const std::size_t firsts = trees.steps > 1 ? trees.trees : 0;
  std::size_t rows = 0;
  for (const auto& block : layout.category_columns) rows += std::size_t{block.limit} + 2;
  return {lasts * sizeof(GroupedTrees::LastGroup) + (seconds + firsts) * sizeof(Group),
          rows * round_up(firsts + seconds + lasts, 16)};
}

/// Groups that lead nowhere, and masks without a bit.
void make_room(const ForestLayout& layout, GroupedTrees& trees) {
  GroupedTrees::FirstGroups first{};
  first.bounds.fill(kFilling.bounds);
  if (trees.steps > 1) trees.firsts.resize(trees.trees / kSideBySide, first);
  if (trees.steps > 2) trees.seconds.resize(trees.trees * trees.second_ways, kFilling);
  GroupedTrees::LastGroup last = {kFilling, {}};
  last.leaves.fill(-0.0f);
  trees.lasts.resize(trees.trees * trees.last_ways, last);
  trees.tree_outputs = layout.tree_outputs;
  if (!trees.tree_outputs.empty()) trees.tree_outputs.resize(trees.trees, 0);
  if (layout.numbers_only()) return;
  trees.masks =
      round_up(trees.firsts.size() * kSideBySide + trees.seconds.size() + trees.lasts.size(), 16);
  std::size_t begin = 0;
  for (const auto& block : layout.category_columns) {
    trees.category_begins.push_back(begin);
    begin += (std::size_t{block.limit} + 2) * trees.masks;
  }
  trees.category_masks.resize(begin);
}

}  // namespace

std::optional<GroupedTrees> GroupedTrees::of(const ForestLayout& layout) {
  if (layout.in_float64 || layout.trees.empty()) return std::nullopt;
  std::uint32_t depth = 0;
  for (const auto& tree : layout.trees) depth = std::max(depth, tree.depth);
  if (depth > kMaxDepth) return std::nullopt;
  GroupedTrees trees = make_shape(layout, depth);
  const auto [groups, masks] = sizes(layout, trees);
  if (masks > kMaxCategoryBytes) return std::nullopt;
  if (groups + masks > std::max(kSmall, 3 * layout.memory_bytes())) return std::nullopt;
  SlotMaking slots(layout, trees);
  if (!slots.make()) return std::nullopt;
  make_room(layout, trees);
  GroupFilling filling(layout, slots, trees, depth);
  for (std::size_t tree = 0; tree < layout.trees.size(); ++tree) filling.fill(tree);
  filling.fill_masks();
  return trees;
}

std::size_t GroupedTrees::memory_bytes() const {
  return firsts.capacity() * sizeof(FirstGroups) + seconds.capacity() * sizeof(Group) +
         lasts.capacity() * sizeof(LastGroup) + tree_outputs.capacity() * sizeof(std::uint32_t) +
         searches.capacity() * sizeof(Search) + bounds.capacity() * sizeof(SixteenBounds) +
         category_begins.capacity() * sizeof(std::size_t) + category_masks.capacity();
}

}  // namespace coeval::models
