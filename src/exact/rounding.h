#pragma once

#include <cstdint>
#include <span>

namespace coeval::exact {

/// A binary floating-point format: significand bits, exponent of the smallest subnormal, and the
/// first power of two that is too large.
struct FloatFormat {
  int precision;
  int min_exponent;
  int overflow_exponent;
};
inline constexpr FloatFormat kFloat64{53, -1074, 1024};
inline constexpr FloatFormat kFloat32{24, -149, 128};

/// Rounds magnitude · 2^exponent to the nearest value of `format`, ties to even, once; every value
/// of float32 is returned as the equal float64. `magnitude` is little-endian 64-bit limbs; `more`
/// says that the true value exceeds it by something below its last bit. Beyond the format's range:
/// infinity.
double round_magnitude(std::span<const std::uint64_t> magnitude, int exponent, bool more,
                       FloatFormat format);

/// Rounds (magnitude · 2^exponent) / divisor to the nearest float64, ties to even, once. At most
/// kMaxLimbs limbs; divisor > 0.
double round_quotient(std::span<const std::uint64_t> magnitude, int exponent,
                      std::uint64_t divisor);
inline constexpr std::size_t kMaxLimbs = 34;

}  // namespace coeval::exact
