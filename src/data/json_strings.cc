#include "data/json_strings.h"

#include <string_view>

namespace coeval::data {

namespace {

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char lower = static_cast<char>(c | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

// Four digits; those behind the end of the text are its padding, and none.
const char* code_unit(const char* at, const char* end, std::uint32_t& unit) {
  if (end - at < 4) return nullptr;
  unit = 0;
  for (int i = 0; i < 4; ++i, ++at) {
    const int digit = hex_digit(*at);
    if (digit < 0) return nullptr;
    unit = unit << 4 | static_cast<std::uint32_t>(digit);
  }
  return at;
}

void append_code_point(std::string& out, std::uint32_t code) {
  const auto put = [&out](std::uint32_t byte) { out += static_cast<char>(byte); };
  if (code < 0x80) return put(code);
  if (code < 0x800) {
    put(0xC0 | code >> 6);
  } else if (code < 0x10000) {
    put(0xE0 | code >> 12);
    put(0x80 | (code >> 6 & 63));
  } else {
    put(0xF0 | code >> 18);
    put(0x80 | (code >> 12 & 63));
    put(0x80 | (code >> 6 & 63));
  }
  put(0x80 | (code & 63));
}

// Behind "\u".
const char* unicode_escape(const char* at, const char* end, std::string& out) {
  std::uint32_t unit = 0, low = 0;
  at = code_unit(at, end, unit);
  if (at == nullptr || (unit >= 0xDC00 && unit < 0xE000)) return nullptr;
  if (unit >= 0xD800 && unit < 0xDC00) {
    if (end - at < 6 || at[0] != '\\' || at[1] != 'u') return nullptr;
    at = code_unit(at + 2, end, low);
    if (at == nullptr || low < 0xDC00 || low > 0xDFFF) return nullptr;
    unit = 0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00);
  }
  append_code_point(out, unit);
  return at;
}

// Behind the backslash.
const char* escape(const char* at, const char* end, std::string& out) {
  constexpr std::string_view kLetters = "\"\\/bfnrt", kMeanings = "\"\\/\b\f\n\r\t";
  if (at >= end) return nullptr;
  if (*at == 'u') return unicode_escape(at + 1, end, out);
  const std::size_t letter = kLetters.find(*at);
  if (letter == std::string_view::npos) return nullptr;
  out += kMeanings[letter];
  return at + 1;
}

}  // namespace

const char* decode_json_string(const char* at, const char* end, std::string& out) {
  out.clear();
  while (at < end) {
    const char* const odd = plain_end(at, end);
    out.append(at, odd);
    at = odd;
    if (at >= end) return nullptr;
    const auto byte = static_cast<unsigned char>(*at);
    if (byte == '"') return at;
    if (byte < 0x20) return nullptr;
    if (byte == '\\') {
      at = escape(at + 1, end, out);
      if (at == nullptr) return nullptr;
    } else {
      out += *at++;
    }
  }
  return nullptr;
}

}  // namespace coeval::data
