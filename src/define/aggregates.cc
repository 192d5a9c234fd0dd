#include "define/aggregates.h"

#include <algorithm>
#include <array>

namespace coeval::define {

namespace {

using Constant = AggregateConstant;
using Result = AggregateResult;

// clang-format off
constexpr std::array kAggregates = {
    AggregateFunction{"count", Aggregation::count, Over::rows_or_anything, Constant::none, Result::int64,
                      "count() or count(x) → int64",
                      "Rows, or rows where x is not null. 0 for an empty window."},
    AggregateFunction{"sum", Aggregation::sum, Over::number, Constant::none, Result::sum, "sum(x) → int64, decimal or float64",
                      "The exact sum, rounded once; of integers and booleans an int64, of decimal(p,s) a "
                      "decimal(18,s). Null for an empty window."},
    AggregateFunction{"mean", Aggregation::mean, Over::number, Constant::none, Result::float64, "mean(x) → float64",
                      "The exact mean, rounded once; a boolean counts as 0 or 1. Null for an empty window."},
    AggregateFunction{"var", Aggregation::var, Over::number, Constant::none, Result::float64, "var(x) → float64",
                      "The sample variance (divided by n − 1) from exact moments, rounded once. Null under two values."},
    AggregateFunction{"std", Aggregation::std, Over::number, Constant::none, Result::float64, "std(x) → float64",
                      "The sample standard deviation, rounded once. Null under two values."},
    AggregateFunction{"var_pop", Aggregation::var_pop, Over::number, Constant::none, Result::float64,
                      "var_pop(x) → float64", "The variance divided by n, rounded once."},
    AggregateFunction{"std_pop", Aggregation::std_pop, Over::number, Constant::none, Result::float64,
                      "std_pop(x) → float64", "The standard deviation of var_pop, rounded once."},
    AggregateFunction{"min", Aggregation::min, Over::ordered, Constant::none, Result::as_argument, "min(x) → as x",
                      "The smallest value that is not null; texts by their bytes."},
    AggregateFunction{"max", Aggregation::max, Over::ordered, Constant::none, Result::as_argument, "max(x) → as x",
                      "The largest value that is not null; texts by their bytes."},
    AggregateFunction{"first", Aggregation::first, Over::anything, Constant::none, Result::as_argument, "first(x) → as x",
                      "The value that is not null of the oldest event; ties by position."},
    AggregateFunction{"last", Aggregation::last, Over::anything, Constant::none, Result::as_argument, "last(x) → as x",
                      "The value that is not null of the newest event; ties by position."},
    AggregateFunction{"latest", Aggregation::latest, Over::anything, Constant::none, Result::as_argument,
                      "latest(x) → as x", "The value of the newest event, null where that is null; ties by position."},
    AggregateFunction{"lag", Aggregation::lag, Over::anything, Constant::place, Result::as_argument, "lag(x, k) → as x",
                      "The k-th newest value that is not null: lag(x, 0) is last(x). Null if there are fewer."},
    AggregateFunction{"last_k", Aggregation::last_k, Over::scalar, Constant::many, Result::list,
                      "last_k(x, k) → list of x",
                      "The k newest values that are not null, newest first; fewer where there are fewer. Null if there is none."},
    AggregateFunction{"distinct", Aggregation::distinct, Over::ordered, Constant::none, Result::int64,
                      "distinct(x) → int64",
                      "The number of distinct values: exact up to 1,024, above that estimated (0.8 %)."},
    AggregateFunction{"quantile", Aggregation::quantile, Over::number, Constant::fraction, Result::float64,
                      "quantile(x, p) → float64",
                      "Linear between order statistics, rounded once: exact up to 1,024 distinct values, above that "
                      "within 0.4 %."},
    AggregateFunction{"mode", Aggregation::mode, Over::ordered, Constant::none, Result::as_argument, "mode(x) → as x",
                      "The most frequent value, of several the smallest: exact up to 1,024 distinct values, above "
                      "that from counters; of texts exact over any window, over all time null above that."},
    AggregateFunction{"top_k", Aggregation::top_k, Over::scalar, Constant::many, Result::list,
                      "top_k(x, k) → list of x",
                      "The k most frequent values, the most frequent first, of equally frequent ones the smallest; as exact as mode."},
    AggregateFunction{"any", Aggregation::any, Over::condition, Constant::none, Result::boolean, "any(c) → bool",
                      "Whether c is true for one row at least. Null for an empty window."},
    AggregateFunction{"all", Aggregation::all, Over::condition, Constant::none, Result::boolean, "all(c) → bool",
                      "Whether c is true for every row where it is not null. Null for an empty window."},
    AggregateFunction{"ratio", Aggregation::ratio, Over::two_numbers, Constant::none, Result::float64,
                      "ratio(a, b) → float64", "sum(a) / sum(b), exact and rounded once. Null where the divisor is 0."},
    AggregateFunction{"rate", Aggregation::rate, Over::rows, Constant::none, Result::float64, "rate() → float64",
                      "Rows per hour of the window. Null for an empty window, and over all time."},
    AggregateFunction{"slope", Aggregation::slope, Over::number, Constant::none, Result::float64, "slope(x) → float64",
                      "The least-squares slope against event time, per day, rounded once. Null under two distinct times."},
    AggregateFunction{"since_last", Aggregation::since_last, Over::rows, Constant::none, Result::float64,
                      "since_last() → float64", "Seconds from the newest event to the question's time."},
    AggregateFunction{"since_first", Aggregation::since_first, Over::rows, Constant::none, Result::float64,
                      "since_first() → float64", "Seconds from the oldest event to the question's time."},
    AggregateFunction{"decayed_sum", Aggregation::decayed_sum, Over::number, Constant::half_life, Result::float64,
                      "decayed_sum(x, h) → float64",
                      "Every value times 2^(−age / h), over 64 half-lives; each term and the sum are rounded once."},
    AggregateFunction{"decayed_mean", Aggregation::decayed_mean, Over::number, Constant::half_life, Result::float64,
                      "decayed_mean(x, h) → float64", "decayed_sum divided by the sum of its weights."},
};
// clang-format on

}  // namespace

std::string_view name(Aggregation a) {
  return std::ranges::find(kAggregates, a, &AggregateFunction::kind)->name;
}

std::span<const AggregateFunction> aggregate_functions() { return kAggregates; }

const AggregateFunction* find_aggregate(std::string_view name) {
  const auto row = std::ranges::find(kAggregates, name, &AggregateFunction::name);
  return row == kAggregates.end() ? nullptr : &*row;
}

bool may_be_approximate(Aggregation kind) {
  return kind == Aggregation::distinct || kind == Aggregation::quantile ||
         kind == Aggregation::mode || kind == Aggregation::top_k;
}

std::vector<std::string> aggregate_names() {
  std::vector<std::string> names;
  for (const auto& row : kAggregates) names.emplace_back(row.name);
  return names;
}

}  // namespace coeval::define
