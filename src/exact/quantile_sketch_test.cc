#include "exact/quantile_sketch.h"

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

std::uint64_t bits(double x) { return std::bit_cast<std::uint64_t>(x); }

// a + (b − a)·(p·(n − 1) − floor) of the sorted values by MPFR, every step exact in 7,000 bits.
template <class Value>
double oracle(std::vector<Value> values, double p) {
  std::sort(values.begin(), values.end());
  mpfr_set_emin(mpfr_get_emin_min());
  mpfr_set_emax(mpfr_get_emax_max());
  mpfr_t rank, whole, a, b;
  for (mpfr_t* x : {&rank, &whole, &a, &b}) mpfr_init2(*x, 7000);
  mpfr_set_d(rank, p, MPFR_RNDN);
  mpfr_mul_ui(rank, rank, values.size() - 1, MPFR_RNDN);
  mpfr_floor(whole, rank);
  mpfr_sub(rank, rank, whole, MPFR_RNDN);
  const auto index = mpfr_get_ui(whole, MPFR_RNDN);
  const auto set = [](mpfr_t x, Value value) {
    if constexpr (std::is_same_v<Value, double>)
      mpfr_set_d(x, value, MPFR_RNDN);
    else
      mpfr_set_sj(x, value, MPFR_RNDN);
  };
  set(a, values[index]);
  set(b, values[std::min(index + 1, values.size() - 1)]);
  mpfr_sub(b, b, a, MPFR_RNDN);
  mpfr_mul(b, b, rank, MPFR_RNDN);
  mpfr_add(a, a, b, MPFR_RNDN);
  const double result = mpfr_get_d(a, MPFR_RNDN);
  for (mpfr_t* x : {&rank, &whole, &a, &b}) mpfr_clear(*x);
  return result;
}

template <class Value>
QuantileSketch<Value> sketch_of(const std::vector<Value>& values, std::size_t cap = kDefaultCap) {
  QuantileSketch<Value> sketch(cap);
  for (const Value x : values) sketch.add(x);
  return sketch;
}

template <class Value>
std::string bytes_of(const QuantileSketch<Value>& sketch) {
  std::string bytes;
  sketch.append_bytes(bytes);
  return bytes;
}

double random_p(std::mt19937_64& random) {
  const std::array<double, 10> usual = {0,    1,   0.5,    0.25,  0.95,
                                        0.99, 0.1, 5e-324, 1e-40, 1 - 0x1p-53};
  if (random() % 2 == 0) return usual[random() % usual.size()];
  return std::ldexp(static_cast<double>(random() >> 11), -53 - static_cast<int>(random() % 20));
}

TEST_CASE("quantiles are the exact interpolation, rounded once") {
  std::mt19937_64 random(1);
  for (int round = 0; round < 3000; ++round) {
    std::vector<double> reals;
    std::vector<std::int64_t> integers;
    const auto size = 1 + random() % 50;
    const int exponents = std::array{0, 4, 60, 2046}[static_cast<std::size_t>(round % 4)];
    const auto shift = random() % 64;
    while (reals.size() < size) {
      const int low = exponents == 2046 ? 0 : 1023 - exponents / 2;
      const auto field =
          static_cast<std::uint64_t>(low) + random() % static_cast<std::uint64_t>(exponents + 1);
      const double x = std::bit_cast<double>((random() & 1) << 63 | field << 52 | random() >> 12);
      reals.push_back(!reals.empty() && random() % 4 == 0 ? reals[random() % reals.size()] : x);
      integers.push_back(static_cast<std::int64_t>(random()) >> shift);
    }
    const auto real_sketch = sketch_of(reals);
    const auto integer_sketch = sketch_of(integers);
    for (int i = 0; i < 4; ++i) {
      const double p = random_p(random);
      CHECK(*real_sketch.quantile(p) == oracle(reals, p));
      CHECK(*integer_sketch.quantile(p) == oracle(integers, p));
    }
  }
}

