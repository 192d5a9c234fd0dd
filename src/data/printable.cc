#include "data/printable.h"

#include <algorithm>
#include <cstdio>

#include "data/utf8.h"

namespace coeval::data {

namespace {

bool is_obeyed(std::string_view one) {
  const auto byte = static_cast<unsigned char>(one.front());
  if (one.size() == 1) return (byte < 0x20 && byte != '\t') || byte == 0x7F;
  if (one.size() == 2) return one <= "\xC2\x9F";  // the controls above 7 bits
  return one.size() == 3 && (one == "\xE2\x80\x8E" || one == "\xE2\x80\x8F" ||
                             (one >= "\xE2\x80\xA8" && one <= "\xE2\x80\xAE") ||
                             (one >= "\xE2\x81\xA6" && one <= "\xE2\x81\xA9"));
}

void append_escaped(std::string& out, std::string_view bytes) {
  for (const char c : bytes) {
    char hex[5];
    std::snprintf(hex, sizeof hex, "\\x%02x", static_cast<unsigned char>(c));
    out += hex;
  }
}

// Nearly all text is letters, digits and signs of ASCII, which stay.
std::size_t plain_prefix(std::string_view text) {
  const auto* const end =
      std::ranges::find_if_not(text, [](char c) { return (c >= ' ' && c <= '~') || c == '\t'; });
  return static_cast<std::size_t>(end - text.begin());
}

std::string escaped(std::string_view text, bool keeps_line_ends) {
  std::string out;
  out.reserve(text.size());
  while (true) {
    const std::size_t plain = plain_prefix(text);
    out += text.substr(0, plain);
    text.remove_prefix(plain);
    if (text.empty()) return out;
    const std::size_t size = utf8_sequence(text);
    const std::string_view one = text.substr(0, std::max<std::size_t>(size, 1));
    const bool stays = size > 0 && (!is_obeyed(one) || (keeps_line_ends && one == "\n"));
    if (stays)
      out += one;
    else
      append_escaped(out, one);
    text.remove_prefix(one.size());
  }
}

}  // namespace

std::string printable(std::string_view text) { return escaped(text, false); }

std::string printable_lines(std::string_view text) { return escaped(text, true); }

}  // namespace coeval::data
