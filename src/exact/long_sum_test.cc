#include "exact/long_sum.h"

#include <doctest/doctest.h>
#include <mpfr.h>

#include <algorithm>
#include <random>
#include <span>
#include <utility>
#include <vector>

namespace coeval::exact {
namespace {

struct Term {
  LongSum::Magnitude magnitude;
  int position;
  bool negative;
};

// Other tests leave MPFR with the exponents of float64.
void free_exponents() {
  mpfr_set_emin(mpfr_get_emin_min());
  mpfr_set_emax(mpfr_get_emax_max());
}

// value += (high · 2^64 + low) · 2^position, exactly.
void add_to(mpfr_t value, LongSum::Magnitude magnitude, long position, bool negative) {
  mpfr_t part;
  mpfr_init2(part, 128);
  for (int half = 0; half < 2; ++half) {
    mpfr_set_uj(part, static_cast<std::uint64_t>(magnitude >> (64 * half)), MPFR_RNDN);
    mpfr_mul_2si(part, part, position + 64 * half, MPFR_RNDN);
    if (negative)
      mpfr_sub(value, value, part, MPFR_RNDN);
    else
      mpfr_add(value, value, part, MPFR_RNDN);
  }
  mpfr_clear(part);
}

// The number that two's complement limbs stand for.
void set_from(mpfr_t value, std::span<const std::uint64_t> limbs, std::size_t first) {
  mpfr_set_zero(value, 1);
  for (std::size_t i = 0; i < limbs.size(); ++i)
    add_to(value, limbs[i], static_cast<long>(64 * (first + i)), false);
  if (!limbs.empty() && limbs.back() >> 63 != 0)
    add_to(value, 1, static_cast<long>(64 * (first + limbs.size())), true);
}

// Terms near each other, with some far away.
std::vector<Term> random_terms(std::mt19937_64& random, int size) {
  std::vector<Term> terms;
  const int home = static_cast<int>(random() % 4000);
  for (int i = 0; i < size; ++i) {
    const int position = random() % 6 == 0 ? static_cast<int>(random() % 4200)
                                           : home + static_cast<int>(random() % 90);
    LongSum::Magnitude magnitude = random();
    magnitude = (magnitude << 61 | random() >> 3) >> (random() % 125);
    terms.push_back({magnitude, position, random() % 2 == 0});
  }
  return terms;
}

LongSum sum_of(const std::vector<Term>& terms) {
  LongSum sum;
  for (const Term& t : terms) sum.change(t.magnitude, t.position, t.negative);
  return sum;
}

std::string bytes_of(const LongSum& sum) {
  std::string bytes;
  sum.append_bytes(bytes);
  return bytes;
}

TEST_CASE("a long sum is MPFR's, while terms come and go") {
  std::mt19937_64 random(1);
  free_exponents();
  mpfr_t expected, value;
  mpfr_init2(expected, 5000);
  mpfr_init2(value, 5000);
  for (int round = 0; round < 200; ++round) {
    auto terms = random_terms(random, 60);
    LongSum sum;
    mpfr_set_zero(expected, 1);
    const auto change = [&](const Term& t, bool negative) {
      sum.change(t.magnitude, t.position, negative);
      add_to(expected, t.magnitude, t.position, negative);
      set_from(value, sum.limbs(), sum.first_limb());
      REQUIRE(mpfr_equal_p(value, expected));
      REQUIRE(sum.is_zero() == (mpfr_zero_p(expected) != 0));
      REQUIRE(sum.is_negative() == (mpfr_sgn(expected) < 0));
    };
    for (const Term& t : terms) change(t, t.negative);
    std::shuffle(terms.begin(), terms.end(), random);
    for (const Term& t : terms) change(t, !t.negative);
    CHECK(sum.is_zero());
    CHECK(sum == LongSum());
    CHECK(sum.limbs().size() <= 5);
  }
  mpfr_clears(expected, value, static_cast<mpfr_ptr>(nullptr));
}

TEST_CASE("long sums merge, separate and copy") {
  std::mt19937_64 random(2);
  for (int round = 0; round < 500; ++round) {
    const auto a = random_terms(random, static_cast<int>(random() % 10));
    const auto b = random_terms(random, static_cast<int>(random() % 10));
    auto both = a;
    both.insert(both.end(), b.begin(), b.end());
    LongSum sum = sum_of(a);
    sum.combine(sum_of(b), false);
    CHECK(bytes_of(sum) == bytes_of(sum_of(both)));
    const LongSum copy = sum;
    sum.combine(sum_of(a), true);
    CHECK(sum == sum_of(b));
    CHECK(copy == sum_of(both));
    LongSum doubled = sum;
    doubled.combine(doubled, false);
    sum.combine(sum_of(b), false);
    CHECK(doubled == sum);
    doubled.combine(doubled, true);
    CHECK(doubled.is_zero());
    const LongSum moved = std::move(sum);
    sum = moved;
    CHECK(sum == moved);
  }
}

TEST_CASE("many terms of one sign carry on into further limbs") {
  const LongSum::Magnitude most = (LongSum::Magnitude{1} << 125) - 1;
  for (const bool negative : {false, true}) {
    LongSum sum;
    for (int i = 0; i < 5000; ++i) sum.change(most, 63, negative);
    LongSum power = sum;
    for (int i = 0; i < 30; ++i) power.combine(LongSum(power), false);  // · 2^30
    free_exponents();
    mpfr_t value, expected;
    mpfr_init2(value, 400);
    mpfr_init2(expected, 400);
    set_from(value, power.limbs(), power.first_limb());
    mpfr_set_zero(expected, 1);
    add_to(expected, most, 63 + 30, negative);
    mpfr_mul_ui(expected, expected, 5000, MPFR_RNDN);
    CHECK(mpfr_equal_p(value, expected));
    mpfr_clears(value, expected, static_cast<mpfr_ptr>(nullptr));
    for (int i = 0; i < 5000; ++i) sum.change(most, 63, !negative);
    CHECK(bytes_of(sum) == bytes_of(LongSum()));
  }
}

TEST_CASE("bytes of a long sum read back, and no other spelling is accepted") {
  std::mt19937_64 random(3);
  for (int round = 0; round < 300; ++round) {
    const auto terms = random_terms(random, static_cast<int>(random() % 6));
    const LongSum sum = sum_of(terms);
    const std::string bytes = bytes_of(sum) + "rest";
    std::string_view reader = bytes;
    LongSum read;
    REQUIRE(read.read_bytes(reader));
    CHECK(reader == "rest");
    CHECK(read == sum);
    for (const Term& t : terms) read.change(t.magnitude, t.position, !t.negative);
    CHECK(read.is_zero());
    for (std::size_t cut = 0; cut + 4 < bytes.size(); ++cut) {
      std::string_view part = std::string_view(bytes).substr(0, cut);
      LongSum untouched;
      CHECK_FALSE(untouched.read_bytes(part));
    }
  }
  // A zero limb below, a sign limb above, and more limbs than sums have.
  for (const std::string& wrong :
       {std::string("\x02\x00\0\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\0", 18),
        std::string("\x02\x00\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 18),
        "\x01\x48" + std::string(8, '\x01'), "\x49" + std::string(600, '\x01')}) {
    std::string_view reader = wrong;
    LongSum read;
    CHECK_FALSE(read.read_bytes(reader));
  }
}

}  // namespace
}  // namespace coeval::exact
