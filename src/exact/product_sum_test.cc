#include "exact/product_sum.h"

#include <doctest/doctest.h>
#include <mpfr.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

namespace coeval::exact {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

using Vector = std::vector<double>;

double dot(const Vector& a, const Vector& b) {
  ProductSum sum;
  for (std::size_t i = 0; i < a.size(); ++i) sum.add(a[i], b[i]);
  return sum.round();
}
double distance(const Vector& a, const Vector& b) {
  ProductSum sum;
  for (std::size_t i = 0; i < a.size(); ++i) sum.add_squared_difference(a[i], b[i]);
  return sum.root();
}
double cosine(const Vector& a, const Vector& b) {
  ProductSum ab, aa, bb;
  for (std::size_t i = 0; i < a.size(); ++i) {
    ab.add(a[i], b[i]);
    aa.add(a[i], a[i]);
    bb.add(b[i], b[i]);
  }
  return cosine(ab, aa, bb);
}

// Enough bits for every sum of products of float64.
struct Number {
  mpfr_t value;
  Number() {
    mpfr_init2(value, 5000);
    mpfr_set_zero(value, 1);
  }
  ~Number() { mpfr_clear(value); }
  Number(const Number&) = delete;
  Number& operator=(const Number&) = delete;
  double rounded() {
    const mpfr_exp_t low = mpfr_get_emin(), high = mpfr_get_emax();
    mpfr_t out;
    mpfr_init2(out, 53);
    mpfr_set_emin(-1073);
    mpfr_set_emax(1024);
    const int inexact = mpfr_set(out, value, MPFR_RNDN);
    mpfr_subnormalize(out, mpfr_check_range(out, inexact, MPFR_RNDN), MPFR_RNDN);
    const double result = mpfr_get_d(out, MPFR_RNDN);
    mpfr_set_emin(low);
    mpfr_set_emax(high);
    mpfr_clear(out);
    return result;
  }
};

void sum_products(Number& sum, const Vector& a, const Vector& b) {
  Number x, term;
  for (std::size_t i = 0; i < a.size(); ++i) {
    mpfr_set_d(x.value, a[i], MPFR_RNDN);
    mpfr_mul_d(term.value, x.value, b[i], MPFR_RNDN);
    mpfr_add(sum.value, sum.value, term.value, MPFR_RNDN);
  }
}
double dot_by_mpfr(const Vector& a, const Vector& b) {
  Number sum;
  sum_products(sum, a, b);
  return sum.rounded();
}
double distance_by_mpfr(const Vector& a, const Vector& b) {
  Number sum, x, square;
  for (std::size_t i = 0; i < a.size(); ++i) {
    mpfr_set_d(x.value, a[i], MPFR_RNDN);
    mpfr_sub_d(x.value, x.value, b[i], MPFR_RNDN);
    mpfr_sqr(square.value, x.value, MPFR_RNDN);
    mpfr_add(sum.value, sum.value, square.value, MPFR_RNDN);
  }
  mpfr_sqrt(sum.value, sum.value, MPFR_RNDN);
  return sum.rounded();
}
double cosine_by_mpfr(const Vector& a, const Vector& b) {
  Number ab, aa, bb;
  sum_products(ab, a, b);
  sum_products(aa, a, a);
  sum_products(bb, b, b);
  mpfr_sqrt(aa.value, aa.value, MPFR_RNDN);
  mpfr_sqrt(bb.value, bb.value, MPFR_RNDN);
  mpfr_div(ab.value, ab.value, aa.value, MPFR_RNDN);
  mpfr_div(ab.value, ab.value, bb.value, MPFR_RNDN);
  return ab.rounded();
}

bool same_bits(double a, double b) {
  return std::bit_cast<std::uint64_t>(a) == std::bit_cast<std::uint64_t>(b) || (a != a && b != b);
}

// Any finite float64 or float32, from sizes that cancel to all there are.
double drawn(std::mt19937_64& random, int kind) {
  if (kind == 0) return static_cast<double>(random() % 2001) / 8 - 125;
  if (kind == 1)
    return static_cast<double>(std::bit_cast<float>(static_cast<std::uint32_t>(random())));
  return std::bit_cast<double>(random());
}

TEST_CASE("dot and l2 are the exact value rounded once, cosine within four roundings") {
  std::mt19937_64 random(7);
  for (int round = 0; round < 3000; ++round) {
    Vector a, b;
    const std::size_t size = 1 + random() % 9;
    while (a.size() < size) {
      const double x = drawn(random, round % 3), y = drawn(random, round % 3);
      if (!std::isfinite(x) || !std::isfinite(y)) continue;
      a.push_back(x);
      b.push_back(y);
    }
    if (round % 5 == 0) b = a;
    CHECK(same_bits(dot(a, b), dot_by_mpfr(a, b)));
    CHECK(same_bits(distance(a, b), distance_by_mpfr(a, b)));
    const double expected = cosine_by_mpfr(a, b), found = cosine(a, b);
    if (dot(a, a) == 0 || dot(b, b) == 0) continue;
    CHECK(std::fabs(found - expected) <= 4 * 0x1p-53 * std::fabs(expected) + 0x1p-1070);
    CHECK(std::fabs(found) <= 1);
    CHECK(cosine(a, a) == 1);
    Vector opposite = a;
    for (double& x : opposite) x = -x;
    CHECK(cosine(a, opposite) == -1);
  }
}

TEST_CASE("the order of the terms does not matter") {
  std::mt19937_64 random(11);
  Vector a, b;
  for (int i = 0; i < 64; ++i) {
    a.push_back(drawn(random, 0) * std::ldexp(1.0, static_cast<int>(random() % 120)));
    b.push_back(drawn(random, 0));
  }
  const double d = dot(a, b), l = distance(a, b), c = cosine(a, b);
  for (int i = 0; i < 20; ++i) {
    std::vector<std::size_t> order(a.size());
    for (std::size_t k = 0; k < order.size(); ++k) order[k] = k;
    std::shuffle(order.begin(), order.end(), random);
    Vector x, y;
    for (const std::size_t k : order) {
      x.push_back(a[k]);
      y.push_back(b[k]);
    }
    CHECK(same_bits(dot(x, y), d));
    CHECK(same_bits(distance(x, y), l));
    CHECK(same_bits(cosine(x, y), c));
  }
}

TEST_CASE("what is not finite counts as IEEE has it") {
  CHECK(std::isnan(dot({1, kNaN}, {1, 1})));
  CHECK(std::isnan(dot({1, kInfinity}, {1, 0})));
  CHECK(std::isnan(dot({kInfinity, kInfinity}, {1, -1})));
  CHECK(dot({kInfinity, 5}, {2, -1e308}) == kInfinity);
  CHECK(dot({kInfinity}, {-2}) == -kInfinity);
  CHECK(distance({kInfinity, 1}, {0, 1}) == kInfinity);
  CHECK(std::isnan(distance({kInfinity}, {kInfinity})));
  CHECK(std::isnan(cosine({kInfinity, 1}, {1, 1})));
  CHECK(std::isnan(cosine({kNaN, 1}, {1, 1})));
  CHECK(std::isnan(cosine({0, 0}, {1, 1})));
}

TEST_CASE("zeros are +0, and what is too large is infinite") {
  CHECK_FALSE(std::signbit(dot({-0.0}, {1})));
  CHECK_FALSE(std::signbit(dot({1, -1}, {1, 1})));
  CHECK(dot({}, {}) == 0);
  CHECK(distance({3, 4}, {3, 4}) == 0);
  CHECK(dot({1e308}, {1e308}) == kInfinity);
  CHECK(distance({1e308}, {-1e307}) == doctest::Approx(1.1e308));
  CHECK(cosine({1e308, 1e308}, {1e-308, 0}) == doctest::Approx(std::sqrt(0.5)));
}

}  // namespace
}  // namespace coeval::exact
