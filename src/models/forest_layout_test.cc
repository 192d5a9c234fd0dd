#include "models/forest_layout.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <vector>

namespace coeval::models {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

/// x0 < 0.5 ? 1 : (code in {1, 3} ? 3 : 2)
SourceTree small_tree() {
  SourceTree tree;
  tree.left = {1, -1, 3, -1, -1};
  tree.right = {2, -1, 4, -1, -1};
  tree.columns = {0, 0, 1, 0, 0};
  tree.conditions = {0.5f, 1, 0, 2, 3};
  tree.default_left = {1, 0, 0, 0, 0};
  tree.categorical = {0, 0, 1, 0, 0};
  tree.category_nodes = {2};
  tree.categories = {1, 3};
  tree.category_begins = {0};
  tree.category_sizes = {2};
  return tree;
}

SourceForest model_of(SourceTree tree) {
  SourceForest model;
  model.width = 2;
  model.trees.push_back(std::move(tree));
  return model;
}

Code code_of(SourceTree tree) {
  const auto layout = lay_out(model_of(std::move(tree)));
  REQUIRE(!layout.has_value());
  return layout.error().code;
}

}  // namespace

TEST_CASE("order keys sort as floats do") {
  const float ascending[] = {-kInfinity,
                             std::numeric_limits<float>::lowest(),
                             -1.0f,
                             -1e-38f,
                             -std::numeric_limits<float>::denorm_min(),
                             0.0f,
                             std::numeric_limits<float>::denorm_min(),
                             1e-38f,
                             1.0f,
                             std::nextafter(1.0f, 2.0f),
                             std::numeric_limits<float>::max(),
                             kInfinity};
  for (std::size_t i = 1; i < std::size(ascending); ++i) {
    CHECK(order_key(ascending[i - 1]) < order_key(ascending[i]));
  }
  CHECK(order_key(-0.0f) == order_key(0.0f));
  CHECK(order_key(-kInfinity) > ForestLayout::kLowest + 1);
  CHECK(order_key(kInfinity) < ForestLayout::kHighest);
}

TEST_CASE("children are neighbours and a leaf leads to itself") {
  const auto layout = lay_out(model_of(small_tree()));
  REQUIRE(layout.has_value());
  REQUIRE(layout->nodes.size() == 5);
  CHECK(layout->trees[0].depth == 2);
  CHECK(layout->nodes[0].left == 1);
  CHECK(layout->nodes[2].left == 3);
  for (const std::uint32_t leaf : {1u, 3u, 4u}) {
    CHECK(layout->is_leaf(layout->nodes[leaf]));
    CHECK(layout->nodes[leaf].left == leaf);
  }
}

TEST_CASE("nodes that nothing leads to are dropped, as pruning leaves them") {
  SourceTree tree = small_tree();
  tree.left[2] = tree.right[2] = -1;
  const auto layout = lay_out(model_of(tree));
  REQUIRE(layout.has_value());
  CHECK(layout->nodes.size() == 3);
}

TEST_CASE("broken trees are refused") {
  const auto broken = [](auto change) {
    SourceTree tree = small_tree();
    change(tree);
    return code_of(std::move(tree));
  };
  using Tree = SourceTree;
  CHECK(broken([](Tree& t) { t.left[2] = 0; }) == Code::bad_model);   // a cycle
  CHECK(broken([](Tree& t) { t.right[2] = 2; }) == Code::bad_model);  // its own child
  CHECK(broken([](Tree& t) { t.left[2] = 1; }) == Code::bad_model);   // two parents
  CHECK(broken([](Tree& t) { t.left[2] = 4; }) == Code::bad_model);   // both children the same
  CHECK(broken([](Tree& t) { t.right[0] = 5; }) == Code::bad_model);
  CHECK(broken([](Tree& t) { t.right[0] = -1; }) == Code::bad_model);  // half a leaf
  CHECK(broken([](Tree& t) { t.left[0] = -2; }) == Code::bad_model);
  CHECK(broken([](Tree& t) { t.columns[0] = 2; }) == Code::bad_model);
  CHECK(broken([](Tree& t) { t.columns[4] = -1; }) == Code::bad_model);
  CHECK(broken([](Tree& t) { t.conditions[0] = std::nanf(""); }) == Code::bad_model);
  CHECK(broken([](Tree& t) { t.category_nodes[0] = 1; }) == Code::bad_model);  // set elsewhere
  CHECK(broken([](Tree& t) { t.category_nodes[0] = 5; }) == Code::bad_model);
  CHECK(broken([](Tree& t) { t.category_nodes[0] = -1; }) == Code::bad_model);
  CHECK(broken([](Tree& t) { t.category_begins[0] = 1; }) == Code::bad_model);
  CHECK(broken([](Tree& t) { t.category_begins[0] = -1; }) == Code::bad_model);
  CHECK(broken([](Tree& t) { t.category_begins[0] = INT64_MAX; }) == Code::bad_model);
  CHECK(broken([](Tree& t) { t.category_sizes[0] = INT64_MAX; }) == Code::bad_model);
  CHECK(broken([](Tree& t) { t.category_sizes[0] = -1; }) == Code::bad_model);
  CHECK(broken([](Tree& t) { t.categories[0] = -1; }) == Code::bad_model);
  CHECK(broken([](Tree& t) { t.categories[0] = 1 << 24; }) == Code::bad_model);
  CHECK(broken([](Tree& t) {
          t.category_nodes = {2, 2};
          t.category_begins = t.category_sizes = {0, 0};
        }) == Code::bad_model);
}

TEST_CASE("category sets may not ask for unbounded memory") {
  // A handful of bytes in the file: many nodes that each name a large category.
  SourceForest model = model_of(small_tree());
  model.trees[0].categories = {(1 << 24) - 1, 3};
  CHECK(lay_out(model).has_value());
  const SourceTree tree = model.trees[0];
  model.trees.assign(33, tree);
  const auto layout = lay_out(model);
  REQUIRE(!layout.has_value());
  CHECK(layout.error().code == Code::unsupported);
}

}  // namespace coeval::models
