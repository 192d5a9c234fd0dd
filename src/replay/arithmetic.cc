#include "replay/arithmetic.h"

#include <algorithm>
#include <bit>
#include <limits>
#include <map>
#include <set>

#include "data/decimal.h"
#include "data/packed_list.h"
#include "exact/decay.h"
#include "exact/distinct_count.h"
#include "exact/frequent_values.h"
#include "exact/moments.h"
#include "exact/quantile_sketch.h"
#include "exact/ratio.h"
#include "exact/slope.h"
#include "kernel/evaluate.h"
#include "kernel/string_table.h"
#include "kernel/total_order.h"
#include "replay/exact_text.h"

namespace coeval::replay {

namespace {

using data::Type;
using data::Value;
using define::Aggregation;

constexpr std::size_t kTermsWritten = 12;

// Integers stand for themselves divided by 10^scale, which is 0 but for decimals.
std::string number(double value, int /*scale*/ = 0) {
  return data::to_text(Value{value}, Type::float64);
}
std::string number(std::int64_t value, int scale = 0) { return data::decimal_text(value, scale); }
std::string counted(std::size_t count, const std::string& what) {
  return std::to_string(count) + " " + what + (count == 1 ? "" : "s");
}

Value or_null(std::optional<double> value) { return value ? Value{*value} : Value{}; }
std::string text_or_null(const Value& value, Type type) { return data::to_text(value, type); }

// A column as plain numbers: booleans as 0 and 1.
template <class Number>
std::vector<Number> numbers(const data::Column& column) {
  std::vector<Number> out;
  out.reserve(static_cast<std::size_t>(column.size()));
  for (std::int64_t row = 0; row < column.size(); ++row) {
    if constexpr (std::is_same_v<Number, double>)
      out.push_back(column.real(row));
    else
      out.push_back(column.type() == Type::boolean ? std::int64_t{column.bit(row)}
                                                   : column.integer(row));
  }
  return out;
}

template <class Number>
std::string terms(const std::vector<Number>& values, int scale, const char* between) {
  std::string text;
  const std::size_t shown = std::min(values.size(), kTermsWritten);
  for (std::size_t i = 0; i < shown; ++i) {
    const std::string term = number(values[i], scale);
    text += (i == 0 ? "" : between) + (term.starts_with('-') && i > 0 ? "(" + term + ")" : term);
  }
  return values.size() > shown ? text + between + "…" : text;
}

// Exact sums of either kind under one name.
exact::Int128 total(const std::vector<std::int64_t>& values) {
  exact::Int128 sum = 0;
  for (const std::int64_t value : values) sum += value;
  return sum;
}
exact::ExactSum total(const std::vector<double>& values) {
  exact::ExactSum sum;
  for (const double value : values) sum.add(value);
  return sum;
}

std::string sum_text(const exact::ExactSum& sum, int /*scale*/) { return exact_text(sum); }
std::string sum_text(exact::Int128 sum, int scale) {
  std::string digits = exact_text(sum);
  if (scale == 0) return digits;
  const std::size_t sign = sum < 0 ? 1 : 0;
  const auto least = sign + static_cast<std::size_t>(scale) + 1;
  if (digits.size() < least) digits.insert(sign, least - digits.size(), '0');
  return digits.insert(digits.size() - static_cast<std::size_t>(scale), 1, '.');
}

template <class Number>
std::string sum_step(const std::vector<Number>& values, int scale) {
  return "exact sum of " + counted(values.size(), "value") + ": " + terms(values, scale, " + ") +
         " = " + sum_text(total(values), scale);
}

Value rounded_sum(exact::Int128 sum, Type result) {
  const auto value = exact::to_int64(sum);
  if (!value || (result == Type::int32 && *value != static_cast<std::int32_t>(*value))) return {};
  if (data::is_decimal(result) && !data::has_digits(sum, data::precision_of(result))) return {};
  return Value{*value};
}
Value rounded_sum(const exact::ExactSum& sum, Type result) {
  return Value{sum.round(result == Type::float32 ? exact::kFloat32 : exact::kFloat64)};
}
double mean_of(exact::Int128 sum, std::int64_t count, int scale) {
  return *exact::ratio(sum, exact::Int128{count} * data::power_of_ten(scale));
}
double mean_of(const exact::ExactSum& sum, std::int64_t count, int /*scale*/) {
  return sum.mean(count);
}
std::uint64_t unit_of(int scale) { return static_cast<std::uint64_t>(data::power_of_ten(scale)); }

// Everything that a rule may look at.
struct Problem {
  const define::Aggregate& aggregate;
  const WindowValues& values;

