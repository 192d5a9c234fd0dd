#include "exact/exact_sum.h"

#include <doctest/doctest.h>
#include <mpfr.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <vector>

namespace coeval::exact {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

std::uint64_t bits(double x) { return std::bit_cast<std::uint64_t>(x); }

// The sum (over count, if not 0) of finite values by MPFR: 4,400 bits hold every sum of doubles.
double oracle(const std::vector<double>& values, long count, bool single = false) {
  mpfr_set_emin(mpfr_get_emin_min());
  mpfr_set_emax(mpfr_get_emax_max());
  mpfr_t sum;
  mpfr_init2(sum, 4400);
  mpfr_set_zero(sum, 1);
  for (const double x : values) mpfr_add_d(sum, sum, x, MPFR_RNDN);
  if (count > 0) {
    // Divide straight into the target precision; subnormals are rounded by mpfr_subnormalize.
    mpfr_set_emin(-1073);
    mpfr_set_emax(1024);
    mpfr_t quotient;
    mpfr_init2(quotient, 53);
    const int ternary = mpfr_div_si(quotient, sum, count, MPFR_RNDN);
    mpfr_subnormalize(quotient, ternary, MPFR_RNDN);
    const double result = mpfr_get_d(quotient, MPFR_RNDN);
    mpfr_clears(sum, quotient, static_cast<mpfr_ptr>(nullptr));
    return result == 0 ? 0.0 * result : result;
  }
  const double result =
      single ? static_cast<double>(mpfr_get_flt(sum, MPFR_RNDN)) : mpfr_get_d(sum, MPFR_RNDN);
  mpfr_clear(sum);
  return result;
}

// Values of every exponent, or of a few, with some that cancel.
std::vector<double> random_values(std::mt19937_64& random, int size, int exponents) {
  std::vector<double> values;
  while (static_cast<int>(values.size()) < size) {
    if (!values.empty() && random() % 5 == 0) {
      values.push_back(-values[random() % values.size()]);
      continue;
    }
    const int low = exponents >= 2046 ? 0 : 1023 - exponents / 2;
    const auto field =
        static_cast<std::uint64_t>(low) + random() % static_cast<std::uint64_t>(exponents + 1);
    values.push_back(std::bit_cast<double>((random() & 1) << 63 | field << 52 | random() >> 12));
  }
  return values;
}

ExactSum sum_of(const std::vector<double>& values) {
  ExactSum sum;
  for (const double x : values) sum.add(x);
  return sum;
}

std::string bytes_of(const ExactSum& sum) {
  std::string bytes;
  sum.append_bytes(bytes);
  return bytes;
}

TEST_CASE("sums and means are those of MPFR, whatever the exponents") {
  std::mt19937_64 random(1);
  for (int round = 0; round < 4000; ++round) {
    const int exponents = std::array{1, 8, 60, 300, 2046}[static_cast<std::size_t>(round % 5)];
    const auto values = random_values(random, 1 + static_cast<int>(random() % 40), exponents);
    const ExactSum sum = sum_of(values);
    const double expected = oracle(values, 0);
    CHECK(bits(sum.round()) == bits(expected == 0 ? 0.0 : expected));
    const double single = oracle(values, 0, true);
    CHECK(bits(sum.round(kFloat32)) == bits(sum.round() == 0 ? 0.0 : single));
    const auto count = 1 + static_cast<long>(random() % (round % 2 == 0 ? 100 : 1L << 60));
    CHECK(sum.mean(count) == oracle(values, count));
  }
}

TEST_CASE("a sum does not depend on the order of its values, and its bytes neither") {
  std::mt19937_64 random(2);
  for (int round = 0; round < 300; ++round) {
    auto values = random_values(random, 50, round % 2 == 0 ? 40 : 2046);
    const ExactSum first = sum_of(values);
    std::shuffle(values.begin(), values.end(), random);
    const ExactSum second = sum_of(values);
    CHECK(bits(first.round()) == bits(second.round()));
    CHECK(bytes_of(first) == bytes_of(second));
  }
}

TEST_CASE("outliers leave a sum without a trace") {
  ExactSum plain, troubled;
  for (int i = 1; i <= 100; ++i) plain.add(0.1 * i);
  const std::vector<double> outliers = {9e12,   1e308,     1e308,      -4e-324,
                                        1e-300, kInfinity, -kInfinity, std::nan("")};
  for (const double x : outliers) troubled.add(x);
  for (int i = 100; i >= 1; --i) troubled.add(0.1 * i);
  CHECK(bytes_of(plain) != bytes_of(troubled));
  for (const double x : outliers) troubled.subtract(x);
  CHECK(bits(plain.round()) == bits(troubled.round()));
  CHECK(bytes_of(plain) == bytes_of(troubled));
}

TEST_CASE("special values follow IEEE while they are in the sum") {
  ExactSum sum;
  sum.add(1.5);
  sum.add(kInfinity);
  CHECK(sum.round() == kInfinity);
  sum.add(-kInfinity);
  CHECK(std::isnan(sum.round()));
  CHECK(std::isnan(sum.mean(3)));
  sum.subtract(kInfinity);
  CHECK(sum.mean(2) == -kInfinity);
  sum.add(std::nan(""));
  sum.subtract(-kInfinity);
  CHECK(std::isnan(sum.round()));
  sum.subtract(std::nan(""));
  CHECK(sum.round() == 1.5);
}

TEST_CASE("the sum may be beyond float64 while its mean is not") {
  ExactSum sum;
  for (int i = 0; i < 5; ++i) sum.add(std::numeric_limits<double>::max());
  CHECK(sum.round() == kInfinity);
  CHECK(sum.mean(5) == std::numeric_limits<double>::max());
}

TEST_CASE("parts merge into the whole and separate again") {
  std::mt19937_64 random(3);
  for (int round = 0; round < 300; ++round) {
    const auto a = random_values(random, 20, round % 2 == 0 ? 60 : 2046);
    const auto b = random_values(random, 20, round % 3 == 0 ? 60 : 2046);
    ExactSum sum = sum_of(a);
    sum.merge(sum_of(b));
    auto both = a;
    both.insert(both.end(), b.begin(), b.end());
    CHECK(bytes_of(sum) == bytes_of(sum_of(both)));
    sum.unmerge(sum_of(a));
    CHECK(sum == sum_of(b));
  }
}

TEST_CASE("many large values of one sign spill out of the inline part and come back") {
  ExactSum sum;
  const double large = std::ldexp(1.0, 130);
  for (int i = 0; i < 5000; ++i) sum.add(large);
  CHECK(sum.round() == 5000 * large);
  for (int i = 0; i < 5000; ++i) sum.subtract(large);
  CHECK(sum.round() == 0);
  CHECK(bytes_of(sum) == bytes_of(ExactSum{}));
}

TEST_CASE("bytes read back to the same sum, and no other spelling is accepted") {
  std::mt19937_64 random(4);
  for (int round = 0; round < 300; ++round) {
    const ExactSum sum = sum_of(random_values(random, 1 + round % 20, round % 2 == 0 ? 60 : 2046));
    const std::string bytes = bytes_of(sum) + "rest";
    std::string_view reader = bytes;
    ExactSum read;
    REQUIRE(read.read_bytes(reader));
    CHECK(reader == "rest");
    CHECK(read == sum);
    read.add(0.25);
    ExactSum grown = sum;
    grown.add(0.25);
    CHECK(read == grown);
    for (std::size_t cut = 0; cut + 4 < bytes.size(); ++cut) {
      std::string_view part = std::string_view(bytes).substr(0, cut);
      ExactSum untouched;
      CHECK_FALSE(untouched.read_bytes(part));
    }
  }
  std::string_view padded("\x02\x0f\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 19);
  ExactSum refused;
  CHECK_FALSE(refused.read_bytes(padded));
}

}  // namespace
}  // namespace coeval::exact
