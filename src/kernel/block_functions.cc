#include "kernel/block_functions.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <functional>

#include "base/check.h"
#include "base/time.h"
#include "kernel/block_rows.h"
#include "kernel/decimal_functions.h"
#include "kernel/total_order.h"

namespace coeval::kernel {

namespace {

using data::Type;
using define::Op;

// Integer arithmetic; `apply(a, b, result)` says whether the result did not fit. (semantics: V5)
template <class Apply>
Slice integers(const Slice& a, const Slice& b, const BlockContext& block, std::int64_t& count,
               Apply apply) {
  auto* out = block.arena.take<std::int64_t>(block.rows);
  auto* bad = block.arena.take<std::uint8_t>(block.rows);
  std::uint8_t any = 0;
  for (std::size_t i = 0; i < block.rows; ++i) {
    bad[i] = apply(a.integers[i], b.integers[i], out[i]) ? 1 : 0;
    any |= bad[i];
  }
  const std::uint8_t* valid = both_valid(a.valid, b.valid, block);
  return Slice::of(out, any == 0 ? valid : without(bad, valid, count, block));
}

template <class Apply>
Slice reals(const Slice& a, const Slice& b, const BlockContext& block, Apply apply) {
  auto* out = block.arena.take<double>(block.rows);
  for (std::size_t i = 0; i < block.rows; ++i) out[i] = apply(a.reals[i], b.reals[i]);
  return Slice::of(out, both_valid(a.valid, b.valid, block));
}

// The divisor was an integer before the checker cast it.
bool divides_by_integer(const define::Expr& expr) {
  const define::Expr& divisor = *expr.args[1];
  if (divisor.op != Op::cast) return false;
  const Type type = divisor.args[0]->type;
  return data::is_integer(type) || data::is_decimal(type) || type == Type::duration;
}

Slice divide(const define::Expr& expr, const Slice& a, const Slice& b, const BlockContext& block) {
  Slice out = reals(a, b, block, [](double x, double y) { return x / y; });
  if (!divides_by_integer(expr)) return out;
  auto* zero = block.arena.take<std::uint8_t>(block.rows);
  std::uint8_t any = 0;
  for (std::size_t i = 0; i < block.rows; ++i) any |= zero[i] = b.reals[i] == 0 ? 1 : 0;
  if (any != 0) out.valid = without(zero, out.valid, block.counts.integer_zero_divisions, block);
  return out;
}

Slice modulo(const Slice& a, const Slice& b, const BlockContext& block) {
  return integers(a, b, block, block.counts.integer_zero_divisions,
                  [](std::int64_t x, std::int64_t y, std::int64_t& r) {
                    r = y == 0 || y == -1 ? 0 : x % y;  // x % -1 traps for the smallest x
                    return y == 0;
                  });
}

template <class T, class Holds>
Slice compared(const Slice& a, const Slice& b, const BlockContext& block, Holds holds) {
  auto* out = block.arena.take<std::uint8_t>(block.rows);
  const T* x = a.lane<T>();
  const T* y = b.lane<T>();
  const std::uint8_t* valid = both_valid(a.valid, b.valid, block);
  if constexpr (std::is_same_v<T, std::string_view>) {
    for (std::size_t i = 0; i < block.rows; ++i)
      out[i] = (valid == nullptr || valid[i] != 0) && holds(x[i], y[i]) ? 1 : 0;
  } else {
    for (std::size_t i = 0; i < block.rows; ++i) out[i] = holds(x[i], y[i]) ? 1 : 0;
  }
  return Slice::of(out, valid);
}

template <class T>
Slice compare_lane(Op op, const Slice& a, const Slice& b, const BlockContext& block) {
  switch (op) {
    case Op::equal:
      return compared<T>(a, b, block, std::equal_to<T>());
    case Op::not_equal:
      return compared<T>(a, b, block, std::not_equal_to<T>());
    case Op::less:
      return compared<T>(a, b, block, std::less<T>());
    case Op::less_equal:
      return compared<T>(a, b, block, std::less_equal<T>());
    case Op::greater:
      return compared<T>(a, b, block, std::greater<T>());
    default:
      return compared<T>(a, b, block, std::greater_equal<T>());
  }
}

template <class T>
Slice extreme_lane(bool greatest, const Slice& a, const Slice& b, const BlockContext& block) {
  auto* out = block.arena.take<T>(block.rows);
  for (std::size_t i = 0; i < block.rows; ++i) {
    const T x = a.lane<T>()[i];
    const T y = b.lane<T>()[i];
    const bool second = greatest ? order_key(y) > order_key(x) : order_key(y) < order_key(x);
    out[i] = canonical_value(second ? y : x);
  }
  return Slice::of(out, both_valid(a.valid, b.valid, block));
}

template <class T>
Slice select_lane(const std::uint8_t* choose, const Slice& a, const Slice& b,
                  const BlockContext& block) {
  auto* out = block.arena.take<T>(block.rows);
  for (std::size_t i = 0; i < block.rows; ++i)
    out[i] = choose[i] != 0 ? a.lane<T>()[i] : b.lane<T>()[i];
  if (a.valid == nullptr && b.valid == nullptr) return Slice::of(out, nullptr);
  auto* valid = block.arena.take<std::uint8_t>(block.rows);
  for (std::size_t i = 0; i < block.rows; ++i)
    valid[i] = is_valid(choose[i] != 0 ? a : b, i) ? 1 : 0;
  return Slice::of(out, valid);
}

// whole + error rounded half to even; false when the result is no int64.
bool nearest_integer(double whole, double error, std::int64_t& result) {
  const double below = error < 0 ? -static_cast<double>(static_cast<std::int64_t>(1 - error))
                                 : static_cast<double>(static_cast<std::int64_t>(error));
  const double fraction = error - below;  // exact; from 0 to 1
  auto sum = static_cast<__int128>(whole) + static_cast<__int128>(below);
  if (fraction > 0.5 || (fraction == 0.5 && sum % 2 != 0)) ++sum;
  result = static_cast<std::int64_t>(sum);
  return result == sum;
}

// units · unit_us rounded half to even to an integer, exactly: the product's own rounding error
// decides where the product looks like a tie, and where it is too large to have a fraction. False
// when the result is no int64.
bool scaled(double units, double unit_us, std::int64_t& result) {
  const double product = units * unit_us;
  if (!(product >= -0x1p63 && product <= 0x1p63)) return false;
  if (product >= 0x1p52 || product <= -0x1p52)
    return nearest_integer(product, std::fma(units, unit_us, -product), result);
  result = static_cast<std::int64_t>(product);
  const double fraction = product - static_cast<double>(result);  // exact, of the product's sign
  const double size = fraction < 0 ? -fraction : fraction;
  if (size < 0.5) return true;
  const std::int64_t away = result + (product < 0 ? -1 : 1);
  if (size > 0.5) {
    result = away;
    return true;
  }
  double error = std::fma(units, unit_us, -product);
  if (product < 0) error = -error;
  if (error > 0 || (error == 0 && (result & 1) != 0)) result = away;
  return true;
}

}  // namespace

Slice arithmetic(const define::Expr& expr, Type arg_type, const Slice& a, const Slice& b,
                 const BlockContext& block) {
  const bool real = lane_of(arg_type) == Lane::real;
  std::int64_t& overflows = block.counts.integer_overflows;
  switch (expr.op) {
    case Op::add:
      if (real) return reals(a, b, block, std::plus<double>());
      return integers(a, b, block, overflows, [](std::int64_t x, std::int64_t y, std::int64_t& r) {
        return __builtin_add_overflow(x, y, &r);
      });
    case Op::subtract:
      if (real) return reals(a, b, block, std::minus<double>());
      return integers(a, b, block, overflows, [](std::int64_t x, std::int64_t y, std::int64_t& r) {
        return __builtin_sub_overflow(x, y, &r);
      });
    case Op::multiply:
      if (real) return reals(a, b, block, std::multiplies<double>());
      return integers(a, b, block, overflows, [](std::int64_t x, std::int64_t y, std::int64_t& r) {
        return __builtin_mul_overflow(x, y, &r);
      });
    case Op::divide:
      return divide(expr, a, b, block);
    default:
      COEVAL_CHECK(expr.op == Op::modulo);
      return modulo(a, b, block);
  }
}

Slice compare(Op op, Lane lane, const Slice& a, const Slice& b, const BlockContext& block) {
  switch (lane) {
    case Lane::boolean:
      return compare_lane<std::uint8_t>(op, a, b, block);
    case Lane::integer:
      return compare_lane<std::int64_t>(op, a, b, block);
    case Lane::real:
      return compare_lane<double>(op, a, b, block);
    default:
      return compare_lane<std::string_view>(op, a, b, block);
  }
}

Slice logical(Op op, const Slice& a, const Slice& b, const BlockContext& block) {
  // The value that decides alone, whatever the other side is: false for and, true for or.
  const std::uint8_t deciding = op == Op::logical_and ? 0 : 1;
  auto* out = block.arena.take<std::uint8_t>(block.rows);
  if (a.valid == nullptr && b.valid == nullptr) {
    for (std::size_t i = 0; i < block.rows; ++i)
      out[i] =
          op == Op::logical_and ? a.booleans[i] & b.booleans[i] : a.booleans[i] | b.booleans[i];
    return Slice::of(out, nullptr);
  }
  auto* valid = block.arena.take<std::uint8_t>(block.rows);
  for (std::size_t i = 0; i < block.rows; ++i) {
    const bool a_valid = is_valid(a, i), b_valid = is_valid(b, i);
    const bool decided =
        (a_valid && a.booleans[i] == deciding) || (b_valid && b.booleans[i] == deciding);
    valid[i] = decided || (a_valid && b_valid) ? 1 : 0;
    out[i] = decided ? deciding : deciding ^ 1;
  }
  return Slice::of(out, valid);
}

Slice logical_not(const Slice& a, const BlockContext& block) {
  auto* out = block.arena.take<std::uint8_t>(block.rows);
  for (std::size_t i = 0; i < block.rows; ++i) out[i] = a.booleans[i] ^ 1;
  return Slice::of(out, a.valid);
}

Slice is_null(const Slice& a, bool wanted, const BlockContext& block) {
  auto* out = block.arena.take<std::uint8_t>(block.rows);
  for (std::size_t i = 0; i < block.rows; ++i) out[i] = is_valid(a, i) != wanted ? 1 : 0;
  return Slice::of(out, nullptr);
}

Slice sign_change(Op op, Lane lane, const Slice& a, const BlockContext& block) {
  const bool absolute = op == Op::fn_abs;
  if (lane == Lane::real) {
    auto* out = block.arena.take<double>(block.rows);
    for (std::size_t i = 0; i < block.rows; ++i)
      out[i] = absolute ? __builtin_fabs(a.reals[i]) : -a.reals[i];
    return Slice::of(out, a.valid);
  }
  return integers(a, a, block, block.counts.integer_overflows,
                  [absolute](std::int64_t x, std::int64_t, std::int64_t& r) {
                    r = x;
                    return (!absolute || x < 0) && __builtin_sub_overflow(std::int64_t{0}, x, &r);
                  });
}

Slice extreme(bool greatest, Lane lane, const Slice& a, const Slice& b, const BlockContext& block) {
  if (lane == Lane::real) return extreme_lane<double>(greatest, a, b, block);
  return extreme_lane<std::int64_t>(greatest, a, b, block);
}

Slice cast(Type from, Type to, const Slice& a, const BlockContext& block) {
  if (data::is_decimal(from) || data::is_decimal(to)) return decimal_cast(from, to, a, block);
  const Lane source = lane_of(from), target = lane_of(to);
  if (source == target) return a;  // the lanes are as wide as the widest type
  if (source == Lane::integer && target == Lane::real) {
    auto* out = block.arena.take<double>(block.rows);
    for (std::size_t i = 0; i < block.rows; ++i) out[i] = static_cast<double>(a.integers[i]);
    return Slice::of(out, a.valid);
  }
  COEVAL_CHECK(source == Lane::boolean);
  if (target == Lane::real) {
    auto* out = block.arena.take<double>(block.rows);
    for (std::size_t i = 0; i < block.rows; ++i) out[i] = a.booleans[i];
    return Slice::of(out, a.valid);
  }
  auto* out = block.arena.take<std::int64_t>(block.rows);
  for (std::size_t i = 0; i < block.rows; ++i) out[i] = a.booleans[i];
  return Slice::of(out, a.valid);
}

namespace {

template <class T>
Slice clamp_lane(const Slice& a, const Slice& low, const Slice& high, const BlockContext& block) {
  auto* out = block.arena.take<T>(block.rows);
  for (std::size_t i = 0; i < block.rows; ++i) {
    const T above = a.lane<T>()[i] < low.lane<T>()[i] ? low.lane<T>()[i] : a.lane<T>()[i];
    out[i] = above > high.lane<T>()[i] ? high.lane<T>()[i] : above;
  }
  const std::uint8_t* valid = both_valid(a.valid, low.valid, block);
  return Slice::of(out, both_valid(valid, high.valid, block));
}

bool are_one(double a, double b) { return a == b || (a != a && b != b); }
template <class T>
bool are_one(const T& a, const T& b) {
  return a == b;
}

template <class T>
Slice distinct_lane(const Slice& a, const Slice& b, const BlockContext& block) {
  auto* out = block.arena.take<std::uint8_t>(block.rows);
  for (std::size_t i = 0; i < block.rows; ++i) {
    const bool both = is_valid(a, i) && is_valid(b, i);
    const bool same =
        both ? are_one(a.lane<T>()[i], b.lane<T>()[i]) : is_valid(a, i) == is_valid(b, i);
    out[i] = same ? 0 : 1;
  }
  return Slice::of(out, nullptr);
}

}  // namespace

Slice clamp(Lane lane, const Slice& a, const Slice& low, const Slice& high,
            const BlockContext& block) {
  if (lane == Lane::real) return clamp_lane<double>(a, low, high, block);
  return clamp_lane<std::int64_t>(a, low, high, block);
}

Slice null_if(Lane lane, const Slice& a, const Slice& b, const BlockContext& block) {
  const Slice same = compare(Op::equal, lane, a, b, block);
  auto* valid = block.arena.take<std::uint8_t>(block.rows);
  for (std::size_t i = 0; i < block.rows; ++i)
    valid[i] = is_valid(a, i) && !(is_valid(same, i) && same.booleans[i] != 0) ? 1 : 0;
  Slice out = a;
  out.valid = valid;
  return out;
}

Slice is_distinct(Lane lane, const Slice& a, const Slice& b, const BlockContext& block) {
  switch (lane) {
    case Lane::boolean:
      return distinct_lane<std::uint8_t>(a, b, block);
    case Lane::integer:
      return distinct_lane<std::int64_t>(a, b, block);
    case Lane::real:
      return distinct_lane<double>(a, b, block);
    default:
      return distinct_lane<std::string_view>(a, b, block);
  }
}

Slice to_duration(std::int64_t unit_us, Lane lane, const Slice& a, const BlockContext& block) {
  std::int64_t& overflows = block.counts.integer_overflows;
  if (lane == Lane::integer)
    return integers(a, a, block, overflows,
                    [unit_us](std::int64_t x, std::int64_t, std::int64_t& r) {
                      return __builtin_mul_overflow(x, unit_us, &r);
                    });
  auto* out = block.arena.take<std::int64_t>(block.rows);
  auto* bad = block.arena.take<std::uint8_t>(block.rows);
  std::uint8_t any = 0;
  for (std::size_t i = 0; i < block.rows; ++i) {
    out[i] = 0;
    any |= bad[i] = scaled(a.reals[i], static_cast<double>(unit_us), out[i]) ? 0 : 1;
  }
  return Slice::of(out, any == 0 ? a.valid : without(bad, a.valid, overflows, block));
}

Slice select(const std::uint8_t* choose, Lane lane, const Slice& a, const Slice& b,
             const BlockContext& block) {
  switch (lane) {
    case Lane::boolean:
      return select_lane<std::uint8_t>(choose, a, b, block);
    case Lane::integer:
      return select_lane<std::int64_t>(choose, a, b, block);
    case Lane::real:
      return select_lane<double>(choose, a, b, block);
    default:
      return select_lane<std::string_view>(choose, a, b, block);
  }
}

}  // namespace coeval::kernel
