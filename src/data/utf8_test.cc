#include "data/utf8.h"

#include <doctest/doctest.h>

#include <string>

namespace coeval::data {
namespace {

// Encodes without any judgement, so that ill-formed sequences can be made too.
std::string encoded(unsigned code, int size) {
  if (size == 1) return {static_cast<char>(code)};
  std::string out;
  for (int i = 1; i < size; ++i, code >>= 6)
    out.insert(out.begin(), static_cast<char>(0x80 | (code & 63)));
  out.insert(out.begin(), static_cast<char>((0xF00 >> size & 0xFF) | code));
  return out;
}

TEST_CASE("exactly the shortest encoding of each scalar value is well-formed") {
  for (unsigned code = 0; code < 0x120000; ++code) {
    const bool scalar = code < 0x110000 && (code < 0xD800 || code > 0xDFFF);
    const int shortest = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    for (int size = shortest; size <= 4; ++size) {
      const bool expected = scalar && size == shortest;
      REQUIRE(is_utf8(encoded(code, size)) == expected);
      if (expected) REQUIRE(utf8_sequence(encoded(code, size)) == static_cast<std::size_t>(size));
    }
  }
}

TEST_CASE("a cut or stray byte anywhere in a text makes it ill-formed") {
  const std::string text = "0123456789 Zürich 東京 😀 0123456789";
  CHECK(is_utf8(text));
  for (std::size_t i = 0; i <= text.size(); ++i)
    CHECK_FALSE(is_utf8(text.substr(0, i) + "\x80" + text.substr(i)));
  CHECK_FALSE(is_utf8("12345678\xE6\x9D"));
}

TEST_CASE("of a long text, which goes by vectors, every byte is looked at") {
  const std::string part = "0123456789 Zürich 東京 😀 0123456789";
  std::string text;
  while (text.size() < 400) text += part;
  CHECK(is_utf8(text));
  CHECK(is_utf8(std::string(400, 'a')));
  for (std::size_t i = 0; i <= text.size(); ++i)
    REQUIRE_FALSE(is_utf8(text.substr(0, i) + "\x80" + text.substr(i)));
  for (const char* const bad :
       {"\xC0\x80", "\xE0\x9F\xBF", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xF8\x88", "\xE6\x9D"})
    for (std::size_t at : {std::size_t{0}, std::size_t{63}, std::size_t{300}, std::size_t{400}})
      CHECK_FALSE(is_utf8(std::string(at, 'a') + bad + std::string(400 - at, 'a')));
}

TEST_CASE("a prefix never cuts a character") {
  CHECK(utf8_prefix("aé", 3) == "aé");
  CHECK(utf8_prefix("aé", 2) == "a");
  CHECK(utf8_prefix("😀", 3) == "");
  CHECK(utf8_prefix("ab", 0) == "");
}

}  // namespace
}  // namespace coeval::data