  std::size_t rows() const { return values.event_time_us.size(); }
  Type type() const { return values.argument.type(); }
  bool is_real() const { return data::is_float(type()); }
  bool is_text() const { return type() == Type::string; }
  int scale() const { return data::scale_of(type()); }
};

// Calls the rule with the argument as int64 or as double.
template <class Rule>
Arithmetic with_numbers(const Problem& problem, Rule rule) {
  if (problem.is_real()) return rule(numbers<double>(problem.values.argument));
  return rule(numbers<std::int64_t>(problem.values.argument));
}

Arithmetic count(const Problem& problem) {
  return {Value{static_cast<std::int64_t>(problem.rows())}, {counted(problem.rows(), "event")}};
}

Arithmetic sum(const Problem& problem) {
  if (problem.rows() == 0) return {{}, {"no values: null"}};
  return with_numbers(problem, [&](const auto& values) -> Arithmetic {
    const Value value = rounded_sum(total(values), problem.aggregate.result);
    std::vector<std::string> steps = {sum_step(values, problem.scale())};
    if (data::is_null(value))
      steps.emplace_back("which its type cannot hold: null");
    else
      steps.push_back("rounded once to " + std::string(data::name(problem.aggregate.result)) +
                      ": " + data::to_text(value, problem.aggregate.result));
    return {value, std::move(steps)};
  });
}

Arithmetic mean(const Problem& problem) {
  if (problem.rows() == 0) return {{}, {"no values: null"}};
  return with_numbers(problem, [&](const auto& values) -> Arithmetic {
    const int scale = problem.scale();
    const double value = mean_of(total(values), static_cast<std::int64_t>(values.size()), scale);
    return {Value{value},
            {sum_step(values, scale), sum_text(total(values), scale) + " / " +
                                          std::to_string(values.size()) +
                                          ", rounded once = " + number(value)}};
  });
}

std::string squares_text(const exact::Moments& moments) {
  const auto& squares = moments.squares().total();
  return exact_text(squares.limbs(), static_cast<int>(64 * squares.first_limb()) - 2148);
}
std::string squares_text(const exact::IntegerMoments& moments) {
  return exact_text(moments.squares().limbs, 0);
}
exact::Moments moments_of(const std::vector<double>& values) {
  exact::Moments moments;
  for (const double value : values) moments.add(value);
  return moments;
}
exact::IntegerMoments moments_of(const std::vector<std::int64_t>& values) {
  exact::IntegerMoments moments;
  for (const std::int64_t value : values) moments.add(value);
  return moments;
}

std::optional<double> spread_of(const exact::Moments& moments, bool root, exact::Divisor divisor,
                                std::uint64_t /*unit*/) {
  return root ? moments.deviation(divisor) : moments.variance(divisor);
}
std::optional<double> spread_of(const exact::IntegerMoments& moments, bool root,
                                exact::Divisor divisor, std::uint64_t unit) {
  return root ? moments.deviation(divisor, unit) : moments.variance(divisor, unit);
}

Arithmetic spread(const Problem& problem) {
  const Aggregation kind = problem.aggregate.kind;
  const bool root = kind == Aggregation::std || kind == Aggregation::std_pop;
  const bool sample = kind == Aggregation::var || kind == Aggregation::std;
  const auto divisor = sample ? exact::Divisor::sample : exact::Divisor::population;
  return with_numbers(problem, [&](const auto& values) -> Arithmetic {
    const auto moments = moments_of(values);
    const int scale = problem.scale();
    const auto value = spread_of(moments, root, divisor, unit_of(scale));
    std::vector<std::string> steps = {"n = " + std::to_string(values.size()) +
                                      ", Σx = " + sum_text(moments.sum(), scale) +
                                      ", Σx² = " + squares_text(moments) +
                                      (scale == 0 ? "" : " / 10^" + std::to_string(2 * scale))};
    if (!value) {
      steps.emplace_back(sample ? "fewer than two values: null" : "no values: null");
    } else {
      const std::string formula =
          std::string("(n·Σx² − (Σx)²) / (n·") + (sample ? "(n − 1))" : "n)");
      steps.push_back((root ? "√(" + formula + ")" : formula) +
                      ", exact and rounded once = " + number(*value));
    }
    return {or_null(value), std::move(steps)};
  });
}

// The value of one row as the kernel tells it: every NaN is the one quiet NaN.
Value value_at(const data::Column& column, std::int64_t row) {
  if (column.is_null(row)) return {};
  if (data::is_float(column.type())) return Value{kernel::canonical_value(column.real(row))};
  return column.value(row);
}

std::string picked(const Problem& problem, const std::string& which, std::size_t row) {
  const auto& column = problem.values.argument;
  return which + ": " + data::to_text(column.value(static_cast<std::int64_t>(row)), column.type()) +
         ", of " + format_time(problem.values.event_time_us[row]);
}

// Whether row a comes before row b: texts by bytes, floats by their total order.
bool comes_before(const data::Column& column, std::int64_t a, std::int64_t b) {
  if (column.type() == Type::string) return column.string(a) < column.string(b);
  if (column.type() == Type::boolean) return column.bit(a) < column.bit(b);
  if (data::is_float(column.type()))
    return kernel::order_key(column.real(a)) < kernel::order_key(column.real(b));
  return column.integer(a) < column.integer(b);
}

Arithmetic extreme(const Problem& problem) {
  if (problem.rows() == 0) return {{}, {"no values: null"}};
  const auto& column = problem.values.argument;
  const bool least = problem.aggregate.kind == Aggregation::min;
  std::int64_t best = 0;
  for (std::int64_t row = 1; row < column.size(); ++row)
    if (least ? comes_before(column, row, best) : comes_before(column, best, row)) best = row;
  const std::string which =
      std::string(least ? "smallest" : "largest") + " of " + counted(problem.rows(), "value");
  return {value_at(column, best), {picked(problem, which, static_cast<std::size_t>(best))}};
}

// first, last, latest, lag: rows stand in T5's order.
Arithmetic by_place(const Problem& problem) {
  const Aggregation kind = problem.aggregate.kind;
  const auto back = kind == Aggregation::lag ? static_cast<std::size_t>(problem.aggregate.k) : 0;
  if (back >= problem.rows())
    return {{}, {counted(problem.rows(), "value") + ", so there is none at that place: null"}};
  const std::size_t row = kind == Aggregation::first ? 0 : problem.rows() - 1 - back;
  const std::string which = kind == Aggregation::first ? "oldest"
                            : back == 0 ? "newest"
                                        : std::to_string(back) + " before the newest";
  return {
      value_at(problem.values.argument, static_cast<std::int64_t>(row)),
      {picked(problem, which + " by (event time, position) of " + counted(problem.rows(), "value"),
              row)}};
}

Arithmetic truth(const Problem& problem) {
  if (problem.rows() == 0) return {{}, {"no values: null"}};
  const auto values = numbers<std::int64_t>(problem.values.argument);
  const auto trues = static_cast<std::size_t>(std::ranges::count(values, 1));
  const bool any = problem.aggregate.kind == Aggregation::any;
  return {Value{any ? trues > 0 : trues == values.size()},
          {std::to_string(trues) + " of " + counted(values.size(), "value") + " are true"}};
}

// Sums of one argument of ratio; a row where it is null adds nothing.
struct PartSum {
  bool real = false;
  exact::Int128 integers = 0;
  exact::ExactSum reals;
  std::size_t present = 0;
  int scale = 0;

