#include "define/decimal_types.h"

#include <algorithm>

#include "define/build.h"

namespace coeval::define {

namespace {

using data::Type;

int digits_before_point(Type type) {
  if (!data::is_decimal(type)) return data::kMaxDecimalDigits;
  return data::precision_of(type) - data::scale_of(type);
}

Type with_digits(int before_point, int scale) {
  return data::decimal_type(std::clamp(before_point + scale, 1, data::kMaxDecimalDigits), scale);
}

}  // namespace

bool is_of_decimals(Type a, Type b) {
  return (data::is_decimal(a) || data::is_decimal(b)) && !data::is_float(a) && !data::is_float(b);
}

Type common_decimal(Type a, Type b) {
  if (a == Type::null) return b;
  if (b == Type::null) return a;
  return with_digits(std::max(digits_before_point(a), digits_before_point(b)),
                     std::max(data::scale_of(a), data::scale_of(b)));
}

ExprPtr scaled_operand(ExprPtr operand, Type common) {
  if (operand->type == Type::null) return cast_to(common, std::move(operand));
  return data::is_decimal(operand->type) ? operand : cast_to(Type::int64, std::move(operand));
}

Type decimal_result(Op op, Type a, Type b) {
  const int before_a = digits_before_point(a), before_b = digits_before_point(b);
  const int scale_a = data::scale_of(a), scale_b = data::scale_of(b);
  if (op != Op::multiply)
    return with_digits(std::max(before_a, before_b) + 1, std::max(scale_a, scale_b));
  const int scale = scale_a + scale_b;
  return scale > data::kMaxDecimalDigits ? Type::null : with_digits(before_a + before_b, scale);
}

Type decimal_function_result(Op op, Type type, const std::vector<ExprPtr>& args) {
  const int scale = data::scale_of(type);
  int kept = scale;
  if (op == Op::fn_sign) return Type::int64;
  if (op == Op::fn_floor || op == Op::fn_ceil || op == Op::fn_trunc) kept = 0;
  if (op == Op::fn_round) {
    const std::int64_t digits = args.size() > 1 ? std::get<std::int64_t>(args[1]->literal) : 0;
    kept = static_cast<int>(std::clamp<std::int64_t>(digits, 0, scale));
    // Tens may be rounded up to one digit more.
    if (digits < 0) return with_digits(digits_before_point(type) + 1, 0);
  }
  if (kept == scale) return type;
  return with_digits(digits_before_point(type) + 1, kept);
}

}  // namespace coeval::define
