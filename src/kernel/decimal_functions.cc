#include "kernel/decimal_functions.h"

#include "base/check.h"
#include "data/decimal.h"
#include "define/conversion.h"
#include "exact/ratio.h"
#include "kernel/block_rows.h"

namespace coeval::kernel {

namespace {

using data::Type;
using data::Wide;
using define::Expr;
using define::Op;

// Two lanes of one scale.
struct Aligned {
  const std::int64_t *x, *y;
  std::int64_t x_power = 1, y_power = 1;

  Aligned(const Expr& expr, const Slice& a, const Slice& b) : x(a.integers), y(b.integers) {
    const int more = data::scale_of(expr.args[0]->type) - data::scale_of(expr.args[1]->type);
    if (more > 0) y_power = data::power_of_ten(more);
    if (more < 0) x_power = data::power_of_ten(-more);
  }
  Wide left(std::size_t row) const { return Wide{x[row]} * x_power; }
  Wide right(std::size_t row) const { return Wide{y[row]} * y_power; }
};

bool put(Wide value, int precision, std::int64_t& out) {
  out = static_cast<std::int64_t>(value);
  return data::has_digits(value, precision);
}

bool holds(Op op, Wide x, Wide y) {
  switch (op) {
    case Op::equal:
      return x == y;
    case Op::not_equal:
      return x != y;
    case Op::less:
      return x < y;
    case Op::less_equal:
      return x <= y;
    case Op::greater:
      return x > y;
    default:
      return x >= y;
  }
}

Slice quotient(const Expr& expr, const Slice& a, const Slice& b, const BlockContext& block) {
  const Aligned sides(expr, a, b);
  const std::uint8_t* valid = both_valid(a.valid, b.valid, block);
  return made_rows<double>(valid, block.counts.integer_zero_divisions, block,
                           [&](std::size_t i, double& out) {
                             const auto value = exact::ratio(sides.left(i), sides.right(i));
                             out = value.value_or(0);
                             return value.has_value();
                           });
}

// x / 10^digits as a whole number, by one rule.
Wide whole(Op op, std::int64_t x, int digits) {
  const std::int64_t power = data::power_of_ten(digits);
  const std::int64_t part = x / power, rest = x % power;
  switch (op) {
    case Op::fn_floor:
      return part - (rest < 0 ? 1 : 0);
    case Op::fn_ceil:
      return part + (rest > 0 ? 1 : 0);
    case Op::fn_trunc:
      return part;
    default:
      if (rest >= power - rest && rest > 0) return part + 1;
      return -rest >= power + rest && rest < 0 ? part - 1 : part;
  }
}

// Whole numbers with their last digits as zeros: round(x, -2).
Wide rounded_tens(std::int64_t x, int scale, int tens) {
  if (scale + tens > data::kMaxDecimalDigits) return 0;  // under a half
  return whole(Op::fn_round, x, scale + tens) * data::power_of_ten(tens);
}

std::int64_t signum(std::int64_t x) { return static_cast<int>(x > 0) - static_cast<int>(x < 0); }

// A value as another type's integer lane.
Slice as_integers(Type from, Type to, const Slice& a, std::int64_t& failures,
                  const BlockContext& block) {
  const int scale = data::scale_of(from);
  return made_rows<std::int64_t>(a.valid, failures, block, [&](std::size_t i, std::int64_t& out) {
    switch (lane_of(from)) {
      case Lane::boolean:
        return data::rescaled(a.booleans[i], 0, to, out);
      case Lane::real:
        return data::decimal_of_real(a.reals[i], to, out);
      default:
        return data::rescaled(a.integers[i], scale, to, out);
    }
  });
}

}  // namespace

bool reads_decimals(const Expr& expr) {
  const auto decimal = [](const define::ExprPtr& arg) { return data::is_decimal(arg->type); };
  return expr.args.size() == 2 && (decimal(expr.args[0]) || decimal(expr.args[1]));
}

Slice decimal_arithmetic(const Expr& expr, const Slice& a, const Slice& b,
                         const BlockContext& block) {
  if (expr.op == Op::divide) return quotient(expr, a, b, block);
  const Aligned sides(expr, a, b);
  const int precision = data::precision_of(expr.type);
  const std::uint8_t* valid = both_valid(a.valid, b.valid, block);
  return made_rows<std::int64_t>(valid, block.counts.integer_overflows, block,
                                 [&](std::size_t i, std::int64_t& out) {
                                   if (expr.op == Op::add)
                                     return put(sides.left(i) + sides.right(i), precision, out);
                                   if (expr.op == Op::subtract)
                                     return put(sides.left(i) - sides.right(i), precision, out);
                                   COEVAL_CHECK(expr.op == Op::multiply);
                                   return put(Wide{sides.x[i]} * sides.y[i], precision, out);
                                 });
}

Slice decimal_compare(const Expr& expr, const Slice& a, const Slice& b, const BlockContext& block) {
  const Aligned sides(expr, a, b);
  return sure_rows<std::uint8_t>(both_valid(a.valid, b.valid, block), block, [&](std::size_t i) {
    return holds(expr.op, sides.left(i), sides.right(i)) ? 1 : 0;
  });
}

Slice decimal_is_distinct(const Expr& expr, const Slice& a, const Slice& b,
                          const BlockContext& block) {
  const Aligned sides(expr, a, b);
  return sure_rows<std::uint8_t>(nullptr, block, [&](std::size_t i) {
    if (!is_valid(a, i) || !is_valid(b, i)) return is_valid(a, i) != is_valid(b, i) ? 1 : 0;
    return sides.left(i) != sides.right(i) ? 1 : 0;
  });
}

Slice decimal_function(const Expr& expr, const Slice& a, const BlockContext& block) {
  const int scale = data::scale_of(expr.args[0]->type);
  const int dropped = scale - data::scale_of(expr.type);
  const int precision = data::precision_of(expr.type);
  if (expr.op == Op::fn_sign)
    return sure_rows<std::int64_t>(a.valid, block,
                                   [&](std::size_t i) { return signum(a.integers[i]); });
  const std::int64_t digits =
      expr.args.size() > 1 ? std::get<std::int64_t>(expr.args[1]->literal) : 0;
  return made_rows<std::int64_t>(
      a.valid, block.counts.integer_overflows, block, [&](std::size_t i, std::int64_t& out) {
        const std::int64_t x = a.integers[i];
        return put(digits < 0 ? rounded_tens(x, scale, static_cast<int>(-digits))
                              : whole(expr.op, x, dropped),
                   precision, out);
      });
}

Slice decimal_cast(Type from, Type to, const Slice& a, const BlockContext& block) {
  std::int64_t none = 0;
  Slice out = decimal_convert(from, to, a, none, block);
  COEVAL_CHECK(none == 0);
  return out;
}

Slice decimal_convert(Type from, Type to, const Slice& a, std::int64_t& failures,
                      const BlockContext& block) {
  if (data::is_decimal(to)) return as_integers(from, to, a, failures, block);
  const int scale = data::scale_of(from);
  switch (to) {
    case Type::boolean:
      return sure_rows<std::uint8_t>(a.valid, block,
                                     [&](std::size_t i) { return a.integers[i] != 0 ? 1 : 0; });
    case Type::float32:
      return sure_rows<double>(a.valid, block, [&](std::size_t i) {
        return data::decimal_to_float(a.integers[i], scale);
      });
    case Type::float64:
      return sure_rows<double>(a.valid, block, [&](std::size_t i) {
        return data::decimal_to_real(a.integers[i], scale);
      });
    default:
      return made_rows<std::int64_t>(a.valid, failures, block,
                                     [&](std::size_t i, std::int64_t& out) {
                                       out = define::decimal_to_integer(a.integers[i], scale);
                                       return to == Type::int64 || define::fits_int32(out);
                                     });
  }
}

}  // namespace coeval::kernel
