#include "models/complete_trees.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <utility>

#include "models/forest_walk.h"

namespace coeval::models {
namespace {

using Node = CompleteTrees::Node;

constexpr std::uint16_t kAbove = CompleteTrees::kAbove;
/// A node below a leaf: always to the left.
constexpr Node kFilling = {kAbove, 0};
/// Trees walked side by side: while one waits for memory, the others step. As many as there are
/// registers for.
constexpr std::size_t kLanes = 8;

// --- making ---

/// How many of the first thresholds lie below the key: halving without a branch.
std::uint32_t rank_of(std::uint32_t key, const std::uint32_t* thresholds, std::uint32_t count) {
  const std::uint32_t* first = thresholds;
  while (count > 1) {
    const std::uint32_t half = count / 2;
    first += first[half - 1] < key ? half : 0;
    count -= half;
  }
  return static_cast<std::uint32_t>(first - thresholds) + (count == 1 && *first < key ? 1 : 0);
}

/// Whether the node splits by a number; its column then is key % width.
bool is_number(const ForestLayout& layout, const ForestLayout::Node& node) {
  return node.slot / 32 < layout.planes.size() * layout.width;
}

/// Fills one tree after the other.
class TreeFilling {
 public:
  TreeFilling(const ForestLayout& layout, CompleteTrees& trees) : layout_(layout), trees_(trees) {}

  /// Whether every column's thresholds can be told apart by 16 bits.
  bool rank_columns() {
    std::vector<std::vector<std::uint32_t>> bounds(layout_.width);
    for (const auto& node : layout_.nodes)
      if (is_number(layout_, node)) bounds[node.slot / 32 % layout_.width].push_back(node.bound);
    place_of_.resize(layout_.width);
    for (std::uint32_t column = 0; column < bounds.size(); ++column) {
      auto& own = bounds[column];
      if (own.empty()) continue;
      std::ranges::sort(own);
      own.erase(std::ranges::unique(own).begin(), own.end());
      if (own.size() > kAbove) return false;
      place_of_[column] = trees_.columns.size();
      trees_.columns.push_back({column, static_cast<std::uint32_t>(trees_.thresholds.size()),
                                static_cast<std::uint32_t>(own.size())});
      trees_.thresholds.insert(trees_.thresholds.end(), own.begin(), own.end());
    }
    return true;
  }

  void fill(const ForestLayout::Tree& tree) {
    const std::size_t leaves = std::size_t{1} << trees_.depth;
    from_.resize(2 * leaves);
    from_[1] = tree.root;
    trees_.nodes.push_back(kFilling);  // no node has number 0
    for (std::size_t i = 1; i < leaves; ++i) {
      const auto& node = layout_.nodes[from_[i]];
      const bool leaf = layout_.is_leaf(node);
      trees_.nodes.push_back(leaf ? kFilling : split(node));
      from_[2 * i] = node.left;  // a leaf leads to itself
      from_[2 * i + 1] = node.left + (leaf ? 0 : 1);
    }
    for (std::size_t i = leaves; i < 2 * leaves; ++i)
      trees_.nodes.push_back(std::bit_cast<Node>(layout_.nodes[from_[i]].bound));
  }

 private:
  Node split(const ForestLayout::Node& node) const {
    const std::size_t numbers = layout_.planes.size() * layout_.width;
    if (!is_number(layout_, node))  // its bit's place among all category bits
      return {0, static_cast<std::uint16_t>(numbers + (node.slot - numbers * 32))};
    const auto& column = trees_.columns[place_of_[node.slot / 32 % layout_.width]];
    const std::uint32_t place = rank_of(node.bound, &trees_.thresholds[column.first], column.count);
    return {static_cast<std::uint16_t>(place), static_cast<std::uint16_t>(node.slot / 32)};
  }

