#include <array>
#include <cstring>

#include "data/crc32c_paths.h"
#include "data/hash.h"

#if defined(__x86_64__)
#include <nmmintrin.h>
#endif

namespace coeval::data {

namespace {

using CrcTables = std::array<std::array<std::uint32_t, 256>, 8>;

// tables[0] advances a CRC by one byte; tables[k] by one byte and then k zero bytes, so that the
// contributions of eight bytes can be looked up independently and xored.
constexpr CrcTables make_crc_tables() {
  constexpr std::uint32_t kCastagnoliReflected = 0x82F63B78;
  CrcTables tables{};
  for (std::uint32_t byte = 0; byte < 256; ++byte) {
    std::uint32_t crc = byte;
    for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ ((crc & 1) != 0 ? kCastagnoliReflected : 0);
    tables[0][byte] = crc;
  }
  for (std::size_t k = 1; k < tables.size(); ++k)
    for (std::size_t byte = 0; byte < 256; ++byte) {
      const std::uint32_t before = tables[k - 1][byte];
      tables[k][byte] = before >> 8 ^ tables[0][before & 255];
    }
  return tables;
}
constexpr CrcTables kCrcTables = make_crc_tables();

std::uint32_t byte_of(const char* at, std::size_t index) {
  return static_cast<unsigned char>(at[index]);
}

std::uint32_t advance_one(std::uint32_t crc, char byte) {
  return crc >> 8 ^ kCrcTables[0][(crc ^ static_cast<unsigned char>(byte)) & 255];
}

std::uint32_t advance_eight(std::uint32_t crc, const char* at) {
  const std::uint32_t low =
      crc ^ (byte_of(at, 0) | byte_of(at, 1) << 8 | byte_of(at, 2) << 16 | byte_of(at, 3) << 24);
  return kCrcTables[7][low & 255] ^ kCrcTables[6][low >> 8 & 255] ^ kCrcTables[5][low >> 16 & 255] ^
         kCrcTables[4][low >> 24] ^ kCrcTables[3][byte_of(at, 4)] ^ kCrcTables[2][byte_of(at, 5)] ^
         kCrcTables[1][byte_of(at, 6)] ^ kCrcTables[0][byte_of(at, 7)];
}

}  // namespace

std::uint32_t crc32c_by_table(std::string_view bytes, std::uint32_t crc) {
  crc = ~crc;
  std::size_t at = 0;
  for (; at + 8 <= bytes.size(); at += 8) crc = advance_eight(crc, bytes.data() + at);
  for (; at < bytes.size(); ++at) crc = advance_one(crc, bytes[at]);
  return ~crc;
}

#if defined(__x86_64__)

bool has_crc32c_instruction() { return __builtin_cpu_supports("sse4.2") != 0; }

__attribute__((target("sse4.2"))) std::uint32_t crc32c_by_instruction(std::string_view bytes,
                                                                      std::uint32_t crc) {
  std::uint64_t wide = ~crc;
  std::size_t at = 0;
  for (; at + 8 <= bytes.size(); at += 8) {
    std::uint64_t word;
    std::memcpy(&word, bytes.data() + at, 8);
    wide = _mm_crc32_u64(wide, word);
  }
  auto narrow = static_cast<std::uint32_t>(wide);
  if (at + 4 <= bytes.size()) {
    std::uint32_t word;
    std::memcpy(&word, bytes.data() + at, 4);
    narrow = _mm_crc32_u32(narrow, word);
    at += 4;
  }
  for (; at < bytes.size(); ++at)
    narrow = _mm_crc32_u8(narrow, static_cast<unsigned char>(bytes[at]));
  return ~narrow;
}

#else

bool has_crc32c_instruction() { return false; }

std::uint32_t crc32c_by_instruction(std::string_view bytes, std::uint32_t crc) {
  return crc32c_by_table(bytes, crc);
}

#endif

std::uint32_t crc32c(std::string_view bytes, std::uint32_t crc) {
  return has_crc32c_instruction() ? crc32c_by_instruction(bytes, crc) : crc32c_by_table(bytes, crc);
}

}  // namespace coeval::data
