#pragma once

#include <cstddef>
#include <string_view>

namespace coeval::data {

/// Bytes of the well-formed UTF-8 sequence that `text` begins with, or 0 when it begins with none
/// (overlong forms, surrogates and values above U+10FFFF are not well-formed).
std::size_t utf8_sequence(std::string_view text);

/// Whether the whole text is ASCII.
bool is_ascii(std::string_view text);

/// Whether the whole text is well-formed UTF-8. (semantics: V1) About 8 bytes a cycle for ASCII,
/// and for any text of some hundred bytes.
bool is_utf8(std::string_view text);

/// The longest prefix of at most `bytes` bytes that does not cut a sequence in two.
std::string_view utf8_prefix(std::string_view text, std::size_t bytes);

}  // namespace coeval::data
