#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace coeval::data {

/// Copies those of `rows` values that are not null to `out`, which has room for eight more than
/// `rows`; how many there are. Bit 0 of `validity` is that of the first value.
///
/// Complexity: eight values at a step where none of them is null, without a branch a value where
/// some are.
template <class Value>
std::size_t copy_present(const Value* values, const std::uint8_t* validity, std::size_t rows,
                         Value* out) {
  constexpr std::size_t kStep = 8;
  constexpr std::uint8_t kAllPresent = 0xFF;
  std::size_t size = 0, row = 0;
  for (; row + kStep <= rows; row += kStep) {
    const std::uint8_t bits = validity[row / kStep];
    if (bits == kAllPresent) [[likely]] {
      std::memcpy(out + size, values + row, kStep * sizeof(Value));
      size += kStep;
      continue;
    }
    for (std::size_t i = 0; i < kStep; ++i) {
      out[size] = values[row + i];
      size += bits >> i & 1;
    }
  }
  for (; row < rows; ++row) {
    out[size] = values[row];
    size += validity[row / kStep] >> (row % kStep) & 1;
  }
  return size;
}

}  // namespace coeval::data
