#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace coeval::kernel {

// Bitmaps of columns (least significant bit first) and the bytes of 0 or 1 of a block, eight at a
// time by one multiplication: as quick as vectors of any width, which is why they are not used.

static_assert(std::endian::native == std::endian::little);

inline bool bit_at(const std::uint8_t* bits, std::size_t row) {
  return (bits[row / 8] >> row % 8 & 1) != 0;
}

/// Eight bits as eight bytes.
inline std::uint64_t bytes_of(std::uint8_t bits) {
  // Each byte gets its own bit, then is not 0 where the bit was set.
  const std::uint64_t own = (std::uint64_t{bits} * 0x0101010101010101) & 0x8040201008040201;
  return ((own + 0x00406070787C7E7F) & 0x8080808080808080) >> 7;
}

/// Eight bytes of 0 or 1 as eight bits.
inline std::uint8_t bits_of(std::uint64_t bytes) {
  return static_cast<std::uint8_t>((bytes * 0x0102040810204080) >> 56);
}

/// The bits from `first` on as bytes. Says whether all are 1.
inline bool bytes_of_bits(const std::uint8_t* bits, std::size_t first, std::uint8_t* out,
                          std::size_t rows) {
  std::size_t done = 0;
  std::uint8_t all = 0xFF;
  if (first % 8 == 0)
    for (; done + 8 <= rows; done += 8) {
      const std::uint8_t eight = bits[(first + done) / 8];
      const std::uint64_t bytes = bytes_of(eight);
      std::memcpy(out + done, &bytes, 8);
      all &= eight;
    }
  bool rest = true;
  for (; done < rows; ++done) {
    out[done] = bit_at(bits, first + done) ? 1 : 0;
    rest = rest && out[done] != 0;
  }
  return rest && all == 0xFF;
}

/// Sets the bits from `first` on where `bytes` is 1; they must be 0.
inline void set_bits(const std::uint8_t* bytes, std::uint8_t* bits, std::size_t first,
                     std::size_t rows) {
  std::size_t done = 0;
  if (first % 8 == 0)
    for (; done + 8 <= rows; done += 8) {
      std::uint64_t eight;
      std::memcpy(&eight, bytes + done, 8);
      bits[(first + done) / 8] = bits_of(eight);
    }
  for (; done < rows; ++done) {
    auto& byte = bits[(first + done) / 8];
    byte = static_cast<std::uint8_t>(byte | bytes[done] << (first + done) % 8);
  }
}

/// Clears the bits from `first` on where `bytes` is 0; they must be 1.
inline void clear_bits(const std::uint8_t* bytes, std::uint8_t* bits, std::size_t first,
                       std::size_t rows) {
  std::size_t done = 0;
  if (first % 8 == 0)
    for (; done + 8 <= rows; done += 8) {
      std::uint64_t eight;
      std::memcpy(&eight, bytes + done, 8);
      bits[(first + done) / 8] = bits_of(eight);
    }
  for (; done < rows; ++done) {
    auto& byte = bits[(first + done) / 8];
    if (bytes[done] == 0) byte = static_cast<std::uint8_t>(byte & ~(1u << (first + done) % 8));
  }
}

}  // namespace coeval::kernel
