#include "exact/quick_ratio.h"

#include <doctest/doctest.h>

#include <bit>
#include <random>

#include "exact/natural.h"

namespace coeval::exact {
namespace {

double slowly(Int128 a, Int128 b) {
  const Integer numerator(a);
  const double magnitude = round_ratio(numerator.magnitude, 0, Integer(b).magnitude);
  return numerator.negative ? -magnitude : magnitude;
}
double root_slowly(Int128 a, Int128 b) {
  return round_root_of_ratio(Integer(a).magnitude, 0, Integer(b).magnitude);
}

// Whether it was decided.
bool check(Int128 a, Int128 b) {
  const auto quick = quick_ratio(a, b);
  if (quick)
    REQUIRE(std::bit_cast<std::uint64_t>(*quick) == std::bit_cast<std::uint64_t>(slowly(a, b)));
  return quick.has_value();
}
bool check_root(Int128 a, Int128 b) {
  const auto quick = quick_root_of_ratio(a, b);
  if (quick)
    REQUIRE(std::bit_cast<std::uint64_t>(*quick) ==
            std::bit_cast<std::uint64_t>(root_slowly(a, b)));
  return quick.has_value();
}

// Of any length up to `bits`, positive.
Int128 drawn(std::mt19937_64& random, int bits) {
  __extension__ using Unsigned = unsigned __int128;
  const Unsigned all = Unsigned{random()} << 64 | random();
  const int length = 1 + static_cast<int>(random() % static_cast<unsigned>(bits));
  return static_cast<Int128>(all >> (128 - length) | 1);
}

TEST_CASE("a quick quotient, and its root, are those of integers of any length") {
  std::mt19937_64 random(1);
  int undecided = 0;
  for (int round = 0; round < 200'000; ++round) {
    const Int128 a = drawn(random, 126), b = drawn(random, 126);
    undecided += check(a, b) ? 0 : 1;
    undecided += check(-a, b) ? 0 : 1;
    undecided += check_root(a, b) ? 0 : 1;
  }
  CHECK(undecided < 200);  // ties, of short numbers
}

// Middles of two float64 have 54 bits, the last of them set.
TEST_CASE("a quick quotient next to the middle of two float64 is the right one, or none") {
  std::mt19937_64 random(2);
  int undecided = 0;
  for (int round = 0; round < 100'000; ++round) {
    const auto middle = static_cast<std::int64_t>(std::uint64_t{1} << 53 | random() >> 11 | 1);
    const Int128 b = drawn(random, 72);
    for (int off = -2; off <= 2; ++off) {
      undecided += check(middle * b + off, b) ? 0 : 1;
      check(b, middle * b + off);
    }
  }
  CHECK(undecided >= 100'000);  // the middles themselves, at least
}

TEST_CASE("a quick root next to the middle of two float64 is the right one, or none") {
  std::mt19937_64 random(3);
  int undecided = 0;
  for (int round = 0; round < 100'000; ++round) {
    const auto middle = static_cast<std::int64_t>(std::uint64_t{1} << 53 | random() >> 11 | 1);
    const Int128 square = Int128{middle} * middle;
    const Int128 b = drawn(random, 17);
    for (int off = -2; off <= 2; ++off) undecided += check_root(square * b + off, b) ? 0 : 1;
    // Numbers of 53 bits are their own roots' squares.
    const Int128 root = middle >> 1;
    REQUIRE(check_root(root * root * b, b));
  }
  CHECK(undecided >= 100'000);
}

TEST_CASE("what is too long for it is not answered quickly") {
  const Int128 most = (Int128{1} << 126) - 1;
  CHECK(check(most, 3));
  CHECK(check(3, most));
  CHECK_FALSE(quick_ratio(most + 1, 3));
  CHECK_FALSE(quick_ratio(3, most + 1));
  CHECK_FALSE(quick_root_of_ratio(most + 1, 3));
  CHECK(quick_ratio(0, most) == 0.0);
  CHECK(quick_root_of_ratio(0, 7) == 0.0);
  CHECK(short_product(Int128{1} << 62, -(Int128{1} << 62)) == -(Int128{1} << 124));
  CHECK_FALSE(short_product(Int128{1} << 63, Int128{1} << 62));
}

}  // namespace
}  // namespace coeval::exact
