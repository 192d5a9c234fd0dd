#include "exact/maths.h"

#include <doctest/doctest.h>
#include <mpfr.h>

#include <algorithm>
#include <array>
#include <bit>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "base/rounds_for_tests.h"

namespace coeval::exact {

// maths_unoptimised_test.cc: the same source compiled with -O0.
double unoptimised(std::size_t function, double x, double y);

namespace {

using Random = std::mt19937_64;

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr std::uint64_t kCanonicalNaN = 0x7ff8000000000000;

std::uint64_t bits(double x) { return std::bit_cast<std::uint64_t>(x); }

// --- Where to look
// ---------------------------------------------------------------------------------

struct Point {
  double x, y;
};

double random_sign(Random& random, double x) { return (random() & 1) != 0 ? -x : x; }

// A mantissa of any bits, or of few ones or few zeros; exponents from 2^low to 2^(high + 1).
double with_exponent(Random& random, int low, int high) {
  std::uint64_t fraction = random() >> 12;
  if (random() % 8 == 0) fraction = fraction << random() % 52 & ((std::uint64_t{1} << 52) - 1);
  if (random() % 8 == 0) fraction ^= (std::uint64_t{1} << 52) - 1;
  const auto steps = static_cast<std::uint64_t>(high) - static_cast<std::uint64_t>(low) + 1;
  const int exponent = low + static_cast<int>(random() % steps);
  return std::ldexp(1 + std::ldexp(static_cast<double>(fraction), -52), exponent);
}

double any_float(Random& random) { return std::bit_cast<double>(random()); }

double uniform(Random& random, double low, double high) {
  return std::uniform_real_distribution<double>(low, high)(random);
}

// 1 give or take something of any size.
double near_one(Random& random) { return 1 + random_sign(random, with_exponent(random, -54, -2)); }

// The float64 next to a multiple of π / 2, or a few away from it.
double near_quadrant(Random& random) {
  const auto multiple = static_cast<double>(random() >> (random() % 63));
  const double x = multiple * 0x1.921fb54442d18p+0;
  return std::bit_cast<double>(bits(x) + random() % 5 - 2);
}

Point of_exp(Random& random) {
  switch (random() % 4) {
    case 0:
      return {random_sign(random, with_exponent(random, -60, 10)), 0};
    case 1:
      return {uniform(random, -746, 710), 0};
    case 2:
      return {uniform(random, -1, 1), 0};
    default:
      return {uniform(random, -746, -707), 0};
  }
}

Point of_log(Random& random) {
  switch (random() % 4) {
    case 0:
      return {std::abs(any_float(random)), 0};
    case 1:
      return {near_one(random), 0};
    case 2:
      return {uniform(random, 0.5, 2), 0};
    default:
      return {with_exponent(random, -1074, 64), 0};
  }
}

Point of_log1p(Random& random) {
  switch (random() % 4) {
    case 0:
      return {std::abs(any_float(random)), 0};
    case 1:
      return {random_sign(random, with_exponent(random, -60, -1)), 0};
    case 2:
      return {uniform(random, -1, 1), 0};
    default:
      return {-near_one(random), 0};
  }
}

Point of_pow(Random& random) {
  const std::uint64_t kind = random() % 6;
  if (kind == 0) return {any_float(random), random_sign(random, with_exponent(random, -10, 4))};
  if (kind == 1) {
    const double x = static_cast<double>(random() % 2001) - 1000;
    return {x / 8, static_cast<double>(random() % 301) - 150};
  }
  // A power of the wanted size: any, or around overflow, or subnormal.
  const double x = kind == 2   ? near_one(random)
                   : kind == 3 ? uniform(random, 0, 10)
                               : std::abs(any_float(random));
  const double size = kind == 5 ? std::array{uniform(random, 1023, 1025),
                                             uniform(random, -1076, -1020)}[random() % 2]
                                : uniform(random, -1076, 1025);
  const double y = size / std::log2(x);
  return {x, std::isfinite(y) ? y : 1.5};
}

Point of_circle(Random& random) {
  switch (random() % 5) {
    case 0:
      return {any_float(random), 0};
    case 1:
      return {random_sign(random, with_exponent(random, -30, 25)), 0};
    case 2:
      return {uniform(random, -7, 7), 0};
    case 3:
      return {uniform(random, -1.1e6, 1.1e6), 0};
    default:
      return {near_quadrant(random), 0};
  }
}

Point of_arc(Random& random) {
  switch (random() % 4) {
    case 0:
      return {random_sign(random, with_exponent(random, -60, -1)), 0};
    case 1:
      return {random_sign(random, std::min(1.0, near_one(random))), 0};
    default:
      return {uniform(random, -1, 1), 0};
  }
}

Point of_atan(Random& random) {
  switch (random() % 4) {
    case 0:
      return {any_float(random), 0};
    case 1:
      return {random_sign(random, with_exponent(random, -30, 62)), 0};
    default:
      return {uniform(random, -4, 4), 0};
  }
}

Point of_atan2(Random& random) {
  if (random() % 4 == 0) return {any_float(random), any_float(random)};
  const double x = random() % 4 == 0 ? any_float(random) : uniform(random, -1, 1);
  const double ratio = random_sign(random, with_exponent(random, -3, 2));
  if (random() % 4 == 0) return {x, random_sign(random, with_exponent(random, -62, 62)) * x};
  return {x, x * ratio};
}

Point of_tanh(Random& random) {
  switch (random() % 3) {
    case 0:
      return {random_sign(random, with_exponent(random, -60, 4)), 0};
    case 1:
      return {uniform(random, -1, 1), 0};
    default:
      return {uniform(random, -21, 21), 0};
  }
}

// --- Ours and MPFR's
// -------------------------------------------------------------------------------

using Exactly = int (*)(mpfr_ptr, mpfr_srcptr, mpfr_srcptr, mpfr_rnd_t);

template <auto kFunction>
int unary(mpfr_ptr out, mpfr_srcptr x, mpfr_srcptr, mpfr_rnd_t mode) {
  return kFunction(out, x, mode);
}

// Argument order of ours: pow(x, y), but atan2(y, x).
struct Function {
  const char* name;
  double (*ours)(double x, double y);
  Exactly exactly;
  Point (*sample)(Random&);
};

constexpr std::array kFunctions = {
    Function{"exp", [](double x, double) { return exp(x); }, unary<mpfr_exp>, of_exp},
    Function{"expm1", [](double x, double) { return expm1(x); }, unary<mpfr_expm1>, of_exp},
    Function{"log", [](double x, double) { return log(x); }, unary<mpfr_log>, of_log},
    Function{"log1p", [](double x, double) { return log1p(x); }, unary<mpfr_log1p>, of_log1p},
    Function{"log2", [](double x, double) { return log2(x); }, unary<mpfr_log2>, of_log},
    Function{"log10", [](double x, double) { return log10(x); }, unary<mpfr_log10>, of_log},
    Function{"pow", [](double x, double y) { return pow(x, y); }, mpfr_pow, of_pow},
    Function{"sin", [](double x, double) { return sin(x); }, unary<mpfr_sin>, of_circle},
    Function{"cos", [](double x, double) { return cos(x); }, unary<mpfr_cos>, of_circle},
    Function{"tan", [](double x, double) { return tan(x); }, unary<mpfr_tan>, of_circle},
    Function{"asin", [](double x, double) { return asin(x); }, unary<mpfr_asin>, of_arc},
    Function{"acos", [](double x, double) { return acos(x); }, unary<mpfr_acos>, of_arc},
    Function{"atan", [](double x, double) { return atan(x); }, unary<mpfr_atan>, of_atan},
    Function{"atan2", [](double y, double x) { return atan2(y, x); }, mpfr_atan2, of_atan2},
    Function{"tanh", [](double x, double) { return tanh(x); }, unary<mpfr_tanh>, of_tanh},
};

/// What a result is off by, in units in the last place of the exact one.
class Judge {
 public:
  Judge() {
    // MPFR's own exponents reach far beyond float64's.
    mpfr_set_emin(mpfr_get_emin_min());
    mpfr_set_emax(mpfr_get_emax_max());
    for (mpfr_ptr number : {x_, y_, exact_, error_}) mpfr_init2(number, 200);
  }
  ~Judge() {
    for (mpfr_ptr number : {x_, y_, exact_, error_}) mpfr_clear(number);
  }
  Judge(const Judge&) = delete;
  Judge& operator=(const Judge&) = delete;

