#include "exact/moments.h"

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

#include "exact/ratio.h"
#include "exact/slope.h"

namespace coeval::exact {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr double kMost = std::numeric_limits<double>::max();
constexpr std::int64_t kDayUs = 86'400'000'000;

std::uint64_t bits(double x) { return std::bit_cast<std::uint64_t>(x); }

// A number of MPFR of 7,000 bits: enough for every sum and product below to be exact, as the
// squares of sums of 10^5 float64 have at most some 4,400.
class Real {
 public:
  Real() {
    mpfr_set_emin(mpfr_get_emin_min());
    mpfr_set_emax(mpfr_get_emax_max());
    mpfr_init2(value_, 7000);
    mpfr_set_zero(value_, 1);
  }
  explicit Real(double x) : Real() { mpfr_set_d(value_, x, MPFR_RNDN); }
  explicit Real(std::int64_t x) : Real() { mpfr_set_sj(value_, x, MPFR_RNDN); }
  Real(const Real& other) : Real() { mpfr_set(value_, other.value_, MPFR_RNDN); }
  Real& operator=(const Real& other) {
    mpfr_set(value_, other.value_, MPFR_RNDN);
    return *this;
  }
  ~Real() { mpfr_clear(value_); }

  friend Real operator+(const Real& a, const Real& b) { return made(mpfr_add, a, b); }
  friend Real operator-(const Real& a, const Real& b) { return made(mpfr_sub, a, b); }
  friend Real operator*(const Real& a, const Real& b) { return made(mpfr_mul, a, b); }
  friend Real operator/(const Real& a, const Real& b) { return made(mpfr_div, a, b); }
  bool is_zero() const { return mpfr_zero_p(value_) != 0; }
  Real root() const {
    Real r;
    mpfr_sqrt(r.value_, value_, MPFR_RNDN);
    return r;
  }

  // Rounded to float64, subnormals too. A quotient or root of 7,000 bits that is not exact is no
  // middle of two float64, so that this is as good as one rounding.
  double nearest() const {
    const double x = mpfr_get_d(value_, MPFR_RNDN);
    return x == 0 ? 0.0 : x;
  }