TEST_CASE("quantiles known by hand") {
  const auto four = sketch_of(std::vector<double>{4, 1, 3, 2});
  CHECK(four.quantile(0) == 1);
  CHECK(four.quantile(0.5) == 2.5);
  CHECK(four.quantile(0.25) == 1.75);
  CHECK(four.quantile(1) == 4);
  const std::int64_t large = std::int64_t{1} << 53;
  CHECK(sketch_of(std::vector<std::int64_t>{large + 1, large + 2}).quantile(0) == 0x1p53);
  CHECK(sketch_of(std::vector<std::int64_t>{INT64_MIN, INT64_MAX}).quantile(0.5) == -0.5);
  // The float64 0.1 is above a tenth by 0.1·2^-54 or so: the rank is just above 1.
  const double tenth =
      *sketch_of(std::vector<double>{0, 0, 1e20, 1e20, 1e20, 1e20, 1e20, 1e20, 1e20, 1e20, 1e20})
           .quantile(0.1);
  CHECK(tenth == doctest::Approx(1e20 * 10 * 5.551115123125783e-18));
}

TEST_CASE("quantiles of nothing, of one value, of zeros, and of what is not finite") {
  QuantileSketch<double> sketch;
  CHECK_FALSE(sketch.quantile(0.5));
  sketch.add(-0.0);
  CHECK(bits(*sketch.quantile(0.5)) == bits(0.0));
  sketch.add(0.0);
  CHECK(bits(*sketch.quantile(0)) == bits(0.0));
  sketch.add(kInfinity);  // 0, 0, ∞
  CHECK(sketch.quantile(0.5) == 0);
  CHECK(sketch.quantile(0.6) == kInfinity);
  sketch.add(-kInfinity, 2);  // −∞, −∞, 0, 0, ∞
  CHECK(sketch.quantile(0.25) == -kInfinity);
  CHECK(sketch.quantile(0.3) == -kInfinity);
  CHECK(sketch.quantile(0.5) == 0);
  CHECK(bits(*sketch_of(std::vector<double>{-kInfinity, kInfinity}).quantile(0.5)) == bits(kNaN));
  CHECK(sketch_of(std::vector<double>{kInfinity, kInfinity}).quantile(0.5) == kInfinity);
  sketch.add(kNaN);
  CHECK(bits(*sketch.quantile(0.5)) == bits(kNaN));
  CHECK(sketch.count() == 6);
}

// Values of several kinds, each with more than a cap of distinct ones.
std::vector<std::vector<double>> families(std::mt19937_64& random, int size) {
  std::vector<std::vector<double>> all(5);
  std::lognormal_distribution<double> skewed(0, 3);
  std::normal_distribution<double> normal(1000, 5);
  for (int i = 0; i < size; ++i) {
    all[0].push_back(skewed(random));
    all[1].push_back(normal(random));
    all[2].push_back(std::bit_cast<double>(random() & ~(std::uint64_t{1} << 62)));
    all[3].push_back(5e-324 * static_cast<double>(random() % 4000));
    all[4].push_back(static_cast<double>(random() >> 40) - 0x1p23);
  }
  return all;
}

