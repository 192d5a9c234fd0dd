#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "kernel/exact_for_tests.h"

namespace coeval::kernel::testing {

/// A value as the oracle sees it: nothing, or an integer, a real, a text.
struct Number {
  enum class Kind : std::uint8_t { integer, real, text };
  bool null = true;
  Kind kind = Kind::integer;
  std::int64_t i = 0;
  double d = 0;
  std::string s;
  static Number of(std::optional<std::int64_t> v) {
    return {!v, Kind::integer, v.value_or(0), 0, {}};
  }
  static Number of(std::optional<double> v) { return {!v, Kind::real, 0, v.value_or(0), {}}; }
  static Number of(std::optional<std::string> v) {
    return {!v, Kind::text, 0, 0, v.value_or(std::string())};
  }
  bool is_real() const { return kind == Kind::real; }
  double as_real() const { return is_real() ? d : static_cast<double>(i); }
  Exact exact() const { return is_real() ? Exact(d) : Exact(i); }
};

/// What a feature must be: null, or the 64 bits of a cell, or a text.
struct Answer {
  bool valid = false;
  std::uint64_t bits = 0;
  std::string text;
  bool approximate = false;
  friend bool operator==(const Answer&, const Answer&) = default;
};
inline Answer integer_answer(std::int64_t v) { return {true, static_cast<std::uint64_t>(v), {}}; }
inline Answer real_answer(double v) {
  if (std::isnan(v)) return {true, 0x7FF8000000000000, {}};
  return {true, std::bit_cast<std::uint64_t>(v), {}};
}
/// The value itself; a NaN keeps its payload unless `canonical`.
inline Answer answer_of(const Number& v, bool canonical) {
  if (v.null) return {};
  if (v.kind == Number::Kind::text) return {true, 0, v.s};
  if (!v.is_real()) return integer_answer(v.i);
  return canonical ? real_answer(v.d) : Answer{true, std::bit_cast<std::uint64_t>(v.d), {}};
}

/// An aggregate as written, apart.
struct AggregateCall {
  std::string name;
  std::int64_t k = 0;
  double p = 0;
  std::int64_t half_life_us = 0;
};

/// An event of the window that `where` keeps: its time, and the values of the arguments.
struct WindowEvent {
  std::int64_t time = 0;
  Number value, divisor;
};

/// The order of min, max and mode: NaN above everything, −0 below +0, texts by bytes.
inline bool before(const Number& a, const Number& b) {
  if (a.kind == Number::Kind::text) return a.s < b.s;
  if (!a.is_real()) return a.i < b.i;
  if (std::isnan(a.d) || std::isnan(b.d)) return !std::isnan(a.d) && std::isnan(b.d);
  if (a.d == b.d) return std::signbit(a.d) && !std::signbit(b.d);
  return a.d < b.d;
}

/// The sum of what is not finite, if there is any.
inline std::optional<double> special_sum(std::span<const Number> values) {
  double sum = 0;
  for (const auto& v : values)
    if (v.is_real() && !std::isfinite(v.d)) sum += v.d;
  return std::isfinite(sum) ? std::nullopt : std::optional(sum);
}
inline Exact finite_sum(std::span<const Number> values) {
  Exact sum;
  for (const auto& v : values)
    if (!v.is_real() || std::isfinite(v.d)) sum += v.exact();
  return sum;
}

inline Answer sum_answer(std::span<const Number> values) {
  if (const auto special = special_sum(values)) return real_answer(*special);
  if (values[0].is_real()) return real_answer(finite_sum(values).nearest());
  __extension__ __int128 sum = 0;
  for (const auto& v : values) sum += v.i;
  const auto narrow = static_cast<std::int64_t>(sum);
  return narrow == sum ? integer_answer(narrow) : Answer{};
}

inline Answer mean_answer(std::span<const Number> values) {
  if (const auto special = special_sum(values)) return real_answer(*special);
  return real_answer(
      (finite_sum(values) / Exact(static_cast<std::int64_t>(values.size()))).nearest());
}

/// Σ(x − mean)² divided by n − 1 or n: by definition, everything multiplied by n.
inline Answer spread_answer(const std::string& name, std::span<const Number> values) {
  const bool population = name.ends_with("_pop");
  const auto n = static_cast<std::int64_t>(values.size());
  if (!population && n < 2) return {};
  if (special_sum(values)) return real_answer(std::nan(""));
  const Exact sum = finite_sum(values);
  Exact squares;
  for (const auto& v : values) {
    const Exact deviation = Exact(n) * v.exact() - sum;
    squares += deviation * deviation;
  }
  const Exact variance = squares / (Exact(n) * Exact(n) * Exact(population ? n : n - 1));
  return real_answer((name.starts_with("std") ? variance.root() : variance).nearest());
}

inline Answer ratio_answer(std::span<const Number> a, std::span<const Number> b) {
  if (a.empty() || b.empty()) return {};
  const auto special_a = special_sum(a), special_b = special_sum(b);
  const Exact sum_a = finite_sum(a), sum_b = finite_sum(b);
  if (!special_b && sum_b.is_zero()) return {};
  if (special_a || special_b)
    return real_answer(special_a.value_or(sum_a.sign()) / special_b.value_or(sum_b.sign()));
  return real_answer((sum_a / sum_b).nearest());
}

inline Answer quantile_answer(std::span<const Number> values, double p) {
  std::vector<Number> sorted;
  for (const auto& v : values) {
    if (v.is_real() && std::isnan(v.d)) return real_answer(std::nan(""));
    sorted.push_back(v.is_real() && v.d == 0 ? Number::of(std::optional(0.0)) : v);
  }
  std::ranges::sort(sorted, before);
  const Exact place = Exact(p) * Exact(static_cast<std::int64_t>(sorted.size()) - 1);
  const std::int64_t index = place.floor();
  const Exact fraction = place - Exact(index);
  const Number& a = sorted[static_cast<std::size_t>(index)];
  if (fraction.is_zero()) return real_answer(a.exact().nearest());
  const Number& b = sorted[static_cast<std::size_t>(index) + 1];
  const double x = a.as_real(), y = b.as_real();
  if (std::isinf(x) || std::isinf(y)) {
    if (x == y || !std::isinf(y)) return real_answer(x);
    return real_answer(std::isinf(x) ? std::nan("") : y);
  }
  return real_answer((a.exact() + (b.exact() - a.exact()) * fraction).nearest());
}

/// Values that are equal count as one: −0 and +0, every NaN.
inline Number as_equal(Number v) {
  if (v.is_real() && v.d == 0) v.d = 0.0;
  if (v.is_real() && std::isnan(v.d)) v.d = std::nan("");
  return v;
}
inline auto counts_of(std::span<const Number> values) {
  std::map<Number, std::int64_t, bool (*)(const Number&, const Number&)> counts(before);
  for (const auto& v : values) ++counts[as_equal(v)];
  return counts;
}
inline Answer mode_answer(std::span<const Number> values) {
  Answer mode;
  std::int64_t most = 0;
  for (const auto& [value, count] : counts_of(values)) {
    if (count <= most) continue;
    most = count;
    mode = answer_of(value, true);
  }
  return mode;
}

/// A list as a text that no other list has: of reals the bits, of texts the lengths too.
inline std::string element_text(const Number& v) {
  if (v.kind == Number::Kind::text) return std::to_string(v.s.size()) + ":" + v.s + ";";
  return std::to_string(v.is_real() ? real_answer(v.d).bits : static_cast<std::uint64_t>(v.i)) +
         ";";
}
inline Answer list_answer(std::span<const Number> values, std::int64_t k) {
  Answer list{true, 0, {}};
  for (const Number& value : values.first(std::min(values.size(), static_cast<std::size_t>(k))))
    list.text += element_text(value);
  return list;
}
inline Answer top_answer(std::span<const Number> values, std::int64_t k) {
  std::vector<std::pair<std::int64_t, Number>> counts;
  for (const auto& [value, count] : counts_of(values)) counts.emplace_back(count, value);
  std::ranges::sort(counts, [](const auto& a, const auto& b) {
    return a.first != b.first ? a.first > b.first : before(a.second, b.second);
  });
  std::vector<Number> sorted;
  for (const auto& [count, value] : counts) sorted.push_back(value);
  return list_answer(sorted, k);
}

/// Least squares of x against t in days, from deviations of the means, everything multiplied by n.
inline Answer slope_answer(std::span<const WindowEvent> events) {
  std::vector<Number> values;
  std::set<std::int64_t> times;
  Exact sum_t;
  for (const auto& e : events) {
    values.push_back(e.value);
    times.insert(e.time);
    sum_t += Exact(e.time);
  }
  if (times.size() < 2) return {};
  if (special_sum(values)) return real_answer(std::nan(""));
  const Exact n(static_cast<std::int64_t>(events.size()));
  const Exact sum_x = finite_sum(values);
  Exact products, squares;
  for (const auto& e : events) {
    const Exact t = n * Exact(e.time) - sum_t;
    products += t * (n * e.value.exact() - sum_x);
    squares += t * t;
  }
  return real_answer((products * Exact(std::int64_t{86'400'000'000}) / squares).nearest());
}

/// Each term rounded once, the sum once. (semantics: A3)
inline Answer decayed_answer(const AggregateCall& call, std::span<const WindowEvent> events,
                             std::int64_t at) {
  std::vector<Number> terms, weights;
  for (const auto& e : events) {
    const std::int64_t age = at - e.time;
    if (age > 64 * call.half_life_us) continue;
    const Exact factor = Exact::power_of_two(-age, call.half_life_us);
    const double x = e.value.as_real();
    const bool special = e.value.is_real() && !std::isfinite(x);
    terms.push_back(Number::of(std::optional(special ? x : (e.value.exact() * factor).nearest())));
    weights.push_back(Number::of(std::optional(factor.nearest())));
  }
  if (terms.empty()) return {};
  return call.name == "decayed_sum" ? sum_answer(terms) : ratio_answer(terms, weights);
}

/// The answer by definition, of the window's events by (event time, position). `length_us` is the
/// window's, 0 over all time; `over_rows` says that the aggregate has no argument.
inline Answer oracle_answer(const AggregateCall& call, std::span<const WindowEvent> events,
                            bool over_rows, std::int64_t at, std::int64_t length_us) {
  const std::string& name = call.name;
  std::vector<WindowEvent> present;
  std::vector<Number> values, divisors;
  for (const auto& e : events) {
    if (!e.divisor.null) divisors.push_back(e.divisor);
    if (e.value.null && !over_rows) continue;
    present.push_back(e);
    values.push_back(e.value);
  }
  if (name == "count") return integer_answer(static_cast<std::int64_t>(present.size()));
  if (name == "latest") return events.empty() ? Answer{} : answer_of(events.back().value, false);
  if (name == "ratio") return ratio_answer(values, divisors);
  if (present.empty()) return {};
  if (name == "sum") return sum_answer(values);
  if (name == "mean") return mean_answer(values);
  if (name.starts_with("var") || name.starts_with("std")) return spread_answer(name, values);
  if (name == "min") return answer_of(*std::ranges::min_element(values, before), true);
  if (name == "max") return answer_of(*std::ranges::max_element(values, before), true);
  if (name == "first") return answer_of(values.front(), false);
  if (name == "last") return answer_of(values.back(), false);
  if (name == "lag") {
    const auto k = static_cast<std::size_t>(call.k);
    return k < values.size() ? answer_of(values[values.size() - 1 - k], false) : Answer{};
  }
  if (name == "distinct")
    return integer_answer(static_cast<std::int64_t>(counts_of(values).size()));
  if (name == "quantile") return quantile_answer(values, call.p);
  if (name == "mode") return mode_answer(values);
  if (name == "last_k") {
    std::ranges::reverse(values);
    return list_answer(values, call.k);
  }
  if (name == "top_k") return top_answer(values, call.k);
  if (name == "any" || name == "all") {
    const auto truths = std::ranges::count_if(values, [](const Number& v) { return v.i == 1; });
    const auto all = static_cast<std::ptrdiff_t>(values.size());
    return integer_answer((name == "any" ? truths > 0 : truths == all) ? 1 : 0);
  }
  if (name == "rate") {
    if (length_us == 0) return {};
    const Exact rows(static_cast<std::int64_t>(present.size()));
    return real_answer((rows * Exact(std::int64_t{3'600'000'000}) / Exact(length_us)).nearest());
  }
  if (name == "slope") return slope_answer(present);
  if (name == "since_first" || name == "since_last") {
    const std::int64_t time = name == "since_first" ? present.front().time : present.back().time;
    return real_answer(((Exact(at) - Exact(time)) / Exact(std::int64_t{1'000'000})).nearest());
  }
  return decayed_answer(call, present, at);
}

}  // namespace coeval::kernel::testing