 private:
  template <class Operation>
  static Real made(Operation operation, const Real& a, const Real& b) {
    Real r;
    operation(r.value_, a.value_, b.value_, MPFR_RNDN);
    return r;
  }
  mpfr_t value_;
};

// What variance and deviation are by definition, (Σ(x − mean)²) / (n − 1 or n), with everything
// multiplied by n so that nothing is rounded before the division.
template <class Value>
Real variance_oracle(const std::vector<Value>& values, Divisor divisor) {
  const auto size = static_cast<std::int64_t>(values.size());
  const Real n(size), m(divisor == Divisor::sample ? size - 1 : size);
  Real sum, squares;
  for (const Value x : values) sum = sum + Real(x);
  for (const Value x : values) {
    const Real deviation = n * Real(x) - sum;
    squares = squares + deviation * deviation;
  }
  return squares / (n * n * m);
}

// Values of every exponent, or of a few.
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

std::vector<std::int64_t> random_integers(std::mt19937_64& random, int size) {
  std::vector<std::int64_t> values;
  const auto shift = random() % 64;
  while (static_cast<int>(values.size()) < size)
    values.push_back(static_cast<std::int64_t>(random()) >> (random() % 3 == 0 ? shift : 40));
  return values;
}

template <class State, class Value>
State state_of(const std::vector<Value>& values) {
  State state;
  for (const Value& x : values) state.add(x);
  return state;
}
Moments moments_of(const std::vector<double>& values) { return state_of<Moments>(values); }
IntegerMoments moments_of(const std::vector<std::int64_t>& values) {
  return state_of<IntegerMoments>(values);
}

template <class State>
std::string bytes_of(const State& state) {
  std::string bytes;
  state.append_bytes(bytes);
  return bytes;
}

template <class Value>
void check_against_mpfr(const std::vector<Value>& values) {
  const auto moments = moments_of(values);
  for (const Divisor divisor : {Divisor::sample, Divisor::population}) {
    if (divisor == Divisor::sample && values.size() < 2) continue;
    const Real expected = variance_oracle(values, divisor);
    CHECK(bits(*moments.variance(divisor)) == bits(expected.nearest()));
    CHECK(bits(*moments.deviation(divisor)) == bits(expected.root().nearest()));
  }
}

TEST_CASE("variances and deviations are the exact ones, rounded once") {
  std::mt19937_64 random(1);
  for (int round = 0; round < 1000; ++round) {
    const int exponents = std::array{0, 3, 30, 300, 2046}[static_cast<std::size_t>(round % 5)];
    check_against_mpfr(random_values(random, 1 + static_cast<int>(random() % 20), exponents));
    check_against_mpfr(random_integers(random, 1 + static_cast<int>(random() % 20)));
  }
}

TEST_CASE("variances of values far from zero and close to each other lose no bits") {
  std::mt19937_64 random(2);
  for (int round = 0; round < 200; ++round) {
    std::vector<double> reals;
    std::vector<std::int64_t> integers;
    for (int i = 0; i < 10; ++i) {
      reals.push_back(1e15 + static_cast<double>(random() % 8) / 8);
      integers.push_back(std::numeric_limits<std::int64_t>::max() -
                         static_cast<std::int64_t>(random() % 3));
    }
    check_against_mpfr(reals);
    check_against_mpfr(integers);
  }
}

TEST_CASE("small variances known by hand") {
  const auto reals = moments_of(std::vector<double>{1, 2, 3, 4});
  CHECK(reals.variance(Divisor::sample) == 5.0 / 3.0);
  CHECK(reals.variance(Divisor::population) == 1.25);
  const auto pairs = moments_of(std::vector<double>{2, 4, 4, 4, 5, 5, 7, 9});
  CHECK(pairs.variance(Divisor::population) == 4.0);
  CHECK(pairs.deviation(Divisor::population) == 2.0);
  // 2^53 + 1 is no float64, but it is an int64.
  const std::int64_t large = (std::int64_t{1} << 53) + 1;
  const auto integers = moments_of(std::vector<std::int64_t>{large, large - 1});
  CHECK(integers.variance(Divisor::sample) == 0.5);
  CHECK(integers.deviation(Divisor::population) == 0.5);
  const auto ends = moments_of(std::vector<std::int64_t>{INT64_MIN, INT64_MAX});
  CHECK(ends.variance(Divisor::population) == std::ldexp(1.0, 126));  // (2^64 − 1)² / 4
}

TEST_CASE("too few values have no variance, and equal ones have none at all") {
  Moments moments;
  IntegerMoments integers;
  CHECK_FALSE(moments.variance(Divisor::population));
  CHECK_FALSE(integers.deviation(Divisor::population));
  moments.add(-0.0);
  integers.add(7);
  CHECK_FALSE(moments.variance(Divisor::sample));
  CHECK_FALSE(integers.deviation(Divisor::sample));
  CHECK(bits(*moments.variance(Divisor::population)) == bits(0.0));
  CHECK(bits(*integers.variance(Divisor::population)) == bits(0.0));
  for (const double x : {0.1, -1e308, 5e-324, -0.0}) {
    const auto equal = moments_of(std::vector<double>(1000, x));
    CHECK(bits(*equal.variance(Divisor::sample)) == bits(0.0));
    CHECK(bits(*equal.deviation(Divisor::population)) == bits(0.0));
  }
}

TEST_CASE("a variance beyond float64 is infinite or zero, and its root need not be") {
  check_against_mpfr(std::vector<double>{1e308, -1e308});
  const auto huge = moments_of(std::vector<double>{1e308, -1e308});
  CHECK(huge.variance(Divisor::sample) == kInfinity);
  CHECK(huge.deviation(Divisor::population) == 1e308);
  CHECK(moments_of(std::vector<double>{kMost, -kMost}).deviation(Divisor::sample) == kInfinity);
  const std::vector<double> tiny = {5e-324, 1.5e-323, 2e-323, -5e-324};
  check_against_mpfr(tiny);
  CHECK(bits(*moments_of(tiny).variance(Divisor::sample)) == bits(0.0));
  CHECK(moments_of(tiny).deviation(Divisor::sample) > 0);
  check_against_mpfr(std::vector<double>{1e-161, 3e-161, 4e-162});  // a subnormal variance
  check_against_mpfr(std::vector<double>{1e308, 5e-324, -1e-300, 3.5});
}

TEST_CASE("values that are not finite make NaN while they are there") {
  for (const double x : {kNaN, kInfinity, -kInfinity}) {
    Moments moments = moments_of(std::vector<double>{1, 2, 4});
    const Moments before = moments;
    moments.add(x);
    CHECK(bits(*moments.variance(Divisor::sample)) == bits(kNaN));
    CHECK(bits(*moments.deviation(Divisor::population)) == bits(kNaN));
    moments.subtract(x);
    CHECK(moments == before);
    CHECK(bytes_of(moments) == bytes_of(before));
    CHECK(moments.variance(Divisor::sample) == before.variance(Divisor::sample));
  }
}

TEST_CASE("outliers leave moments without a trace") {
  Moments plain, troubled;
  for (int i = 1; i <= 100; ++i) plain.add(0.1 * i);
  const std::vector<double> outliers = {9e15,  -9e15,   9e12,   1e308, -1e308,
                                        1e308, -4e-324, 1e-300, kNaN,  kInfinity};
  for (std::size_t i = 0; i < outliers.size(); ++i) {
    troubled.add(outliers[i]);
    for (std::size_t j = 10 * i; j < 10 * i + 10; ++j) troubled.add(0.1 * static_cast<int>(j + 1));
  }
  CHECK(bytes_of(plain) != bytes_of(troubled));
  for (const double x : outliers) troubled.subtract(x);
  CHECK(bytes_of(plain) == bytes_of(troubled));
  CHECK(troubled.variance(Divisor::sample) == plain.variance(Divisor::sample));
  // What the outliers needed has been given back.
  CHECK(troubled.squares().total().limbs().size() <= 5);
}

template <class State, class Value>
void check_any_order(std::vector<Value> values, std::mt19937_64& random) {
  const State whole = state_of<State>(values);
  std::shuffle(values.begin(), values.end(), random);
  // Random parts, merged in random order; some values come and go in between.
  std::vector<State> parts(1 + random() % 5);
  for (const Value& x : values) {
    State& part = parts[random() % parts.size()];
    part.add(x);
    if (random() % 3 != 0) continue;
    part.add(values.front());
    parts.back().subtract(values.front());
  }
  State merged;
  for (const State& part : parts) merged.merge(part);
  CHECK(merged == whole);
  CHECK(bytes_of(merged) == bytes_of(whole));
  State rest = merged;
  for (std::size_t i = 1; i < parts.size(); ++i) rest.unmerge(parts[i]);
  CHECK(rest == parts[0]);
  CHECK(bytes_of(rest) == bytes_of(parts[0]));
}

TEST_CASE("moments are the same in any order and any parts") {
  std::mt19937_64 random(3);
  for (int round = 0; round < 300; ++round) {
    const int exponents = std::array{3, 100, 2046}[static_cast<std::size_t>(round % 3)];
    check_any_order<Moments>(random_values(random, 40, exponents), random);
    check_any_order<IntegerMoments>(random_integers(random, 40), random);
  }
}

TEST_CASE("a hundred thousand values") {
  std::mt19937_64 random(4);
  std::vector<double> values;
  for (int i = 0; i < 100'000; ++i)
    values.push_back(static_cast<double>(random() >> 11) * 1e-9 - 4e6);
  check_against_mpfr(values);
}

template <class State>
void check_bytes(const State& state) {
  const std::string bytes = bytes_of(state);
  const std::string longer = bytes + "rest";
  std::string_view reader = longer;
  State read;
  REQUIRE(read.read_bytes(reader));
  CHECK(reader == "rest");
  CHECK(read == state);
  for (std::size_t cut = 0; cut < bytes.size(); ++cut) {
    std::string_view part = std::string_view(bytes).substr(0, cut);
    State untouched;
    CHECK_FALSE(untouched.read_bytes(part));
    CHECK(untouched == State());
  }
  // Bytes that are read are those that would be written.
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    std::string changed = bytes;
    changed[i] = static_cast<char>(changed[i] ^ 1);
    std::string_view rest = changed;
    State other;
    if (other.read_bytes(rest))
      CHECK(bytes_of(other) == changed.substr(0, changed.size() - rest.size()));
  }
}

TEST_CASE("bytes of moments read back, and impossible ones do not") {
  std::mt19937_64 random(5);
  for (int round = 0; round < 60; ++round) {
    check_bytes(moments_of(random_values(random, round % 20, round % 2 == 0 ? 30 : 2046)));
    check_bytes(moments_of(random_integers(random, round % 20)));
  }
  Moments specials = moments_of(std::vector<double>{1, kNaN, -kInfinity});
  check_bytes(specials);
  // 2² + 3² is too little for one value of 5.
  std::string bytes = bytes_of(moments_of(std::vector<double>{2, 3}));
  bytes[0] = 1;
  std::string_view reader = bytes;
  Moments read;
  CHECK_FALSE(read.read_bytes(reader));
  IntegerMoments none;
  none.add(5);
  bytes = bytes_of(none);
  bytes[0] = 0;  // sums of no values
  reader = bytes;
  CHECK_FALSE(none.read_bytes(reader));
  bytes[0] = 1;
  bytes[8] = 9;  // 9² is more than 25
  reader = bytes;
  CHECK_FALSE(none.read_bytes(reader));
}

// n, t, x: the slope by its definition Σ(t − t̄)(x − x̄) / Σ(t − t̄)², times n on both sides.
template <class Value>
double slope_oracle(const std::vector<std::pair<std::int64_t, Value>>& points) {
  const Real n(static_cast<std::int64_t>(points.size()));
  Real times, values, above, below;
  for (const auto& [t, x] : points) {
    times = times + Real(t);
    values = values + Real(x);
  }
  for (const auto& [t, x] : points) {
    const Real dt = n * Real(t) - times;
    above = above + dt * (n * Real(x) - values);
    below = below + dt * dt;
  }
  return (above * Real(kDayUs) / below).nearest();
}

template <class State, class Value>
State slope_of(const std::vector<std::pair<std::int64_t, Value>>& points) {
  State state;
  for (const auto& [t, x] : points) state.add(t, x);
  return state;
}

TEST_CASE("slopes are the exact ones, rounded once") {
  std::mt19937_64 random(6);
  for (int round = 0; round < 1000; ++round) {
    const int exponents = std::array{0, 30, 300, 2046}[static_cast<std::size_t>(round % 4)];
    const auto reals = random_values(random, 12, exponents);
    const auto integers = random_integers(random, 12);
    std::vector<std::pair<std::int64_t, double>> points;
    std::vector<std::pair<std::int64_t, std::int64_t>> whole_points;
    for (std::size_t i = 0; i < reals.size(); ++i) {
      const auto far = static_cast<std::int64_t>(random());
      const std::int64_t t =
          round % 3 == 0 ? far
                         : 1'700'000'000'000'000 + static_cast<std::int64_t>(random() % kDayUs);
      points.emplace_back(t, reals[i]);
      whole_points.emplace_back(t, integers[i]);
    }
    const auto slope = slope_of<SlopeMoments>(points).slope();
    const double expected = slope_oracle(points);
    CHECK(bits(*slope == 0 ? 0.0 : *slope) == bits(expected));
    CHECK(slope_of<IntegerSlopeMoments>(whole_points).slope() == slope_oracle(whole_points));
  }
}

TEST_CASE("a straight line has its slope per day, whatever the offset of time") {
  for (const std::int64_t start : {std::int64_t{0}, std::int64_t{-5}, 1'700'000'000'000'000L}) {
    SlopeMoments reals;
    IntegerSlopeMoments integers;
    for (std::int64_t day = 0; day < 30; ++day) {
      reals.add(start + day * kDayUs, 0.25 * static_cast<double>(day) - 7);
      integers.add(start + day * kDayUs, 3 - 2 * day);
    }
    CHECK(reals.slope() == 0.25);
    CHECK(integers.slope() == -2.0);
  }
}

TEST_CASE("slopes need two distinct times and finite values") {
  SlopeMoments reals;
  IntegerSlopeMoments integers;
  CHECK_FALSE(reals.slope());
  for (int i = 0; i < 5; ++i) {
    reals.add(1'000'000, i);
    integers.add(1'000'000, i);
    CHECK_FALSE(reals.slope());
    CHECK_FALSE(integers.slope());
  }
  reals.add(1'000'001, 2);  // the mean of the others
  integers.add(1'000'001, 2);
  CHECK(bits(*reals.slope()) == bits(0.0));
  CHECK(bits(*integers.slope()) == bits(0.0));
  reals.add(5, kInfinity);
  CHECK(bits(*reals.slope()) == bits(kNaN));
  reals.subtract(5, kInfinity);
  CHECK(bits(*reals.slope()) == bits(0.0));
  reals.subtract(1'000'001, 2);
  CHECK_FALSE(reals.slope());
}

// The two arguments of SlopeMoments as one value.
template <class State, class Value>
struct Points : State {
  void add(const std::pair<std::int64_t, Value>& p) { State::add(p.first, p.second); }
  void subtract(const std::pair<std::int64_t, Value>& p) { State::subtract(p.first, p.second); }
};

TEST_CASE("slope moments are the same in any order and any parts, and read back") {
  std::mt19937_64 random(7);
  for (int round = 0; round < 100; ++round) {
    std::vector<std::pair<std::int64_t, double>> points;
    std::vector<std::pair<std::int64_t, std::int64_t>> whole_points;
    const auto reals = random_values(random, 25, round % 2 == 0 ? 20 : 2046);
    const auto times = random_integers(random, 25), integers = random_integers(random, 25);
    for (std::size_t i = 0; i < reals.size(); ++i) {
      points.emplace_back(times[i], reals[i]);
      whole_points.emplace_back(times[i], integers[i]);
    }
    check_any_order<Points<SlopeMoments, double>>(points, random);
    check_any_order<Points<IntegerSlopeMoments, std::int64_t>>(whole_points, random);
    if (round % 10 == 0) check_bytes(slope_of<SlopeMoments>(points));
    if (round % 10 == 0) check_bytes(slope_of<IntegerSlopeMoments>(whole_points));
  }
}

ExactSum sum_of(const std::vector<double>& values) { return state_of<ExactSum>(values); }

TEST_CASE("ratios of sums are the exact ones, rounded once") {
  std::mt19937_64 random(8);
  for (int round = 0; round < 2000; ++round) {
    const int exponents = std::array{0, 30, 300, 2046}[static_cast<std::size_t>(round % 4)];
    const auto a = random_values(random, 5, exponents), b = random_values(random, 3, exponents);
    const auto c = random_integers(random, 4), d = random_integers(random, 4);
    Real reals_a, reals_b, integers_c, integers_d;
    Int128 sum_c = 0, sum_d = 0;
    for (const double x : a) reals_a = reals_a + Real(x);
    for (const double x : b) reals_b = reals_b + Real(x);
    for (const std::int64_t x : c) integers_c = integers_c + Real(x), sum_c += x;
    for (const std::int64_t x : d) integers_d = integers_d + Real(x), sum_d += x;
    if (!reals_b.is_zero()) {
      CHECK(*ratio(sum_of(a), sum_of(b)) == (reals_a / reals_b).nearest());
      CHECK(*ratio(sum_c, sum_of(b)) == (integers_c / reals_b).nearest());
    }
    if (sum_d == 0) continue;
    CHECK(*ratio(sum_of(a), sum_d) == (reals_a / integers_d).nearest());
    CHECK(*ratio(sum_c, sum_d) == (integers_c / integers_d).nearest());
  }
}

TEST_CASE("a ratio is null where the divisor is zero, and IEEE's where sums are not finite") {
  CHECK_FALSE(ratio(sum_of({1, 2}), sum_of({})));
  CHECK_FALSE(ratio(sum_of({kNaN}), sum_of({9e15, 0.1, -9e15, -0.1})));
  CHECK_FALSE(ratio(Int128{3}, Int128{0}));
  CHECK(ratio(sum_of({9e15, 0.25, -9e15}), Int128{2}) == 0.125);
  CHECK(bits(*ratio(sum_of({-0.0}), sum_of({-3}))) == bits(0.0));
  CHECK(ratio(sum_of({kMost, kMost, kMost}), sum_of({kMost, kMost})) == 1.5);
  CHECK(ratio(sum_of({kMost, kMost}), sum_of({kInfinity, -2})) == 0);
  CHECK(ratio(sum_of({-kInfinity}), Int128{-2}) == kInfinity);
  CHECK(bits(*ratio(sum_of({kInfinity}), sum_of({-kInfinity}))) == bits(kNaN));
  CHECK(bits(*ratio(Int128{1}, sum_of({kInfinity, -kInfinity}))) == bits(kNaN));
}

static_assert(std::is_trivially_copyable_v<IntegerMoments>);
static_assert(std::is_trivially_copyable_v<IntegerSlopeMoments>);

}  // namespace
}  // namespace coeval::exact
