#include "models/complete_trees.h"

#include <doctest/doctest.h>

#include <bit>
#include <vector>

#include "models/forest_walk.h"
#include "models/random_forests.h"

namespace coeval::models {
namespace {

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

void compare(std::uint32_t seed, const RandomForest& kind) {
  CAPTURE(seed);
  CAPTURE(kind.depth);
  RandomForests forests(seed);
  const auto layout = lay_out(forests.forest(kind));
  REQUIRE(layout.has_value());
  const auto trees = CompleteTrees::of(*layout);
  REQUIRE(trees.has_value());
  const std::vector<float> cells = forests.cells(kind, 40);
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
  const auto has_complete = [](const RandomForest& kind, bool in_float64 = false) {
    SourceForest forest = RandomForests(1).forest(kind);
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
  const auto layout = lay_out(RandomForests(1).forest({.width = 30, .depth = 6, .trees = 100}));
  const auto trees = CompleteTrees::of(*layout);
  REQUIRE(trees.has_value());
  CHECK(trees->nodes.size() == 100 * 128);
  CHECK(trees->memory_bytes() < layout->memory_bytes() / 2);
}

}  // namespace
}  // namespace coeval::models
