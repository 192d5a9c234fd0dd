#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace coeval::kernel {

/// An unsigned number in 7-bit groups, lowest first, the high bit set on all but the last.
inline void put_varint(std::string& out, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) out.push_back(static_cast<char>(value | 0x80));
  out.push_back(static_cast<char>(value));
}
/// A signed number, small when its size is: 0, −1, 1, −2 … become 0, 1, 2, 3 …
inline void put_signed(std::string& out, std::int64_t value) {
  put_varint(out, static_cast<std::uint64_t>(value) << 1 ^ static_cast<std::uint64_t>(value >> 63));
}

/// Reads what put_varint wrote and drops it; only the shortest spelling is accepted.
inline bool take_varint(std::string_view& bytes, std::uint64_t& value) {
  value = 0;
  for (std::size_t i = 0; i < 10 && i < bytes.size(); ++i) {
    const auto byte = static_cast<unsigned char>(bytes[i]);
    if (i == 9 && byte > 1) return false;
    value |= static_cast<std::uint64_t>(byte & 0x7F) << (7 * i);
    if ((byte & 0x80) != 0) continue;
    if (byte == 0 && i > 0) return false;
    bytes.remove_prefix(i + 1);
    return true;
  }
  return false;
}
inline bool take_signed(std::string_view& bytes, std::int64_t& value) {
  std::uint64_t coded = 0;
  if (!take_varint(bytes, coded)) return false;
  value = static_cast<std::int64_t>(coded >> 1 ^ (0 - (coded & 1)));
  return true;
}

}  // namespace coeval::kernel
