#include "define/constant_arguments.h"

#include <cmath>

#include "base/calendar.h"
#include "define/diagnostics.h"

namespace coeval::define {

namespace {

using data::Type;
using Problem = std::optional<ArgumentProblem>;

std::int64_t integer_of(const Expr& literal) { return std::get<std::int64_t>(literal.literal); }

// A literal float64 may have been written as an integer.
double number_of(const Expr& literal) {
  if (const auto* integer = std::get_if<std::int64_t>(&literal.literal))
    return static_cast<double>(*integer);
  return std::get<double>(literal.literal);
}

const std::string& text_of(const Expr& literal) { return std::get<std::string>(literal.literal); }

bool is_constant(const Expr& expr) {
  return expr.op == Op::literal && !data::is_null(expr.literal);
}

Problem check_range(const std::vector<ExprPtr>& args, std::size_t index, std::int64_t low,
                    std::int64_t high, const std::string& what) {
  const std::int64_t value = integer_of(*args[index]);
  if (value >= low && value <= high) return std::nullopt;
  return ArgumentProblem{index, what + " cannot be " + std::to_string(value),
                         "from " + std::to_string(low) + " to " + std::to_string(high)};
}

// A date has no hours.
Problem check_unit(Op op, const std::vector<ExprPtr>& args) {
  const auto unit = find_calendar_unit(text_of(*args[0]));
  if (!unit)
    return ArgumentProblem{0, "no unit " + in_quotes(text_of(*args[0])),
                           "the units are " + std::string(calendar_unit_names())};
  if (op == Op::fn_date_trunc && args[1]->type == Type::date && is_clock_unit(*unit))
    return ArgumentProblem{0, "a date has no " + text_of(*args[0]), "day, week, month, …"};
  return std::nullopt;
}

Problem check_boundaries(const std::vector<ExprPtr>& args) {
  for (std::size_t i = 1; i < args.size(); ++i) {
    if (std::isnan(number_of(*args[i])))
      return ArgumentProblem{i, "a boundary is not a number", "write numbers"};
    const bool integers = !data::is_float(args[0]->type);
    if (i > 1 && (integers ? integer_of(*args[i - 1]) >= integer_of(*args[i])
                           : number_of(*args[i - 1]) >= number_of(*args[i])))
      return ArgumentProblem{i, "the boundaries do not ascend", "each is above the one before"};
  }
  return std::nullopt;
}

Problem check_width(const std::vector<ExprPtr>& args) {
  const double low = number_of(*args[1]), high = number_of(*args[2]);
  if (!std::isfinite(high - low) || !(low < high))
    return ArgumentProblem{2, "the range is empty or has no end", "write low, then a higher high"};
  return check_range(args, 3, 1, kMaxBuckets, "the number of parts");
}

// Only where both bounds are constants is it known that they contradict each other.
Problem check_bounds(const std::vector<ExprPtr>& args) {
  if (!is_constant(*args[1]) || !is_constant(*args[2])) return std::nullopt;
  const bool real = data::is_float(args[1]->type);
  const bool good = real ? number_of(*args[1]) <= number_of(*args[2])
                         : integer_of(*args[1]) <= integer_of(*args[2]);
  if (good) return std::nullopt;
  return ArgumentProblem{2, "the upper bound is below the lower one", "write clamp(x, low, high)"};
}

}  // namespace

Problem check_constants(Op op, const std::vector<ExprPtr>& args) {
  switch (op) {
    case Op::fn_date_trunc:
    case Op::fn_date_diff:
      return check_unit(op, args);
    case Op::fn_bucketize:
      return check_boundaries(args);
    case Op::fn_width_bucket:
      return check_width(args);
    case Op::fn_hash_bucket:
      return check_range(args, 1, 1, kMaxBuckets, "the number of buckets");
    case Op::fn_round:
      if (args.size() < 2) return std::nullopt;
      return check_range(args, 1, -kMaxRoundDigits, kMaxRoundDigits, "the number of digits");
    case Op::fn_clamp:
      return check_bounds(args);
    default:
      return std::nullopt;
  }
}

Result<std::shared_ptr<const TextPattern>> compile_pattern(Op op,
                                                           const std::vector<ExprPtr>& args) {
  if (op == Op::fn_regexp_like) return TextPattern::regular(text_of(*args[1]));
  std::optional<std::string_view> escape;
  if (args.size() > 2) escape = text_of(*args[2]);
  return TextPattern::like(text_of(*args[1]), escape);
}

}  // namespace coeval::define