TEST_CASE("above the cap order statistics are within 1/256 of themselves") {
  std::mt19937_64 random(2);
  for (const int size : {3001, 30'001})
    for (auto& values : families(random, size)) {
      const auto sketch = sketch_of(values);
      CHECK(sketch.is_approximate());
      CHECK(sketch.count() == size);
      std::sort(values.begin(), values.end());
      for (int i = 0; i <= 100; ++i) {
        // Ranks that are whole, so that nothing is interpolated.
        const int index = i * (size - 1) / 100;
        const double p = static_cast<double>(index) / (size - 1);
        if (quantile_rank(p, size).fraction != 0) continue;
        const double truth = values[static_cast<std::size_t>(index)];
        const double error = std::fabs(*sketch.quantile(p) - truth);
        CHECK(error <= std::fabs(truth) / 256);
      }
    }
}

TEST_CASE("above the cap integers below 256 stay exact, and the largest keep their bound") {
  std::mt19937_64 random(3);
  std::vector<std::int64_t> values;
  for (int i = 0; i < 256; ++i) values.push_back(i);
  for (int i = 0; i < 256; ++i) values.push_back(-i);
  for (int i = 0; i < 1537; ++i)
    values.push_back((i % 2 == 0 ? INT64_MAX : INT64_MIN) ^
                     static_cast<std::int64_t>(random() >> 10));
  const auto sketch = sketch_of(values);
  REQUIRE(sketch.is_approximate());
  std::sort(values.begin(), values.end());
  REQUIRE(values.size() == 2049);  // every rank below is exact: 2^11 steps
  for (std::size_t i = 0; i < 2049; ++i) {
    const double p = static_cast<double>(i) / 2048;
    const double truth = static_cast<double>(values[i]), told = *sketch.quantile(p);
    if (std::fabs(truth) < 256)
      CHECK(told == truth);
    else
      CHECK(std::fabs(told - truth) <= std::fabs(truth) / 256);
  }
}

TEST_CASE("infinities and zeros keep their places above the cap") {
  QuantileSketch<double> sketch(4);
  for (int i = 1; i <= 10; ++i) sketch.add(i);
  sketch.add(0, 10);
  sketch.add(-kInfinity, 10);
  sketch.add(kInfinity, 11);  // 41 values
  CHECK(sketch.is_approximate());
  CHECK(sketch.quantile(0) == -kInfinity);
  CHECK(sketch.quantile(0.375) == 0);  // rank 15
  CHECK(sketch.quantile(1) == kInfinity);
  CHECK(std::fabs(*sketch.quantile(0.625) - 6) <= 6.0 / 256);  // rank 25
}

TEST_CASE("the state is that of the multiset, whatever the order and the parts") {
  std::mt19937_64 random(4);
  for (const int size : {0, 10, 1000, 1024, 1025, 1100, 4000})
    for (auto& values : families(random, size)) {
      if (size == 1000) values[3] = kNaN;
      const auto whole = sketch_of(values);
      for (int round = 0; round < 3; ++round) {
        std::shuffle(values.begin(), values.end(), random);
        std::vector<QuantileSketch<double>> parts(1 + random() % 4);
        for (const double x : values) parts[random() % parts.size()].add(x);
        QuantileSketch<double> merged;
        for (const auto& part : parts) merged.merge(part);
        CHECK(bytes_of(merged) == bytes_of(whole));
        CHECK(merged.count() == size);
        if (size > 0) CHECK(bits(*merged.quantile(0.3)) == bits(*whole.quantile(0.3)));
      }
    }
}

TEST_CASE("values added several times at once, and sketches emptied and merged with themselves") {
  QuantileSketch<std::int64_t> sketch;
  for (const int size : {3, 3000, 40}) {
    sketch.clear();
    QuantileSketch<std::int64_t> one_by_one;
    for (int i = 0; i < size; ++i) {
      sketch.add(i * i, 2);
      one_by_one.add(i * i);
    }
    one_by_one.merge(one_by_one);
    CHECK(bytes_of(sketch) == bytes_of(one_by_one));
    CHECK(sketch.count() == 2 * size);
    CHECK(one_by_one.count() == 2 * size);
  }
}

TEST_CASE("bytes of quantile sketches read back, and others do not") {
  std::mt19937_64 random(5);
  for (const int size : {0, 1, 300, 1024, 1500})
    for (const auto& values : families(random, size)) {
      auto sketch = sketch_of(values);
      sketch.add(kNaN);
      sketch.add(kInfinity);
      const std::string bytes = bytes_of(sketch), longer = bytes + "rest";
      std::string_view reader = longer;
      QuantileSketch<double> read;
      REQUIRE(read.read_bytes(reader));
      CHECK(reader == "rest");
      CHECK(bytes_of(read) == bytes);
      CHECK(read.count() == sketch.count());
      for (std::size_t cut = 0; cut < bytes.size(); cut += 1 + bytes.size() / 50) {
        std::string_view part = std::string_view(bytes).substr(0, cut);
        CHECK_FALSE(read.read_bytes(part));
      }
    }
  const auto spelled = [](std::string start, std::int64_t key) {
    for (int i = 0; i < 8; ++i) start.push_back(static_cast<char>(key >> (8 * i)));
    return start + std::string("\xFF\xFF\x01");
  };
  const auto accepted = [](const std::string& bytes) {
    std::string_view reader = bytes;
    QuantileSketch<double> read;
    return read.read_bytes(reader);
  };
  using namespace std::string_literals;
  CHECK(accepted(spelled("\0\0\x01"s, std::bit_cast<std::int64_t>(1.5))));
  CHECK_FALSE(accepted(spelled("\0\0\x01"s, std::bit_cast<std::int64_t>(kNaN))));
  CHECK_FALSE(accepted(spelled("\0\0\x01"s, INT64_MIN)));
  CHECK(accepted(spelled("\x01\0\x01"s, 2098 * 128 + 1)));  // infinity's bin, 32,767 times
  CHECK_FALSE(accepted(spelled("\x01\0\x01"s, 2098 * 128 + 2)));
  CHECK_FALSE(accepted(spelled("\x01\0\x01"s, 2)));  // no value lies in it
}

}  // namespace
}  // namespace coeval::exact
