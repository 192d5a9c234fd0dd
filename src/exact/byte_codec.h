#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "exact/integer_sum.h"

namespace coeval::exact {

/// More values than any state can have; what says otherwise was not written by us.
inline constexpr std::int64_t kMostValues = std::int64_t{1} << 62;

/// Eight bytes, lowest first.
inline void append_u64(std::string& out, std::uint64_t value) {
  for (int i = 0; i < 8; ++i) out.push_back(static_cast<char>(value >> (8 * i) & 0xFF));
}
/// Reads what append_u64 wrote and drops it; false when the bytes end before.
inline bool read_u64(std::string_view& bytes, std::uint64_t& value) {
  if (bytes.size() < 8) return false;
  value = 0;
  for (std::size_t i = 0; i < 8; ++i)
    value |= static_cast<std::uint64_t>(static_cast<unsigned char>(bytes[i])) << (8 * i);
  bytes.remove_prefix(8);
  return true;
}
inline bool read_u8(std::string_view& bytes, std::uint8_t& value) {
  if (bytes.empty()) return false;
  value = static_cast<std::uint8_t>(bytes.front());
  bytes.remove_prefix(1);
  return true;
}

inline void append_int128(std::string& out, Int128 value) {
  append_u64(out, static_cast<std::uint64_t>(value));
  append_u64(out, static_cast<std::uint64_t>(value >> 64));
}
inline bool read_int128(std::string_view& bytes, Int128& value) {
  std::uint64_t low = 0, high = 0;
  if (!read_u64(bytes, low) || !read_u64(bytes, high)) return false;
  value = static_cast<Int128>(high) << 64 | low;
  return true;
}

/// A count in groups of seven bits, lowest first, the high bit set on all but the last.
inline void append_count(std::string& out, std::int64_t count) {
  auto rest = static_cast<std::uint64_t>(count);
  for (; rest >= 0x80; rest >>= 7) out.push_back(static_cast<char>(rest | 0x80));
  out.push_back(static_cast<char>(rest));
}
/// Reads what append_count wrote of a count ≥ 0 and drops it; only the shortest spelling is
/// accepted.
inline bool read_count(std::string_view& bytes, std::int64_t& count) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < 9 && i < bytes.size(); ++i) {
    const auto byte = static_cast<unsigned char>(bytes[i]);
    value |= static_cast<std::uint64_t>(byte & 0x7F) << (7 * i);
    if ((byte & 0x80) != 0) continue;
    if (byte == 0 && i > 0) return false;
    bytes.remove_prefix(i + 1);
    count = static_cast<std::int64_t>(value);
    return true;
  }
  return false;
}

}  // namespace coeval::exact
