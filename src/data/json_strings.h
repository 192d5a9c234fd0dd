#pragma once

#include <cstdint>
#include <cstring>
#include <string>

// Strings of JSON where they lie in a text that is padded with readable bytes.

namespace coeval::data {

/// Eight bytes at once: the high bit is set of each that is a quote, a backslash, a control
/// character or not ASCII; of those behind the first such byte the bits say nothing.
inline std::uint64_t odd_bytes(std::uint64_t word) {
  constexpr std::uint64_t kOnes = 0x0101010101010101u, kHighs = 0x8080808080808080u;
  const auto has_zero = [](std::uint64_t w) { return (w - kOnes) & ~w & kHighs; };
  return has_zero(word ^ kOnes * '"') | has_zero(word ^ kOnes * '\\') |
         ((word - kOnes * 0x20) & ~word & kHighs) | (word & kHighs);
}

/// The first byte from `at` on that ends a string or makes it more than plain ASCII; `end` if there
/// is none before it. Eight bytes behind `end` must be readable.
inline const char* plain_end(const char* at, const char* end) {
  for (; at < end; at += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, at, 8);
    const std::uint64_t odd = odd_bytes(word);
    if (odd == 0) continue;
    at += __builtin_ctzll(odd) / 8;
    return at < end ? at : end;
  }
  return end;
}

/// Decodes the escapes of a string from `at`, behind its opening quote, into `out`. Its closing
/// quote, or null when it is not valid JSON or not closed before `end`; UTF-8 is not looked at.
const char* decode_json_string(const char* at, const char* end, std::string& out);

}  // namespace coeval::data
