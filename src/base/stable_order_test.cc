#include "base/stable_order.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <limits>
#include <numeric>
#include <random>

namespace coeval {
namespace {

std::vector<std::int64_t> by_standard_sort(const std::vector<std::int64_t>& keys) {
  std::vector<std::int64_t> order(keys.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](std::int64_t a, std::int64_t b) {
    return keys[static_cast<std::size_t>(a)] < keys[static_cast<std::size_t>(b)];
  });
  return order;
}

TEST_CASE("the order is the standard library's stable order") {
  std::mt19937_64 random(7);
  for (const std::int64_t spread : {1LL, 5LL, 3000LL, 1LL << 44}) {
    std::vector<std::int64_t> keys(5000);
    for (auto& key : keys)
      key = static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(spread)) - spread / 2;
    CHECK(stable_order(keys) == by_standard_sort(keys));
  }
}

TEST_CASE("keys that crowd together are sorted too") {
  std::mt19937_64 random(8);
  std::vector<std::int64_t> keys(5000);
  for (auto& key : keys) key = static_cast<std::int64_t>(random() % 700);
  keys[1234] = std::numeric_limits<std::int64_t>::max();
  CHECK(stable_order(keys) == by_standard_sort(keys));
  for (std::size_t i = 0; i < keys.size(); ++i) keys[i] = static_cast<std::int64_t>(i / 3);
  std::swap(keys[100], keys[4000]);  // nearly in order
  CHECK(stable_order(keys) == by_standard_sort(keys));
}

TEST_CASE("the widest keys there are sort too") {
  const std::vector<std::int64_t> keys = {std::numeric_limits<std::int64_t>::max(), -1, 0,
                                          std::numeric_limits<std::int64_t>::min(), -1};
  CHECK(stable_order(keys) == by_standard_sort(keys));
  CHECK(stable_order({}).empty());
}

}  // namespace
}  // namespace coeval
