#include "stats/distances.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <numeric>
#include <vector>

namespace coeval::stats {
namespace {

/// 24-bit numbers below 1, the same as in make_expected_distances.py.
class Draws {
 public:
  explicit Draws(std::uint64_t seed) : state_(seed) {}
  double next() {
    state_ = state_ * 6364136223846793005u + 1442695040888963407u;
    return static_cast<double>(state_ >> 40) / (1 << 24);
  }

 private:
  std::uint64_t state_;
};

using Counts = std::vector<std::int64_t>;

Counts drawn_counts(std::int64_t bins, std::int64_t rows, std::uint64_t seed, int lean) {
  Counts counts(static_cast<std::size_t>(bins), 0);
  Draws draws(seed);
  for (std::int64_t row = 0; row < rows; ++row) {
    const double u = draws.next();
    double x = 1;
    for (int i = 0; i < lean; ++i) x *= u;
    ++counts[static_cast<std::size_t>(x * static_cast<double>(bins))];
  }
  return counts;
}

bool is_near(double ours, double expected, double tolerance = 1e-12) {
  return std::abs(ours - expected) <= tolerance * std::abs(expected);
}

// Printed by src/stats/make_expected_distances.py with scipy 1.17.1.

struct OfCounts {
  std::int64_t bins, n, m;
  std::uint64_t seed;
  int lean;
  std::int64_t freedom;
  double values[7];  // index, χ², its p, KS, its p, L∞, Jensen–Shannon
};
constexpr OfCounts kOfCounts[] = {
    {10,
     1000,
     1000,
     1,
     1,
     9,
     {0.01049762047393344, 5.291244753927095, 0.808216652952496, 0.027000000000000024,
      0.8592943417476102, 0.019000000000000003, 0.0437088576979833}},
    {10,
     1000,
     500,
     2,
     2,
     9,
     {0.5974896648369051, 203.21853629106107, 7.004006494171587e-39, 0.30400000000000005,
      3.498303108311754e-27, 0.264, 0.3202994188793727}},
    {16,
     30,
     40,
     3,
     3,
     14,
     {1.6835904471498657, 32.16111111111111, 0.0038000416995749827, 0.5416666666666666,
      8.555281709342639e-05, 0.225, 0.6617034549382335}},
    {40,
     25,
     10,
     4,
     1,
     21,
     {0.9418283495106639, 26.83333333333334, 0.17643818335307526, 0.38, 0.25365891694597154, 0.2,
      0.8888004697429179}},
    {3,
     100000,
     7,
     5,
     1,
     2,
     {0.6884862905725196, 5.407069104039868, 0.06696839066596216, 0.3800957142857143,
      0.26404136901116904, 0.3800957142857143, 0.4679373097412252}},
    {12,
     200000,
     150000,
     6,
     1,
     11,
     {0.00013712240997702804, 11.755721791064206, 0.38228218246905993, 0.004593333333333338,
      0.05372944443985916, 0.00164333333333333, 0.00497288813348908}},
};

struct OfSamples {
  std::size_t n, m;
  std::uint64_t seed;
  double shift;
  int levels;
  double statistic, p_value;
};
constexpr OfSamples kOfSamples[] = {
    {100, 100, 1, 0.0, 0, 0.14, 0.28092954741988757},
    {1000, 333, 2, 0.0625, 0, 0.07507507507507505, 0.11966172460120603},
    {500, 700, 3, 0.125, 8, 0.14, 2.1656906384912323e-05},
    {5, 2, 4, 0.5, 0, 1.0, 0.11484347826838827},
};

struct ChiSquareTail {
  double x;
  std::int64_t freedom;
  double probability;
};
constexpr ChiSquareTail kChiSquareTails[] = {
    {0.5, 1, 0.47950012218695337},         {3.841458820694124, 1, 0.04999999999999989},
    {30.0, 1, 4.3204630578274955e-08},     {1e-08, 2, 0.999999995},
    {5.0, 2, 0.0820849986238988},          {700.0, 2, 9.929590396265143e-153},
    {1.0, 7, 0.9948285365165155},          {15.5, 8, 0.0501220545326652},
    {9.0, 25, 0.9985961977565049},         {30.0, 25, 0.22428900483440378},
    {90.0, 25, 2.8610152260928924e-09},    {900.0, 1000, 0.9892827619087102},
    {1000.0, 1000, 0.49405285382923964},   {1300.0, 1000, 3.8897364994868366e-10},
    {10100.0, 10000, 0.23901532524017513}, {300.0, 15, 5.5897493231246435e-55},
};

struct KolmogorovTail {
  double x, probability;
};
constexpr KolmogorovTail kKolmogorovTails[] = {
    {0.05, 1.0},
    {0.1, 1.0},
    {0.3, 0.9999906941986655},
    {0.5, 0.9639452436648751},
    {0.8, 0.5441424115741981},
    {0.82, 0.5119717052984973},
    {0.9, 0.3927307079406543},
    {1.0, 0.26999967167735456},
    {1.36, 0.049485876755377876},
    {2.0, 0.0006709252557796953},
    {5.0, 3.8574996959278356e-22},
    {10.0, 2.767793053473475e-87},
};

}  // namespace

TEST_CASE("distances of counts and their p-values are scipy's") {
  for (const OfCounts& expected : kOfCounts) {
    const Counts a = drawn_counts(expected.bins, expected.n, expected.seed, 1);
    const Counts b = drawn_counts(expected.bins, expected.m, expected.seed + 1000, expected.lean);
    CAPTURE(expected.seed);
    CHECK(is_near(population_stability_index(a, b), expected.values[0]));
    const Test chi = chi_square(a, b);
    CHECK(chi.degrees_of_freedom == expected.freedom);
    CHECK(is_near(chi.statistic, expected.values[1]));
    CHECK(is_near(chi.p_value, expected.values[2], 1e-11));
    const Test ks = kolmogorov_smirnov(a, b);
    CHECK(is_near(ks.statistic, expected.values[3]));
    CHECK(is_near(ks.p_value, expected.values[4], 1e-11));
    CHECK(is_near(l_infinity(a, b), expected.values[5]));
    CHECK(is_near(jensen_shannon(a, b), expected.values[6]));
  }
}

TEST_CASE("Kolmogorov-Smirnov of samples is scipy's, with ties") {
  for (const OfSamples& expected : kOfSamples) {
    const auto sample = [&](std::size_t rows, std::uint64_t seed, double shift) {
      std::vector<double> values;
      Draws draws(seed);
      for (std::size_t i = 0; i < rows; ++i) {
        const double u = draws.next();
        values.push_back(
            (expected.levels == 0 ? u : std::floor(u * expected.levels) / expected.levels) + shift);
      }
      std::sort(values.begin(), values.end());
      return values;
    };
    const Test test = kolmogorov_smirnov(sample(expected.n, expected.seed, 0),
                                         sample(expected.m, expected.seed + 1000, expected.shift));
    CHECK(is_near(test.statistic, expected.statistic));
    CHECK(is_near(test.p_value, expected.p_value, 1e-11));
  }
}

TEST_CASE("tails of the distributions are scipy's") {
  for (const auto& [x, freedom, probability] : kChiSquareTails) {
    CAPTURE(x);
    CHECK(is_near(chi_square_tail(x, freedom), probability, 1e-11));
  }
  for (const auto& [x, probability] : kKolmogorovTails) {
    CAPTURE(x);
    CHECK(is_near(kolmogorov_tail(x), probability, 1e-11));
  }
}

TEST_CASE("tails have their closed forms and their ends") {
  // Two degrees of freedom: e^(−x/2).
  for (const double x : {0.25, 1.0, 3.0, 20.0})
    CHECK(is_near(chi_square_tail(x, 2), std::exp(-x / 2), 1e-14));
  // Four: e^(−x/2)·(1 + x/2).
  for (const double x : {0.25, 1.0, 3.0, 20.0})
    CHECK(is_near(chi_square_tail(x, 4), std::exp(-x / 2) * (1 + x / 2), 1e-13));
  // One: erfc(√(x/2)).
  for (const double x : {0.25, 1.0, 3.0, 20.0})
    CHECK(is_near(chi_square_tail(x, 1), std::erfc(std::sqrt(x / 2)), 1e-12));
  CHECK(chi_square_tail(0, 3) == 1);
  CHECK(chi_square_tail(HUGE_VAL, 3) == 0);
  CHECK(std::isnan(chi_square_tail(NAN, 3)));
  CHECK(std::isnan(chi_square_tail(1, 0)));
  CHECK(kolmogorov_tail(0) == 1);
  CHECK(kolmogorov_tail(HUGE_VAL) == 0);
  CHECK(std::isnan(kolmogorov_tail(NAN)));
  // Where one series takes over from the other there is no step.
  CHECK(is_near(kolmogorov_tail(std::nextafter(0.82, 0)), kolmogorov_tail(0.82), 1e-13));
}

TEST_CASE("equal shares are no distance, and disjoint ones the largest") {
  const Counts a{10, 20, 30, 0}, twice{20, 40, 60, 0}, other{0, 0, 0, 5};
  CHECK(jensen_shannon(a, twice) == 0);
  CHECK(l_infinity(a, twice) == 0);
  CHECK(chi_square(a, twice).statistic == 0);
  CHECK(chi_square(a, twice).p_value == 1);
  CHECK(kolmogorov_smirnov(a, twice).statistic == 0);
  CHECK(kolmogorov_smirnov(a, twice).p_value == 1);
  CHECK(population_stability_index(a, a) == 0);
  CHECK(jensen_shannon(a, other) == 1);
  CHECK(l_infinity(a, other) == 1);
  CHECK(kolmogorov_smirnov(a, other).statistic == 1);
}

TEST_CASE("the index by hand: two bins of 1 and 2 against 2 and 1") {
  // p = 1.5/4 and 2.5/4, q the other way: 2 · (1/4) · ln(5/3).
  const Counts a{1, 2}, b{2, 1};
  CHECK(is_near(population_stability_index(a, b), 0.5 * std::log(5.0 / 3.0), 1e-15));
  const Stability found = stability(a, b);
  CHECK(found.raw == population_stability_index(a, b));
  CHECK(found.corrected == 0);  // 0.255 − (2 − 1)·(1/3 + 1/3) is below 0
  REQUIRE(found.moved.size() == 2);
  CHECK(found.moved[0].bin == 0);
  CHECK(found.moved[0].reference_share == 1.0 / 3.0);
  CHECK(found.moved[0].current_share == 2.0 / 3.0);
}

TEST_CASE("the correction takes off what chance alone gives") {
  // Of two samples of one distribution: on average over 200 pairs what is left is small, and the
  // mean of the raw index is near (B − 1)(1/n + 1/m).
  double raw = 0;
  for (std::uint64_t seed = 0; seed < 200; ++seed)
    raw +=
        stability(drawn_counts(10, 500, 2 * seed + 1, 1), drawn_counts(10, 400, 2 * seed + 5001, 1))
            .raw;
  const double expected = 9 * (1.0 / 500 + 1.0 / 400);
  CHECK(raw / 200 > 0.8 * expected);
  CHECK(raw / 200 < 1.2 * expected);
}

TEST_CASE("bins that neither sample has count as no degree of freedom") {
  const Counts a{10, 0, 20}, b{5, 0, 30};
  CHECK(chi_square(a, b).degrees_of_freedom == 1);
  CHECK(stability(a, b).moved.size() == 2);
  const Counts one{4, 0}, same{9, 0};
  CHECK(chi_square(one, same).degrees_of_freedom == 0);
  CHECK(chi_square(one, same).p_value == 1);
}

TEST_CASE("without rows nothing is told") {
  const Counts none{0, 0}, some{1, 2};
  CHECK(std::isnan(population_stability_index(none, some)));
  CHECK(std::isnan(stability(some, none).corrected));
  CHECK(std::isnan(chi_square(none, none).p_value));
  CHECK(std::isnan(kolmogorov_smirnov(none, some).statistic));
  CHECK(std::isnan(l_infinity(some, none)));
  CHECK(std::isnan(jensen_shannon(none, some)));
  CHECK(std::isnan(kolmogorov_smirnov(std::vector<double>{}, {{1.0}}).statistic));
}

TEST_CASE("the order of the bins changes no bit of a sum over them") {
  Counts a = drawn_counts(40, 1000, 11, 1), b = drawn_counts(40, 900, 12, 2);
  const double index = population_stability_index(a, b), distance = jensen_shannon(a, b);
  const double chi = chi_square(a, b).statistic;
  std::reverse(a.begin(), a.end());
  std::reverse(b.begin(), b.end());
  CHECK(std::bit_cast<std::uint64_t>(population_stability_index(a, b)) ==
        std::bit_cast<std::uint64_t>(index));
  CHECK(std::bit_cast<std::uint64_t>(jensen_shannon(a, b)) ==
        std::bit_cast<std::uint64_t>(distance));
  CHECK(std::bit_cast<std::uint64_t>(chi_square(a, b).statistic) ==
        std::bit_cast<std::uint64_t>(chi));
}

TEST_CASE("categories come and go") {
  const std::vector<Category> reference{{"AA", 5}, {"DL", 9}, {"UA", 9}, {"ZZ", 0}};
  const std::vector<Category> current{{"AA", 1}, {"B6", 2}, {"A0", 2}, {"ZZ", 7}, {"DL", 0}};
  const CategoryChanges changes = compare_categories(reference, current);
  CHECK(changes.added == std::vector<Category>{{"ZZ", 7}, {"A0", 2}, {"B6", 2}});
  CHECK(changes.vanished == std::vector<Category>{{"DL", 9}, {"UA", 9}});
}

}  // namespace coeval::stats
