#include "define/functions.h"

#include <algorithm>

namespace coeval::define {

namespace {

constexpr Parameter kNumber{Takes::number}, kAnything{Takes::anything}, kOrdered{Takes::ordered},
    kMoment{Takes::moment}, kEach{Takes::each}, kReal{Takes::real}, kInteger{Takes::integer},
    kText{Takes::text}, kTime{Takes::timestamp}, kCondition{Takes::condition}, kSized{Takes::sized},
    kList{Takes::list}, kVector{Takes::vector};
constexpr Parameter kConstantNumber{Takes::number, true}, kConstantReal{Takes::real, true},
    kConstantInteger{Takes::integer, true}, kConstantText{Takes::text, true};

constexpr int kAny = -1;

// What a row says beyond the usual: a null argument makes the result null.
template <std::size_t N>
constexpr Function describe(Topic topic, std::string_view name, Op op, int min_args, int max_args,
                            const Parameter (&parameters)[N], Gives gives,
                            std::string_view signature, std::string_view doc,
                            std::string_view example, std::string_view expected,
                            NullRule nulls = NullRule::propagates) {
  Function function{name,  topic, op,        min_args, max_args, {},      static_cast<int>(N),
                    gives, nulls, signature, doc,      example,  expected};
  std::copy_n(parameters, N, function.parameters.begin());
  return function;
}

// clang-format off
constexpr auto kFunctions = std::to_array<Function>({
    describe(Topic::conditions, "if", Op::if_else, 3, 3, {kCondition, kAnything}, Gives::as_argument,
        "if(condition, a, b) → as a and b", "a where the condition is true, b where it is false or null.",
        "if(2 > 1, 'yes', 'no')", "'yes'", NullRule::special),
    describe(Topic::conditions, "coalesce", Op::coalesce, 1, kAny, {kAnything}, Gives::as_argument,
        "coalesce(a, b, …) → as its arguments", "The first argument that is not null; null if all are.",
        "coalesce(null, 7, 8)", "7", NullRule::special),
    describe(Topic::conditions, "nullif", Op::nullif, 2, 2, {kAnything}, Gives::as_argument,
        "nullif(a, b) → as its arguments", "Null where a = b, else a; a null b changes nothing.",
        "nullif(-1, -1)", "null", NullRule::special),
    describe(Topic::conditions, "least", Op::fn_least, 2, kAny, {kOrdered}, Gives::as_argument,
        "least(a, b, …) → as its arguments", "The smallest argument; NaN is larger than every number.",
        "least(3, 10, 2.5)", "2.5"),
    describe(Topic::conditions, "greatest", Op::fn_greatest, 2, kAny, {kOrdered}, Gives::as_argument,
        "greatest(a, b, …) → as its arguments", "The largest argument; NaN is larger than every number.",
        "greatest(90s, 1min)", "90s"),
    describe(Topic::conditions, "clamp", Op::fn_clamp, 3, 3, {kOrdered}, Gives::as_argument,
        "clamp(x, low, high) → as its arguments", "x, but low where it is less and high where it is more; NaN stays NaN.",
        "clamp(17, 0, 10)", "10"),

    describe(Topic::casts, "cast", Op::convert, 1, 1, {kEach}, Gives::as_argument,
        "cast(x as type) → that type", "x as bool, int32, int64, float32, float64, decimal(p,s), string, timestamp or date; null, and counted, where that fails.",
        "cast('12' as int64)", "12"),
    describe(Topic::casts, "try_cast", Op::try_convert, 1, 1, {kEach}, Gives::as_argument,
        "try_cast(x as type) → that type", "The same, but failing is expected: null, and not counted.",
        "try_cast('12a' as int64)", "null"),

    describe(Topic::text, "lower", Op::fn_lower, 1, 1, {kText}, Gives::text,
        "lower(text) → string", "Letters in lower case, one for one (Unicode 14, simple mapping).",
        "lower('ÀBC')", "'àbc'"),
    describe(Topic::text, "upper", Op::fn_upper, 1, 1, {kText}, Gives::text,
        "upper(text) → string", "Letters in upper case, one for one (Unicode 14, simple mapping); ß has none.",
        "upper('straße')", "'STRAßE'"),
    describe(Topic::text, "trim", Op::fn_trim, 1, 1, {kText}, Gives::text,
        "trim(text) → string", "Without spaces at both ends: those of Unicode's category Zs, hence no tabs or line breaks.",
        "trim('  ab ')", "'ab'"),
    describe(Topic::text, "ltrim", Op::fn_ltrim, 1, 1, {kText}, Gives::text,
        "ltrim(text) → string", "Without spaces at its start.",
        "ltrim('  ab ')", "'ab '"),
    describe(Topic::text, "rtrim", Op::fn_rtrim, 1, 1, {kText}, Gives::text,
        "rtrim(text) → string", "Without spaces at its end.",
        "rtrim('  ab ')", "'  ab'"),
    describe(Topic::text, "substr", Op::fn_substr, 2, 3, {kText, kInteger}, Gives::text,
        "substr(text, start[, length]) → string", "Characters from start on, the first being 1; a negative start counts from the end.",
        "substr('größer', 3, 2)", "'öß'"),
    describe(Topic::text, "split_part", Op::fn_split_part, 3, 3, {kText, kText, kInteger}, Gives::text,
        "split_part(text, separator, n) → string", "The n-th part, from 1, or from the end where n is negative; '' where there is none. An empty separator separates nothing.",
        "split_part('a,b,c', ',', 2)", "'b'"),
    describe(Topic::text, "replace", Op::fn_replace, 3, 3, {kText}, Gives::text,
        "replace(text, from, to) → string", "Every `from`, left to right, as `to`; an empty `from` is nowhere.",
        "replace('a-b-c', '-', '')", "'abc'"),
    describe(Topic::text, "concat", Op::fn_concat, 1, kAny, {kText}, Gives::text,
        "concat(a, b, …) → string", "One text after the other; null if one is null.",
        "concat('a', '/', 'b')", "'a/b'"),
    describe(Topic::text, "length", Op::fn_length, 1, 1, {kSized}, Gives::int64,
        "length(text or list) → int64", "The number of characters (code points), or of elements.",
        "length('größer')", "6"),
    describe(Topic::text, "contains", Op::fn_contains, 2, 2, {kText}, Gives::boolean,
        "contains(text, part) → bool", "Whether the part is somewhere in the text; '' is everywhere.",
        "contains('größer', 'ö')", "true"),
    describe(Topic::text, "starts_with", Op::fn_starts_with, 2, 2, {kText}, Gives::boolean,
        "starts_with(text, part) → bool", "Whether the text starts with the part.",
        "starts_with('ORD', 'O')", "true"),
    describe(Topic::text, "ends_with", Op::fn_ends_with, 2, 2, {kText}, Gives::boolean,
        "ends_with(text, part) → bool", "Whether the text ends with the part.",
        "ends_with('ORD', 'O')", "false"),
    describe(Topic::text, "regexp_like", Op::fn_regexp_like, 2, 2, {kText, kConstantText}, Gives::boolean,
        "regexp_like(text, 'pattern') → bool", "Whether the constant pattern (RE2, at most 1,000 characters) matches anywhere in the text.",
        "regexp_like('N917UA', '^N[0-9]+')", "true"),

    describe(Topic::time, "seconds", Op::fn_seconds, 1, 1, {kNumber}, Gives::duration,
        "seconds(number) → duration", "That many seconds, rounded half to even to the microsecond.",
        "seconds(1.5)", "1500ms"),
    describe(Topic::time, "minutes", Op::fn_minutes, 1, 1, {kNumber}, Gives::duration,
        "minutes(number) → duration", "That many minutes, rounded half to even to the microsecond.",
        "minutes(40 + 30 / 7.5)", "44min"),
    describe(Topic::time, "hours", Op::fn_hours, 1, 1, {kNumber}, Gives::duration,
        "hours(number) → duration", "That many hours, rounded half to even to the microsecond.",
        "hours(0.5)", "30min"),
    describe(Topic::time, "days", Op::fn_days, 1, 1, {kNumber}, Gives::duration,
        "days(number) → duration", "That many days of 24 hours, rounded half to even to the microsecond.",
        "days(7)", "7d"),
    describe(Topic::time, "year", Op::fn_year, 1, 1, {kMoment}, Gives::int64,
        "year(time) → int64", "The calendar year.",
        "year(timestamp '2001-06-03 12:34:56')", "2001"),
    describe(Topic::time, "quarter", Op::fn_quarter, 1, 1, {kMoment}, Gives::int64,
        "quarter(time) → int64", "The quarter, 1 to 4.",
        "quarter(date '2001-06-03')", "2"),
    describe(Topic::time, "month", Op::fn_month, 1, 1, {kMoment}, Gives::int64,
        "month(time) → int64", "The month, 1 to 12.",
        "month(date '2001-06-03')", "6"),
    describe(Topic::time, "week", Op::fn_week, 1, 1, {kMoment}, Gives::int64,
        "week(time) → int64", "The week by ISO 8601, 1 to 53; the first days of January may be in the old year's last.",
        "week(date '2005-01-01')", "53"),
    describe(Topic::time, "day", Op::fn_day, 1, 1, {kMoment}, Gives::int64,
        "day(time) → int64", "The day of the month, 1 to 31.",
        "day(date '2001-06-03')", "3"),
    describe(Topic::time, "day_of_year", Op::fn_day_of_year, 1, 1, {kMoment}, Gives::int64,
        "day_of_year(time) → int64", "The day of the year, 1 to 366.",
        "day_of_year(date '2001-06-03')", "154"),
    describe(Topic::time, "weekday", Op::fn_weekday, 1, 1, {kMoment}, Gives::int64,
        "weekday(time) → int64", "The day of the week, Monday = 0 to Sunday = 6.",
        "weekday(date '2001-06-03')", "6"),
    describe(Topic::time, "is_weekend", Op::fn_is_weekend, 1, 1, {kMoment}, Gives::boolean,
        "is_weekend(time) → bool", "Whether it is a Saturday or Sunday.",
        "is_weekend(date '2001-06-03')", "true"),
    describe(Topic::time, "hour", Op::fn_hour, 1, 1, {kTime}, Gives::int64,
        "hour(timestamp) → int64", "The hour, 0 to 23.",
        "hour(timestamp '2001-06-03 12:34:56')", "12"),
    describe(Topic::time, "minute", Op::fn_minute, 1, 1, {kTime}, Gives::int64,
        "minute(timestamp) → int64", "The minute of the hour, 0 to 59.",
        "minute(timestamp '2001-06-03 12:34:56')", "34"),
    describe(Topic::time, "second", Op::fn_second, 1, 1, {kTime}, Gives::int64,
        "second(timestamp) → int64", "The second of the minute, 0 to 59; fractions are dropped.",
        "second(timestamp '2001-06-03 12:34:56.9')", "56"),
    describe(Topic::time, "minute_of_day", Op::fn_minute_of_day, 1, 1, {kTime}, Gives::int64,
        "minute_of_day(timestamp) → int64", "Minutes since midnight by the clock, 0 to 1439.",
        "minute_of_day(timestamp '2001-06-03 12:34:56')", "754"),
    describe(Topic::time, "date_trunc", Op::fn_date_trunc, 2, 2, {kConstantText, kMoment}, Gives::as_argument,
        "date_trunc('unit', time) → as time", "The start of the microsecond, millisecond, second, minute, hour, day, week (Monday), month, quarter or year.",
        "date_trunc('week', timestamp '2001-06-03 12:34:56')", "2001-05-28T00:00:00Z"),
    describe(Topic::time, "date_diff", Op::fn_date_diff, 3, 3, {kConstantText, kMoment}, Gives::int64,
        "date_diff('unit', a, b) → int64", "How many times a new unit begins between a and b, negative where b is earlier. Weeks begin on Monday.",
        "date_diff('month', date '2001-01-31', date '2001-02-01')", "1"),
    describe(Topic::time, "age", Op::subtract, 2, 2, {kTime}, Gives::duration,
        "age(a, b) → duration", "a - b, the time from b to a.",
        "age(timestamp '2001-06-03 12:00', timestamp '2001-06-01')", "60h"),

    describe(Topic::maths, "abs", Op::fn_abs, 1, 1, {kNumber}, Gives::as_argument,
        "abs(x) → as x", "The absolute value.",
        "abs(-3)", "3"),
    describe(Topic::maths, "sign", Op::fn_sign, 1, 1, {kNumber}, Gives::as_argument,
        "sign(x) → as x, int64 for decimals", "-1, 0 or 1; NaN of NaN.",
        "sign(-2.5)", "-1"),
    describe(Topic::maths, "floor", Op::fn_floor, 1, 1, {kNumber}, Gives::as_argument,
        "floor(x) → as x", "The largest whole number that is not above x.",
        "floor(-2.5)", "-3"),
    describe(Topic::maths, "ceil", Op::fn_ceil, 1, 1, {kNumber}, Gives::as_argument,
        "ceil(x) → as x", "The smallest whole number that is not below x.",
        "ceil(-2.5)", "-2"),
    describe(Topic::maths, "trunc", Op::fn_trunc, 1, 1, {kNumber}, Gives::as_argument,
        "trunc(x) → as x", "The whole part.",
        "trunc(-2.5)", "-2"),
    describe(Topic::maths, "round", Op::fn_round, 1, 2, {kNumber, kConstantInteger}, Gives::as_argument,
        "round(x[, digits]) → as x", "The nearest number with so many decimals (0; -15 to 15; negative for tens, hundreds, …), halves away from zero, decided by x's exact value.",
        "round(2.345, 2)", "2.35"),
    describe(Topic::maths, "sqrt", Op::fn_sqrt, 1, 1, {kReal}, Gives::float64,
        "sqrt(x) → float64", "The square root; NaN below 0.",
        "sqrt(2.25)", "1.5"),
    describe(Topic::maths, "exp", Op::fn_exp, 1, 1, {kReal}, Gives::float64,
        "exp(x) → float64", "e to the power of x.",
        "exp(0)", "1"),
    describe(Topic::maths, "expm1", Op::fn_expm1, 1, 1, {kReal}, Gives::float64,
        "expm1(x) → float64", "exp(x) - 1, accurate near 0.",
        "expm1(0)", "0"),
    describe(Topic::maths, "log", Op::fn_log, 1, 1, {kReal}, Gives::float64,
        "log(x) → float64", "The natural logarithm; -inf of 0, NaN below.",
        "log(1)", "0"),
    describe(Topic::maths, "log2", Op::fn_log2, 1, 1, {kReal}, Gives::float64,
        "log2(x) → float64", "The logarithm to base 2.",
        "log2(8)", "3"),
    describe(Topic::maths, "log10", Op::fn_log10, 1, 1, {kReal}, Gives::float64,
        "log10(x) → float64", "The logarithm to base 10.",
        "log10(1000)", "3"),
    describe(Topic::maths, "log1p", Op::fn_log1p, 1, 1, {kReal}, Gives::float64,
        "log1p(x) → float64", "log(1 + x), accurate near 0.",
        "log1p(0)", "0"),
    describe(Topic::maths, "pow", Op::fn_pow, 2, 2, {kReal}, Gives::float64,
        "pow(x, y) → float64", "x to the power of y.",
        "pow(2, 0.5)", "1.4142135623730951"),
    describe(Topic::maths, "sin", Op::fn_sin, 1, 1, {kReal}, Gives::float64,
        "sin(x) → float64", "The sine of x radians.",
        "sin(0)", "0"),
    describe(Topic::maths, "cos", Op::fn_cos, 1, 1, {kReal}, Gives::float64,
        "cos(x) → float64", "The cosine of x radians.",
        "cos(0)", "1"),
    describe(Topic::maths, "tan", Op::fn_tan, 1, 1, {kReal}, Gives::float64,
        "tan(x) → float64", "The tangent of x radians.",
        "tan(0)", "0"),
    describe(Topic::maths, "asin", Op::fn_asin, 1, 1, {kReal}, Gives::float64,
        "asin(x) → float64", "The arc sine in radians; NaN outside of -1 to 1.",
        "asin(1)", "1.5707963267948966"),
    describe(Topic::maths, "acos", Op::fn_acos, 1, 1, {kReal}, Gives::float64,
        "acos(x) → float64", "The arc cosine in radians; NaN outside of -1 to 1.",
        "acos(1)", "0"),
    describe(Topic::maths, "atan", Op::fn_atan, 1, 1, {kReal}, Gives::float64,
        "atan(x) → float64", "The arc tangent in radians.",
        "atan(1)", "0.7853981633974483"),
    describe(Topic::maths, "atan2", Op::fn_atan2, 2, 2, {kReal}, Gives::float64,
        "atan2(y, x) → float64", "The angle of the point (x, y) in radians, from -π to π.",
        "atan2(1, -1)", "2.356194490192345"),
    describe(Topic::maths, "tanh", Op::fn_tanh, 1, 1, {kReal}, Gives::float64,
        "tanh(x) → float64", "The hyperbolic tangent.",
        "tanh(100)", "1"),
    describe(Topic::maths, "haversine_km", Op::fn_haversine_km, 4, 4, {kReal}, Gives::float64,
        "haversine_km(latitude1, longitude1, latitude2, longitude2) → float64",
        "Kilometres between two points given in degrees, on a sphere of radius 6371.0088 km.",
        "round(haversine_km(41.98, -87.9, 40.64, -73.78), 1)", "1187.4"),

    describe(Topic::buckets, "hash_bucket", Op::fn_hash_bucket, 2, 2, {kEach, kConstantInteger}, Gives::int64,
        "hash_bucket(x, n) → int64", "XXH3-64 of x, modulo the constant n: 0 to n - 1. Hashed are a text's bytes, and 8 bytes, little-endian, of anything else: of int64, of a decimal times 10^s, or of float64 with one zero and one NaN.",
        "hash_bucket('', 1000)", "138"),
    describe(Topic::buckets, "bucketize", Op::fn_bucketize, 2, kAny, {kNumber, kConstantNumber}, Gives::int64,
        "bucketize(x, b1, b2, …) → int64", "How many of the constant, ascending boundaries are not above x: 0 below the first. NaN is above all. (numpy.digitize)",
        "bucketize(5, 1, 5, 10)", "2"),
    describe(Topic::buckets, "width_bucket", Op::fn_width_bucket, 4, 4, {kReal, kConstantReal, kConstantReal, kConstantInteger}, Gives::int64,
        "width_bucket(x, low, high, n) → int64", "Which of n equal parts of [low, high) holds x, from 1; 0 below, n + 1 from high on and for NaN. All but x are constants.",
        "width_bucket(3.5, 0, 10, 5)", "2"),
    describe(Topic::buckets, "cross", Op::fn_cross, 2, kAny, {kEach}, Gives::text,
        "cross(a, b, …) → string", "One text for the combination: each as `cast(… as string)`, a \\ before every \\ and |, joined by |.",
        "cross('ORD', 5)", "'ORD|5'"),

    describe(Topic::lists, "element", Op::fn_element, 2, 2, {kList, kInteger}, Gives::element,
        "element(list, i) → the type of its elements", "The i-th element, from 0 at the front; null where there is none.",
        "element([2.5, 4], 1)", "4", NullRule::special),
    describe(Topic::lists, "dot", Op::fn_dot, 2, 2, {kVector}, Gives::float64,
        "dot(a, b) → float64", "The sum of the products of two lists of floats, exact and rounded once. Null where their lengths differ.",
        "dot([1.5, 2], [4.0, -1])", "4", NullRule::special),
    describe(Topic::lists, "cosine", Op::fn_cosine, 2, 2, {kVector}, Gives::float64,
        "cosine(a, b) → float64", "dot(a, b) / √(dot(a, a) · dot(b, b)): each dot exact and rounded once, then ·, √ and / round once each; from -1 to 1, and 1 of equal lists. NaN where the dot of a list with itself is 0 (all zeros, or of float64 all below 1e-162) or not finite. Null where their lengths differ.",
        "cosine([3.0, 4], [4.0, 3])", "0.96", NullRule::special),
    describe(Topic::lists, "l2", Op::fn_l2, 2, 2, {kVector}, Gives::float64,
        "l2(a, b) → float64", "The Euclidean distance of two lists of floats: the root of the exact sum of squared differences, rounded once. Null where their lengths differ.",
        "l2([1.0, 2], [4.0, 6])", "5", NullRule::special),
});
// clang-format on

}  // namespace

std::span<const Function> functions() { return kFunctions; }

const Function* find_function(std::string_view name) {
  const auto row = std::ranges::find(kFunctions, name, &Function::name);
  return row == kFunctions.end() ? nullptr : &*row;
}

bool is_date_part(const Function& function) {
  const Takes takes = function.parameters[0].takes;
  return function.max_args == 1 && (takes == Takes::moment || takes == Takes::timestamp);
}

bool is_setting(const Expr& expr, std::size_t index) {
  switch (expr.op) {
    case Op::like:
    case Op::fn_regexp_like:
    case Op::fn_round:
    case Op::fn_hash_bucket:
    case Op::fn_bucketize:
    case Op::fn_width_bucket:
      return index > 0;
    case Op::fn_date_trunc:
    case Op::fn_date_diff:
      return index == 0;
    default:
      return false;
  }
}

std::vector<std::string> function_names() {
  std::vector<std::string> names;
  for (const auto& row : kFunctions) names.emplace_back(row.name);
  return names;
}

}  // namespace coeval::define
