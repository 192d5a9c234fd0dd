#include "define/functions.h"

#include <algorithm>
#include <array>

namespace coeval::define {

namespace {

// clang-format off
constexpr std::array kFunctions = {
    Function{"seconds", Op::fn_seconds, 1, 1, Takes::number, Gives::duration, NullRule::propagates,
             "seconds(number) → duration", "That many seconds, rounded half to even to the microsecond.", "ts + seconds(1.5)"},
    Function{"minutes", Op::fn_minutes, 1, 1, Takes::number, Gives::duration, NullRule::propagates,
             "minutes(number) → duration", "That many minutes, rounded half to even to the microsecond.", "ts + minutes(40 + n / 7.5)"},
    Function{"hours", Op::fn_hours, 1, 1, Takes::number, Gives::duration, NullRule::propagates,
             "hours(number) → duration", "That many hours, rounded half to even to the microsecond.", "ts - hours(n)"},
    Function{"days", Op::fn_days, 1, 1, Takes::number, Gives::duration, NullRule::propagates,
             "days(number) → duration", "That many days of 24 hours, rounded half to even to the microsecond.", "ts + days(7)"},
    Function{"year", Op::fn_year, 1, 1, Takes::timestamp, Gives::int64, NullRule::propagates,
             "year(timestamp) → int64", "The calendar year, UTC.", "year(ts)"},
    Function{"month", Op::fn_month, 1, 1, Takes::timestamp, Gives::int64, NullRule::propagates,
             "month(timestamp) → int64", "The month, 1 to 12, UTC.", "month(ts)"},
    Function{"day", Op::fn_day, 1, 1, Takes::timestamp, Gives::int64, NullRule::propagates,
             "day(timestamp) → int64", "The day of the month, 1 to 31, UTC.", "day(ts)"},
    Function{"hour", Op::fn_hour, 1, 1, Takes::timestamp, Gives::int64, NullRule::propagates,
             "hour(timestamp) → int64", "The hour, 0 to 23, UTC.", "hour(ts)"},
    Function{"minute", Op::fn_minute, 1, 1, Takes::timestamp, Gives::int64, NullRule::propagates,
             "minute(timestamp) → int64", "The minute of the hour, 0 to 59.", "minute(ts)"},
    Function{"second", Op::fn_second, 1, 1, Takes::timestamp, Gives::int64, NullRule::propagates,
             "second(timestamp) → int64", "The second of the minute, 0 to 59; fractions are dropped.", "second(ts)"},
    Function{"weekday", Op::fn_weekday, 1, 1, Takes::timestamp, Gives::int64, NullRule::propagates,
             "weekday(timestamp) → int64", "The day of the week, Monday = 0 to Sunday = 6, UTC.", "weekday(ts) >= 5"},
    Function{"minute_of_day", Op::fn_minute_of_day, 1, 1, Takes::timestamp, Gives::int64, NullRule::propagates,
             "minute_of_day(timestamp) → int64", "Minutes since midnight, 0 to 1439, UTC.", "minute_of_day(ts)"},
    Function{"day_of_year", Op::fn_day_of_year, 1, 1, Takes::timestamp, Gives::int64, NullRule::propagates,
             "day_of_year(timestamp) → int64", "The day of the year, 1 to 366, UTC.", "day_of_year(ts)"},
    Function{"abs", Op::fn_abs, 1, 1, Takes::number, Gives::as_argument, NullRule::propagates,
             "abs(number) → number", "The absolute value.", "abs(x - 3)"},
    Function{"least", Op::fn_least, 2, -1, Takes::ordered, Gives::as_argument, NullRule::propagates,
             "least(a, b, …) → as its arguments", "The smallest argument; null if one is null.", "least(n, 10, x)"},
    Function{"greatest", Op::fn_greatest, 2, -1, Takes::ordered, Gives::as_argument, NullRule::propagates,
             "greatest(a, b, …) → as its arguments", "The largest argument; null if one is null.", "greatest(ts, ts + 1h)"},
    Function{"if", Op::if_else, 3, 3, Takes::condition, Gives::as_argument, NullRule::special,
             "if(condition, a, b) → as a and b", "a where the condition is true, b where it is false or null.", "if(n > 0, x / n, null)"},
    Function{"coalesce", Op::coalesce, 1, -1, Takes::anything, Gives::as_argument, NullRule::special,
             "coalesce(a, b, …) → as its arguments", "The first argument that is not null; null if all are.", "coalesce(s, 'none')"},
};

constexpr std::array kAggregates = {
    AggregateFunction{"count", Aggregation::count, Over::rows_or_anything, "count() or count(x) → int64",
                      "Rows, or rows where x is not null. 0 for an empty window."},
    AggregateFunction{"sum", Aggregation::sum, Over::number, "sum(x) → int64 or float64",
                      "The exact sum, rounded once; of integers and booleans an int64. Null for an empty window."},
    AggregateFunction{"mean", Aggregation::mean, Over::number, "mean(x) → float64",
                      "The exact mean, rounded once; a boolean counts as 0 or 1. Null for an empty window."},
    AggregateFunction{"min", Aggregation::min, Over::ordered, "min(x) → as x", "The smallest value that is not null."},
    AggregateFunction{"max", Aggregation::max, Over::ordered, "max(x) → as x", "The largest value that is not null."},
    AggregateFunction{"first", Aggregation::first, Over::ordered, "first(x) → as x",
                      "The value that is not null of the oldest event; ties by position."},
    AggregateFunction{"last", Aggregation::last, Over::ordered, "last(x) → as x",
                      "The value that is not null of the newest event; ties by position."},
};

constexpr auto kFutureFunctions = std::to_array<std::string_view>({
    "nullif", "cast", "try_cast", "lower", "upper", "trim", "substr", "split_part", "length", "contains",
    "starts_with", "ends_with", "regexp_like", "concat", "week", "quarter", "is_weekend", "date_trunc",
    "date_diff", "age", "sign", "floor", "ceil", "round", "trunc", "sqrt", "exp", "log", "log2", "log10",
    "log1p", "expm1", "pow", "sin", "cos", "tan", "asin", "acos", "atan", "atan2", "tanh", "clamp",
    "haversine_km", "hash_bucket", "bucketize", "width_bucket", "cross", "dot", "cosine", "l2", "element"});
constexpr auto kFutureAggregates = std::to_array<std::string_view>({
    "var", "std", "var_pop", "std_pop", "lag", "last_k", "distinct", "quantile", "mode", "top_k", "any",
    "all", "ratio", "rate", "slope", "decayed_sum", "decayed_mean", "since_last", "since_first"});
// clang-format on

template <class Table>
auto* row_named(const Table& table, std::string_view name) {
  const auto row = std::find_if(table.begin(), table.end(),
                                [&](const auto& candidate) { return candidate.name == name; });
  return row == table.end() ? nullptr : &*row;
}

template <class Table>
std::vector<std::string> names_of(const Table& table) {
  std::vector<std::string> names;
  for (const auto& row : table) names.emplace_back(row.name);
  return names;
}

}  // namespace

std::span<const Function> functions() { return kFunctions; }
const Function* find_function(std::string_view name) { return row_named(kFunctions, name); }
bool is_date_part(const Function& function) {
  return function.takes == Takes::timestamp && function.max_args == 1;
}

std::span<const AggregateFunction> aggregate_functions() { return kAggregates; }
const AggregateFunction* find_aggregate(std::string_view name) {
  return row_named(kAggregates, name);
}

bool is_future_function(std::string_view name) {
  return std::ranges::count(kFutureFunctions, name) > 0;
}
bool is_future_aggregate(std::string_view name) {
  return std::ranges::count(kFutureAggregates, name) > 0;
}

std::vector<std::string> function_names() { return names_of(kFunctions); }
std::vector<std::string> aggregate_names() { return names_of(kAggregates); }

}  // namespace coeval::define
