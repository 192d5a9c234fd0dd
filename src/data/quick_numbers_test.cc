#include "data/quick_numbers.h"

#include <doctest/doctest.h>

#include <bit>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <string>

namespace coeval::data {
namespace {

std::string random_number(std::mt19937_64& random) {
  std::string text = random() % 3 == 0 ? "-" : "";
  const auto digits = [&](std::uint64_t most) {
    for (auto i = random() % most + 1; i > 0; --i) text += static_cast<char>('0' + random() % 10);
  };
  digits(random() % 2 == 0 ? 4 : 20);
  if (random() % 3 != 0) text += '.', digits(random() % 2 == 0 ? 4 : 20);
  if (random() % 4 == 0) text += "e" + std::to_string(static_cast<int>(random() % 60) - 30);
  return text;
}

// glibc's strtod and strtof round correctly.
TEST_CASE("floats read at a glance have the bits of the nearest one") {
  std::mt19937_64 random(1);
  int quick = 0, narrowed = 0;
  for (int round = 0; round < 300'000; ++round) {
    const std::string text = random_number(random);
    NumberParts parts;
    REQUIRE(scan_number(text.c_str(), parts) == text.c_str() + text.size());
    double value = 0;
    float narrow = 0;
    if (!quick_real(parts, value)) continue;
    ++quick;
    REQUIRE(std::bit_cast<std::uint64_t>(value) ==
            std::bit_cast<std::uint64_t>(std::strtod(text.c_str(), nullptr)));
    if (!quick_narrow(value, narrow)) continue;
    ++narrowed;
    REQUIRE(std::bit_cast<std::uint32_t>(narrow) ==
            std::bit_cast<std::uint32_t>(std::strtof(text.c_str(), nullptr)));
  }
  CHECK(quick > 100'000);
  CHECK(narrowed > 100'000);
}

TEST_CASE("numbers read digits at once are those of strtod and strtoll, and nothing else is read") {
  std::mt19937_64 random(5);
  int integers = 0, reals = 0;
  for (int round = 0; round < 300'000; ++round) {
    std::string text = random_number(random);
    if (random() % 3 == 0) text[random() % text.size()] = "0123456789-+.e ,"[random() % 16];
    const std::string padded = text + std::string(64, random() % 2 == 0 ? '7' : '\0');
    const std::string_view view = std::string_view(padded).substr(0, text.size());
    const bool well_formed =
        text.find_first_not_of("0123456789", text[0] == '-' ? 1 : 0) == std::string::npos &&
        text != "-";
    std::int64_t integer = 0;
    CAPTURE(text);
    if (read_short_integer(view, integer)) {
      ++integers;
      REQUIRE(well_formed);
      REQUIRE(integer == std::strtoll(text.c_str(), nullptr, 10));
    } else if (well_formed) {
      REQUIRE(text.size() > 16);
    }
    double real = 0;
    if (!read_short_real(view, real) && !read_long_real(view, real)) continue;
    ++reals;
    NumberParts parts;
    REQUIRE(scan_number(text.c_str(), parts) == text.c_str() + text.size());
    REQUIRE(std::bit_cast<std::uint64_t>(real) ==
            std::bit_cast<std::uint64_t>(std::strtod(text.c_str(), nullptr)));
  }
  CHECK(integers > 10'000);
  CHECK(reals > 50'000);
}

// Numbers that lie on, or a hair beside, the middle of two floats: rounding twice goes wrong there.
TEST_CASE("float32 beside the middle of two floats is not rounded twice") {
  std::mt19937_64 random(2);
  for (int round = 0; round < 100'000; ++round) {
    const auto low =
        std::bit_cast<float>(static_cast<std::uint32_t>(0x3F000000 + random() % 0x1000000));
    const double middle = (static_cast<double>(low) + std::nextafter(low, 4.0f)) / 2;
    char text[64];
    const int digits = static_cast<int>(random() % 12) + 6;
    std::snprintf(text, sizeof text, "%.*f", digits, middle);
    NumberParts parts;
    double value = 0;
    float narrow = 0;
    REQUIRE(scan_number(text, parts) != nullptr);
    if (quick_real(parts, value) && quick_narrow(value, narrow))
      REQUIRE(std::bit_cast<std::uint32_t>(narrow) ==
              std::bit_cast<std::uint32_t>(std::strtof(text, nullptr)));
  }
}

TEST_CASE("integers read at a glance are those of from_chars") {
  std::mt19937_64 random(3);
  for (int round = 0; round < 100'000; ++round) {
    const auto expected = static_cast<std::int64_t>(random()) >> random() % 64;
    const std::string text = std::to_string(expected);
    NumberParts parts;
    std::int64_t value = 0;
    REQUIRE(scan_number(text.c_str(), parts) == text.c_str() + text.size());
    REQUIRE(quick_integer(parts, value) == (std::abs(expected) < 1'000'000'000'000'000'000));
    if (quick_integer(parts, value)) REQUIRE(value == expected);
  }
}

TEST_CASE("times read at a glance are those of parse_time, and no others are read") {
  std::mt19937_64 random(4);
  QuickDates dates;
  int read = 0;
  for (int round = 0; round < 200'000; ++round) {
    std::string text = format_time(static_cast<std::int64_t>(random() % 8'000'000'000'000'000) -
                                   2'000'000'000'000'000);
    if (random() % 2 == 0) text = text.substr(0, 19);
    if (random() % 2 == 0) text[random() % text.size()] = "0123456789-:TZ. z+"[random() % 18];
    std::int64_t us = 0;
    if (!dates.read_time(text, us)) continue;
    ++read;
    CAPTURE(text);
    const auto expected = parse_time(text);
    REQUIRE(expected);
    REQUIRE(us == *expected);
  }
  CHECK(read > 50'000);
  std::int64_t days = -1;
  CHECK_FALSE(QuickDates().read("\0\0\0\0\0\0\0\0\0\0", days));
}

}  // namespace
}  // namespace coeval::data
