#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/time_zone.h"
#include "data/column.h"
#include "data/value.h"
#include "define/text_pattern.h"

namespace coeval::define {

struct Project;

/// What a node of a typed expression does. The checker inserts `cast` nodes, so an evaluator needs
/// no coercion rules of its own:
/// - arithmetic is (int64, int64) or (float64, float64); or it is timestamp ± duration → timestamp,
///   duration ± duration → duration, timestamp − timestamp → duration, in that order of arguments;
/// - or it is of decimals, of decimal and int64: the node's type holds the exact result of add,
///   subtract and multiply, which is null, and counted, where it has more digits (V5); divide gives
///   the exact quotient rounded once to float64, null where the divisor is 0;
/// - comparison has two arguments of one type, or is of decimals of any scale and int64: int64,
/// float64, string, timestamp, date, duration;
///   equal and not_equal also boolean; is_distinct and nullif have two arguments of any one type;
/// - if_else, case_when, coalesce, nullif, fn_least, fn_greatest and fn_clamp have values of one
///   type, that of the node;
/// - arguments that a function wants constant are literals (functions.h says which);
/// - the literal null stands as a literal of the type that its place asks for.
enum class Op : std::uint8_t {
  literal,
  column,         ///< `column` indexes the row schema the expression was checked against
  question_time,  ///< `at`: the question's time, timestamp
  negate,
  add,
  subtract,
  multiply,
  divide,  ///< always float64, by IEEE; integers are cast first, so an integer divisor of zero
           ///< is a cast node over an integer: the result is null then, and counted (V5); so it is
           ///< for durations, whose quotient is that of their µs
  modulo,  ///< int64; null when the divisor is 0; sign of the dividend
  equal,
  not_equal,
  less,
  less_equal,
  greater,
  greater_equal,
  logical_and,
  logical_or,
  logical_not,  ///< three-valued (V4)
  is_null,
  is_not_null,
  is_distinct,  ///< never null: null differs from every value but null, NaN only from what it is
                ///< not
  like,         ///< text, constant pattern, constant escape or nothing; `pattern`
  if_else,      ///< if(condition, a, b): a where condition is true, else b
  case_when,    ///< condition, value, condition, value, …, else: as nested if_else
  coalesce,
  nullif,       ///< the first argument; null where it equals the second
  cast,         ///< int → float64, bool → int64 (0 or 1), int32 → int64, float32 → float64, bool →
                ///< float64, duration → float64 (µs), decimal → float64, anything → a decimal that
                ///< holds all of its values: never fails, inserted or written
  convert,      ///< a cast as written that only_widens() does not cover: null where it fails, and
                ///< counted (V5); `zone` between timestamp and date
  try_convert,  ///< the same, not counted
  // Functions, one each; the table in define/functions.h describes them. Null in, null out;
  // fn_least and fn_greatest too: one null argument makes the result null.
  fn_minutes,
  fn_hours,
  fn_days,
  fn_seconds,  ///< number → duration, rounded half to even to the µs
  // Of a timestamp by the clocks of `zone`, or of a date.
  fn_year,
  fn_month,
  fn_day,
  fn_hour,
  fn_minute,
  fn_second,
  fn_weekday,
  fn_minute_of_day,
  fn_day_of_year,
  fn_week,
  fn_quarter,
  fn_is_weekend,
  fn_date_trunc,
  fn_date_diff,
  fn_abs,
  fn_least,
  fn_greatest,
  fn_clamp,
  fn_sign,
  fn_floor,
  fn_ceil,
  fn_round,
  fn_trunc,
  // float64 → float64, of exact/maths.h
  fn_sqrt,
  fn_exp,
  fn_expm1,
  fn_log,
  fn_log2,
  fn_log10,
  fn_log1p,
  fn_sin,
  fn_cos,
  fn_tan,
  fn_asin,
  fn_acos,
  fn_atan,
  fn_tanh,
  fn_pow,
  fn_atan2,
  fn_haversine_km,
  fn_lower,
  fn_upper,
  fn_trim,
  fn_ltrim,
  fn_rtrim,
  fn_substr,
  fn_split_part,
  fn_replace,
  fn_concat,
  fn_length,  ///< of a text or a list
  fn_contains,
  fn_starts_with,
  fn_ends_with,
  fn_regexp_like,  ///< `pattern`
  fn_cross,
  fn_hash_bucket,
  fn_bucketize,
  fn_width_bucket,
  fn_element,  ///< list, int64: the element's type; null where the list has none there
  // Two lists of floats → float64; null where they have not one length.
  fn_dot,
  fn_cosine,
  fn_l2,
};

/// A node of a typed expression. Immutable after checking.
struct Expr {
  Op op = Op::literal;
  data::Type type = data::Type::null;
  data::Value literal;  ///< Op::literal
  int column = -1;      ///< Op::column
  std::string name;     ///< Op::column: the column's name, for canonical text
  std::shared_ptr<const TextPattern> pattern;  ///< like and fn_regexp_like: the compiled argument
  /// Whose calendar and clocks count where a timestamp is read by them; null = UTC. (semantics: T8)
  const TimeZone* zone = nullptr;
  std::vector<std::shared_ptr<const Expr>> args;
  /// Of the tree written out in full; the checker bounds both, so that recursion over an expression
  /// is safe and its canonical text is short. Subtrees may be shared.
  int depth = 1;
  int nodes = 1;
};
using ExprPtr = std::shared_ptr<const Expr>;

/// Canonical text: fully parenthesised, one spelling for each operator, independent of the layout
/// of what was written. Equal expressions give equal text. (semantics: D1)
std::string canonical(const Expr& expr);

/// Whether the node is null exactly where one of its arguments is. False where that is not known.
bool null_only_by_arguments(const Expr& expr);

/// Indexes of the row schema's columns that the expression reads, ascending, each once.
std::vector<int> columns_read(const Expr& expr);

/// Parses and types one expression against a schema, for command lines (`--arrival 'EXPR'`).
/// `question_time` says whether `at` may be used. Errors: expression_syntax, unknown_column,
/// type_error, bad_call; position.file is `origin`. `project` gives constants and the zone, and
/// must outlive the expression; null = no constants, UTC.
Result<ExprPtr> compile_expression(const std::string& text, const data::Schema& schema,
                                   bool question_time, const std::string& origin,
                                   const Project* project = nullptr);

}  // namespace coeval::define
