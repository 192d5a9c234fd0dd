#include "kernel/maths_functions.h"

#include <array>
#include <cmath>

#include "base/check.h"
#include "exact/maths.h"
#include "kernel/block_rows.h"

namespace coeval::kernel {

// Beyond 2^52 every float64 is whole.
static bool may_have_fraction(double x) { return x > -0x1p52 && x < 0x1p52; }

double whole_part(double x) {
  if (!may_have_fraction(x)) return x;
  return __builtin_copysign(static_cast<double>(static_cast<std::int64_t>(x)), x);
}

double floor_of(double x) {
  const double whole = whole_part(x);
  return whole > x ? whole - 1 : whole;
}

double ceil_of(double x) {
  const double whole = whole_part(x);
  return __builtin_copysign(whole < x ? whole + 1 : whole, x);
}

namespace {

using define::Expr;
using define::Op;

// Powers of ten that are exact, up to kMaxRoundDigits.
constexpr std::array<std::int64_t, 16> kPowersOfTen = [] {
  std::array<std::int64_t, 16> powers{1};
  for (std::size_t i = 1; i < powers.size(); ++i) powers[i] = powers[i - 1] * 10;
  return powers;
}();

double sign_of(double x) { return x != x ? x : static_cast<double>((x > 0) - (x < 0)); }

double root_of(double x) { return __builtin_sqrt(x); }  // one instruction, by IEEE

// The whole number nearest to size + error, halves up; |error| is at most half a unit in the last
// place of size, which is under 2^53.
double nearest(double size, double error) {
  const double whole = whole_part(size);
  const double fraction = size - whole;  // exact
  const bool up = fraction > 0.5 || (fraction == 0.5 && error >= 0) ||
                  (fraction == 0 && error >= 0.5);  // size has no room for the half
  return up ? whole + 1 : whole;
}

// size · 10^digits, rounded, then divided: the quotient of two exact numbers is rounded once.
double round_decimals(double size, double power) {
  const double product = size * power;
  if (!(product < 0x1p53)) return size;  // its last digit is coarser than the decimals asked for
  return nearest(product, std::fma(size, power, -product)) / power;
}

double round_tens(double size, double power) {
  const double quotient = floor_of(size / power);
  if (!(quotient < 0x1p53)) return size;
  const double rest =
      std::fma(-quotient, power, size);  // exact; below 0 if the division rounded up
  return (rest + rest >= power ? quotient + 1 : quotient) * power;
}

bool round_integer(std::int64_t x, std::int64_t digits, std::int64_t& out) {
  out = x;
  if (digits >= 0) return true;
  const std::int64_t power = kPowersOfTen[static_cast<std::size_t>(-digits)];
  const std::int64_t rest = x % power;
  std::int64_t up = 0;
  if (rest >= power - rest && rest > 0) up = 1;
  if (-rest >= power + rest && rest < 0) up = -1;
  return !__builtin_mul_overflow(x / power + up, power, &out);
}

template <class Apply>
Slice each_real(const Slice& a, const BlockContext& block, Apply apply) {
  return sure_rows<double>(a.valid, block, [&](std::size_t i) { return apply(a.reals[i]); });
}

using OneArgument = double (*)(double);

OneArgument function_of(Op op) {
  switch (op) {
    case Op::fn_sign:
      return sign_of;
    case Op::fn_exp:
      return exact::exp;
    case Op::fn_expm1:
      return exact::expm1;
    case Op::fn_log:
      return exact::log;
    case Op::fn_log2:
      return exact::log2;
    case Op::fn_log10:
      return exact::log10;
    case Op::fn_log1p:
      return exact::log1p;
    case Op::fn_sin:
      return exact::sin;
    case Op::fn_cos:
      return exact::cos;
    case Op::fn_tan:
      return exact::tan;
    case Op::fn_asin:
      return exact::asin;
    case Op::fn_acos:
      return exact::acos;
    case Op::fn_atan:
      return exact::atan;
    default:
      COEVAL_CHECK(op == Op::fn_tanh);
      return exact::tanh;
  }
}

Slice round(const Expr& expr, const Slice& a, const BlockContext& block) {
  const std::int64_t digits =
      expr.args.size() > 1 ? std::get<std::int64_t>(expr.args[1]->literal) : 0;
  if (lane_of(expr.type) == Lane::real)
    return each_real(a, block, [digits](double x) { return round_to(x, digits); });
  return made_rows<std::int64_t>(
      a.valid, block.counts.integer_overflows, block,
      [&](std::size_t i, std::int64_t& out) { return round_integer(a.integers[i], digits, out); });
}

Slice by_instruction(Op op, const Slice& a, const BlockContext& block) {
  auto* out = block.arena.take<double>(block.rows);
  block.loops.real_function(op, a.reals, out, block.rows);
  return Slice::of(out, a.valid);
}

// An integer is its own floor, ceiling and whole part.
Slice of_integers(Op op, const Slice& a, const BlockContext& block) {
  if (op != Op::fn_sign) return a;
  return sure_rows<std::int64_t>(a.valid, block, [&](std::size_t i) {
    return static_cast<int>(a.integers[i] > 0) - static_cast<int>(a.integers[i] < 0);
  });
}

}  // namespace

double round_to(double x, std::int64_t digits) {
  const auto power =
      static_cast<double>(kPowersOfTen[static_cast<std::size_t>(digits < 0 ? -digits : digits)]);
  const double size = __builtin_fabs(x);
  if (!(size <= 0x1.fffffffffffffp1023)) return x;
  const double rounded = digits < 0 ? round_tens(size, power) : round_decimals(size, power);
  return __builtin_copysign(rounded, x);
}

double haversine_km(double latitude1, double longitude1, double latitude2, double longitude2) {
  constexpr double kRadian = 0x1.1df46a2529d39p-6;  // π / 180
  const double north = exact::sin((latitude2 - latitude1) * (kRadian / 2));
  const double east = exact::sin((longitude2 - longitude1) * (kRadian / 2));
  const double cosines = exact::cos(latitude1 * kRadian) * exact::cos(latitude2 * kRadian);
  double part = north * north + cosines * (east * east);
  if (part > 1) part = 1;  // by rounding
  // Of antipodes too the angle has all digits that `part` has.
  return 2 * kEarthRadiusKm * exact::atan2(root_of(part), root_of(1 - part));
}

Slice maths_function(const Expr& expr, std::span<const Slice> args, const BlockContext& block) {
  if (expr.op == Op::fn_round) return round(expr, args[0], block);
  if (lane_of(expr.type) == Lane::integer) return of_integers(expr.op, args[0], block);
  if (expr.op == Op::fn_sqrt || expr.op == Op::fn_floor || expr.op == Op::fn_ceil ||
      expr.op == Op::fn_trunc)
    return by_instruction(expr.op, args[0], block);
  if (args.size() == 1) return each_real(args[0], block, function_of(expr.op));
  const auto at = [&](std::size_t argument, std::size_t i) { return args[argument].reals[i]; };
  const std::uint8_t* valid = all_valid(args, block);
  switch (expr.op) {
    case Op::fn_pow:
      return sure_rows<double>(valid, block,
                               [&](std::size_t i) { return exact::pow(at(0, i), at(1, i)); });
    case Op::fn_atan2:
      return sure_rows<double>(valid, block,
                               [&](std::size_t i) { return exact::atan2(at(0, i), at(1, i)); });
    default:
      COEVAL_CHECK(expr.op == Op::fn_haversine_km);
      return sure_rows<double>(valid, block, [&](std::size_t i) {
        return haversine_km(at(0, i), at(1, i), at(2, i), at(3, i));
      });
  }
}

}  // namespace coeval::kernel
