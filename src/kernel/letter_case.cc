#include "kernel/letter_case.h"

#include <algorithm>
#include <span>

#include "data/utf8.h"
#include "kernel/letter_case_table.h"

namespace coeval::kernel {

namespace {

std::uint32_t byte_at(std::string_view text, std::size_t i) {
  return static_cast<unsigned char>(text[i]);
}

// The code point of a well-formed sequence of two to four bytes.
std::uint32_t decoded(std::string_view sequence) {
  std::uint32_t code = byte_at(sequence, 0) & (0x7FU >> sequence.size());
  for (std::size_t i = 1; i < sequence.size(); ++i)
    code = code << 6 | (byte_at(sequence, i) & 0x3FU);
  return code;
}

std::size_t encoded_size(std::uint32_t code) {
  if (code < 0x80) return 1;
  if (code < 0x800) return 2;
  return code < 0x10000 ? 3 : 4;
}

char* encode(std::uint32_t code, char* out) {
  const std::size_t size = encoded_size(code);
  if (size == 1) {
    *out = static_cast<char>(code);
    return out + 1;
  }
  for (std::size_t i = size; i-- > 1; code >>= 6)
    out[i] = static_cast<char>(0x80U | (code & 0x3FU));
  out[0] = static_cast<char>((0xF00U >> size & 0xFFU) | code);
  return out + size;
}

char mapped_ascii(LetterCase to, char c) {
  if (to == LetterCase::lower) return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
}

// Calls `ascii(char)`, `letter(code point)` or `stray(char)` for what the text consists of.
template <class Ascii, class Letter, class Stray>
void walk(std::string_view text, Ascii ascii, Letter letter, Stray stray) {
  while (!text.empty()) {
    std::size_t size = 1;
    if (byte_at(text, 0) < 0x80) {
      ascii(text[0]);
    } else if (const std::size_t sequence = data::utf8_sequence(text); sequence == 0) {
      stray(text[0]);
    } else {
      size = sequence;
      letter(decoded(text.substr(0, size)));
    }
    text.remove_prefix(size);
  }
}

}  // namespace

std::uint32_t mapped(LetterCase to, std::uint32_t code_point) {
  if (code_point < 0x80)
    return static_cast<unsigned char>(mapped_ascii(to, static_cast<char>(code_point)));
  const std::span<const CaseRange> ranges =
      to == LetterCase::lower ? std::span<const CaseRange>(kLowerRanges) : kUpperRanges;
  const auto range = std::ranges::lower_bound(ranges, code_point, {}, &CaseRange::last);
  if (range == ranges.end() || code_point < range->first ||
      (code_point - range->first) % range->step != 0)
    return code_point;
  return code_point + static_cast<std::uint32_t>(range->delta);
}

std::size_t mapped_size(LetterCase to, std::string_view text) {
  std::size_t size = 0;
  walk(
      text, [&](char) { ++size; },
      [&](std::uint32_t code) { size += encoded_size(mapped(to, code)); }, [&](char) { ++size; });
  return size;
}

void write_mapped(LetterCase to, std::string_view text, char* out) {
  walk(
      text, [&](char c) { *out++ = mapped_ascii(to, c); },
      [&](std::uint32_t code) { out = encode(mapped(to, code), out); },
      [&](char c) { *out++ = c; });
}

}  // namespace coeval::kernel
