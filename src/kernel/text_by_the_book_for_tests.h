#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace coeval::kernel::testing {

// Text functions character by character, over well-formed UTF-8.

inline std::u32string characters_of(const std::string& text) {
  std::u32string out;
  for (std::size_t i = 0; i < text.size();) {
    const auto lead = static_cast<unsigned char>(text[i]);
    const std::size_t size = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    char32_t code = size == 1 ? lead : lead & (0x7FU >> size);
    for (std::size_t k = 1; k < size; ++k)
      code = code << 6 | (static_cast<unsigned char>(text[i + k]) & 0x3FU);
    out += code;
    i += size;
  }
  return out;
}

inline std::string text_of(const std::u32string& characters) {
  std::string out;
  for (const char32_t c : characters) {
    if (c < 0x80) {
      out += static_cast<char>(c);
    } else if (c < 0x800) {
      out += static_cast<char>(0xC0 | c >> 6);
      out += static_cast<char>(0x80 | (c & 0x3F));
    } else {
      out += static_cast<char>(0xE0 | c >> 12);
      out += static_cast<char>(0x80 | (c >> 6 & 0x3F));
      out += static_cast<char>(0x80 | (c & 0x3F));
    }
  }
  return out;
}

/// Letters of the random texts, lower and upper; ß has no upper one of its own.
inline std::string in_case(const std::string& text, bool upper) {
  std::u32string letters = characters_of(text);
  for (char32_t& c : letters)
    for (const auto& [low, high] : {std::pair{U'a', U'A'},
                                    {U'b', U'B'},
                                    {U'c', U'C'},
                                    {U'e', U'E'},
                                    {U'n', U'N'},
                                    {U'é', U'É'},
                                    {U'ж', U'Ж'},
                                    {U't', U'T'},
                                    {U'r', U'R'},
                                    {U'u', U'U'},
                                    {U'f', U'F'},
                                    {U'l', U'L'},
                                    {U's', U'S'},
                                    {U'i', U'I'},
                                    {U'z', U'Z'}})
      if (c == (upper ? low : high)) {
        c = upper ? high : low;
        break;
      }
  return text_of(letters);
}

inline bool like_by_the_book(std::u32string_view text, std::u32string_view pattern,
                             char32_t escape) {
  if (pattern.empty()) return text.empty();
  char32_t c = pattern[0];
  pattern.remove_prefix(1);
  if (c == escape && escape != 0) {
    c = pattern[0];
    pattern.remove_prefix(1);
  } else if (c == U'%') {
    for (std::size_t i = 0; i <= text.size(); ++i)
      if (like_by_the_book(text.substr(i), pattern, escape)) return true;
    return false;
  } else if (c == U'_') {
    return !text.empty() && like_by_the_book(text.substr(1), pattern, escape);
  }
  return !text.empty() && text[0] == c && like_by_the_book(text.substr(1), pattern, escape);
}

inline std::string substr_by_the_book(const std::string& text, std::int64_t start,
                                      std::optional<std::int64_t> length) {
  const std::u32string all = characters_of(text);
  const __int128 first =
      start < 0 ? static_cast<__int128>(all.size()) + start + 1 : __int128{start};
  std::u32string out;
  for (std::size_t i = 0; i < all.size(); ++i)
    if (const auto place = static_cast<__int128>(i) + 1;
        place >= first && (!length || place < first + std::max<std::int64_t>(*length, 0)))
      out += all[i];
  return text_of(out);
}

inline std::vector<std::string> split_by_the_book(const std::string& text,
                                                  const std::string& separator) {
  std::vector<std::string> parts(1);
  for (std::size_t i = 0; i < text.size();)
    if (!separator.empty() && text.compare(i, separator.size(), separator) == 0) {
      parts.emplace_back();
      i += separator.size();
    } else {
      parts.back() += text[i++];
    }
  return parts;
}

inline std::string replace_by_the_book(const std::string& text, const std::string& from,
                                       const std::string& to) {
  const auto parts = split_by_the_book(text, from);
  std::string out = parts[0];
  for (std::size_t i = 1; i < parts.size(); ++i) out += to + parts[i];
  return out;
}

/// The shorter of the fixed and the scientific spelling with the fewest digits that read back.
inline std::string shortest_by_the_book(double x, bool narrow) {
  if (std::isnan(x)) return "nan";
  if (std::isinf(x)) return x < 0 ? "-inf" : "inf";
  char buffer[400];
  int digits = 0;
  const auto reads_back = [&] {
    return narrow ? std::strtof(buffer, nullptr) == static_cast<float>(x)
                  : std::strtod(buffer, nullptr) == x;
  };
  do std::snprintf(buffer, sizeof buffer, "%.*e", digits++, x);
  while (!reads_back());
  const std::string scientific = buffer;
  int decimals = 0;
  do std::snprintf(buffer, sizeof buffer, "%.*f", decimals++, x);
  while (!reads_back() && decimals < 330);
  return std::strlen(buffer) <= scientific.size() ? buffer : scientific;
}

}  // namespace coeval::kernel::testing
