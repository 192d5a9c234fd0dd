#include "quality/number_loops.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "exact/moments.h"
#include "quality/binade_counts.h"

namespace coeval::quality {
namespace {

using Keys = std::vector<std::int64_t>;
__extension__ using Unsigned128 = unsigned __int128;

constexpr double kMost = std::numeric_limits<double>::max(),
                 kInfinity = std::numeric_limits<double>::infinity();

Keys keys_of(const std::vector<double>& values) {
  Keys keys;
  for (const double value : values) keys.push_back(std::bit_cast<std::int64_t>(value + 0.0));
  return keys;
}

// Of any exponent up to `binades` below the greatest, now and then 0.
std::vector<double> some_values(std::mt19937_64& random, std::size_t size, int greatest,
                                int binades) {
  std::vector<double> values(size);
  for (double& value : values) {
    if (random() % 8 == 0) continue;
    const double fraction = 1 + static_cast<double>(random() >> 12) * 0x1p-52;
    const int exponent = greatest - static_cast<int>(random() % static_cast<unsigned>(binades));
    value = std::ldexp(random() % 2 == 0 ? fraction : -fraction, exponent);
  }
  return values;
}

TEST_CASE("every loop makes the keys and finds the facts that the plain one finds") {
  std::mt19937_64 random(1);
  const NumberLoops& plain = all_number_loops().front();
  REQUIRE(all_number_loops().size() >= 2);
  for (std::size_t size = 1; size < 60; ++size) {
    auto values = some_values(random, size, 3, 20);
    for (double& value : values)
      if (random() % 8 == 0) value = random() % 2 == 0 ? -0.0 : kMost;
    Keys expected(size), keys(size);
    REQUIRE(plain.make_keys(values.data(), size, expected.data()));
    const RealFacts facts = plain.facts(expected.data(), size);
    for (const NumberLoops& loops : all_number_loops()) {
      CAPTURE(loops.name);
      CHECK(loops.make_keys(values.data(), size, keys.data()));
      CHECK(keys == expected);
      const RealFacts found = loops.facts(keys.data(), size);
      CHECK(found.least == facts.least);
      CHECK(found.greatest == facts.greatest);
      CHECK(found.zeros == facts.zeros);
      CHECK(found.negatives == facts.negatives);
      for (const double odd : {static_cast<double>(NAN), kInfinity, -kInfinity}) {
        auto others = values;
        others[random() % size] = odd;
        CHECK_FALSE(loops.make_keys(others.data(), size, keys.data()));
      }
    }
  }
}

TEST_CASE("every loop finds the bins that floor finds, subnormal widths or not") {
  std::mt19937_64 random(2);
  for (const int level : {-1023, -60, -3, 0, 5, 900}) {
    const double scale = std::ldexp(1.0, -level), unit = std::ldexp(1.0, level);
    const std::int64_t first = -900;
    std::vector<double> values;
    std::vector<std::int32_t> expected;
    for (int i = 0; i < 103; ++i) {
      const auto bin = static_cast<std::int32_t>(random() % 1800) - 900;
      const double part = random() % 3 == 0 ? 0 : static_cast<double>(random() % 1024) / 1024;
      const double value = std::ldexp(bin + part, level);
      if (std::ldexp(value, -level) != bin + part) continue;  // between two subnormal numbers
      values.push_back(value);
      expected.push_back(bin - static_cast<std::int32_t>(first));
    }
    const Keys keys = keys_of(values);
    for (const NumberLoops& loops : all_number_loops()) {
      CAPTURE(loops.name);
      CAPTURE(level);
      std::vector<std::int32_t> places(keys.size());
      loops.even_places(keys.data(), keys.size(), scale, unit, static_cast<double>(first),
                        places.data());
      CHECK(places == expected);
    }
  }
  // 2^-1074 times 2^-1 is 0, but it lies in the bin of 0, and its negative in the one before.
  const Keys least = keys_of({5e-324, -5e-324, 5e-324, -5e-324});
  for (const NumberLoops& loops : all_number_loops()) {
    std::vector<std::int32_t> places(4);
    loops.even_places(least.data(), 4, 0.5, 2, -10, places.data());
    CHECK(places == std::vector<std::int32_t>{10, 9, 10, 9});
  }
}

// The definition, limb by limb.
LimbSums sums_of(const Keys& keys, int base) {
  constexpr std::uint64_t kLimb = (std::uint64_t{1} << LimbSums::kBits) - 1;
  LimbSums sums;
  for (const std::int64_t key : keys) {
    const auto bits = static_cast<std::uint64_t>(key);
    if (bits == 0) continue;
    const Unsigned128 whole =
        Unsigned128{(bits & ((std::uint64_t{1} << 52) - 1)) | std::uint64_t{1} << 52}
        << (static_cast<int>(bits >> 52 & 0x7FF) - base);
    const std::uint64_t l0 = static_cast<std::uint64_t>(whole) & kLimb,
                        l1 = static_cast<std::uint64_t>(whole >> 26) & kLimb,
                        l2 = static_cast<std::uint64_t>(whole >> 52);
    const std::int64_t sign = key < 0 ? -1 : 1;
    sums.low += sign * static_cast<std::int64_t>(l1 << 26 | l0);
    sums.high += sign * static_cast<std::int64_t>(l2);
    const std::uint64_t products[] = {l0 * l0, l0 * l1, 2 * l0 * l2 + l1 * l1, l1 * l2, l2 * l2};
    for (std::size_t i = 0; i < sums.squares.size(); ++i) sums.squares[i] += products[i];
  }
  return sums;
}

TEST_CASE("limbs add up to the values and their squares, and refuse what lies too far apart") {
  std::mt19937_64 random(3);
  for (const NumberLoops& loops : all_number_loops()) {
    CAPTURE(loops.name);
    if (loops.add_limbs == nullptr) continue;
    for (int round = 0; round < 300; ++round) {
      const std::size_t size = round < 40 ? static_cast<std::size_t>(round) : 1024;
      const int greatest = static_cast<int>(random() % 1900) - 950;
      const int base = greatest + 1023 - LimbSums::kRange;
      auto values = some_values(random, size, greatest, LimbSums::kRange + 1);
      const Keys keys = keys_of(values);
      LimbSums found;
      REQUIRE(loops.add_limbs(keys.data(), size, base, found));
      const LimbSums expected = sums_of(keys, base);
      CHECK(found.low == expected.low);
      CHECK(found.high == expected.high);
      CHECK(found.squares == expected.squares);
      if (size == 0) continue;
      for (const double far : {std::ldexp(1.75, greatest - LimbSums::kRange - 1),
                               std::ldexp(-1.0, greatest + 1), 5e-324}) {
        auto others = values;
        others[random() % size] = far;
        const Keys other_keys = keys_of(others);
        CHECK_FALSE(loops.add_limbs(other_keys.data(), size, base, found));
      }
    }
  }
}

TEST_CASE("sums by exponent are those of value after value, however far the values lie apart") {
  std::mt19937_64 random(4);
  for (const auto [greatest, binades] :
       {std::pair{3, 10}, {3, 26}, {3, 27}, {1023, 20}, {1023, 2046}, {-990, 60}, {-1020, 3}}) {
    CAPTURE(greatest);
    CAPTURE(binades);
    exact::Moments expected;
    BinadeCounts whole, other;
    exact::ExactSum sum;
    exact::SquareSum squares;
    std::int64_t count = 0;
    for (int block = 0; block < 30; ++block) {
      const int moved = greatest - (greatest == 3 ? static_cast<int>(random() % 3) : 0);
      const auto values = some_values(random, 1 + random() % 1024, moved, binades);
      double size = 0;
      for (const double value : values) {
        expected.add(value);
        size = std::max(size, std::abs(value));
      }
      const Keys keys = keys_of(values);
      (block % 3 == 0 ? other : whole).add_with_sums(keys, size);
      count += static_cast<std::int64_t>(values.size());
      if (block == 10) whole.settle(sum, squares);
    }
    whole.merge(other);
    whole.settle(sum, squares);
    CHECK(exact::Moments(count, sum, squares) == expected);
  }
}

}  // namespace
}  // namespace coeval::quality
