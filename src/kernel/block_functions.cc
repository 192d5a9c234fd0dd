#include "kernel/block_functions.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
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

// Add, subtract or multiply; `apply` as above, for blocks in which something may not fit.
template <class Apply>
Slice integers(Op op, const Slice& a, const Slice& b, const BlockContext& block, Apply apply) {
  auto* out = block.arena.take<std::int64_t>(block.rows);
  if (block.loops.integer_arithmetic(op, a.integers, b.integers, out, block.rows))
    return Slice::of(out, both_valid(a.valid, b.valid, block));
  return integers(a, b, block, block.counts.integer_overflows, apply);
}

Slice reals(Op op, const Slice& a, const Slice& b, const BlockContext& block) {
  auto* out = block.arena.take<double>(block.rows);
  block.loops.real_arithmetic(op, a.reals, b.reals, out, block.rows);
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
  Slice out = reals(expr.op, a, b, block);
  if (!divides_by_integer(expr) || !block.loops.any_zero(b.reals, block.rows)) return out;
  auto* zero = block.arena.take<std::uint8_t>(block.rows);
  zeros(b.reals, zero, block.rows);
  out.valid = without(zero, out.valid, block.counts.integer_zero_divisions, block);
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

const std::uint8_t* selected_valid(const std::uint8_t* choose, const Slice& a, const Slice& b,
                                   const BlockContext& block) {
  if (a.valid == nullptr && b.valid == nullptr) return nullptr;
  auto* valid = block.arena.take<std::uint8_t>(block.rows);
  chosen(choose, a.valid, b.valid, valid, block.rows);
  return valid;
}

template <class T>
Slice select_lane(const std::uint8_t* choose, const Slice& a, const Slice& b,
                  const BlockContext& block) {
  auto* out = block.arena.take<T>(block.rows);
  if constexpr (std::is_same_v<T, double> || std::is_same_v<T, std::int64_t>) {
    block.loops.select(choose, a.lane<T>(), b.lane<T>(), out, block.rows);
  } else {
    for (std::size_t i = 0; i < block.rows; ++i)
      out[i] = choose[i] != 0 ? a.lane<T>()[i] : b.lane<T>()[i];
  }
  return Slice::of(out, selected_valid(choose, a, b, block));
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
  switch (expr.op) {
    case Op::add:
      if (real) return reals(expr.op, a, b, block);
      return integers(expr.op, a, b, block, [](std::int64_t x, std::int64_t y, std::int64_t& r) {
        return __builtin_add_overflow(x, y, &r);
      });
    case Op::subtract:
      if (real) return reals(expr.op, a, b, block);
      return integers(expr.op, a, b, block, [](std::int64_t x, std::int64_t y, std::int64_t& r) {
        return __builtin_sub_overflow(x, y, &r);
      });
    case Op::multiply:
      if (real) return reals(expr.op, a, b, block);
      return integers(expr.op, a, b, block, [](std::int64_t x, std::int64_t y, std::int64_t& r) {
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
  if (lane == Lane::boolean) return compare_lane<std::uint8_t>(op, a, b, block);
  if (lane == Lane::string) return compare_lane<std::string_view>(op, a, b, block);
  auto* out = block.arena.take<std::uint8_t>(block.rows);
  if (lane == Lane::real)
    block.loops.compare_reals(op, a.reals, b.reals, out, block.rows);
  else
    block.loops.compare_integers(op, a.integers, b.integers, out, block.rows);
  return Slice::of(out, both_valid(a.valid, b.valid, block));
}

Slice logical(Op op, const Slice& a, const Slice& b, const BlockContext& block) {
  auto* out = block.arena.take<std::uint8_t>(block.rows);
  if (a.valid == nullptr && b.valid == nullptr) {
    two_valued(op, a.booleans, b.booleans, out, block.rows);
    return Slice::of(out, nullptr);
  }
  auto* valid = block.arena.take<std::uint8_t>(block.rows);
  three_valued(op, a.booleans, a.valid, b.booleans, b.valid, out, valid, block.rows);
  return Slice::of(out, valid);
}

Slice logical_not(const Slice& a, const BlockContext& block) {
  auto* out = block.arena.take<std::uint8_t>(block.rows);
  inverse(a.booleans, out, block.rows);
  return Slice::of(out, a.valid);
}

Slice is_null(const Slice& a, bool wanted, const BlockContext& block) {
  auto* out = block.arena.take<std::uint8_t>(block.rows);
  if (a.valid == nullptr)
    std::memset(out, wanted ? 0 : 1, block.rows);
  else if (wanted)
    inverse(a.valid, out, block.rows);
  else
    std::memcpy(out, a.valid, block.rows);
  return Slice::of(out, nullptr);
}

Slice sign_change(Op op, Lane lane, const Slice& a, const BlockContext& block) {
  const bool absolute = op == Op::fn_abs;
  if (lane == Lane::real) {
    auto* out = block.arena.take<double>(block.rows);
    block.loops.real_sign(op, a.reals, out, block.rows);
    return Slice::of(out, a.valid);
  }
  auto* sure = block.arena.take<std::int64_t>(block.rows);
  if (block.loops.integer_sign(op, a.integers, sure, block.rows)) return Slice::of(sure, a.valid);
  return integers(a, a, block, block.counts.integer_overflows,
                  [absolute](std::int64_t x, std::int64_t, std::int64_t& r) {
                    r = x;
                    return (!absolute || x < 0) && __builtin_sub_overflow(std::int64_t{0}, x, &r);
                  });
}

Slice extreme(bool greatest, Lane lane, const Slice& a, const Slice& b, const BlockContext& block) {
  const std::uint8_t* valid = both_valid(a.valid, b.valid, block);
  if (lane == Lane::real) {
    auto* out = block.arena.take<double>(block.rows);
    block.loops.extreme_reals(greatest, a.reals, b.reals, out, block.rows);
    return Slice::of(out, valid);
  }
  auto* out = block.arena.take<std::int64_t>(block.rows);
  block.loops.extreme_integers(greatest, a.integers, b.integers, out, block.rows);
  return Slice::of(out, valid);
}

Slice cast(Type from, Type to, const Slice& a, const BlockContext& block) {
  if (data::is_decimal(from) || data::is_decimal(to)) return decimal_cast(from, to, a, block);
  const Lane source = lane_of(from), target = lane_of(to);
  if (source == target) return a;  // the lanes are as wide as the widest type
  if (source == Lane::integer && target == Lane::real) {
    auto* out = block.arena.take<double>(block.rows);
    block.loops.integers_to_reals(a.integers, out, block.rows);
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
  const std::uint8_t* equal = both_valid(same.booleans, same.valid, block);
  auto* valid = block.arena.take<std::uint8_t>(block.rows);
  Slice out = a;
  if (a.valid == nullptr)
    inverse(equal, valid, block.rows);
  else
    first_only(a.valid, equal, valid, block.rows);
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
