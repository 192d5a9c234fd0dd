#include "quality/correlation.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <string>
#include <vector>

namespace coeval::quality {
namespace {

using data::Column;
using data::ColumnBuilder;
using data::Type;

Column reals(const std::vector<double>& values) {
  ColumnBuilder builder(Type::float64);
  for (const double value : values) builder.append_real(value);
  return builder.finish();
}
Correlation of(const Column& x, const Column& y) {
  Correlation correlation;
  correlation.add(x, y);
  return correlation;
}
std::string bytes_of(const Correlation& correlation) {
  std::string out;
  correlation.append_bytes(out);
  return out;
}

struct Expected {
  int rows;
  std::uint64_t seed;
  double weight, scale, offset, value;
};

// Printed by src/quality/make_expected_correlation.py from exact fractions.
constexpr Expected kExpected[] = {
    {2, 1, 0.5, 1.0, 0.0, 1.0},
    {1000, 2, 0.0, 100.0, 3.0, -0.022989195590177043},
    {1000, 3, 0.5, 1.0, 0.0, 0.6871099148147435},
    {2000, 4, 0.875, 1000000.0, -1000000000000.0, 0.9899773291858348},
    {500, 5, 1.0, 0.25, 7.0, 1.0},
    {500, 6, 0.75, -1e-200, 0.0, -0.9490179654689146},
    {500, 7, 0.25, 1e+250, 1e+251, 0.36520425847361454},
};

}  // namespace

TEST_CASE("correlations are those of exact fractions") {
  for (const auto& [rows, seed, weight, scale, offset, value] : kExpected) {
    CAPTURE(seed);
    std::vector<double> x, y;
    std::uint64_t state = seed;
    const auto draw = [&] {
      state = state * 6364136223846793005u + 1442695040888963407u;
      return static_cast<double>(state >> 40) / (1 << 24);
    };
    for (int row = 0; row < rows; ++row) {
      const double a = draw(), b = draw();
      x.push_back(a * scale + offset);
      y.push_back(b * (1 - weight) + a * weight);
    }
    const Correlation correlation = of(reals(x), reals(y));
    CHECK(correlation.rows() == rows);
    REQUIRE(correlation.value().has_value());
    CHECK(std::abs(*correlation.value() - value) <= 4e-16 * std::abs(value));
  }
}

TEST_CASE("a column goes with itself and against its opposite") {
  const Column x = reals({0.1, 0.7, -3.3, 1e200, 4e-300});
  const Column opposite = reals({-0.1, -0.7, 3.3, -1e200, -4e-300});
  CHECK(*of(x, x).value() == 1);
  CHECK(*of(x, opposite).value() == -1);
}

TEST_CASE("no correlation of a constant, of one row, and of what is not there") {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  const Column x = reals({1, 2, 3}), constant = reals({0.1, 0.1, 0.1});
  CHECK_FALSE(of(x, constant).value().has_value());
  CHECK_FALSE(of(reals({1}), reals({2})).value().has_value());
  CHECK_FALSE(of(reals({}), reals({})).value().has_value());
  ColumnBuilder with_nulls(Type::int32);
  for (int i = 0; i < 6; ++i) i == 1 ? with_nulls.append_null() : with_nulls.append_integer(i);
  const Correlation some = of(with_nulls.finish(), reals({0, 1000, 2, std::nan(""), kInfinity, 5}));
  CHECK(some.rows() == 3);
  CHECK(*some.value() == 1);
}

TEST_CASE("shards in any order have the same bytes, which are read back") {
  std::mt19937_64 random(3);
  std::vector<double> x, y;
  for (int i = 0; i < 700; ++i) {
    x.push_back(std::ldexp(static_cast<double>(random()), static_cast<int>(random() % 200) - 100));
    y.push_back(static_cast<double>(random() % 1000) / 7);
  }
  const Correlation whole = of(reals(x), reals(y));
  std::vector<Correlation> shards;
  for (std::size_t at = 0; at < 700; at += 100)
    shards.push_back(of(reals({x.begin() + static_cast<std::ptrdiff_t>(at),
                               x.begin() + static_cast<std::ptrdiff_t>(at + 100)}),
                        reals({y.begin() + static_cast<std::ptrdiff_t>(at),
                               y.begin() + static_cast<std::ptrdiff_t>(at + 100)})));
  std::shuffle(shards.begin(), shards.end(), random);
  Correlation merged;
  for (const Correlation& shard : shards) merged.merge(shard);
  const std::string bytes = bytes_of(whole);
  CHECK(bytes_of(merged) == bytes);
  Correlation read;
  std::string_view rest = bytes;
  REQUIRE(read.read_bytes(rest));
  CHECK(rest.empty());
  CHECK(read.value() == whole.value());
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    std::string_view cut = std::string_view(bytes).substr(0, size);
    CHECK_FALSE(Correlation().read_bytes(cut));
  }
}

TEST_CASE("the pairs of a batch") {
  ColumnBuilder flags(Type::boolean), names(Type::string);
  for (const bool b : {true, false, true, true}) {
    flags.append_boolean(b);
    names.append_string("x");
  }
  data::Batch batch{{{{"a", Type::float64, false},
                      {"name", Type::string, false},
                      {"b", Type::float64, false},
                      {"flag", Type::boolean, false}}},
                    {reals({1, 2, 3, 4}), names.finish(), reals({2, 4, 6, 8.5}), flags.finish()},
                    4};
  const int columns[] = {3, 0, 2, 0};
  WorkerPool pool(2);
  const auto pairs = correlations(batch, columns, &pool);
  REQUIRE(pairs.has_value());
  REQUIRE(pairs->size() == 3);
  CHECK((*pairs)[0].x == 0);
  CHECK((*pairs)[0].y == 2);
  CHECK((*pairs)[2].y == 3);
  CHECK((*pairs)[0].rows == 4);
  // By hand, with the deviations of a − 2.5 and b − 5.125: 10.75 / √(5 · 23.1875).
  CHECK(std::abs(*(*pairs)[0].value - 10.75 / std::sqrt(5 * 23.1875)) < 1e-15);
  const int text[] = {0, 1}, none[] = {0, 4};
  CHECK(correlations(batch, text).error().code == Code::type_mismatch);
  CHECK(correlations(batch, none).error().code == Code::unknown_column);
}

}  // namespace coeval::quality
