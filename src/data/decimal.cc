#include "data/decimal.h"

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>

#include "base/check.h"

namespace coeval::data {

namespace {

__extension__ using UnsignedWide = unsigned __int128;

constexpr std::array<std::int64_t, kMaxDecimalDigits + 1> kPowers = [] {
  std::array<std::int64_t, kMaxDecimalDigits + 1> powers{1};
  for (std::size_t i = 1; i < powers.size(); ++i) powers[i] = powers[i - 1] * 10;
  return powers;
}();

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// A text taken apart: all digits without zeros at either end, and the power of ten of the last one.
struct Written {
  bool negative = false;
  std::string digits;
  std::int64_t exponent = 0;
  std::int64_t decimals = 0;  // digits after the point as written
};

// The value beyond which an exponent says nothing new: no text that is read is longer.
constexpr std::int64_t kFarExponent = std::int64_t{1} << 40;

bool take_exponent(std::string_view& rest, std::int64_t& exponent) {
  if (rest.empty() || (rest.front() != 'e' && rest.front() != 'E')) return true;
  rest.remove_prefix(1);
  const bool negative = rest.starts_with('-');
  if (negative || rest.starts_with('+')) rest.remove_prefix(1);
  if (rest.empty() || !is_digit(rest.front())) return false;
  for (; !rest.empty() && is_digit(rest.front()); rest.remove_prefix(1))
    exponent = std::min(exponent * 10 + (rest.front() - '0'), kFarExponent);
  if (negative) exponent = -exponent;
  return true;
}

bool take_digits(std::string_view& rest, Written& out) {
  bool any = false, point = false;
  for (; !rest.empty(); rest.remove_prefix(1)) {
    const char c = rest.front();
    if (c == '.' && !point) {
      point = true;
      continue;
    }
    if (!is_digit(c)) break;
    any = true;
    out.decimals += point ? 1 : 0;
    if (c != '0' || !out.digits.empty()) out.digits += c;
  }
  return any;
}

bool take_apart(std::string_view text, Written& out) {
  std::string_view rest = text;
  out.negative = rest.starts_with('-');
  if (out.negative) rest.remove_prefix(1);
  std::int64_t exponent = 0;
  if (!take_digits(rest, out) || !take_exponent(rest, exponent) || !rest.empty()) return false;
  out.exponent = exponent - out.decimals;
  while (!out.digits.empty() && out.digits.back() == '0') {
    out.digits.pop_back();
    ++out.exponent;
  }
  return true;
}

// digits · 10^zeros; the caller has seen that it fits.
std::int64_t value_of(const Written& written, std::int64_t zeros) {
  std::int64_t value = 0;
  for (const char c : written.digits) value = value * 10 + (c - '0');
  value *= power_of_ten(static_cast<int>(zeros));
  return written.negative ? -value : value;
}

// Digits and a power of ten, for the reader that rounds once.
template <class Real>
Real nearest(std::int64_t scaled, int scale) {
  const std::string text = std::to_string(scaled) + "e-" + std::to_string(scale);
  Real value = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
  COEVAL_CHECK(read.ec == std::errc{});
  return value;
}

}  // namespace

std::int64_t power_of_ten(int n) { return kPowers[static_cast<std::size_t>(n)]; }

Result<Type> parse_decimal_type(std::string_view text) {
  const auto skip_spaces = [&] {
    while (text.starts_with(' ')) text.remove_prefix(1);
  };
  const auto take = [&](std::string_view word) {
    skip_spaces();
    const bool there = text.starts_with(word);
    if (there) text.remove_prefix(word.size());
    return there;
  };
  const std::string given(text);
  int precision = 0, scale = 0;
  const auto take_number = [&](int& number) {
    skip_spaces();
    const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
    if (read.ec != std::errc{}) return false;
    text.remove_prefix(static_cast<std::size_t>(read.ptr - text.data()));
    return true;
  };
  const bool good = take("decimal") && take("(") && take_number(precision) && take(",") &&
                    take_number(scale) && take(")") && text.empty();
  if (good && precision >= 1 && precision <= kMaxDecimalDigits && scale >= 0 && scale <= precision)
    return decimal_type(precision, scale);
  return fail(Code::bad_toml_value, "unknown type '" + given + "'",
              "write decimal(p,s): 1 to 18 digits, at most all of them after the point, such as "
              "decimal(12,2)");
}

DecimalFault read_decimal(std::string_view text, Type type, std::int64_t& scaled) {
  Written written;
  if (!take_apart(text, written)) return DecimalFault::no_number;
  scaled = 0;
  if (written.digits.empty()) return DecimalFault::none;
  const std::int64_t zeros = written.exponent + scale_of(type);
  if (zeros < 0) return DecimalFault::too_fine;
  if (zeros + std::ssize(written.digits) > precision_of(type)) return DecimalFault::too_large;
  scaled = value_of(written, zeros);
  return DecimalFault::none;
}

bool read_any_decimal(std::string_view text, Type& type, std::int64_t& scaled) {
  Written written;
  if (text.find_first_of("eE") != std::string_view::npos || !take_apart(text, written))
    return false;
  const std::int64_t scale = written.decimals;
  const std::int64_t zeros = written.digits.empty() ? 0 : written.exponent + scale;
  if (scale > kMaxDecimalDigits || zeros + std::ssize(written.digits) > kMaxDecimalDigits)
    return false;
  scaled = written.digits.empty() ? 0 : value_of(written, zeros);
  type = narrowest_decimal(scaled, static_cast<int>(scale));
  return true;
}

Type narrowest_decimal(std::int64_t scaled, int scale) {
  int digits = 1;
  while (!has_digits(scaled, digits)) ++digits;
  return decimal_type(std::max(digits, scale), scale);
}

std::string decimal_text(std::int64_t scaled, int scale) {
  std::string digits = std::to_string(scaled);
  if (scale == 0) return digits;
  const std::size_t sign = scaled < 0 ? 1 : 0;
  const auto least = sign + static_cast<std::size_t>(scale) + 1;  // a digit before the point
  if (digits.size() < least) digits.insert(sign, least - digits.size(), '0');
  digits.insert(digits.size() - static_cast<std::size_t>(scale), 1, '.');
  return digits;
}

Wide divided_half_even(Wide value, int digits) {
  const Wide power = power_of_ten(digits);
  Wide quotient = value / power;
  const Wide rest = value % power;
  const Wide twice = 2 * (rest < 0 ? -rest : rest);
  if (twice > power || (twice == power && quotient % 2 != 0)) quotient += rest < 0 ? -1 : 1;
  return quotient;
}

bool rescaled(std::int64_t scaled, int scale, Type to, std::int64_t& out) {
  const int more = scale_of(to) - scale;
  const Wide value =
      more >= 0 ? Wide{scaled} * power_of_ten(more) : divided_half_even(scaled, -more);
  out = static_cast<std::int64_t>(value);
  return has_digits(value, precision_of(to));
}

bool decimal_of_real(double value, Type to, std::int64_t& out) {
  out = 0;
  const auto bits = std::bit_cast<std::uint64_t>(value);
  const int field = static_cast<int>(bits >> 52 & 0x7FF);
  if (field == 0x7FF) return false;
  const int exponent = (field == 0 ? 1 : field) - 1075;
  std::uint64_t whole = bits & ((std::uint64_t{1} << 52) - 1);
  if (field != 0) whole |= std::uint64_t{1} << 52;
  // value = whole · 2^exponent; the product with 10^scale has at most 113 bits.
  UnsignedWide product =
      UnsignedWide{whole} * static_cast<UnsignedWide>(power_of_ten(scale_of(to)));
  if (exponent >= 0) {
    if (exponent > 64) return false;  // at least 2^117
    if (product >> (127 - exponent) != 0) return false;
    product <<= exponent;
  } else {
    const int shift = -exponent;
    if (shift > 120) return true;  // under a half
    const UnsignedWide rest = product & ((UnsignedWide{1} << shift) - 1);
    const UnsignedWide half = UnsignedWide{1} << (shift - 1);
    product >>= shift;
    if (rest > half || (rest == half && (product & 1) != 0)) ++product;
  }
  const Wide size = static_cast<Wide>(product);
  if (!has_digits(size, precision_of(to))) return false;
  out = static_cast<std::int64_t>(value < 0 ? -size : size);
  return true;
}

double decimal_to_real(std::int64_t scaled, int scale) {
  constexpr std::int64_t kExact = std::int64_t{1} << 53;
  // Both are float64 values, so that the division is the one rounding.
  if (scaled >= -kExact && scaled <= kExact)
    return static_cast<double>(scaled) / static_cast<double>(power_of_ten(scale));
  return nearest<double>(scaled, scale);
}

float decimal_to_float(std::int64_t scaled, int scale) {
  constexpr std::int64_t kExact = std::int64_t{1} << 24;
  if (scale <= 10 && scaled >= -kExact && scaled <= kExact)
    return static_cast<float>(scaled) / static_cast<float>(power_of_ten(scale));
  return nearest<float>(scaled, scale);
}

}  // namespace coeval::data
