#pragma once

#include <array>
#include <bit>
#include <cstdint>

namespace coeval::exact::maths {

// The arithmetic the elementary functions are made of: unevaluated sums of two float64 values, and
// the bits of one. Error-free by the theorems of Dekker and Knuth as long as nothing overflows or
// underflows and the compiler neither reorders nor contracts (-ffp-contract=off, no fast-math).

/// hi + lo, not rounded; |lo| is far below |hi|.
struct Pair {
  double hi, lo;
};

/// A row of kLogs: c with few bits, and −log c.
struct LogRow {
  double reciprocal;
  Pair log;
};

/// A row of kCircle.
struct CircleRow {
  Pair sine, cosine;
};

/// A row of kArcTangents or kArcSines: the Taylor polynomial of degree 9 about i / 64.
struct ArcRow {
  Pair value, slope;
  std::array<double, 8> c;
};

inline constexpr double kInfinity = std::bit_cast<double>(std::uint64_t{0x7ff0000000000000});
/// The one NaN that is ever returned.
inline constexpr double kNaN = std::bit_cast<double>(std::uint64_t{0x7ff8000000000000});

inline constexpr std::uint64_t kSignBit = std::uint64_t{1} << 63;

constexpr std::uint64_t bits_of(double x) { return std::bit_cast<std::uint64_t>(x); }
constexpr double absolute(double x) { return std::bit_cast<double>(bits_of(x) & ~kSignBit); }
constexpr bool negative(double x) { return (bits_of(x) & kSignBit) != 0; }
/// x with its sign changed where `sign` has the sign bit.
constexpr double flip(double x, std::uint64_t sign) {
  return std::bit_cast<double>(bits_of(x) ^ sign);
}
constexpr std::uint64_t sign_of(double x) { return bits_of(x) & kSignBit; }
/// 2^n for −1022 ≤ n ≤ 1023.
constexpr double power_of_two(int n) {
  return std::bit_cast<double>(static_cast<std::uint64_t>(n + 1023) << 52);
}

/// x rounded to the nearest integer, for |x| < 2^51.
struct Nearest {
  double value;
  std::int64_t integer;
};
inline Nearest nearest(double x) {
  // Added to 1.5 · 2^52, x loses its fraction, and its integer stands in the last bits.
  constexpr double kShift = 0x1.8p52;
  const double shifted = x + kShift;
  return {shifted - kShift, static_cast<std::int64_t>(bits_of(shifted) - bits_of(kShift))};
}

/// The first 26 bits of x: products of two heads are exact, and of a head and a rest too.
inline double head(double x) {
  constexpr std::uint64_t kLow = (std::uint64_t{1} << 27) - 1;
  return std::bit_cast<double>(bits_of(x) & ~kLow);
}

/// a + b exactly, for |a| ≥ |b| or a = 0.
inline Pair ordered_sum(double a, double b) {
  const double sum = a + b;
  return {sum, b - (sum - a)};
}

/// a + b exactly.
inline Pair sum(double a, double b) {
  const double total = a + b;
  const double from_b = total - a;
  return {total, (a - (total - from_b)) + (b - from_b)};
}

/// a · b to 2^-104 of it.
inline Pair product(double a, double b) {
  const double a_head = head(a), a_rest = a - a_head;
  const double b_head = head(b), b_rest = b - b_head;
  const double p = a * b;
  return {p, (((a_head * b_head - p) + a_head * b_rest) + a_rest * b_head) + a_rest * b_rest};
}

/// a · b to about 2^-100 of it.
inline Pair product(Pair a, Pair b) {
  const Pair p = product(a.hi, b.hi);
  return ordered_sum(p.hi, p.lo + (a.hi * b.lo + a.lo * b.hi));
}

/// a / b to about 2^-100 of it, not overflowing.
inline Pair quotient(Pair a, Pair b) {
  const double q = a.hi / b.hi;
  const Pair back = product(q, b.hi);
  const double rest = ((a.hi - back.hi) - back.lo) + (a.lo - q * b.lo);
  return {q, rest / b.hi};
}

/// value · 2^exponent rounded once, subnormal results included; 1/2 < value < 4 and
/// |exponent| < 2000.
inline double scaled(Pair value, int exponent) {
  const double rounded = value.hi + value.lo;
  if (exponent >= -1021 && exponent <= 1023) [[likely]]
    return rounded * power_of_two(exponent);
  if (exponent > 1023) {
    if (exponent > 1026) return kInfinity;
    return rounded * 0x1p1023 * power_of_two(exponent - 1023);
  }
  if (exponent < -1100) return 0.0;
  // In units of 2^-1022 the last bit of every subnormal is 2^-52, which is that of 1 + it, too.
  const double unit = power_of_two(exponent + 1022);
  if (rounded * unit >= 1) return rounded * unit * 0x1p-1022;
  const Pair shifted = ordered_sum(1.0, value.hi * unit);
  return ((shifted.hi + (shifted.lo + value.lo * unit)) - 1.0) * 0x1p-1022;
}

}  // namespace coeval::exact::maths
