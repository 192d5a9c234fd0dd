#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace coeval::kernel {

enum class LetterCase : std::uint8_t { lower, upper };

/// The simple case mapping of one code point, by the tables of letter_case_table.h.
std::uint32_t mapped(LetterCase to, std::uint32_t code_point);

/// Bytes of the text with each character mapped. Bytes that are no UTF-8 stay as they are.
std::size_t mapped_size(LetterCase to, std::string_view text);
/// Writes them; `out` has room for mapped_size() bytes.
void write_mapped(LetterCase to, std::string_view text, char* out);

}  // namespace coeval::kernel
