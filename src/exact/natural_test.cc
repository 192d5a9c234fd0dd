#include "exact/natural.h"

#include <doctest/doctest.h>
#include <mpfr.h>

#include <array>
#include <limits>
#include <random>
#include <utility>
#include <vector>

namespace coeval::exact {
namespace {

// The number in MPFR, exactly.
void set_from(mpfr_t value, const Natural& number) {
  mpfr_set_emin(mpfr_get_emin_min());  // other tests leave it with the exponents of float64
  mpfr_set_emax(mpfr_get_emax_max());
  mpfr_set_zero(value, 1);
  const auto limbs = number.limbs();
  for (std::size_t i = limbs.size(); i-- > 0;) {
    mpfr_mul_2ui(value, value, 64, MPFR_RNDN);
    mpfr_t limb;
    mpfr_init2(limb, 64);
    mpfr_set_uj(limb, limbs[i], MPFR_RNDN);
    mpfr_add(value, value, limb, MPFR_RNDN);
    mpfr_clear(limb);
  }
}

// Limbs that make long division hard: all ones, all zeros, a top bit alone.
Natural hard_natural(std::mt19937_64& random, std::size_t size) {
  std::vector<std::uint64_t> limbs;
  for (std::size_t i = 0; i < size; ++i) {
    const std::uint64_t any = random();
    const std::array<std::uint64_t, 6> kinds = {any,    any, 0, ~std::uint64_t{0}, any >> 63 << 63,
                                                any & 1};
    limbs.push_back(kinds[random() % kinds.size()]);
  }
  return Natural(limbs);
}

TEST_CASE("long division leaves quotient and rest as they must be") {
  std::mt19937_64 random(1);
  mpfr_t a, b, q, low;
  for (mpfr_t* x : {&a, &b, &q, &low}) mpfr_init2(*x, 2000);
  for (int round = 0; round < 20000; ++round) {
    const Natural dividend = hard_natural(random, random() % 8);
    const Natural divisor = hard_natural(random, 1 + random() % 5);
    if (divisor.is_zero()) continue;
    Natural quotient = dividend;
    const bool rest = quotient.divide(divisor);
    set_from(a, dividend);
    set_from(b, divisor);
    set_from(q, quotient);
    mpfr_mul(low, q, b, MPFR_RNDN);
    CHECK((mpfr_equal_p(low, a) != 0) == !rest);
    CHECK(mpfr_lessequal_p(low, a));
    mpfr_add(low, low, b, MPFR_RNDN);
    CHECK(mpfr_greater_p(low, a));
  }
  for (mpfr_t* x : {&a, &b, &q, &low}) mpfr_clear(*x);
}

TEST_CASE("sums, differences and products of integers are MPFR's") {
  std::mt19937_64 random(2);
  mpfr_t a, b, expected, value;
  for (mpfr_t* x : {&a, &b, &expected, &value}) mpfr_init2(*x, 2000);
  const auto set = [](mpfr_t x, const Integer& n) {
    set_from(x, n.magnitude);
    if (n.negative) mpfr_neg(x, x, MPFR_RNDN);
  };
  for (int round = 0; round < 5000; ++round) {
    const Integer left(hard_natural(random, random() % 6), random() % 2 == 0);
    const Integer right(hard_natural(random, random() % 6), random() % 2 == 0);
    set(a, left);
    set(b, right);
    set(value, left + right);
    mpfr_add(expected, a, b, MPFR_RNDN);
    CHECK(mpfr_equal_p(value, expected));
    set(value, left - right);
    mpfr_sub(expected, a, b, MPFR_RNDN);
    CHECK(mpfr_equal_p(value, expected));
    set(value, left * right);
    mpfr_mul(expected, a, b, MPFR_RNDN);
    CHECK(mpfr_equal_p(value, expected));
    CHECK_FALSE((left - left).negative);
    CHECK((left.magnitude <=> right.magnitude < 0) == (mpfr_cmpabs(a, b) < 0));
  }
  for (mpfr_t* x : {&a, &b, &expected, &value}) mpfr_clear(*x);
}

Natural power_of_two(int exponent) {
  Natural n(Natural::Word128{1});
  n.shift_left(exponent);
  return n;
}

// n + 1, n or n − 1.
Natural moved(Natural n, int step) {
  const Natural one(Natural::Word128{1});
  if (step > 0) n.add(one);
  if (step < 0) n.subtract(one);
  return n;
}

// What is next to a middle of two float64 by less than any fixed number of bits shows: the odd
// number 2m + 1 of 54 bits lies between the float64 2m and 2m + 2.
TEST_CASE("quotients and roots next to the middle of two float64 go to the right side") {
  std::mt19937_64 random(3);
  for (int round = 0; round < 500; ++round) {
    const std::uint64_t m = std::uint64_t{1} << 52 | random() >> 12;
    const Natural middle(Natural::Word128{2 * m + 1});
    const double down = 2.0 * static_cast<double>(m), up = 2.0 * static_cast<double>(m + 1);
    const Natural divisor = moved(power_of_two(70 + static_cast<int>(random() % 300)), 1);
    const Natural unit(Natural::Word128{1}), power = power_of_two(300);
    for (const int step : {-1, 0, 1}) {
      const double expected = step < 0 ? down : step > 0 ? up : m % 2 == 0 ? down : up;
      CHECK(round_ratio(moved(middle * divisor, step), 0, divisor) == expected);
      CHECK(round_ratio(moved(middle * power, step), 0, power) == expected);
      CHECK(round_ratio(moved(middle * power, step), -300, unit) == expected);
      const Natural square = middle * middle;
      CHECK(round_root_of_ratio(moved(square, step), 0, unit) == expected);
      CHECK(round_root_of_ratio(moved(square * divisor, step), 0, divisor) == expected);
      CHECK(round_root_of_ratio(moved(square * power, step), 0, power) == expected);
      CHECK(round_root_of_ratio(moved(square * power, step), -300, unit) == expected);
    }
  }
}

TEST_CASE("roots of all sizes, odd exponents, and the ends of the range") {
  const Natural one(Natural::Word128{1}), two(Natural::Word128{2});
  CHECK(round_root_of_ratio(two, -1, one) == 1);
  CHECK(round_root_of_ratio(two, 0, one) == 1.4142135623730951);  // 1.41421356237309504880…
  CHECK(round_root_of_ratio(one, -2148, one) == 5e-324);
  CHECK(round_root_of_ratio(one, -2150, one) == 0);  // the middle of 0 and the smallest float64
  CHECK(round_root_of_ratio(two, -2150, one) == 5e-324);
  CHECK(round_root_of_ratio(one, 2046, one) == 0x1p1023);
  CHECK(round_root_of_ratio(one, 2048, one) == std::numeric_limits<double>::infinity());
  CHECK(round_root_of_ratio(Natural(), 5, one) == 0);
  const Natural most = moved(power_of_two(128), -1);
  CHECK(round_root_of_ratio(most, 0, one) == 0x1p64);
}

}  // namespace
}  // namespace coeval::exact
