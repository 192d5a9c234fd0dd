#include "data/present_values.h"

#include <doctest/doctest.h>

#include <random>
#include <vector>

namespace coeval::data {
namespace {

TEST_CASE("the values that are not null are copied, in order") {
  std::mt19937_64 random(1);
  for (int round = 0; round < 400; ++round) {
    const std::size_t rows = random() % 50;
    const std::uint64_t nulls = random() % 5;  // of 16
    std::vector<std::int32_t> values(rows), expected;
    std::vector<std::uint8_t> validity((rows + 7) / 8, 0);
    for (std::size_t row = 0; row < rows; ++row) {
      values[row] = static_cast<std::int32_t>(random());
      if (random() % 16 < nulls) continue;
      validity[row / 8] |= static_cast<std::uint8_t>(1U << row % 8);
      expected.push_back(values[row]);
    }
    std::vector<std::int32_t> present(rows + 8);
    present.resize(copy_present(values.data(), validity.data(), rows, present.data()));
    CHECK(present == expected);
  }
}

}  // namespace
}  // namespace coeval::data
