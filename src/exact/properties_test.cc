// What must hold for every multiset, drawn and shrunk by RapidCheck. (semantics: A1 A2 A4 A5) A
// failed property prints its smallest counterexample, and a line for RC_PARAMS that plays it again.

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>
#include <vector>

#include "exact/distinct_count.h"
#include "exact/exact_sum.h"
#include "exact/frequent_values.h"
#include "exact/moments.h"
#include "exact/quantile_sketch.h"
#include "exact/slope.h"

namespace coeval::exact {
namespace {

// Doubles of every kind: small ones, all exponents, ±0, infinities, NaN.
rc::Gen<double> any_double() {
  const auto special = rc::gen::element(
      0.0, -0.0, std::numeric_limits<double>::infinity(), -std::numeric_limits<double>::infinity(),
      std::numeric_limits<double>::quiet_NaN(), 0x1p-1074, 0x1p1023, -0x1p1023);
  const auto bits = rc::gen::map(rc::gen::arbitrary<std::uint64_t>(),
                                 [](std::uint64_t x) { return std::bit_cast<double>(x); });
  return rc::gen::weightedOneOf<double>(
      {{6, rc::gen::arbitrary<double>()}, {3, bits}, {1, special}});
}
rc::Gen<std::vector<double>> any_doubles() {
  return rc::gen::container<std::vector<double>>(any_double());
}

// The values in another order, of their own choosing.
template <class Value>
std::vector<Value> shuffled(std::vector<Value> values) {
  for (std::size_t i = values.size(); i > 1; --i)
    std::swap(values[i - 1], values[*rc::gen::inRange<std::size_t>(0, i)]);
  return values;
}

template <class State>
std::string bytes_of(const State& state) {
  std::string out;
  state.append_bytes(out);
  return out;
}

template <class State, class Value>
State state_of(const std::vector<Value>& values) {
  State state;
  for (const Value value : values) state.add(value);
  return state;
}

// Order, partition and a detour through bytes leave no trace.
template <class State, class Value>
bool depends_on_the_multiset_alone(const std::vector<Value>& values) {
  const std::string expected = bytes_of(state_of<State>(values));
  const std::vector<Value> others = shuffled(values);
  if (bytes_of(state_of<State>(others)) != expected) return false;
  const auto cut =
      static_cast<std::ptrdiff_t>(*rc::gen::inRange<std::size_t>(0, others.size() + 1));
  State left = state_of<State>(std::vector<Value>(others.begin(), others.begin() + cut));
  const State right = state_of<State>(std::vector<Value>(others.begin() + cut, others.end()));
  left.merge(right);
  if (bytes_of(left) != expected) return false;
  State back;
  std::string_view rest = expected;
  return back.read_bytes(rest) && rest.empty() && bytes_of(back) == expected;
}

// What was added and taken out again leaves no trace, one by one and as a whole.
template <class State, class Value>
bool retracts(const std::vector<Value>& stay, const std::vector<Value>& leave) {
  const std::string expected = bytes_of(state_of<State>(stay));
  State state = state_of<State>(stay);
  for (const Value value : leave) state.add(value);
  State other = state;
  for (const Value value : shuffled(leave)) state.subtract(value);
  other.unmerge(state_of<State>(leave));
  return bytes_of(state) == expected && bytes_of(other) == expected;
}

TEST_CASE("an exact sum is a function of the multiset, and retraction leaves no trace") {
  CHECK(rc::check("sum: order, merge, bytes",
                  [] { return depends_on_the_multiset_alone<ExactSum>(*any_doubles()); }));
  CHECK(rc::check("sum: retraction",
                  [] { return retracts<ExactSum>(*any_doubles(), *any_doubles()); }));
  CHECK(rc::check("an outlier that has left leaves no trace", [](std::int32_t small) {
    ExactSum sum = state_of<ExactSum>(std::vector<double>{static_cast<double>(small), 1e300, 9e12});
    sum.subtract(9e12);
    sum.subtract(1e300);
    return sum.round() == small;
  }));
}

// Multiples of one power of two: their sum is that of integers, which GCC rounds half to even.
TEST_CASE("an exact sum is the integers' sum, rounded once") {
  CHECK(rc::check("sum of n·2^e", [](const std::vector<std::int32_t>& high) {
    const int exponent = *rc::gen::inRange(-1000, 900);
    ExactSum sum;
    __extension__ __int128 integers = 0;
    for (const std::int32_t h : high) {
      const std::int64_t n =
          (std::int64_t{h} << 21) + *rc::gen::inRange<std::int64_t>(0, std::int64_t{1} << 21);
      integers += n;
      sum.add(std::ldexp(static_cast<double>(n), exponent));
    }
    return sum.round() == std::ldexp(static_cast<double>(integers), exponent);
  }));
}

TEST_CASE("moments are functions of the multiset, and retraction leaves no trace") {
  CHECK(rc::check("moments: order, merge, bytes",
                  [] { return depends_on_the_multiset_alone<Moments>(*any_doubles()); }));
  CHECK(rc::check("moments: retraction",
                  [] { return retracts<Moments>(*any_doubles(), *any_doubles()); }));
  CHECK(rc::check("integer moments: order, merge, bytes", [](const std::vector<std::int64_t>& x) {
    return depends_on_the_multiset_alone<IntegerMoments>(x);
  }));
  CHECK(rc::check("integer moments: retraction",
                  [](const std::vector<std::int64_t>& x, const std::vector<std::int64_t>& y) {
                    return retracts<IntegerMoments>(x, y);
                  }));
}

TEST_CASE("moments of equal numbers have no variance, and of none no answer") {
  CHECK(rc::check("n equal values", [](std::int64_t x) {
    IntegerMoments moments;
    const int n = *rc::gen::inRange(0, 50);
    for (int i = 0; i < n; ++i) moments.add(x);
    const auto sample = moments.variance(Divisor::sample);
    const auto population = moments.variance(Divisor::population);
    return sample == (n < 2 ? std::optional<double>() : 0.0) &&
           population == (n < 1 ? std::optional<double>() : 0.0);
  }));
}

TEST_CASE("slope sums are functions of the multiset, and retraction leaves no trace") {
  using Point = std::pair<std::int32_t, std::int64_t>;
  CHECK(rc::check("slope", [](const std::vector<Point>& stay, const std::vector<Point>& leave) {
    IntegerSlopeMoments plain, state, left, right;
    for (const auto& [time, x] : stay) plain.add(time, x);
    const auto all = shuffled(stay);
    for (std::size_t i = 0; i < all.size(); ++i)
      (i % 2 == 0 ? left : right).add(all[i].first, all[i].second);
    left.merge(right);
    state = left;
    for (const auto& [time, x] : leave) state.add(time, x);
    for (const auto& [time, x] : shuffled(leave)) state.subtract(time, x);
    return left == plain && state == plain && bytes_of(state) == bytes_of(plain);
  }));
}

// Up to some thousand values of a small or a large range: on both sides of the cap of 1,024.
rc::Gen<std::vector<std::int64_t>> many_numbers() {
  return rc::gen::exec([] {
    const auto count = *rc::gen::inRange<std::size_t>(0, 4000);
    const auto range = static_cast<std::uint64_t>(
        *rc::gen::element<std::int64_t>(10, 1000, 1024, 1025, 5000, INT64_MAX));
    std::uint64_t state = *rc::gen::arbitrary<std::uint64_t>();
    std::vector<std::int64_t> numbers;
    for (std::size_t i = 0; i < count; ++i) {
      state = mix(state + i);
      numbers.push_back(static_cast<std::int64_t>(state % range));
    }
    return numbers;
  });
}

TEST_CASE("sketches are functions of the multiset on both sides of the cap") {
  CHECK(rc::check("distinct", [] {
    return depends_on_the_multiset_alone<DistinctCount<std::int64_t>>(*many_numbers());
  }));
  CHECK(rc::check("quantile", [] {
    return depends_on_the_multiset_alone<QuantileSketch<std::int64_t>>(*many_numbers());
  }));
  CHECK(rc::check("mode", [] {
    return depends_on_the_multiset_alone<FrequentValues<std::int64_t>>(*many_numbers());
  }));
  CHECK(rc::check("quantile of doubles", [] {
    return depends_on_the_multiset_alone<QuantileSketch<double>>(*any_doubles());
  }));
}

TEST_CASE("up to the cap sketches count exactly, and they know which side they are on") {
  CHECK(rc::check("distinct and mode by sorting", [] {
    auto numbers = *many_numbers();
    const auto distinct = state_of<DistinctCount<std::int64_t>>(numbers);
    const auto frequent = state_of<FrequentValues<std::int64_t>>(numbers);
    std::ranges::sort(numbers);
    std::int64_t values = 0, best = 0, best_count = 0;
    for (std::size_t i = 0; i < numbers.size();) {
      std::size_t end = i;
      while (end < numbers.size() && numbers[end] == numbers[i]) ++end;
      ++values;
      if (const auto count = static_cast<std::int64_t>(end - i); count > best_count) {
        best = numbers[i];
        best_count = count;
      }
      i = end;
    }
    const bool exact = values <= 1024;
    if (distinct.is_approximate() == exact || frequent.is_approximate() == exact) return false;
    if (!exact)
      return std::abs(static_cast<double>(distinct.count() - values)) <
             0.05 * static_cast<double>(values);
    const auto mode = frequent.mode();
    return distinct.count() == values &&
           (numbers.empty() ? !mode : mode && mode->value == best && mode->count == best_count);
  }));
}

}  // namespace
}  // namespace coeval::exact
