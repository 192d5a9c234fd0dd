#include "exact/product_sum.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

#include "exact/natural.h"
#include "exact/rounding.h"

namespace coeval::exact {

namespace {

constexpr int kUnitExponent = -2148;

// A finite value as ±significand · 2^(position − 1074).
struct Parts {
  std::uint64_t significand;
  int position;
  bool negative;
};

Parts parts_of(double x) {
  const auto bits = std::bit_cast<std::uint64_t>(x);
  const int field = static_cast<int>(bits >> 52 & 0x7FF);
  const std::uint64_t fraction = bits & ((std::uint64_t{1} << 52) - 1);
  const std::uint64_t leading = field == 0 ? 0 : std::uint64_t{1} << 52;
  return {fraction | leading, field == 0 ? 0 : field - 1, bits >> 63 != 0};
}

// The sum as ±magnitude · 2^exponent.
struct Placed {
  Integer value;
  int exponent;
};

Placed placed(const LongSum& sum) {
  const PlacedInteger number(sum.limbs(), sum.first_limb());
  return {number.value, kUnitExponent + 64 * static_cast<int>(number.first)};
}

double rounded(const Placed& sum, int shift) {
  const double size =
      round_magnitude(sum.value.magnitude.limbs(), sum.exponent + shift, false, kFloat64);
  return sum.value.negative ? -size : size;
}

// The even power of two that brings a sum above 0 into [1/4, 1).
int even_scale(const Placed& sum) {
  const int above = sum.value.magnitude.bits() + sum.exponent;  // below 2^above
  return above % 2 == 0 ? above : above + 1;
}

}  // namespace

void ProductSum::add(double x, double y) {
  if (!std::isfinite(x) || !std::isfinite(y)) return others_.add(x * y);
  const Parts a = parts_of(x), b = parts_of(y);
  finite_.change(LongSum::Magnitude{a.significand} * b.significand, a.position + b.position,
                 a.negative != b.negative);
}

void ProductSum::add_squared_difference(double x, double y) {
  if (!std::isfinite(x) || !std::isfinite(y)) return others_.add((x - y) * (x - y));
  const Parts a = parts_of(x), b = parts_of(y);
  finite_.change(LongSum::Magnitude{a.significand} * a.significand, 2 * a.position, false);
  finite_.change(LongSum::Magnitude{b.significand} * b.significand, 2 * b.position, false);
  finite_.change(LongSum::Magnitude{a.significand} * b.significand, a.position + b.position + 1,
                 a.negative == b.negative);
}

double ProductSum::round() const {
  double special = 0;
  return others_.special(special) ? special : rounded(placed(finite_), 0);
}

double ProductSum::root() const {
  double special = 0;
  if (others_.special(special)) return special;
  const Placed sum = placed(finite_);
  return round_root_of_ratio(sum.value.magnitude, sum.exponent, Natural(1));
}

double cosine(const ProductSum& xy, const ProductSum& xx, const ProductSum& yy) {
  double special = 0;
  const bool finite = !xx.others_.special(special) && !yy.others_.special(special);
  if (!finite || xx.finite_.is_zero() || yy.finite_.is_zero())
    return std::numeric_limits<double>::quiet_NaN();
  const Placed sum_xx = placed(xx.finite_), sum_yy = placed(yy.finite_);
  const int scale_x = even_scale(sum_xx), scale_y = even_scale(sum_yy);
  const double product = rounded(placed(xy.finite_), -(scale_x + scale_y) / 2);
  const double squares = rounded(sum_xx, -scale_x) * rounded(sum_yy, -scale_y);
  return std::clamp(product / std::sqrt(squares), -1.0, 1.0);
}

}  // namespace coeval::exact
