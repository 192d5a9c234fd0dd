#pragma once

#include <bit>
#include <charconv>
#include <cstdint>
#include <cstring>
#include <limits>
#include <string_view>

#include "base/time.h"

// Numbers and times in their usual spellings, read in one pass. What these do not take, rare or
// wrong, is left to the plain ways (cell_text.h, json.h), which are their oracles: what they do
// take has the same bits. (quick_numbers_test.cc)

namespace coeval::data {

inline bool is_digit(char c) { return static_cast<unsigned char>(c - '0') < 10; }

/// The parts of -?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?
struct NumberParts {
  std::uint64_t digits = 0;  ///< all of them as one number, when there are at most 19
  int count = 0;             ///< of digits from the first that is not 0
  int exponent = 0;          ///< value = digits · 10^exponent
  bool negative = false;
  bool whole = true;          ///< neither point nor exponent
  bool leading_zero = false;  ///< more than one digit before the point, the first a 0
};

/// Finds the parts of the number at `at`; null when there is none of that form. Looks no further
/// than one byte behind its last, which must be readable.
inline const char* scan_number(const char* at, NumberParts& parts) {
  parts.negative = *at == '-';
  if (parts.negative) ++at;
  if (!is_digit(*at)) return nullptr;
  const char* const first = at;
  std::uint64_t digits = 0;
  int count = 0;
  do {
    digits = digits * 10 + static_cast<std::uint64_t>(*at - '0');
    count += count > 0 || *at != '0' ? 1 : 0;
  } while (is_digit(*++at));
  parts.leading_zero = *first == '0' && at - first > 1;
  if (*at == '.') {
    parts.whole = false;
    const char* const point = ++at;
    if (!is_digit(*at)) return nullptr;
    do {
      digits = digits * 10 + static_cast<std::uint64_t>(*at - '0');
      count += count > 0 || *at != '0' ? 1 : 0;
    } while (is_digit(*++at));
    parts.exponent = static_cast<int>(point - at);
  }
  parts.digits = digits;
  parts.count = count;
  if (*at != 'e' && *at != 'E') return at;
  parts.whole = false;
  ++at;
  const bool minus = *at == '-';
  if (*at == '-' || *at == '+') ++at;
  if (!is_digit(*at)) return nullptr;
  int exponent = 0;
  do {
    if (exponent < 100'000) exponent = exponent * 10 + (*at - '0');
  } while (is_digit(*++at));
  parts.exponent += minus ? -exponent : exponent;
  return at;
}

/// The integer, when there are at most 18 digits.
inline bool quick_integer(const NumberParts& parts, std::int64_t& value) {
  if (!parts.whole || parts.count > 18) return false;
  const auto digits = static_cast<std::int64_t>(parts.digits);
  value = parts.negative ? -digits : digits;
  return true;
}

/// The nearest float64, where one operation on two exact ones gives it: digits up to 2^53, powers
/// of ten up to 22.
inline bool quick_real(const NumberParts& parts, double& value) {
  constexpr double kPowers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
  if (parts.count > 19 || parts.digits > std::uint64_t{1} << 53) return false;
  if (parts.exponent < -22 || parts.exponent > 22) return false;
  const auto digits = static_cast<double>(parts.digits);
  value = parts.exponent < 0 ? digits / kPowers[-parts.exponent] : digits * kPowers[parts.exponent];
  if (parts.negative) value = -value;
  return true;
}

/// The nearest float32 of the number whose nearest float64 is `real`, where rounding twice is
/// rounding once: not beside the middle between two floats, nor outside their normal range.
inline bool quick_narrow(double real, float& value) {
  constexpr std::uint64_t kLost = (std::uint64_t{1} << 29) - 1, kMiddle = std::uint64_t{1} << 28;
  const std::uint64_t lost = std::bit_cast<std::uint64_t>(real) & kLost;
  if (lost >= kMiddle - 1 && lost <= kMiddle + 1) return false;
  const double size = real < 0 ? -real : real;
  const bool normal = size >= 1.2e-38 && size <= 3.4e38;
  if (!normal && size != 0) return false;
  value = static_cast<float>(real);
  return true;
}

// Up to eight bytes at a time, as in one number whose low byte is the first: each with '0' taken
// off.

inline constexpr std::uint64_t kZeros = 0x3030303030303030u;

/// Whether all eight are 0 to 9.
inline bool are_digits(std::uint64_t bytes) {
  return ((bytes | (bytes + 0x7676767676767676u)) & 0x8080808080808080u) == 0;
}
/// The number that eight digits make.
inline std::uint64_t join_digits(std::uint64_t digits) {
  digits = digits * 10 + (digits >> 8);
  digits = (digits & 0x00FF00FF00FF00FFu) * (1 + (std::uint64_t{100} << 16)) >> 16;
  return (digits & 0x0000FFFF0000FFFFu) * (1 + (std::uint64_t{10000} << 32)) >> 32;
}
/// The first `size` bytes, 1 to 8, behind as many zeros as make them eight. Eight must be readable.
inline std::uint64_t load_digits(const char* at, std::size_t size) {
  std::uint64_t bytes = 0;
  std::memcpy(&bytes, at, 8);
  return (bytes ^ kZeros) << (64 - 8 * size);
}
/// A number of 1 to 16 digits; false when it is none. Eight bytes must be readable from its first.
inline bool read_digits(const char* at, std::size_t size, std::uint64_t& value) {
  if (size - 1 < 8) {
    const std::uint64_t digits = load_digits(at, size);
    value = join_digits(digits);
    return are_digits(digits);
  }
  if (size - 9 >= 8) return false;
  const std::uint64_t high = load_digits(at, size - 8), low = load_digits(at + size - 8, 8);
  value = join_digits(high) * 100'000'000 + join_digits(low);
  return are_digits(high) && are_digits(low);
}

/// -?[0-9]{1,16}, all of the text; anything else is left to others. Eight bytes behind its first
/// must be readable.
inline bool read_short_integer(std::string_view text, std::int64_t& value) {
  const bool negative = text.front() == '-';
  std::uint64_t digits = 0;
  if (!read_digits(text.data() + negative, text.size() - negative, digits)) return false;
  value = static_cast<std::int64_t>((digits ^ (0 - std::uint64_t{negative})) + negative);
  return true;
}

/// The nearest float64 of -?[0-9]+(\.[0-9]+)?, of at most eight bytes without the sign; anything
/// else is left to others. Eight bytes behind its first must be readable.
inline bool read_short_real(std::string_view text, double& value) {
  constexpr double kPowers[] = {1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6};
  constexpr std::uint64_t kPoints = 0x0101010101010101u * static_cast<std::uint64_t>('.' ^ '0');
  const bool negative = text.front() == '-';
  const std::size_t size = text.size() - negative;
  if (size - 1 >= 8) return false;
  std::uint64_t digits = load_digits(text.data() + negative, size);
  const std::uint64_t other = digits ^ kPoints;
  const std::uint64_t points = (other - 0x0101010101010101u) & ~other & 0x8080808080808080u;
  std::size_t behind = 0;
  if (points != 0) {
    // The lowest is a point for certain; what stands before it moves into its place.
    const auto bit = static_cast<std::size_t>(std::countr_zero(points)) - 7;
    behind = 7 - bit / 8;
    if (behind == 0 || behind + 2 > size) return false;
    const std::uint64_t before = (std::uint64_t{1} << bit) - 1;
    digits = (digits & ~(before << 8 | 0xFF)) | (digits & before) << 8;
  }
  if (!are_digits(digits)) return false;
  const double size_of = static_cast<double>(join_digits(digits)) / kPowers[behind];
  value =
      std::bit_cast<double>(std::bit_cast<std::uint64_t>(size_of) | std::uint64_t{negative} << 63);
  return true;
}

/// The same of more bytes, of which at most seven come before a point and sixteen behind it.
inline bool read_long_real(std::string_view text, double& value) {
  constexpr std::uint64_t kPowers[] = {1,
                                       10,
                                       100,
                                       1'000,
                                       10'000,
                                       100'000,
                                       1'000'000,
                                       10'000'000,
                                       100'000'000,
                                       1'000'000'000,
                                       10'000'000'000,
                                       100'000'000'000,
                                       1'000'000'000'000,
                                       10'000'000'000'000,
                                       100'000'000'000'000,
                                       1'000'000'000'000'000};
  constexpr std::uint64_t kPoints = 0x0101010101010101u * static_cast<std::uint64_t>('.' ^ '0');
  const bool negative = text.front() == '-';
  const char* const at = text.data() + negative;
  const std::size_t size = text.size() - negative;
  if (size - 9 >= 16) return false;
  const std::uint64_t other = load_digits(at, 8) ^ kPoints;
  const std::uint64_t points = (other - 0x0101010101010101u) & ~other & 0x8080808080808080u;
  if (points == 0) return false;
  const std::size_t before = static_cast<std::size_t>(std::countr_zero(points)) / 8;
  const std::size_t behind = size - before - 1;
  std::uint64_t whole = 0, part = 0;
  if (!read_digits(at, before, whole) || !read_digits(at + before + 1, behind, part)) return false;
  if (before + behind <= 16) {  // so that `behind` is at most 15
    const std::uint64_t digits = whole * kPowers[behind] + part;
    if (digits <= std::uint64_t{1} << 53) {
      value = static_cast<double>(digits) / static_cast<double>(kPowers[behind]);
      if (negative) value = -value;
      return true;
    }
  }
  const char* const end = text.data() + text.size();
  const auto result = std::from_chars(text.data(), end, value);
  return result.ec == std::errc{} && result.ptr == end;
}

/// The moment that YYYY-MM-DD begins, remembering the last one, since neighbours share their day.
class QuickDates {
 public:
  QuickDates() {
    std::memcpy(&start_, "1970-01-", 8);
    std::memcpy(&rest_, "01", 2);
  }
  /// Days since 1970-01-01 of the ten bytes at `text`. False when they are no date.
  bool read(const char* text, std::int64_t& days) {
    std::uint64_t start = 0;
    std::uint16_t rest = 0;
    std::memcpy(&start, text, 8);
    std::memcpy(&rest, text + 8, 2);
    if (start != start_ || rest != rest_) {
      const auto midnight = parse_time(std::string_view(text, 10));
      if (!midnight || text[4] != '-') return false;
      days_ = *midnight / kDayUs;  // a midnight: nothing is left
      start_ = start;
      rest_ = rest;
    }
    days = days_;
    return true;
  }

  /// µs of "2001-06-01T12:30:00", a space for T, up to six digits of a fraction, Z or nothing.
  /// False for anything else.
  bool read_time(std::string_view text, std::int64_t& us) {
    if (text.size() < 19 || (text[10] != 'T' && text[10] != ' ') || text[13] != ':' ||
        text[16] != ':')
      return false;
    std::int64_t days = 0;
    if (!read(text.data(), days)) return false;
    // HH:MM:SS; the colons become zeros.
    std::uint64_t clock = 0;
    std::memcpy(&clock, text.data() + 11, 8);
    clock ^= 0x30303A30303A3030u;
    if (!are_digits(clock)) return false;
    clock = clock * 10 + (clock >> 8);
    const std::uint64_t hour = clock & 0xFF, minute = clock >> 24 & 0xFF,
                        second = clock >> 48 & 0xFF;
    if (hour > 23 || minute > 59 || second > 59) return false;
    std::int64_t microseconds = 0;
    std::size_t at = 19;
    if (at < text.size() && text[at] == '.' && !fraction(text, ++at, microseconds)) return false;
    if (at < text.size() && text[at] == 'Z') ++at;
    us = days * kDayUs + static_cast<std::int64_t>((hour * 60 + minute) * 60 + second) * kSecondUs +
         microseconds;
    return at == text.size();
  }

 private:
  static bool fraction(std::string_view text, std::size_t& at, std::int64_t& microseconds) {
    std::int64_t unit = 100'000;
    const std::size_t first = at;
    for (; at < text.size() && is_digit(text[at]); ++at, unit /= 10)
      microseconds += unit * (text[at] - '0');
    return at > first && at - first <= 6;
  }

  std::uint64_t start_ = 0;
  std::uint16_t rest_ = 0;
  std::int64_t days_ = 0;
};

}  // namespace coeval::data
