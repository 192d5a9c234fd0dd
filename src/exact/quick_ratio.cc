#include "exact/quick_ratio.h"

#include <bit>
#include <cmath>
#include <cstdint>

namespace coeval::exact {

namespace {

constexpr int kMostBits = 126;
constexpr Int128 kExact = Int128{1} << 53;  // every integer up to here is a float64

// Length in bits of the magnitude.
int bits_of(Int128 x) {
  __extension__ using Unsigned = unsigned __int128;
  const Unsigned magnitude =
      x < 0 ? Unsigned{0} - static_cast<Unsigned>(x) : static_cast<Unsigned>(x);
  const auto high = static_cast<std::uint64_t>(magnitude >> 64);
  if (high != 0) return 64 + static_cast<int>(std::bit_width(high));
  return static_cast<int>(std::bit_width(static_cast<std::uint64_t>(magnitude)));
}

// high + low, |low| ≤ 2^-50 · |high|.
struct Pair {
  double high, low;
};

// Within 2^-106 of it. The magnitude is below 2^126.
Pair pair_of(Int128 x) {
  const auto high = static_cast<double>(x);
  return {high, static_cast<double>(x - static_cast<Int128>(high))};
}

// a / b within 2^-102 of it: the rest of the first division is exact.
Pair quotient(Pair a, Pair b) {
  const double q = a.high / b.high;
  const double rest = std::fma(-q, b.high, a.high) + a.low - q * b.low;
  return {q, rest / b.high};
}

// Where all that is within 2^-98 of x rounds to one number, that one.
std::optional<double> decided(Pair x) {
  const double error = std::fabs(x.high) * 0x1p-98;
  const double least = x.high + (x.low - error), most = x.high + (x.low + error);
  if (least != most) return std::nullopt;
  return least;
}

}  // namespace

std::optional<double> quick_ratio(Int128 a, Int128 b) {
  if (a == 0) return 0.0;
  // Two float64 values: the division is the one rounding.
  if (a >= -kExact && a <= kExact && b <= kExact)
    return static_cast<double>(a) / static_cast<double>(b);
  if (bits_of(a) > kMostBits || bits_of(b) > kMostBits) return std::nullopt;
  return decided(quotient(pair_of(a), pair_of(b)));
}

std::optional<double> quick_root_of_ratio(Int128 a, Int128 b) {
  if (a == 0) return 0.0;
  if (bits_of(a) > kMostBits || bits_of(b) > kMostBits) return std::nullopt;
  const Pair q = quotient(pair_of(a), pair_of(b));
  // √(s² + d) = s + d / 2s, within 2^-101 of it, for d is below 2^-50 · s².
  const double s = std::sqrt(q.high);
  return decided({s, (std::fma(-s, s, q.high) + q.low) / (2 * s)});
}

std::optional<Int128> short_product(Int128 a, Int128 b) {
  if (bits_of(a) + bits_of(b) > kMostBits) return std::nullopt;
  return a * b;
}

}  // namespace coeval::exact
