#pragma once

#include <cstdint>
#include <optional>

#include "exact/rounding.h"

namespace coeval::exact {

/// Exact sum of int64 values: 2^63 of them fit, so it never overflows. Wraps like any integer, so
/// that differences of running sums are exact too.
__extension__ using Int128 = __int128;

/// The sum as int64, or nothing when it does not fit. (semantics: A7 V5)
inline std::optional<std::int64_t> to_int64(Int128 sum) {
  const auto narrow = static_cast<std::int64_t>(sum);
  if (narrow != sum) return std::nullopt;
  return narrow;
}

/// sum / count rounded once to the nearest float64, ties to even; count > 0. (semantics: A2 A7)
double mean_slowly(Int128 sum, std::int64_t count);
inline double mean(std::int64_t sum, std::int64_t count) {
  // Both operands are float64 values, so the division itself is the one rounding.
  constexpr std::int64_t kExact = std::int64_t{1} << 53;
  if (sum >= -kExact && sum <= kExact && count <= kExact) [[likely]]
    return static_cast<double>(sum) / static_cast<double>(count);
  return mean_slowly(sum, count);
}
inline double mean(Int128 sum, std::int64_t count) {
  const auto narrow = static_cast<std::int64_t>(sum);
  return narrow == sum ? mean(narrow, count) : mean_slowly(sum, count);
}

}  // namespace coeval::exact
