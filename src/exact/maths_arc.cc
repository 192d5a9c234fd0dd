#include "exact/maths.h"
#include "exact/maths_pair.h"
#include "exact/maths_tables.h"

namespace coeval::exact {

namespace maths {
namespace {

// An arc function at x from its Taylor polynomial about the nearest i / 64, to 2^-60 of it.
template <std::size_t kRows>
Pair arc_of(const std::array<ArcRow, kRows>& rows, Pair x) {
  const Nearest i = nearest(x.hi * 64);
  const ArcRow& row = rows[static_cast<std::size_t>(i.integer)];
  const auto& c = row.c;  // orders 2 to 9
  const double d = x.hi - i.value * 0x1p-6, d2 = d * d, d4 = d2 * d2;
  const double curved = d2 * ((c[0] + d * c[1]) + d2 * (c[2] + d * c[3]) +
                              d4 * ((c[4] + d * c[5]) + d2 * (c[6] + d * c[7])));
  // Slope and d have heads of 26 bits, so that their product is exact.
  const double d_head = head(d);
  const Pair main = ordered_sum(row.value.hi, row.slope.hi * d_head);
  const double linear_rest = row.slope.hi * (d - d_head) + row.slope.lo * d;
  const double from_rest = x.lo * (row.slope.hi + 2 * c[0] * d);
  return ordered_sum(main.hi, (main.lo + row.value.lo) + linear_rest + (from_rest + curved));
}

// a + b where a = 0 or |a| ≥ |b|.
double rounded_sum(Pair a, Pair b) {
  const Pair main = ordered_sum(a.hi, b.hi);
  return main.hi + (main.lo + (a.lo + b.lo));
}

Pair negated(Pair x) { return {-x.hi, -x.lo}; }
Pair doubled(Pair x) { return {2 * x.hi, 2 * x.lo}; }

// asin √((1 − size) / 2), for 1/2 < size < 1: half the arc cosine of size.
Pair half_arc_cosine(double size) {
  const double square = 0.5 * (1 - size);  // exact
  const double root = __builtin_sqrt(square);
  const Pair back = product(root, root);
  const double rest = (square - back.hi) - back.lo;
  return arc_of(kArcSines, {root, rest * (0.5 / root)});
}

// Angle whose tangent is small / large, for 0 < small ≤ large, neither extreme.
Pair arc_tangent(double small, double large) {
  return arc_of(kArcTangents, quotient({small, 0}, {large, 0}));
}

int exponent_of(double size) { return static_cast<int>(bits_of(size) >> 52); }

// Angle of (x, y) for finite x and y ≥ 0, neither of them 0.
double angle_above(double x, double y) {
  const double size = absolute(x);
  double small = y < size ? y : size;
  double large = y < size ? size : y;
  if (exponent_of(large) - exponent_of(small) > 60) [[unlikely]] {
    if (y > size) return kHalfPi.hi;
    return x > 0 ? y / x : kPi.hi;
  }
  // So far from the ends of the range that the rests of products are normal numbers.
  const double scale = large > 0x1p500 ? 0x1p-600 : large < 0x1p-400 ? 0x1p600 : 1.0;
  const Pair angle = arc_tangent(small * scale, large * scale);
  if (y > size) return rounded_sum(kHalfPi, x > 0 ? negated(angle) : angle);
  return x > 0 ? angle.hi + angle.lo : rounded_sum(kPi, negated(angle));
}

double angle_of_special(double x, double y) {
  if (y == 0) return negative(x) ? kPi.hi : 0.0;
  if (x == 0) return kHalfPi.hi;
  if (absolute(x) < kInfinity) return kHalfPi.hi;  // y is infinite
  if (y < kInfinity) return x > 0 ? 0.0 : kPi.hi;
  return x > 0 ? kQuarterPi.hi : kThreeQuartersPi.hi;
}

}  // namespace
}  // namespace maths

double asin(double x) {
  using namespace maths;
  const double size = absolute(x);
  if (size < 0x1p-27) return x;  // x^3 / 6 is below 2^-56 of it
  double result = 0;
  if (size <= 0.5) {
    const Pair angle = arc_of(kArcSines, {size, 0});
    result = angle.hi + angle.lo;
  } else if (size < 1) {
    result = rounded_sum(kHalfPi, doubled(negated(half_arc_cosine(size))));
  } else {
    if (size != 1) return kNaN;
    result = kHalfPi.hi;
  }
  return flip(result, sign_of(x));
}

double acos(double x) {
  using namespace maths;
  const double size = absolute(x);
  if (size <= 0.5) {
    const Pair angle = arc_of(kArcSines, {size, 0});
    return rounded_sum(kHalfPi, negative(x) ? angle : negated(angle));
  }
  if (!(size < 1)) {
    if (size != 1) return kNaN;
    return negative(x) ? kPi.hi : 0.0;
  }
  const Pair angle = doubled(half_arc_cosine(size));
  return negative(x) ? rounded_sum(kPi, negated(angle)) : angle.hi + angle.lo;
}

double atan(double x) {
  using namespace maths;
  const double size = absolute(x);
  if (size < 0x1p-27) return x;  // x^3 / 3 is below 2^-55 of it
  double result = 0;
  if (size <= 1) {
    const Pair angle = arc_of(kArcTangents, {size, 0});
    result = angle.hi + angle.lo;
  } else if (size < 0x1p60) {
    result = rounded_sum(kHalfPi, negated(arc_tangent(1.0, size)));
  } else {
    if (x != x) return kNaN;
    result = kHalfPi.hi;
  }
  return flip(result, sign_of(x));
}

double atan2(double y, double x) {
  using namespace maths;
  if (x != x || y != y) [[unlikely]]
    return kNaN;
  const double height = absolute(y);
  const bool special = x == 0 || y == 0 || absolute(x) == kInfinity || height == kInfinity;
  const double angle = special ? angle_of_special(x, height) : angle_above(x, height);
  return flip(angle, sign_of(y));
}

}  // namespace coeval::exact
