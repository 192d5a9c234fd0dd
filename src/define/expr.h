#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "data/column.h"
#include "data/value.h"

namespace coeval::define {

/// What a node of a typed expression does. The checker inserts `cast` nodes, so an evaluator needs
/// no coercion rules of its own:
/// - arithmetic is (int64, int64) or (float64, float64); or it is timestamp ± duration → timestamp,
///   duration ± duration → duration, timestamp − timestamp → duration, in that order of arguments;
/// - comparison has two arguments of one type: int64, float64, string, timestamp, date, duration;
///   equal and not_equal also boolean;
/// - if_else, coalesce, fn_least and fn_greatest have branches of one type, that of the node;
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
           ///< is a cast node over an integer: the result is null then, and counted (V5)
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
  if_else,  ///< if(condition, a, b): a where condition is true, else b
  coalesce,
  cast,  ///< int → float64, bool → int64 (0 or 1), int32 → int64, float32 → float64
  // Functions, one each; the table in define/functions.h describes them. Null in, null out;
  // fn_least and fn_greatest too: one null argument makes the result null.
  fn_minutes,
  fn_hours,
  fn_days,
  fn_seconds,  ///< number → duration, rounded half to even to the µs
  fn_year,
  fn_month,
  fn_day,
  fn_hour,
  fn_minute,
  fn_second,
  fn_weekday,
  fn_minute_of_day,
  fn_day_of_year,
  fn_abs,
  fn_least,
  fn_greatest,
};

/// A node of a typed expression. Immutable after checking.
struct Expr {
  Op op = Op::literal;
  data::Type type = data::Type::null;
  data::Value literal;  ///< Op::literal
  int column = -1;      ///< Op::column
  std::string name;     ///< Op::column: the column's name, for canonical text
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

/// Indexes of the row schema's columns that the expression reads, ascending, each once.
std::vector<int> columns_read(const Expr& expr);

/// Parses and types one expression against a schema, for command lines (`--arrival 'EXPR'`).
/// `question_time` says whether `at` may be used. Errors: expression_syntax, unknown_column,
/// type_error, bad_call; position.file is `origin`.
Result<ExprPtr> compile_expression(const std::string& text, const data::Schema& schema,
                                   bool question_time, const std::string& origin);

}  // namespace coeval::define