  double ulps(const Function& function, Point at, double ours) {
    mpfr_set_d(x_, at.x, MPFR_RNDN);
    mpfr_set_d(y_, at.y, MPFR_RNDN);
    function.exactly(exact_, x_, y_, MPFR_RNDN);
    if (mpfr_nan_p(exact_) != 0) return bits(ours) == kCanonicalNaN ? 0 : kInfinity;
    if (std::isnan(ours)) return kInfinity;
    if (ours == 0 && std::signbit(ours) != (mpfr_signbit(exact_) != 0)) return kInfinity;
    if (mpfr_regular_p(exact_) == 0) return mpfr_get_d(exact_, MPFR_RNDN) == ours ? 0 : kInfinity;
    // Infinity stands for 2^1024, the first value that the format lacks.
    if (std::isinf(ours))
      mpfr_set_si_2exp(error_, ours > 0 ? 1 : -1, 1024, MPFR_RNDN);
    else
      mpfr_set_d(error_, ours, MPFR_RNDN);
    mpfr_sub(error_, error_, exact_, MPFR_RNDN);
    const mpfr_exp_t last_place = std::clamp<mpfr_exp_t>(mpfr_get_exp(exact_) - 53, -1074, 971);
    if (std::isinf(ours) && mpfr_get_exp(exact_) > 1024) return 0;
    mpfr_mul_2si(error_, error_, -last_place, MPFR_RNDN);
    return std::abs(mpfr_get_d(error_, MPFR_RNDN));
  }

