#include "data/utf8.h"

#include <simdjson.h>

#include <algorithm>
#include <cstdint>
#include <cstring>

namespace coeval::data {

namespace {

unsigned char unit(std::string_view text, std::size_t at) {
  return static_cast<unsigned char>(text[at]);
}

bool continues(std::string_view text, std::size_t at) {
  return at < text.size() && (unit(text, at) & 0xC0) == 0x80;
}

// Bounds of the second byte exclude overlong forms, surrogates and what lies above U+10FFFF.
bool second_fits(std::string_view text) {
  if (!continues(text, 1)) return false;
  const unsigned char second = unit(text, 1);
  switch (unit(text, 0)) {
    case 0xE0:
      return second >= 0xA0;
    case 0xED:
      return second < 0xA0;
    case 0xF0:
      return second >= 0x90;
    case 0xF4:
      return second < 0x90;
    default:
      return true;
  }
}

// Bytes at the front that are ASCII, counted in whole words.
std::size_t ascii_words(std::string_view text) {
  std::size_t at = 0;
  for (std::uint64_t word = 0; at + 8 <= text.size(); at += 8) {
    std::memcpy(&word, text.data() + at, 8);
    if ((word & 0x8080808080808080u) != 0) break;
  }
  return at;
}

}  // namespace

std::size_t utf8_sequence(std::string_view text) {
  if (text.empty()) return 0;
  const unsigned char first = unit(text, 0);
  if (first < 0x80) return 1;
  if (first < 0xC2 || first > 0xF4 || !second_fits(text)) return 0;
  if (first < 0xE0) return 2;
  if (!continues(text, 2)) return 0;
  if (first < 0xF0) return 3;
  return continues(text, 3) ? 4 : 0;
}

bool is_ascii(std::string_view text) {
  using Words __attribute__((vector_size(32))) = std::uint64_t;  // what the machine has of it
  constexpr std::size_t kAtOnce = 8;
  while (text.size() >= kAtOnce * sizeof(Words)) {
    Words all = {};
    for (std::size_t i = 0; i < kAtOnce; ++i) {
      Words words;
      std::memcpy(&words, text.data() + i * sizeof words, sizeof words);
      all |= words;
    }
    if (((all[0] | all[1] | all[2] | all[3]) & 0x8080808080808080u) != 0) return false;
    text.remove_prefix(kAtOnce * sizeof(Words));
  }
  text.remove_prefix(ascii_words(text));
  return std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

bool is_utf8(std::string_view text) {
  constexpr std::size_t kLong = 256;  // of which simdjson looks at all by vectors
  if (text.size() >= kLong) return simdjson::validate_utf8(text.data(), text.size());
  for (;;) {
    text.remove_prefix(ascii_words(text));
    while (!text.empty() && unit(text, 0) < 0x80) text.remove_prefix(1);
    if (text.empty()) return true;
    const std::size_t size = utf8_sequence(text);
    if (size == 0) return false;
    text.remove_prefix(size);
  }
}

std::string_view utf8_prefix(std::string_view text, std::size_t bytes) {
  if (text.size() <= bytes) return text;
  while (bytes > 0 && continues(text, bytes)) --bytes;
  return text.substr(0, bytes);
}

}  // namespace coeval::data
