#include "replay/arithmetic.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>

#include "define/aggregates.h"

namespace coeval::replay {
namespace {

using data::Type;
using data::Value;
using define::Aggregation;

template <class Number>
data::Column column_of(const std::vector<Number>& values) {
  data::ColumnBuilder builder(std::is_same_v<Number, double> ? Type::float64 : Type::int64);
  for (const Number value : values) {
    if constexpr (std::is_same_v<Number, double>)
      builder.append_real(value);
    else
      builder.append_integer(value);
  }
  return builder.finish();
}

constexpr std::int64_t kAt = 1'000 * kHourUs;

template <class Number>
WindowValues values_of(const std::vector<Number>& numbers) {
  WindowValues values;
  for (std::size_t i = 0; i < numbers.size(); ++i)
    values.event_time_us.push_back(kAt - static_cast<std::int64_t>(numbers.size() - i) * kHourUs);
  values.argument = column_of(numbers);
  values.divisor = column_of(numbers);
  values.at_us = kAt;
  values.bounds = {kAt - 24 * kHourUs, kAt};
  return values;
}

define::Aggregate aggregate_of_kind(Aggregation kind, Type result = Type::float64) {
  define::Aggregate aggregate;
  aggregate.kind = kind;
  aggregate.result = result;
  aggregate.p = 0.5;
  aggregate.half_life_us = kHourUs;
  return aggregate;
}

template <class Number>
Value value_of(Aggregation kind, const std::vector<Number>& numbers, Type result = Type::float64) {
  const auto computed = compute(aggregate_of_kind(kind, result), values_of(numbers));
  REQUIRE(computed);
  CHECK_FALSE(computed->steps.empty());
  return computed->value;
}

TEST_CASE("every aggregate of the language has its arithmetic, also of nothing") {
  for (const auto& function : define::aggregate_functions()) {
    CAPTURE(function.name);
    for (const std::size_t count : {0, 1, 5}) {
      const std::vector<std::int64_t> numbers(count, 1);
      auto aggregate = aggregate_of_kind(function.kind);
      if (function.result == define::AggregateResult::int64) aggregate.result = Type::int64;
      const auto computed = compute(aggregate, values_of(numbers));
      REQUIRE(computed);
      CHECK_FALSE(computed->steps.empty());
      // semantics: V3
      if (count == 0)
        CHECK(data::is_null(computed->value) == (function.kind != Aggregation::count));
    }
  }
}

// Integers so small that one division of exact doubles is the correctly rounded answer.
TEST_CASE("moments, means and quantiles of small integers equal one exact division") {
  std::mt19937 random(7);
  for (int round = 0; round < 200; ++round) {
    std::vector<std::int64_t> x(2 + random() % 20);
    std::int64_t sum = 0, squares = 0;
    for (auto& value : x) {
      value = static_cast<std::int64_t>(random() % 2001) - 1000;
      sum += value;
      squares += value * value;
    }
    const auto n = static_cast<std::int64_t>(x.size());
    const auto d = [](std::int64_t v) { return static_cast<double>(v); };
    const std::int64_t top = n * squares - sum * sum;
    CHECK(value_of(Aggregation::sum, x, Type::int64) == Value{sum});
    CHECK(value_of(Aggregation::mean, x) == Value{d(sum) / d(n)});
    CHECK(value_of(Aggregation::var, x) == Value{d(top) / d(n * (n - 1))});
    CHECK(value_of(Aggregation::var_pop, x) == Value{d(top) / d(n * n)});
    CHECK(value_of(Aggregation::min, x, Type::int64) == Value{*std::ranges::min_element(x)});
    CHECK(value_of(Aggregation::last, x, Type::int64) == Value{x.back()});
    CHECK(value_of(Aggregation::first, x, Type::int64) == Value{x.front()});
    auto sorted = x;
    std::ranges::sort(sorted);
    const auto middle = static_cast<std::size_t>((n - 1) / 2);
    const std::int64_t twice =
        n % 2 == 1 ? 2 * sorted[middle] : sorted[middle] + sorted[middle + 1];
    CHECK(value_of(Aggregation::quantile, x) == Value{d(twice) / 2});
    sorted.erase(std::ranges::unique(sorted).begin(), sorted.end());
    CHECK(value_of(Aggregation::distinct, x, Type::int64) ==
          Value{static_cast<std::int64_t>(sorted.size())});
  }
}

TEST_CASE("what cancels leaves no trace, and a sum too large for its type is null") {
  CHECK(value_of(Aggregation::sum, std::vector<double>{9e15, 0.1, -9e15}) == Value{0.1});
  CHECK(value_of(Aggregation::mean, std::vector<double>{1e308, 1e308}) == Value{1e308});
  CHECK(data::is_null(
      value_of(Aggregation::sum, std::vector<std::int64_t>{INT64_MAX, 1}, Type::int64)));
}

TEST_CASE("times count as they are") {
  const std::vector<std::int64_t> x = {4, 8, 16};
  CHECK(value_of(Aggregation::since_last, x) == Value{3600.0});
  CHECK(value_of(Aggregation::since_first, x) == Value{3 * 3600.0});
  CHECK(value_of(Aggregation::rate, x) == Value{3.0 / 24});
  // Ages of 3, 2 and 1 half-lives.
  CHECK(value_of(Aggregation::decayed_sum, x) == Value{4.0 / 8 + 8.0 / 4 + 16.0 / 2});
  CHECK(value_of(Aggregation::decayed_mean, x) ==
        Value{(4.0 / 8 + 8.0 / 4 + 16.0 / 2) / (1.0 / 8 + 1.0 / 4 + 1.0 / 2)});
  const std::vector<std::int64_t> straight = {1, 3, 5, 7};  // 2 an hour
  CHECK(value_of(Aggregation::slope, straight) == Value{48.0});
  CHECK(value_of(Aggregation::ratio, x) == Value{1.0});
}

TEST_CASE("the most frequent value, of several the smallest") {
  CHECK(value_of(Aggregation::mode, std::vector<std::int64_t>{5, 2, 5, 2, 9}, Type::int64) ==
        Value{std::int64_t{2}});
}

template <class Number>
std::string list_text(Aggregation kind, std::int64_t k, const std::vector<Number>& numbers) {
  auto aggregate = aggregate_of_kind(kind);
  aggregate.k = k;
  const auto computed = compute(aggregate, values_of(numbers));
  REQUIRE(computed);
  const bool real = std::is_same_v<Number, double>;
  return data::to_text(computed->value, data::list_of(real ? Type::float64 : Type::int64));
}

TEST_CASE("lists are the newest values, or the most frequent ones") {
  const std::vector<std::int64_t> x = {5, 2, 5, 2, 9};
  CHECK(list_text(Aggregation::last_k, 3, x) == "[9, 2, 5]");
  CHECK(list_text(Aggregation::last_k, 9, x) == "[9, 2, 5, 2, 5]");
  CHECK(list_text(Aggregation::top_k, 2, x) == "[2, 5]");
  CHECK(list_text(Aggregation::top_k, 9, x) == "[2, 5, 9]");
  CHECK(list_text(Aggregation::top_k, 9, std::vector<double>{-0.0, std::nan(""), 0.0, -1}) ==
        "[0, -1, nan]");
  CHECK(list_text(Aggregation::last_k, 2, std::vector<double>{1, -0.0}) == "[-0, 1]");
  CHECK(list_text(Aggregation::last_k, 2, std::vector<double>{}) == "null");
  // Above the cap of distinct values, where the kernel counts in a sketch, too.
  std::vector<std::int64_t> many;
  for (std::int64_t i = 0; i < 2000; ++i) many.insert(many.end(), {i, 7, -3, 7});
  CHECK(list_text(Aggregation::top_k, 2, many) == "[7, -3]");
  std::vector<double> reals(many.begin(), many.end());
  CHECK(list_text(Aggregation::top_k, 2, reals) == "[7, -3]");
}

// semantics: A4. The rule above the cap is the kernel's, which tests/program compares with this.
TEST_CASE(
    "above 1,024 distinct values distinct, mode and quantile are those of sketches, and say so") {
  const auto many = [](std::int64_t distinct) {
    std::vector<std::int64_t> values;
    for (std::int64_t i = 0; i < distinct; ++i) values.push_back(i * 7 - 500);
    for (int i = 0; i < 600; ++i) values.push_back(42);
    return values;
  };
  const auto of = [](Aggregation kind, const auto& values) {
    const auto computed = compute(aggregate_of_kind(kind, Type::int64), values_of(values));
    REQUIRE(computed);
    return *computed;
  };
  for (const auto kind : {Aggregation::distinct, Aggregation::mode, Aggregation::quantile}) {
    const bool below = of(kind, many(1023)).steps[0].find("approximate") == std::string::npos;
    CHECK(below);
    CHECK(of(kind, many(2000)).steps[0].find("approximate") != std::string::npos);
  }
  CHECK(of(Aggregation::distinct, many(1023)).value == Value{std::int64_t{1024}});
  const auto estimate = std::get<std::int64_t>(of(Aggregation::distinct, many(2000)).value);
  CHECK(estimate != 2001);  // not a count of all
  CHECK(std::abs(static_cast<double>(estimate) / 2001 - 1) < 0.05);
  CHECK(of(Aggregation::distinct, many(2000)).steps[0].find("a count of all finds 2001") !=
        std::string::npos);
  CHECK(of(Aggregation::mode, many(2000)).value == Value{std::int64_t{42}});
  std::vector<double> reals(600, -1.5);
  for (int i = 0; i < 2000; ++i) reals.push_back(i / 8.0);
  CHECK(of(Aggregation::mode, reals).value == Value{-1.5});
}

TEST_CASE("−0 and 0 are one value, and so is every NaN") {
  const std::vector<double> values = {-0.0, 0.0, 1, -std::numeric_limits<double>::quiet_NaN(),
                                      std::numeric_limits<double>::quiet_NaN()};
  CHECK(value_of(Aggregation::distinct, values, Type::int64) == Value{std::int64_t{3}});
  const Value mode = value_of(Aggregation::mode, std::vector<double>{0.0, 1, 2, -0.0});
  CHECK(std::get<double>(mode) == 0);
  CHECK_FALSE(std::signbit(std::get<double>(mode)));
}

TEST_CASE("the steps show sums, divisions and what was picked") {
  const auto steps = [](Aggregation kind) {
    const auto computed =
        compute(aggregate_of_kind(kind), values_of(std::vector<double>{1, 2, 4.5}));
    REQUIRE(computed);
    std::string text;
    for (const auto& step : computed->steps) text += step + "\n";
    return text;
  };
  CHECK(steps(Aggregation::mean) ==
        "exact sum of 3 values: 1 + 2 + 4.5 = 7.5\n7.5 / 3, rounded once = 2.5\n");
  CHECK(steps(Aggregation::var).find("Σx² = 25.25") != std::string::npos);
  CHECK(steps(Aggregation::quantile).find("order statistics 1 and 2 (from 0) are 2 and 4.5") !=
        std::string::npos);
}

}  // namespace
}  // namespace coeval::replay
