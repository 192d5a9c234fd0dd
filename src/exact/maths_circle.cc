#include "exact/maths.h"
#include "exact/maths_pair.h"
#include "exact/maths_tables.h"

namespace coeval::exact {

namespace maths {
namespace {

__extension__ using Wide = unsigned __int128;

/// x = quadrant · π / 2 + rest, |rest| ≤ π / 4 (a little more by rounding); quadrant modulo 4.
struct Reduced {
  Pair rest;
  unsigned quadrant;
};

// Quadrants below 2^20: their products with the first three parts of π / 2 are exact.
Reduced reduce_near(double x) {
  const Nearest n = nearest(x * kPerHalfPi);
  const auto& part = kHalfPiParts;
  const Pair second = sum(x - n.value * part[0], -(n.value * part[1]));
  const Pair third = sum(second.hi, -(n.value * part[2]));
  return {ordered_sum(third.hi, (second.lo + third.lo) - n.value * part[3]),
          static_cast<unsigned>(n.integer & 3)};
}

// 64 bits of 2 / π from bit `from` on; bit 64 is the one after the binary point.
std::uint64_t two_over_pi(unsigned from) {
  const unsigned word = from / 64, shift = from % 64;
  if (shift == 0) return kTwoOverPi[word];
  return kTwoOverPi[word] << shift | kTwoOverPi[word + 1] >> (64 - shift);
}

// magnitude / 2^127, which is not 0, as a pair with 106 bits.
Pair fraction_of(Wide magnitude) {
  const auto high = static_cast<std::uint64_t>(magnitude >> 64);
  const int zeros = high != 0 ? std::countl_zero(high)
                              : 64 + std::countl_zero(static_cast<std::uint64_t>(magnitude) | 1);
  const Wide top = magnitude << zeros;
  const auto first = static_cast<double>(static_cast<std::int64_t>(top >> 75));
  const auto second =
      static_cast<double>(static_cast<std::int64_t>(top >> 22 & ((Wide{1} << 53) - 1)));
  const double unit = power_of_two(-52 - zeros);
  return {first * unit, second * unit * 0x1p-53};
}

// By the method of Payne and Hanek: x = m · 2^e, and m times the bits of 2 / π that matter. Those
// worth multiples of 4 quadrants are skipped; of the rest 192 are taken, and as no float64 comes
// closer to a multiple of π / 2 than 2^-62 of it, some 75 good bits remain.
Reduced reduce_far(double x) {
  const std::uint64_t m = (bits_of(x) & ((std::uint64_t{1} << 52) - 1)) | std::uint64_t{1} << 52;
  const int e = static_cast<int>(bits_of(x) >> 52 & 0x7ff) - 1075;
  // The first bit after the point is worth 1 / 2; the product with bit e − 1 after it, 2 quadrants.
  const auto from = static_cast<unsigned>(64 + e - 2);
  const Wide low = Wide{m} * two_over_pi(from + 128);
  const Wide middle = Wide{m} * two_over_pi(from + 64) + static_cast<std::uint64_t>(low >> 64);
  const std::uint64_t high = m * two_over_pi(from) + static_cast<std::uint64_t>(middle >> 64);
  // The product modulo 4 quadrants: 2 bits of quadrant, then 126 of fraction.
  const Wide turns = Wide{high} << 64 | static_cast<std::uint64_t>(middle);
  const Wide fraction = turns << 2 | (static_cast<std::uint64_t>(low) >> 62);
  const bool up = static_cast<bool>(fraction >> 127);
  const Wide magnitude = (up ? -fraction : fraction);
  const auto quadrant = static_cast<unsigned>(high >> 62) + (up ? 1U : 0U);
  const Pair size = product(fraction_of(magnitude), kQuarterPi);
  const std::uint64_t flipped = sign_of(x) ^ (up ? kSignBit : 0);
  return {{flip(size.hi, flipped), flip(size.lo, flipped)},
          (negative(x) ? 0U - quadrant : quadrant) & 3U};
}

Reduced reduce(double x) { return absolute(x) < 0x1p20 ? reduce_near(x) : reduce_far(x); }

// first · cos d + second · sin d, where |x| = a + d with a = i / 64 and |d| ≤ 1 / 128: the sine of
// |x| if the two are sin a and cos a, its cosine if they are cos a and −sin a.
Pair turned(Pair first, Pair second, double d, double d_rest) {
  const double d2 = d * d;
  const double sine_rest = d_rest + d * d2 * (-1.0 / 6 + d2 * (1.0 / 120 + d2 * (-1.0 / 5040)));
  const double cosine_rest = d2 * (-1.0 / 2 + d2 * (1.0 / 24 + d2 * (-1.0 / 720))) - d * d_rest;
  // The heads have 26 bits, so that their product is exact.
  const double d_head = head(d);
  const Pair main = ordered_sum(first.hi, second.hi * d_head);
  const double linear_rest = second.hi * (d - d_head) + second.lo * d;
  return ordered_sum(
      main.hi, (main.lo + first.lo) + linear_rest +
                   ((second.hi + second.lo) * sine_rest + (first.hi + first.lo) * cosine_rest));
}

struct SineAndCosine {
  Pair sine, cosine;
};

struct Place {
  const CircleRow& row;
  double d, d_rest;
};

Place place_of(Pair x) {
  const std::uint64_t sign = sign_of(x.hi);
  const double size = flip(x.hi, sign);
  const Nearest i = nearest(size * 64);
  return {kCircle[static_cast<std::size_t>(i.integer)], size - i.value * 0x1p-6, flip(x.lo, sign)};
}

Pair flipped(Pair x, std::uint64_t sign) { return {flip(x.hi, sign), flip(x.lo, sign)}; }

// The sine of x + quadrant · π / 2.
double sine_of(Pair x, unsigned quadrant) {
  const Place place = place_of(x);
  const bool odd = (quadrant & 1) != 0;
  const Pair& sine = place.row.sine;
  const Pair& cosine = place.row.cosine;
  const Pair result = turned(odd ? cosine : sine, flipped(odd ? sine : cosine, odd ? kSignBit : 0),
                             place.d, place.d_rest);
  const std::uint64_t from_x = odd ? 0 : sign_of(x.hi);
  const std::uint64_t from_quadrant = (quadrant & 2) != 0 ? kSignBit : 0;
  return flip(result.hi + result.lo, from_x ^ from_quadrant);
}

bool finite(double x) { return absolute(x) < kInfinity; }

}  // namespace
}  // namespace maths

double sin(double x) {
  using namespace maths;
  if (absolute(x) < 0x1p-27) return x;  // x^3 / 6 is below 2^-56 of it
  if (!finite(x)) [[unlikely]]
    return kNaN;
  const Reduced reduced = reduce(x);
  return sine_of(reduced.rest, reduced.quadrant);
}

double cos(double x) {
  using namespace maths;
  if (!finite(x)) [[unlikely]]
    return kNaN;
  const Reduced reduced = reduce(x);
  return sine_of(reduced.rest, reduced.quadrant + 1);
}

double tan(double x) {
  using namespace maths;
  if (absolute(x) < 0x1p-28) return x;  // x^3 / 3 is below 2^-57 of it
  if (!finite(x)) [[unlikely]]
    return kNaN;
  const Reduced reduced = reduce(x);
  const Place place = place_of(reduced.rest);
  const Pair sine = turned(place.row.sine, place.row.cosine, place.d, place.d_rest);
  const Pair cosine =
      turned(place.row.cosine, flipped(place.row.sine, kSignBit), place.d, place.d_rest);
  const bool odd = (reduced.quadrant & 1) != 0;
  const Pair result = odd ? quotient(cosine, sine) : quotient(sine, cosine);
  return flip(result.hi + result.lo, sign_of(reduced.rest.hi) ^ (odd ? kSignBit : 0));
}

}  // namespace coeval::exact