 private:
  mpfr_t x_, y_, exact_, error_;
};

struct Worst {
  double ulps = 0;
  Point at{};
  void see(double ulps_here, Point here) {
    if (ulps_here > ulps) *this = {ulps_here, here};
  }
};

// The contract is 1 ulp. What was measured is 0.508, and a table entry that is wrong in its last
// places shows only against that.
constexpr double kMostUlps = 0.52;

void check_accuracy(const Function& function, const Worst& worst) {
  std::array<char, 80> where;
  std::snprintf(where.data(), where.size(), "%s at %a, %a", function.name, worst.at.x, worst.at.y);
  CAPTURE(std::string(where.data()));
  CHECK(worst.ulps <= kMostUlps);
}

double nanoseconds_per_call(const Function& function, const std::vector<Point>& points) {
  using Clock = std::chrono::steady_clock;
  double best = kInfinity, total = 0;
  for (int round = 0; round < 5; ++round) {
    const auto start = Clock::now();
    for (const Point& at : points) total += function.ours(at.x, at.y);
    const std::chrono::duration<double, std::nano> taken = Clock::now() - start;
    best = std::min(best, taken.count() / static_cast<double>(points.size()));
  }
  // The sum is used, so that no call can be left out.
  return total == 0.1234 ? 0 : best;
}

// Values at which something changes: special ones, ends of the range, ends of the domains, and the
// thresholds inside the functions; with their neighbours.
std::vector<double> landmarks() {
  std::vector<double> values = {
      0.0, kInfinity, std::numeric_limits<double>::denorm_min(), 0x1p-1022, 0x1p-1000,
      std::numeric_limits<double>::max(), 0x1p1000, 0x1p-27, 0x1p-28, 0x1p-53, 0x1p-54, 0x1p-65,
      0x1p20, 0x1p52, 0x1p53, 0x1p60, 0x1p64, 0.25, 0.5, 0.70, 0.75, 1.0, 1.25, 1.41, 1.5, 2.0, 3.0,
      4.0, 5.0, 10.0, 100.0, 1000.0, 20.0, 40.0, 64.0, 1023.0, 1024.0, 1074.0, 1075.0,
      // Ends of exp: overflow, the first subnormal, half the least subnormal.
      0x1.62e42fefa39efp+9, 0x1.6232bdd7abcd2p+9, 0x1.74910d52d3051p+9, 800.0,
      // π / 4, π / 2, π, and the float64 that is nearest to a multiple of π / 2 for its size.
      0x1.921fb54442d18p-1, 0x1.921fb54442d18p+0, 0x1.921fb54442d18p+1,
      6381956970095103.0 * 0x1p797};
  const std::size_t count = values.size();
  for (std::size_t i = 0; i < count; ++i) {
    values.push_back(std::nextafter(values[i], -kInfinity));
    values.push_back(std::nextafter(values[i], kInfinity));
  }
  for (std::size_t i = 0, plain = values.size(); i < plain; ++i) values.push_back(-values[i]);
  values.push_back(std::numeric_limits<double>::quiet_NaN());
  return values;
}

// COEVAL_MATHS_POINTS: how many points each function is tried at.
long points_wanted() {
  const char* wanted = std::getenv("COEVAL_MATHS_POINTS");
  return wanted == nullptr ? test_rounds(200'000L) : std::max(1L, std::strtol(wanted, nullptr, 10));
}

TEST_CASE("every function is within 1 ulp of MPFR at random points of every size") {
  Judge judge;
  const bool report = std::getenv("COEVAL_MATHS_POINTS") != nullptr;
  for (const Function& function : kFunctions) {
    Random random(1);
    Worst worst;
    for (long i = 0; i < points_wanted(); ++i) {
      const Point at = function.sample(random);
      worst.see(judge.ulps(function, at, function.ours(at.x, at.y)), at);
    }
    check_accuracy(function, worst);
    if (!report) continue;
    std::vector<Point> points(1000);
    std::generate(points.begin(), points.end(), [&] { return function.sample(random); });
    std::printf("%-6s %ld points, at most %.4f ulp (at %a, %a), %.1f ns\n", function.name,
                points_wanted(), worst.ulps, worst.at.x, worst.at.y,
                nanoseconds_per_call(function, points));
    std::fflush(stdout);
  }
}

TEST_CASE("special values, ends of ranges and thresholds are those of MPFR and C99") {
  Judge judge;
  const std::vector<double> values = landmarks();
  for (const Function& function : kFunctions) {
    const bool two = function.exactly == mpfr_pow || function.exactly == mpfr_atan2;
    Worst worst;
    for (const double x : values)
      for (const double y : two ? values : std::vector<double>{0.0})
        worst.see(judge.ulps(function, {x, y}, function.ours(x, y)), {x, y});
    check_accuracy(function, worst);
  }
}

TEST_CASE("sin, cos and tan hold next to multiples of π / 2 of every size") {
  Judge judge;
  mpfr_t half_pi;
  mpfr_init2(half_pi, 1300);
  mpfr_const_pi(half_pi, MPFR_RNDN);
  mpfr_div_2ui(half_pi, half_pi, 1, MPFR_RNDN);
  Random random(2);
  std::array<Worst, 3> worst;
  for (int exponent = 0; exponent < 1023; ++exponent) {
    mpfr_t multiple;
    mpfr_init2(multiple, 1300);
    for (int i = 0; i < 20; ++i) {
      const double size = with_exponent(random, exponent, exponent);
      mpfr_set_d(multiple, size, MPFR_RNDN);
      mpfr_div(multiple, multiple, half_pi, MPFR_RNDN);
      mpfr_rint(multiple, multiple, MPFR_RNDN);
      mpfr_mul(multiple, multiple, half_pi, MPFR_RNDN);
      const Point at{mpfr_get_d(multiple, MPFR_RNDN), 0};
      for (std::size_t f = 0; f < 3; ++f) {
        const Function& function = kFunctions[7 + f];
        worst[f].see(judge.ulps(function, at, function.ours(at.x, 0)), at);
      }
    }
    mpfr_clear(multiple);
  }
  mpfr_clear(half_pi);
  for (std::size_t f = 0; f < 3; ++f) check_accuracy(kFunctions[7 + f], worst[f]);
}

TEST_CASE("exact results come out exact") {
  double power = 1;
  for (int n = 0; n <= 22; ++n, power *= 10) {  // powers of ten are float64 values up to 10^22
    CHECK(log10(power) == n);
    CHECK(pow(10, n) == power);
  }
  for (int n = -1074; n < 1024; ++n) {
    CHECK(log2(std::ldexp(1.0, n)) == n);
    CHECK(pow(2, n) == std::ldexp(1.0, n));
  }
  for (std::int64_t base = -99; base <= 99; ++base) {
    std::int64_t product = 1;
    for (int n = 0; n <= 7; ++n, product *= base)  // below 2^53
      CHECK(pow(static_cast<double>(base), n) == static_cast<double>(product));
    CHECK(pow(static_cast<double>(base * base), 0.5) == static_cast<double>(std::abs(base)));
  }
}

TEST_CASE("odd functions are odd and even ones even, bit for bit") {
  Random random(3);
  for (int i = 0; i < 20'000; ++i) {
    const double x = i % 2 == 0 ? any_float(random) : uniform(random, -2, 2);
    if (std::isnan(x)) continue;
    const double y = any_float(random);
    CHECK(bits(cos(-x)) == bits(cos(x)));
    CHECK(bits(tanh(-x)) == bits(-tanh(x)));
    CHECK(bits(atan(-x)) == bits(-atan(x)));
    if (!std::isnan(y)) CHECK(bits(atan2(-x, y)) == bits(-atan2(x, y)));
    if (std::abs(x) <= 1) CHECK(bits(asin(-x)) == bits(-asin(x)));
    if (std::isinf(x)) continue;
    CHECK(bits(sin(-x)) == bits(-sin(x)));
    CHECK(bits(tan(-x)) == bits(-tan(x)));
  }
}

TEST_CASE("a NaN of any payload, sign or kind becomes the one canonical NaN") {
  for (const std::uint64_t nan : {0x7ff8000000000000U, 0xfff8000000000000U, 0x7ff0000000000001U,
                                  0xfff0000000000001U, 0x7fffffffffffffffU, 0xfff8000000000123U}) {
    const auto x = std::bit_cast<double>(std::uint64_t{nan});
    for (const Function& function : kFunctions) {
      CAPTURE(std::string(function.name));
      CHECK(bits(function.ours(x, 2.5)) == kCanonicalNaN);
      CHECK(bits(function.ours(x, x)) == kCanonicalNaN);
    }
    CHECK(bits(pow(2.5, x)) == kCanonicalNaN);
    CHECK(bits(atan2(2.5, x)) == kCanonicalNaN);
    CHECK(pow(1, x) == 1);
    CHECK(pow(x, 0) == 1);
  }
}

TEST_CASE("one at a time, a thousand in a loop, or compiled without optimisation: the same bits") {
  for (std::size_t f = 0; f < kFunctions.size(); ++f) {
    const Function& function = kFunctions[f];
    CAPTURE(std::string(function.name));
    Random random(4);
    std::vector<Point> points(1000);
    std::generate(points.begin(), points.end(), [&] { return function.sample(random); });
    std::vector<double> together(points.size());
    for (std::size_t i = 0; i < points.size(); ++i)
      together[i] = function.ours(points[i].x, points[i].y);
    double (*volatile alone)(double, double) = function.ours;
    for (std::size_t i = points.size(); i-- > 0;) {
      const auto [x, y] = points[i];
      CHECK(bits(alone(x, y)) == bits(together[i]));
      CHECK(bits(unoptimised(f, x, y)) == bits(together[i]));
    }
  }
}

}  // namespace
}  // namespace coeval::exact
