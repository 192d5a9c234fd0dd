#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "kernel/block_bytes.h"
#include "kernel/block_functions.h"

namespace coeval::kernel {

// What the functions over a block share: rows that are null, rows that become null.

inline bool is_valid(const Slice& slice, std::size_t row) {
  return slice.valid == nullptr || slice.valid[row] != 0;
}

/// Valid where both are.
inline const std::uint8_t* both_valid(const std::uint8_t* a, const std::uint8_t* b,
                                      const BlockContext& block) {
  if (a == nullptr) return b;
  if (b == nullptr || a == b) return a;
  auto* out = block.arena.take<std::uint8_t>(block.rows);
  both(a, b, out, block.rows);
  return out;
}

/// Valid where all are.
inline const std::uint8_t* all_valid(std::span<const Slice> args, const BlockContext& block) {
  const std::uint8_t* valid = nullptr;
  for (const Slice& arg : args) valid = both_valid(valid, arg.valid, block);
  return valid;
}

/// Makes rows null where `bad` is 1, and counts those that were used and not null before.
inline const std::uint8_t* without(const std::uint8_t* bad, const std::uint8_t* valid,
                                   std::int64_t& count, const BlockContext& block) {
  auto* out = block.arena.take<std::uint8_t>(block.rows);
  for (std::size_t i = 0; i < block.rows; ++i) {
    const bool was_valid = valid == nullptr || valid[i] != 0;
    const bool used = block.used == nullptr || block.used[i] != 0;
    count += bad[i] != 0 && was_valid && used ? 1 : 0;
    out[i] = was_valid && bad[i] == 0 ? 1 : 0;
  }
  return out;
}

/// A value a row by `make(row, value)`, which may refuse: such rows become null and are counted.
/// Rows that are null are not asked, and hold T{}.
template <class T, class Make>
Slice made_rows(const std::uint8_t* valid, std::int64_t& count, const BlockContext& block,
                Make make) {
  auto* out = block.arena.take<T>(block.rows);
  auto* bad = block.arena.take<std::uint8_t>(block.rows);
  std::uint8_t any = 0;
  for (std::size_t i = 0; i < block.rows; ++i) {
    out[i] = T{};
    bad[i] = 0;
    if (valid == nullptr || valid[i] != 0) bad[i] = make(i, out[i]) ? 0 : 1;
    any |= bad[i];
  }
  return Slice::of(out, any == 0 ? valid : without(bad, valid, count, block));
}

/// The same where nothing is refused.
template <class T, class Make>
Slice sure_rows(const std::uint8_t* valid, const BlockContext& block, Make make) {
  auto* out = block.arena.take<T>(block.rows);
  for (std::size_t i = 0; i < block.rows; ++i)
    out[i] = valid == nullptr || valid[i] != 0 ? static_cast<T>(make(i)) : T{};
  return Slice::of(out, valid);
}

}  // namespace coeval::kernel