  explicit PartSum(const data::Column& column)
      : real(data::is_float(column.type())), scale(data::scale_of(column.type())) {
    for (std::int64_t row = 0; row < column.size(); ++row) {
      if (column.is_null(row)) continue;
      ++present;
      if (real)
        reals.add(column.real(row));
      else
        integers +=
            column.type() == Type::boolean ? std::int64_t{column.bit(row)} : column.integer(row);
    }
  }
  std::string text() const {
    return (real ? exact_text(reals) : sum_text(integers, scale)) + " (" +
           counted(present, "value") + ")";
  }
};

Arithmetic ratio(const Problem& problem) {
  const PartSum a(problem.values.argument), b(problem.values.divisor);
  const auto value =
      a.real ? (b.real ? exact::ratio(a.reals, b.reals)
                       : exact::ratio(a.reals, b.integers, unit_of(b.scale)))
             : (b.real ? exact::ratio(a.integers, unit_of(a.scale), b.reals)
                       : exact::ratio(a.integers, unit_of(a.scale), b.integers, unit_of(b.scale)));
  const Value result = a.present == 0 ? Value{} : or_null(value);
  return {result,
          {"sum of the first argument = " + a.text(), "sum of the second argument = " + b.text(),
           "the quotient, rounded once = " + text_or_null(result, Type::float64)}};
}

Arithmetic rate(const Problem& problem) {
  const auto& bounds = problem.values.bounds;
  if (problem.rows() == 0) return {{}, {"no events: null"}};
  if (bounds.from_us == std::numeric_limits<std::int64_t>::min())
    return {{}, {"a window without a begin has no length in hours: null"}};
  const exact::Int128 length = static_cast<exact::Int128>(bounds.to_us) - bounds.from_us;
  const auto rows = static_cast<exact::Int128>(problem.rows());
  const Value value = or_null(exact::ratio(rows * kHourUs, length));
  return {value,
          {counted(problem.rows(), "event") + " in " + exact_text(length) + " µs",
           "per hour, rounded once: " + exact_text(rows) + " · 3600000000 / " + exact_text(length) +
               " = " + text_or_null(value, Type::float64)}};
}

template <class Number>
std::optional<double> slope_of(const std::vector<std::int64_t>& times,
                               const std::vector<Number>& values, int scale) {
  std::conditional_t<std::is_same_v<Number, double>, exact::SlopeMoments,
                     exact::IntegerSlopeMoments>
      moments;
  for (std::size_t i = 0; i < values.size(); ++i) moments.add(times[i], values[i]);
  if constexpr (std::is_same_v<Number, double>)
    return moments.slope();
  else
    return moments.slope(unit_of(scale));
}

Arithmetic slope(const Problem& problem) {
  const auto& times = problem.values.event_time_us;
  return with_numbers(problem, [&](const auto& values) -> Arithmetic {
    const auto value = slope_of(times, values, problem.scale());
    const std::set<std::int64_t> distinct(times.begin(), times.end());
    std::vector<std::string> steps = {counted(values.size(), "value") + " at " +
                                      counted(distinct.size(), "distinct time")};
    steps.push_back(value ? "(n·Σtx − Σt·Σx) / (n·Σt² − (Σt)²) per day, rounded once = " +
                                number(*value)
                          : "fewer than two distinct times: null");
    return {or_null(value), std::move(steps)};
  });
}

Arithmetic since(const Problem& problem) {
  if (problem.rows() == 0) return {{}, {"no events: null"}};
  const auto& times = problem.values.event_time_us;
  const std::int64_t time =
      problem.aggregate.kind == Aggregation::since_last ? times.back() : times.front();
  const exact::Int128 age = static_cast<exact::Int128>(problem.values.at_us) - time;
  const Value value = or_null(exact::ratio(age, exact::Int128{kSecondUs}));
  return {
      value,
      {"from " + format_time(time) + " to " + format_time(problem.values.at_us) + ": " +
       exact_text(age) + " µs / 1000000, rounded once = " + text_or_null(value, Type::float64)}};
}

Arithmetic decayed(const Problem& problem) {
  const auto& times = problem.values.event_time_us;
  const std::int64_t half_life = problem.aggregate.half_life_us;
  return with_numbers(problem, [&](const auto& values) -> Arithmetic {
    exact::DecayedSum sums(half_life);
    std::vector<std::string> steps;
    for (std::size_t i = 0; i < values.size(); ++i) {
      const std::int64_t age = problem.values.at_us - times[i];
      sums.add(age, values[i]);
      const exact::DecayFactor factor(age, half_life);
      if (values.size() - i > kTermsWritten) continue;
      steps.push_back(number(values[i]) + " of age " + exact_text(exact::Int128{age}) + " µs" +
                      (factor.is_beyond() ? ": older than 64 half-lives, left out"
                                          : " · " + number(factor.weight()) + " = " +
                                                number(factor.times(values[i]))));
    }
    if (values.size() > kTermsWritten)
      steps.insert(steps.begin(), counted(values.size(), "term") + ", the newest:");
    const bool is_mean = problem.aggregate.kind == Aggregation::decayed_mean;
    const auto value = is_mean ? sums.mean() : sums.sum();
    steps.push_back((is_mean ? "their sum divided by the sum of the weights = "
                             : "their exact sum, rounded once = ") +
                    text_or_null(or_null(value), Type::float64));
    return {or_null(value), std::move(steps)};
  });
}

std::string approximate_step(const std::string& how, const Value& told, Type type) {
  return "more than 1,024 distinct values: approximate, " + how + ", = " + text_or_null(told, type);
}

double interpolated(double a, double b, const exact::QuantileRank& rank, int /*scale*/) {
  return exact::interpolate(a, b, rank);
}
double interpolated(std::int64_t a, std::int64_t b, const exact::QuantileRank& rank, int scale) {
  return exact::interpolate(a, b, rank, unit_of(scale));
}

Arithmetic quantile(const Problem& problem) {
  if (problem.rows() == 0) return {{}, {"no values: null"}};
  return with_numbers(problem, [&](auto values) -> Arithmetic {
    using Number = typename std::decay_t<decltype(values)>::value_type;
    exact::QuantileSketch<Number> sketch;
    for (const Number value : values) sketch.add(value);
    const double p = problem.aggregate.p;
    const Value told = or_null(sketch.quantile(p, unit_of(problem.scale())));
    if (sketch.is_approximate())
      return {told, {approximate_step("from bins", told, Type::float64)}};
    if constexpr (std::is_same_v<Number, double>) {
      if (std::ranges::any_of(values, [](double x) { return x != x; }))
        return {told, {"one of the values is NaN"}};
      for (double& value : values) value += 0.0;  // −0 counts as 0
    }
    std::ranges::sort(values);
    const auto rank = exact::quantile_rank(p, static_cast<std::int64_t>(values.size()));
    const auto low = static_cast<std::size_t>(rank.index);
    const Number a = values[low], b = values[std::min(low + 1, values.size() - 1)];
    const int scale = problem.scale();
    const double value = interpolated(a, b, rank, scale);
    return {Value{value},
            {"p · (n − 1) = " + number(p) + " · " + std::to_string(values.size() - 1) +
                 ": order statistics " + std::to_string(low) + " and " + std::to_string(low + 1) +
                 " (from 0) are " + number(a, scale) + " and " + number(b, scale),
             number(a, scale) + " + (" + number(b, scale) + " − " + number(a, scale) + ") · " +
                 number(exact::interpolate(0.0, 1.0, rank)) + ", rounded once = " + number(value)}};
  });
}

// A value of any type as the order of its kind sees it; equal keys are equal values.
struct Keyed {
  std::int64_t number = 0;
  std::string text;
  friend auto operator<=>(const Keyed&, const Keyed&) = default;
};
Keyed key_of(const data::Column& column, std::int64_t row) {
  if (column.type() == Type::string) return {0, std::string(column.string(row))};
  if (column.type() == Type::boolean) return {column.bit(row), {}};
  // −0 counts as 0.
  if (data::is_float(column.type())) return {kernel::order_key(column.real(row) + 0.0), {}};
  return {column.integer(row), {}};
}

struct Group {
  std::int64_t count = 0, row = 0;  // one of its rows
};
std::map<Keyed, Group> groups_of(const data::Column& column) {
  std::map<Keyed, Group> groups;
  for (std::int64_t row = 0; row < column.size(); ++row) {
    Group& group = groups[key_of(column, row)];
    ++group.count;
    group.row = row;
  }
  return groups;
}

std::string groups_text(const data::Column& column, const std::map<Keyed, Group>& groups) {
  std::vector<const Group*> sorted;
  for (const auto& [key, group] : groups) sorted.push_back(&group);
  std::ranges::stable_sort(sorted,
                           [](const Group* a, const Group* b) { return a->count > b->count; });
  std::string text;
  for (std::size_t i = 0; i < sorted.size() && i < kTermsWritten; ++i)
    text += (i == 0 ? "" : ", ") + data::to_text(column.value(sorted[i]->row), column.type()) +
            " ×" + std::to_string(sorted[i]->count);
  return sorted.size() > kTermsWritten ? text + ", …" : text;
}

// What a sketch of the values answers, where there are more distinct ones than it holds. The keys
// are the kernel's, and so is the rule. (semantics: A4)
Arithmetic distinct_estimate(const std::map<Keyed, Group>& groups, bool is_text) {
  exact::DistinctCount<std::int64_t> numbers;
  exact::DistinctCount<exact::Key128> texts;
  for (const auto& [key, group] : groups) {
    if (is_text)
      texts.add(kernel::key_of_text(key.text));
    else
      numbers.add(key.number);
  }
  const Value told{is_text ? texts.count() : numbers.count()};
  return {told,
          {approximate_step(
              "by HyperLogLog (a count of all finds " + std::to_string(groups.size()) + ")", told,
              Type::int64)}};
}

Arithmetic distinct(const Problem& problem) {
  if (problem.rows() == 0) return {{}, {"no values: null"}};
  const auto& column = problem.values.argument;
  const auto groups = groups_of(column);
  if (groups.size() > exact::kDefaultCap) return distinct_estimate(groups, problem.is_text());
  return {Value{static_cast<std::int64_t>(groups.size())},
          {counted(groups.size(), "distinct value") + " among " + counted(problem.rows(), "value") +
           ": " + groups_text(column, groups)}};
}

// A list of values; null, as the kernel has it, where that is too long.
Value list_of_values(Type element, const std::vector<Value>& values) {
  if (values.empty()) return {};
  std::string bytes;
  for (const Value& value : values) data::append_element(bytes, element, value);
  if (bytes.size() > kernel::kMaxResultBytes) return {};
  return Value{std::move(bytes)};
}

// last_k: rows stand in T5's order.
Arithmetic newest(const Problem& problem) {
  if (problem.rows() == 0) return {{}, {"no values: null"}};
  const auto wanted = static_cast<std::size_t>(problem.aggregate.k);
  std::vector<Value> values;
  for (std::size_t row = problem.rows(); row-- > 0 && values.size() < wanted;)
    values.push_back(value_at(problem.values.argument, static_cast<std::int64_t>(row)));
  return {list_of_values(problem.type(), values),
          {"the newest " + std::to_string(values.size()) + " by (event time, position) of " +
               counted(problem.rows(), "value"),
           picked(problem, "the first of them", problem.rows() - 1)}};
}

// The value that a key of the kernel's sketch stands for.
Value value_of_key(std::int64_t key, Type type) {
  if (type == Type::boolean) return key != 0;
  if (!data::is_float(type)) return key;
  return kernel::number_of_order_key(key);
}

// Up to k values by count descending, then ascending: of numbers above the cap from counters, as
// the kernel has them. (semantics: A4)
std::vector<Value> most_frequent(const Problem& problem, const std::map<Keyed, Group>& groups,
                                 std::size_t k) {
  const auto& column = problem.values.argument;
  std::vector<Value> values;
  if (!problem.is_text() && groups.size() > exact::kDefaultCap) {
    exact::FrequentValues<std::int64_t> sketch;
    for (const auto& [key, group] : groups) sketch.add(key.number, group.count);
    for (const auto& entry : sketch.top_k(k))
      values.push_back(value_of_key(entry.value, column.type()));
    return values;
  }
  std::vector<const Group*> sorted;  // of equal counts the smallest first: the map goes upwards
  for (const auto& [key, group] : groups) sorted.push_back(&group);
  std::ranges::stable_sort(sorted,
                           [](const Group* a, const Group* b) { return a->count > b->count; });
  for (std::size_t i = 0; i < std::min(k, sorted.size()); ++i) {
    Value value = value_at(column, sorted[i]->row);
    if (auto* real = std::get_if<double>(&value)) *real += 0.0;  // −0 counts as 0
    values.push_back(std::move(value));
  }
  return values;
}

// mode and top_k.
Arithmetic by_frequency(const Problem& problem) {
  if (problem.rows() == 0) return {{}, {"no values: null"}};
  const auto& column = problem.values.argument;
  const auto groups = groups_of(column);
  const bool over_cap = groups.size() > exact::kDefaultCap;
  if (over_cap && problem.is_text() &&
      problem.values.bounds.from_us == std::numeric_limits<std::int64_t>::min())
    return {{}, {"more than 1,024 distinct texts over all time, which are not held: null"}};
  const bool one = problem.aggregate.kind == Aggregation::mode;
  const auto values =
      most_frequent(problem, groups, one ? 1 : static_cast<std::size_t>(problem.aggregate.k));
  const Type type = one ? column.type() : data::list_of(column.type());
  Value told = !one             ? list_of_values(column.type(), values)
               : values.empty() ? Value{}
                                : values.front();
  if (over_cap && !problem.is_text())
    return {told, {approximate_step("from counters", told, type)}};
  return {std::move(told),
          {"of " + counted(groups.size(), "distinct value") + ": " + groups_text(column, groups)}};
}

}  // namespace

Result<Arithmetic> compute(const define::Aggregate& aggregate, const WindowValues& values) {
  const Problem problem{aggregate, values};
  switch (aggregate.kind) {
    case Aggregation::count:
      return count(problem);
    case Aggregation::sum:
      return sum(problem);
    case Aggregation::mean:
      return mean(problem);
    case Aggregation::var:
    case Aggregation::std:
    case Aggregation::var_pop:
    case Aggregation::std_pop:
      return spread(problem);
    case Aggregation::min:
    case Aggregation::max:
      return extreme(problem);
    case Aggregation::first:
    case Aggregation::last:
    case Aggregation::latest:
    case Aggregation::lag:
      return by_place(problem);
    case Aggregation::distinct:
      return distinct(problem);
    case Aggregation::quantile:
      return quantile(problem);
    case Aggregation::mode:
    case Aggregation::top_k:
      return by_frequency(problem);
    case Aggregation::last_k:
      return newest(problem);
    case Aggregation::any:
    case Aggregation::all:
      return truth(problem);
    case Aggregation::ratio:
      return ratio(problem);
    case Aggregation::rate:
      return rate(problem);
    case Aggregation::slope:
      return slope(problem);
    case Aggregation::since_last:
    case Aggregation::since_first:
      return since(problem);
    case Aggregation::decayed_sum:
    case Aggregation::decayed_mean:
      return decayed(problem);
  }
  return fail(Code::unsupported, "aggregate '" + std::string(name(aggregate.kind)) +
                                     "' has no worked arithmetic in this version");
}

}  // namespace coeval::replay
