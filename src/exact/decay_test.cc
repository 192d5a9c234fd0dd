#include "exact/decay.h"

#include <doctest/doctest.h>
#include <mpfr.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <random>
#include <type_traits>
#include <utility>
#include <vector>

namespace coeval::exact {
namespace {

std::uint64_t bits(double x) { return std::bit_cast<std::uint64_t>(x); }

// x · 2^(−age / half_life) by MPFR with 600 bits, rounded to float64; `middle` is the distance from
// the middle of two float64, in units of their distance.
struct Expected {
  double value;
  double middle;
};
template <class Value>
Expected oracle(std::int64_t age, std::int64_t half_life, Value x) {
  mpfr_set_emin(mpfr_get_emin_min());
  mpfr_set_emax(mpfr_get_emax_max());
  mpfr_t product, factor;
  mpfr_init2(product, 600);
  mpfr_init2(factor, 600);
  mpfr_set_sj(product, age, MPFR_RNDN);
  mpfr_set_sj(factor, half_life, MPFR_RNDN);
  mpfr_div(product, product, factor, MPFR_RNDN);
  mpfr_neg(product, product, MPFR_RNDN);
  mpfr_exp2(product, product, MPFR_RNDN);
  if constexpr (std::is_same_v<Value, double>)
    mpfr_set_d(factor, x, MPFR_RNDN);
  else
    mpfr_set_sj(factor, x, MPFR_RNDN);
  mpfr_mul(product, product, factor, MPFR_RNDN);
  Expected expected{mpfr_get_d(product, MPFR_RNDN), 0};
  if (!mpfr_zero_p(product)) {
    mpfr_abs(product, product, MPFR_RNDN);
    mpfr_mul_2si(product, product, 53 - mpfr_get_exp(product), MPFR_RNDN);
    mpfr_frac(product, product, MPFR_RNDN);
    mpfr_sub_d(product, product, 0.5, MPFR_RNDN);
    expected.middle = std::fabs(mpfr_get_d(product, MPFR_RNDN));
  }
  mpfr_clears(product, factor, static_cast<mpfr_ptr>(nullptr));
  return expected;
}

TEST_CASE("weights are the float64 nearest to the power of two") {
  std::mt19937_64 random(1);
  for (int round = 0; round < 30000; ++round) {
    const auto half_life = 1 + static_cast<std::int64_t>(random() >> (1 + random() % 63));
    __extension__ using Wide = __int128;
    const Wide most =
        std::min<Wide>(Wide{64} * half_life, std::numeric_limits<std::int64_t>::max());
    const auto age = static_cast<std::int64_t>(random() % (static_cast<std::uint64_t>(most) + 1));
    CHECK(bits(decay_weight(age, half_life)) == bits(oracle(age, half_life, 1.0).value));
  }
}

TEST_CASE("weights of whole half-lives are powers of two, up to the horizon") {
  const std::int64_t hour = 3'600'000'000;
  for (std::int64_t k = 0; k <= 64; ++k)
    CHECK(decay_weight(k * hour, hour) == std::ldexp(1.0, static_cast<int>(-k)));
  CHECK(decay_weight(64 * hour - 1, hour) > std::ldexp(1.0, -64));
  CHECK(decay_weight(64 * hour + 1, hour) == 0);
  CHECK(DecayFactor(64 * hour + 1, hour).is_beyond());
  CHECK_FALSE(DecayFactor(64 * hour, hour).is_beyond());
  CHECK(decay_weight(std::numeric_limits<std::int64_t>::max(), 1) == 0);
  CHECK(decay_weight(std::numeric_limits<std::int64_t>::max(),
                     std::numeric_limits<std::int64_t>::max()) == 0.5);
  CHECK(decay_weight(1, std::numeric_limits<std::int64_t>::max()) == 1);
}

TEST_CASE("weights never grow with age") {
  double before = 1;
  for (std::int64_t age = 0; age < 20000; ++age) {
    const double weight = decay_weight(age, 1000);
    CHECK(weight <= before);
    before = weight;
  }
}

// The fractions of int64 next to −log2(middle), for middles of float64: where 2^(−rest/half_life)
// is as hard to round as it can be.
TEST_CASE("weights next to the middle of two float64 go to the right side") {
  std::mt19937_64 random(2);
  mpfr_t rest, whole;
  mpfr_init2(rest, 400);
  mpfr_init2(whole, 400);
  int hard = 0;
  for (int round = 0; round < 300; ++round) {
    const std::uint64_t middle = std::uint64_t{1} << 53 | random() >> 11 | 1;  // odd, of 54 bits
    mpfr_set_uj(rest, middle, MPFR_RNDN);
    mpfr_log2(rest, rest, MPFR_RNDN);
    mpfr_ui_sub(rest, 54, rest, MPFR_RNDN);
    // The convergents of its continued fraction.
    std::uint64_t p0 = 1, q0 = 0, p1 = 0, q1 = 1;
    for (int step = 0; step < 100; ++step) {
      mpfr_ui_div(rest, 1, rest, MPFR_RNDN);
      mpfr_floor(whole, rest);
      mpfr_sub(rest, rest, whole, MPFR_RNDN);
      const std::uint64_t a = mpfr_get_uj(whole, MPFR_RNDZ);
      std::uint64_t p = 0, q = 0;
      if (__builtin_mul_overflow(a, q1, &q) || __builtin_add_overflow(q, q0, &q) || q >> 63 != 0)
        break;
      p = a * p1 + p0;
      p0 = std::exchange(p1, p);
      q0 = std::exchange(q1, q);
      const auto age = static_cast<std::int64_t>(p), half_life = static_cast<std::int64_t>(q);
      const Expected expected = oracle(age, half_life, 1.0);
      CHECK(bits(decay_weight(age, half_life)) == bits(expected.value));
      if (expected.middle < 0x1p-64) ++hard;
    }
  }
  CHECK(hard > 300);  // each of them undecided by 84 bits
  mpfr_clears(rest, whole, static_cast<mpfr_ptr>(nullptr));
}

TEST_CASE("terms are products rounded once") {
  std::mt19937_64 random(3);
  for (int round = 0; round < 20000; ++round) {
    const auto half_life = 1 + static_cast<std::int64_t>(random() >> (12 + random() % 50));
    const auto age =
        static_cast<std::int64_t>(random() % (64 * static_cast<std::uint64_t>(half_life)));
    const DecayFactor factor(age, half_life);
    const double real =
        std::bit_cast<double>((random() & 1) << 63 | random() % 0x7FF << 52 | random() >> 12);
    CHECK(bits(factor.times(real)) == bits(oracle(age, half_life, real).value));
    const auto integer = static_cast<std::int64_t>(random()) >> random() % 64;
    CHECK(factor.times(integer) == oracle(age, half_life, integer).value);
  }
}

TEST_CASE("terms of the smallest and of special values") {
  const DecayFactor half(10, 10), most(7, 10), beyond(641, 10), now(0, 10);
  CHECK(half.times(5e-324) == 0);  // the middle goes to even
  CHECK(half.times(1.5e-323) == 1e-323);
  CHECK(most.times(5e-324) == 5e-324);
  CHECK(half.times(std::numeric_limits<std::int64_t>::min()) == -0x1p62);
  CHECK(now.times(-0.1) == -0.1);
  CHECK(std::signbit(most.times(-0.0)));
  CHECK(std::isnan(most.times(std::nan(""))));
  CHECK(most.times(-std::numeric_limits<double>::infinity()) ==
        -std::numeric_limits<double>::infinity());
  CHECK(beyond.times(std::nan("")) == 0);
  CHECK(beyond.times(std::int64_t{9}) == 0);
  // 2^53 + 1 is exact until the one rounding: half of it is a float64.
  CHECK(half.times((std::int64_t{1} << 53) + 1) == 4503599627370496.5);
}

TEST_CASE("decayed sums do not depend on order, and forget what is beyond the horizon") {
  std::mt19937_64 random(4);
  std::vector<std::pair<std::int64_t, double>> events;
  for (int i = 0; i < 1000; ++i)
    events.emplace_back(random() % 70'000, static_cast<double>(random() >> 11) - 0x1p52);
  const auto whole = [&] {
    DecayedSum sum(1000);
    for (const auto& [age, x] : events) sum.add(age, x);
    return sum;
  }();
  std::shuffle(events.begin(), events.end(), random);
  DecayedSum first(1000), second(1000);
  for (const auto& [age, x] : events) (random() % 2 == 0 ? first : second).add(age, x);
  first.merge(second);
  CHECK(bits(*first.sum()) == bits(*whole.sum()));
  CHECK(bits(*first.mean()) == bits(*whole.mean()));
  const auto within =
      std::count_if(events.begin(), events.end(), [](const auto& e) { return e.first <= 64'000; });
  CHECK(whole.count() == within);
  CHECK(within < 1000);

  DecayedSum sum(1000);
  sum.add(64'001, 5.0);
  CHECK_FALSE(sum.sum());
  CHECK_FALSE(sum.mean());
  sum.add(1000, 4.0);
  sum.add(2000, std::int64_t{4});
  CHECK(sum.sum() == 3.0);
  CHECK(sum.mean() == 4.0);
  sum.add(0, 1.0);
  CHECK(sum.mean() == 4.0 / 1.75);
}

}  // namespace
}  // namespace coeval::exact
