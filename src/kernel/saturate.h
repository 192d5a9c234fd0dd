#pragma once

#include <cstdint>

namespace coeval::kernel {

/// a − b and a + b, held at the ends of int64: moments near the ends of time stay ordered.
inline std::int64_t saturating_subtract(std::int64_t a, std::int64_t b) {
  std::int64_t r;
  if (__builtin_sub_overflow(a, b, &r)) return a < 0 ? INT64_MIN : INT64_MAX;
  return r;
}
inline std::int64_t saturating_add(std::int64_t a, std::int64_t b) {
  std::int64_t r;
  if (__builtin_add_overflow(a, b, &r)) return a < 0 ? INT64_MIN : INT64_MAX;
  return r;
}

}  // namespace coeval::kernel