  const ForestLayout& layout_;
  CompleteTrees& trees_;
  std::vector<std::size_t> place_of_;  ///< by column, in trees_.columns
  std::vector<std::uint32_t> from_;    ///< by node of the complete tree, in layout_.nodes
};

// --- ranks ---

/// 16 bits, highest first, as ranks: 8 at a time in one register.
void write_bits(std::uint16_t bits, std::uint16_t* ranks) {
  using Eight [[gnu::vector_size(16)]] = std::uint16_t;
  constexpr Eight kHigh = {0x8000, 0x4000, 0x2000, 0x1000, 0x800, 0x400, 0x200, 0x100};
  constexpr Eight kLow = {0x80, 0x40, 0x20, 0x10, 8, 4, 2, 1};
  const Eight all = Eight{} + bits;
  const auto high = (all & kHigh) == kHigh, low = (all & kLow) == kLow;
  std::memcpy(ranks, &high, sizeof high);
  std::memcpy(ranks + 8, &low, sizeof low);
}

// --- walking ---

/// Walks trees[0 … kCount) for one row and gives each one's leaf to `add`, in order.
template <std::uint32_t kDepth, std::size_t kCount, class Add>
void walk(const Node* trees, const std::uint16_t* ranks, const Add& add) {
  constexpr std::size_t kStride = std::size_t{2} << kDepth;
  std::array<std::size_t, kCount> at;
  at.fill(1);
  for (std::uint32_t level = 0; level < kDepth; ++level) {
#pragma GCC unroll 8  // no loop over lanes; as many as kLanes
    for (std::size_t lane = 0; lane < kCount; ++lane) {
      const Node& node = trees[lane * kStride + at[lane]];
      at[lane] = at[lane] + at[lane] + (node.bound < ranks[node.slot]);
    }
  }
#pragma GCC unroll 8
  for (std::size_t lane = 0; lane < kCount; ++lane)
    add(lane, std::bit_cast<float>(trees[lane * kStride + at[lane]]));
}

/// Walks trees for all rows, kCount at a time, from `tree` on as long as so many are left; returns
/// the first that is not done.
template <std::uint32_t kDepth, std::size_t kCount>
std::size_t add_groups(const ForestLayout& layout, const CompleteTrees& trees, std::size_t tree,
                       std::span<const std::uint16_t> ranks, std::span<float> margins) {
  const std::size_t outputs = layout.outputs, rows = margins.size() / outputs;
  for (; tree + kCount <= layout.trees.size(); tree += kCount) {
    const Node* const nodes = &trees.nodes[tree << (kDepth + 1)];
    for (std::size_t row = 0; row < rows; ++row) {
      float* const own = &margins[row * outputs];
      const std::uint16_t* const its = &ranks[row * trees.slots];
      if (outputs == 1) {
        float sum = *own;
        walk<kDepth, kCount>(nodes, its, [&](std::size_t, float leaf) { sum += leaf; });
        *own = sum;
      } else {
        walk<kDepth, kCount>(nodes, its, [&](std::size_t lane, float leaf) {
          own[layout.tree_outputs[tree + lane]] += leaf;
        });
      }
    }
  }
  return tree;
}

template <std::uint32_t kDepth>
void add_all(const ForestLayout& layout, const CompleteTrees& trees,
             std::span<const std::uint16_t> ranks, std::span<float> margins) {
  const std::size_t done = add_groups<kDepth, kLanes>(layout, trees, 0, ranks, margins);
  add_groups<kDepth, 1>(layout, trees, done, ranks, margins);
}

using AddAll = void (*)(const ForestLayout&, const CompleteTrees&, std::span<const std::uint16_t>,
                        std::span<float>);

template <std::uint32_t... kDepths>
constexpr std::array<AddAll, sizeof...(kDepths)> for_depths(
    std::integer_sequence<std::uint32_t, kDepths...>) {
  return {&add_all<kDepths>...};
}

}  // namespace

std::optional<CompleteTrees> CompleteTrees::of(const ForestLayout& layout) {
  if (layout.in_float64 || layout.trees.empty()) return std::nullopt;
  CompleteTrees trees;
  for (const auto& tree : layout.trees) trees.depth = std::max(trees.depth, tree.depth);
  if (trees.depth > kMaxDepth) return std::nullopt;
  const std::size_t nodes = layout.trees.size() << (trees.depth + 1);
  if (nodes * sizeof(Node) > 2 * layout.nodes.size() * sizeof(ForestLayout::Node))
    return std::nullopt;
  const std::size_t numbers = layout.planes.size() * layout.width;
  trees.slots = std::max<std::size_t>(numbers, 1) + (layout.keys_count - 1 - numbers) * 32;
  if (trees.slots > std::size_t{UINT16_MAX} + 1) return std::nullopt;
  TreeFilling filling(layout, trees);
  if (!filling.rank_columns()) return std::nullopt;
  trees.nodes.reserve(nodes);
  for (const auto& tree : layout.trees) filling.fill(tree);
  return trees;
}

std::size_t CompleteTrees::memory_bytes() const {
  return nodes.capacity() * sizeof(Node) + columns.capacity() * sizeof(RankedColumn) +
         thresholds.capacity() * sizeof(std::uint32_t);
}

void write_ranks(const ForestLayout& layout, const CompleteTrees& trees, std::span<const float> row,
                 std::span<std::uint16_t> ranks) {
  const std::size_t width = layout.width;
  ranks[0] = 0;  // nodes that fill up look at it
  for (const auto& column : trees.columns) {
    const float cell = row[column.column];
    const bool missing = cell != cell;
    const std::uint32_t rank =
        rank_of(order_key(cell), &trees.thresholds[column.first], column.count);
    ranks[column.column] = missing ? 0 : static_cast<std::uint16_t>(rank);
    ranks[width + column.column] = missing ? kAbove : static_cast<std::uint16_t>(rank);
  }
  std::uint16_t* out = ranks.data() + layout.planes.size() * width;
  for (const auto& block : layout.category_columns) {
    const std::span<const std::uint32_t> bits = category_row(layout, block, row[block.column]);
    for (const std::uint32_t word : bits) {
      write_bits(static_cast<std::uint16_t>(word >> 16), out);
      write_bits(static_cast<std::uint16_t>(word), out + 16);
      out += 32;
    }
  }
}

void add_leaves(const ForestLayout& layout, const CompleteTrees& trees,
                std::span<const std::uint16_t> ranks, std::span<float> margins) {
  static constexpr auto kByDepth =
      for_depths(std::make_integer_sequence<std::uint32_t, CompleteTrees::kMaxDepth + 1>());
  kByDepth[trees.depth](layout, trees, ranks, margins);
}

}  // namespace coeval::models
