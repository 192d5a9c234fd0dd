#pragma once

#include <cstdint>
#include <string_view>

// The two ways to compute crc32c(), apart so that a test can hold one against the other.

namespace coeval::data {

/// Any machine: eight table look-ups for eight bytes.
std::uint32_t crc32c_by_table(std::string_view bytes, std::uint32_t crc);

/// Whether this machine has the crc32 instruction and this build knows how to use it.
bool has_crc32c_instruction();
/// Only where has_crc32c_instruction().
std::uint32_t crc32c_by_instruction(std::string_view bytes, std::uint32_t crc);

}  // namespace coeval::data
