#include "quality/column_sum.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

namespace coeval::quality {
namespace {

using data::Type;

ColumnSum sum_of(Type type, const std::vector<data::Value>& values) {
  data::ColumnBuilder builder(type);
  for (const auto& value : values) builder.append(value);
  ColumnSum sum(type);
  sum.add(builder.finish());
  return sum;
}
ColumnSum integers(const std::vector<std::int64_t>& values) {
  return sum_of(Type::int64, {values.begin(), values.end()});
}
ColumnSum reals(const std::vector<double>& values) {
  return sum_of(Type::float64, {values.begin(), values.end()});
}
ColumnSum cents(const std::vector<std::int64_t>& values) {
  return sum_of(data::decimal_type(12, 2), {values.begin(), values.end()});
}

TEST_CASE("sums of one kind are compared exactly, far beyond float64 and int64") {
  constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();
  CHECK(ColumnSum::are_equal(integers({kMax, kMax}), integers({kMax, kMax}), 0));
  CHECK_FALSE(ColumnSum::are_equal(integers({kMax, kMax}), integers({kMax, kMax - 1}), 0));
  CHECK(ColumnSum::are_equal(integers({kMax, kMax}), integers({kMax, kMax - 1}), 1));
  CHECK_FALSE(ColumnSum::are_equal(integers({kMax, kMax}), integers({kMax, kMax - 2}), 1));
  CHECK(integers({kMax, kMax}).text() == "18446744073709551614");
  CHECK(integers({-kMax, -kMax}).text() == "-18446744073709551614");
  CHECK(ColumnSum::are_equal(reals({1e300, 1, -1e300}), reals({1}), 0));
  CHECK_FALSE(ColumnSum::are_equal(reals({1e300, 1, -1e300}), reals({0}), 0.999));
  CHECK_FALSE(ColumnSum::are_equal(integers({-5}), integers({5}), 9));
  CHECK(ColumnSum::are_equal(integers({-5}), integers({5}), 10));
}

TEST_CASE("sums of different kinds are compared as the numbers that they are") {
  CHECK(ColumnSum::are_equal(cents({1250, 50}), integers({13}), 0));
  CHECK_FALSE(ColumnSum::are_equal(cents({1250, 51}), integers({13}), 0));
  CHECK(ColumnSum::are_equal(cents({50}), reals({0.25, 0.25}), 0));
  CHECK_FALSE(ColumnSum::are_equal(cents({10}), reals({0.1}), 0));  // no float64 is a tenth
  CHECK(ColumnSum::are_equal(cents({10}), reals({0.1}), 1e-17));
  CHECK(ColumnSum::are_equal(
      sum_of(data::decimal_type(18, 18), {std::int64_t{500'000'000'000'000'000}}), cents({50}), 0));
  CHECK(ColumnSum::are_equal(reals({1e18}), integers({1'000'000'000'000'000'000}), 0));
  CHECK_FALSE(ColumnSum::are_equal(reals({1e18}), integers({1'000'000'000'000'000'001}), 0));
}

TEST_CASE("a tolerance is the decimal that it is written as, and belongs to what is allowed") {
  CHECK(ColumnSum::are_equal(cents({130}), cents({100}), 0.3));
  CHECK(ColumnSum::are_equal(cents({100}), cents({130}), 0.3));
  CHECK_FALSE(ColumnSum::are_equal(cents({131}), cents({100}), 0.3));
  CHECK(ColumnSum::are_equal(cents({107}), cents({100}), 0.07));
  CHECK(ColumnSum::are_equal(integers({1}), integers({0}), 1e300));
  CHECK_FALSE(ColumnSum::are_equal(integers({1}), integers({0}), 1e-300));
}

TEST_CASE("what is not finite equals nothing") {
  const double inf = std::numeric_limits<double>::infinity();
  CHECK_FALSE(ColumnSum::are_equal(reals({inf}), reals({inf}), 1e300));
  CHECK_FALSE(ColumnSum::are_equal(reals({std::nan("")}), reals({0}), 1e300));
}

TEST_CASE("sum and mean are rounded once, nulls apart; merged sums are one") {
  ColumnSum sum = sum_of(Type::int32, {std::int64_t{1}, data::Value{}, std::int64_t{3}});
  CHECK(sum.count() == 2);
  CHECK(sum.mean() == 2.0);
  sum.merge(sum_of(Type::int32, {std::int64_t{3}}));
  CHECK(sum.mean() == 7.0 / 3.0);
  CHECK(sum.sum() == 7.0);
  CHECK(cents({1, 2}).sum() == 0.03);
  CHECK(cents({-5}).text() == "-0.05");
  CHECK(cents({}).text() == "0.00");
  CHECK(reals({0.5, 0.25}).text() == "0.75");
}

}  // namespace
}  // namespace coeval::quality
