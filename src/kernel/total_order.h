#pragma once

#include <bit>
#include <cstdint>

namespace coeval::kernel {

/// The order of min, max, least and greatest: −∞ … −0, +0 … +∞, NaN. It has no two distinct equal
/// values (all NaN count as one), so the smallest of a multiset does not depend on its order. (A1)
inline std::int64_t order_key(double x) {
  if (x != x) return INT64_MAX;
  const auto bits = std::bit_cast<std::int64_t>(x);
  return bits >= 0 ? bits : INT64_MIN - bits - 1;
}
inline std::int64_t order_key(std::int64_t x) { return x; }

/// Equal values have equal keys: −0 is 0, every NaN one. Of a real's bits, or of an integer.
inline std::int64_t value_key(std::uint64_t bits, bool is_real) {
  if (!is_real) return static_cast<std::int64_t>(bits);
  const auto real = std::bit_cast<double>(bits);
  return order_key(real == 0 ? 0.0 : real);
}

/// The number that has the key; of NaN the one quiet NaN.
inline double number_of_order_key(std::int64_t key) {
  if (key == INT64_MAX) return std::bit_cast<double>(std::uint64_t{0x7FF8000000000000});
  return std::bit_cast<double>(key >= 0 ? key : INT64_MIN - key - 1);
}

/// The value itself, with every NaN as the one quiet NaN.
inline double canonical_value(double x) {
  return x != x ? std::bit_cast<double>(std::uint64_t{0x7FF8000000000000}) : x;
}
inline std::int64_t canonical_value(std::int64_t x) { return x; }

}  // namespace coeval::kernel
