#include "models/grouped_trees.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <bit>
#include <set>
#include <vector>

#include "models/forest_walk.h"
#include "models/grouped_walk.h"
#include "models/random_forests.h"

namespace coeval::models {
namespace {

// Rows × outputs margins, by the nodes of the layout.
std::vector<float> margins_of_nodes(const ForestLayout& layout, std::span<const float> cells) {
  const std::size_t rows = cells.size() / layout.width;
  std::vector<std::uint32_t> keys(rows * layout.keys_count);
  for (std::size_t row = 0; row < rows; ++row)
    write_keys(layout, cells.subspan(row * layout.width, layout.width),
               std::span(keys).subspan(row * layout.keys_count, layout.keys_count));
  std::vector<float> margins(rows * layout.outputs, 0.3f);
  add_leaves(layout, keys, margins);
  return margins;
}

// Ranks and masks; bytes that nobody writes are 7.
std::vector<std::int8_t> read_rows(const GroupedWalk& walk, const ForestLayout& layout,
                                   const GroupedTrees& trees, std::span<const float> cells) {
  const std::size_t rows = cells.size() / layout.width;
  std::vector<std::int8_t> ranks(rows * trees.stride(), 7);
  for (std::size_t row = 0; row < rows; ++row) {
    const auto its = cells.subspan(row * layout.width, layout.width);
    std::int8_t* const own = &ranks[row * trees.stride()];
    walk.write_ranks(trees, its.data(), own);
    if (trees.masks != 0) write_masks(layout, trees, its, own);
  }
  return ranks;
}

// Each row alone, and all as one block.
void require_margins(const GroupedWalk& walk, const GroupedTrees& trees,
                     std::span<const std::int8_t> ranks, std::span<const float> expected) {
  const auto bits = [](float margin) { return std::bit_cast<std::uint32_t>(margin); };
  const std::size_t rows = ranks.size() / trees.stride();
  std::vector<float> block(expected.size(), 0.3f), alone = block;
  walk.add_leaves(trees, ranks.data(), rows, block.data());
  for (std::size_t row = 0; row < rows; ++row)
    walk.add_leaves(trees, &ranks[row * trees.stride()], 1, &alone[row * trees.outputs]);
  REQUIRE(std::ranges::equal(block, expected, {}, bits, bits));
  REQUIRE(std::ranges::equal(alone, expected, {}, bits, bits));
}

// By every walk of this machine the bits of the layout's nodes, and the ranks of the plain walk.
GroupedTrees compare(std::uint32_t seed, const RandomForest& kind, std::size_t rows = 100) {
  CAPTURE(seed);
  CAPTURE(kind.depth);
  RandomForests forests(seed);
  const auto layout = lay_out(forests.forest(kind));
  REQUIRE(layout.has_value());
  const auto trees = GroupedTrees::of(*layout);
  REQUIRE(trees.has_value());
  const std::vector<float> cells = forests.cells(kind, rows);
  const std::vector<float> expected = margins_of_nodes(*layout, cells);
  const auto ranks = read_rows(plain_grouped_walk(), *layout, *trees, cells);
  for (const GroupedWalk* walk : all_grouped_walks()) {
    CAPTURE(std::string(walk->name));
    REQUIRE(read_rows(*walk, *layout, *trees, cells) == ranks);
    require_margins(*walk, *trees, ranks, expected);
  }
  return *trees;
}

TEST_CASE("grouped trees have the bits of the layout's nodes at every depth") {
  for (std::uint32_t depth = 1; depth <= GroupedTrees::kMaxDepth; ++depth) {
    for (std::uint32_t seed = 1; seed <= 4; ++seed) compare(seed, {.depth = depth});
    compare(5, {.depth = depth, .trees = 150});
    compare(6, {.depth = depth, .trees = 1});
  }
}

TEST_CASE("grouped trees agree on 100,000 rows") {
  compare(1, {.width = 30, .depth = 6, .trees = 40, .thresholds = 255}, 100'000);
}

TEST_CASE("columns of any number of thresholds have the same bits") {
  for (const std::uint32_t thresholds :
       {1u, 2u, 15u, 16u, 17u, 240u, 254u, 255u, 256u, 257u, 511u, 512u, 2000u}) {
    CAPTURE(thresholds);
    // More nodes than thresholds, so that each is there.
    compare(thresholds,
            {.width = 2, .depth = 7, .trees = 200, .leaf_odds = 500, .thresholds = thresholds},
            1000);
  }
}

// Trees of one split of column 0.
void add_stump(SourceForest& forest, float threshold, float left, float right) {
  SourceTree& tree = forest.trees.emplace_back();
  tree.left = {1, -1, -1};
  tree.right = {2, -1, -1};
  tree.columns = {0, 0, 0};
  tree.conditions = {threshold, left, right};
  tree.default_left = {1, 0, 0};
  tree.categorical = {0, 0, 0};
}

TEST_CASE("a slot has no more than 255 thresholds") {
  const auto slots = [](std::uint32_t thresholds) {
    SourceForest forest;
    forest.width = 1;
    for (std::uint32_t i = 0; i < thresholds; ++i) add_stump(forest, static_cast<float>(i), 1, 2);
    return GroupedTrees::of(lay_out(forest).value()).value().searches.size();
  };
  CHECK(slots(1) == 1);
  CHECK(slots(255) == 1);
  CHECK(slots(256) == 2);
  CHECK(slots(510) == 2);
  CHECK(slots(511) == 3);
}

TEST_CASE("every number of tables has the same bits") {
  std::set<std::size_t> tables;
  for (const std::size_t width : {1u, 8u, 12u, 20u, 28u, 36u, 44u, 60u, 90u, 128u})
    for (const std::uint32_t depth : {3u, 5u, 7u}) {
      CAPTURE(width);
      tables.insert(compare(1, {.width = width, .depth = depth, .trees = 130}).tables);
    }
  CHECK(std::ranges::equal(tables, GroupedTrees::kTableCounts));
}

TEST_CASE("grouped trees that end early, with categories and several outputs have the same bits") {
  for (std::uint32_t seed = 1; seed <= 20; ++seed) {
    compare(seed, {.depth = 3, .leaf_odds = 20});
    compare(seed, {.depth = 5, .trees = 60, .categories = 2});
    compare(seed, {.depth = 4, .trees = 150, .leaf_odds = 40, .categories = 1, .outputs = 3});
    compare(seed, {.depth = 7, .trees = 150, .categories = 1, .outputs = 2});
    compare(seed, {.width = 3, .depth = 2, .trees = 131, .categories = 3});
    compare(seed, {.width = 3, .depth = 8, .trees = 131, .leaf_odds = 300, .categories = 3});
  }
}

TEST_CASE("a sum of no more than -0 stays -0 beside trees that fill up") {
  SourceForest forest;
  forest.width = 1;
  add_stump(forest, 0, -0.0f, -0.0f);
  const auto layout = lay_out(forest).value();
  const auto trees = GroupedTrees::of(layout).value();
  const std::vector<float> row = {1.0f};
  for (const GroupedWalk* walk : all_grouped_walks()) {
    float margin = -0.0f;
    walk->add_leaves(trees, read_rows(*walk, layout, trees, row).data(), 1, &margin);
    CHECK(std::bit_cast<std::uint32_t>(margin) == 0x8000'0000u);
  }
}

TEST_CASE("deep, thin, wide and float64 forests are not grouped") {
  const auto has_groups = [](const RandomForest& kind, bool in_float64 = false) {
    SourceForest forest = RandomForests(1).forest(kind);
    forest.in_float64 = in_float64;
    return GroupedTrees::of(lay_out(forest).value()).has_value();
  };
  CHECK(has_groups({.depth = 9}));
  CHECK(!has_groups({.depth = 10}));
  CHECK(!has_groups({.depth = 9, .leaf_odds = 3}));
  CHECK(!has_groups({.depth = 4}, true));
  CHECK(!has_groups({.trees = 0}));
  CHECK(has_groups({.width = 120, .trees = 300}));
  CHECK(!has_groups({.width = 300, .trees = 300}));
}

}  // namespace
}  // namespace coeval::models
