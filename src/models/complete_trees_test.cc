#include "models/complete_trees.h"

#include <doctest/doctest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "models/forest_walk.h"

namespace coeval::models {
namespace {

constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();
constexpr float kInfinity = std::numeric_limits<float>::infinity();

struct Kind {
  std::size_t width = 5;
  std::uint32_t depth = 4;
  std::size_t trees = 21;
  unsigned leaf_odds = 0;      ///< one in so many nodes is a leaf before its time; 0: none
  std::size_t categories = 0;  ///< the last columns
  std::size_t outputs = 1;
};

class Forests {
 public:
  explicit Forests(std::uint32_t seed) : random_(seed) {}

  SourceForest forest(const Kind& kind) {
    SourceForest forest;
    forest.width = kind.width;
    forest.outputs = kind.outputs;
    for (std::size_t i = 0; i < kind.trees; ++i) {
      SourceTree& tree = forest.trees.emplace_back();
      grow(kind, tree, kind.depth);
      if (kind.outputs > 1) forest.tree_outputs.push_back(die(kind.outputs));
    }
    return forest;
  }

  /// Thresholds, their neighbours, and what is no ordinary number.
  float cell() {
    static constexpr float kOdd[] = {kNaN, kInfinity, -kInfinity, 0.0f, -0.0f, 1e-45f, -1e-45f};
    if (die(6) == 0) return kOdd[die(std::size(kOdd))];
    const float number = threshold();
    return die(3) == 0 ? number : std::nextafter(number, die(2) == 0 ? kInfinity : -kInfinity);
  }
  std::uint32_t die(std::size_t sides) { return static_cast<std::uint32_t>(random_() % sides); }

 private:
  float threshold() {
    if (die(20) == 0) return die(2) == 0 ? kInfinity : -kInfinity;
    return static_cast<float>(static_cast<int>(die(41)) - 20) / 8;
  }

  std::int32_t add_node(SourceTree& tree) {
    tree.left.push_back(-1);
    tree.right.push_back(-1);
    tree.columns.push_back(0);
    tree.conditions.push_back(static_cast<float>(static_cast<int>(die(2001)) - 1000) / 997);
    tree.default_left.push_back(static_cast<std::uint8_t>(die(2)));
    tree.categorical.push_back(0);
    return static_cast<std::int32_t>(tree.size()) - 1;
  }

  std::int32_t grow(const Kind& kind, SourceTree& tree, std::uint32_t depth) {
    const std::int32_t number = add_node(tree);
    if (depth == 0 || (kind.leaf_odds != 0 && die(kind.leaf_odds) == 0)) return number;
    const auto node = static_cast<std::size_t>(number);
    const std::uint32_t column = die(kind.width);
    tree.columns[node] = static_cast<std::int32_t>(column);
    if (column >= kind.width - kind.categories) {
      tree.categorical[node] = 1;
      tree.category_nodes.push_back(number);
      tree.category_begins.push_back(static_cast<std::int64_t>(tree.categories.size()));
      for (std::int32_t code = 0; code < 9; ++code)
        if (die(2) == 0) tree.categories.push_back(code);
      tree.category_sizes.push_back(static_cast<std::int64_t>(tree.categories.size()) -
                                    tree.category_begins.back());
    } else {
      tree.conditions[node] = threshold();
    }
    const std::int32_t left = grow(kind, tree, depth - 1), right = grow(kind, tree, depth - 1);
    tree.left[node] = left;
    tree.right[node] = right;
    return number;
  }

  std::mt19937 random_;
};

// Rows × outputs margins, by the nodes of the layout and by complete trees: the same bits.
void require_same(const ForestLayout& layout, const CompleteTrees& trees,
                  std::span<const float> cells) {
  const std::size_t rows = cells.size() / layout.width;
  std::vector<std::uint32_t> keys(rows * layout.keys_count);
  std::vector<std::uint16_t> ranks(rows * trees.slots);
  for (std::size_t row = 0; row < rows; ++row) {
    const auto its = cells.subspan(row * layout.width, layout.width);
    write_keys(layout, its, std::span(keys).subspan(row * layout.keys_count, layout.keys_count));
    write_ranks(layout, trees, its, std::span(ranks).subspan(row * trees.slots, trees.slots));
  }
  std::vector<float> expected(rows * layout.outputs, 0.3f), margins = expected;
  add_leaves(layout, keys, expected);
  add_leaves(layout, trees, ranks, margins);
  for (std::size_t i = 0; i < margins.size(); ++i)
    REQUIRE(std::bit_cast<std::uint32_t>(margins[i]) == std::bit_cast<std::uint32_t>(expected[i]));
}

void compare(std::uint32_t seed, const Kind& kind) {
  CAPTURE(seed);
  CAPTURE(kind.depth);
  Forests forests(seed);
  const auto layout = lay_out(forests.forest(kind));
  REQUIRE(layout.has_value());
  const auto trees = CompleteTrees::of(*layout);
  REQUIRE(trees.has_value());
  constexpr std::size_t kRows = 40;
  std::vector<float> cells;
  for (std::size_t i = 0; i < kRows * kind.width; ++i)
    cells.push_back(i % kind.width >= kind.width - kind.categories && forests.die(4) != 0
                        ? static_cast<float>(forests.die(12)) - 1
                        : forests.cell());
  require_same(*layout, *trees, cells);
  require_same(*layout, *trees, std::span(cells).first(kind.width));
}

TEST_CASE("complete trees have the bits of the layout's nodes at every depth") {
  for (std::uint32_t depth = 0; depth <= CompleteTrees::kMaxDepth; ++depth)
    for (std::uint32_t seed = 1; seed <= 6; ++seed) compare(seed, {.depth = depth});
}

TEST_CASE("trees that end early, categories and several outputs have the same bits") {
  for (std::uint32_t seed = 1; seed <= 40; ++seed) {
    compare(seed, {.depth = 3, .leaf_odds = 20});
    compare(seed, {.depth = 5, .categories = 2});
    compare(seed, {.depth = 4, .leaf_odds = 40, .categories = 1, .outputs = 3});
    compare(seed, {.width = 1, .depth = 6, .trees = 8});
    compare(seed, {.width = 3, .depth = 6, .trees = 40, .categories = 3});
  }
}

TEST_CASE("deep, thin and float64 forests keep their nodes") {
  const auto has_complete = [](const Kind& kind, bool in_float64 = false) {
    SourceForest forest = Forests(1).forest(kind);
    forest.in_float64 = in_float64;
    return CompleteTrees::of(lay_out(forest).value()).has_value();
  };
  CHECK(has_complete({.depth = 8}));
  CHECK(!has_complete({.depth = 9}));
  CHECK(!has_complete({.depth = 8, .leaf_odds = 3}));
  CHECK(!has_complete({.depth = 4}, true));
  CHECK(!has_complete({.trees = 0}));
  CHECK(!has_complete({.width = 40'000}));
}

TEST_CASE("a complete tree takes eight bytes a leaf") {
  const auto layout = lay_out(Forests(1).forest({.width = 30, .depth = 6, .trees = 100}));
  const auto trees = CompleteTrees::of(*layout);
  REQUIRE(trees.has_value());
  CHECK(trees->nodes.size() == 100 * 128);
  CHECK(trees->memory_bytes() < layout->memory_bytes() / 2);
}

}  // namespace
}  // namespace coeval::models
