#include "define/conversion.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <limits>
#include <string>

#include "base/time.h"
#include "data/decimal.h"

namespace coeval::define {

namespace {

using data::Type;
using data::Value;

constexpr std::string_view kSpaces = " \t\r\n";

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(kSpaces);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kSpaces) - first + 1);
}

bool equal_in_any_case(std::string_view text, std::string_view lower) {
  return std::ranges::equal(text, lower, [](char a, char b) {
    return (a >= 'A' && a <= 'Z' ? static_cast<char>(a + ('a' - 'A')) : a) == b;
  });
}

// std::from_chars knows no plus sign.
std::string_view without_plus(std::string_view text) {
  const bool plus = text.size() > 1 && text[0] == '+' && text[1] != '-' && text[1] != '+';
  return plus ? text.substr(1) : text;
}

// Whether a number beyond the range of its type is large rather than small: the power of ten of its
// first digit that is not 0.
bool is_large(std::string_view digits) {
  if (digits.starts_with('-')) digits.remove_prefix(1);
  const std::size_t e = digits.find_first_of("eE");
  std::int64_t exponent = 0;
  if (e != std::string_view::npos) {
    std::string_view written = without_plus(digits.substr(e + 1));
    const auto read = std::from_chars(written.data(), written.data() + written.size(), exponent);
    if (read.ec != std::errc{}) return !written.starts_with('-');
  }
  const std::string_view mantissa = digits.substr(0, e);
  const std::size_t point = std::min(mantissa.find('.'), mantissa.size());
  const std::size_t first = mantissa.find_first_of("123456789");
  if (first == std::string_view::npos) return false;
  const auto power = static_cast<std::int64_t>(point) - static_cast<std::int64_t>(first);
  std::int64_t sum = 0;
  return __builtin_add_overflow(exponent, power, &sum) ? exponent > 0 : sum > 0;
}

template <class Real>
bool read_real(std::string_view text, double& value) {
  const std::string_view number = without_plus(trimmed(text));
  if (number.empty() || number.back() == ')') return false;  // nan(…)
  Real real = 0;
  const auto read = std::from_chars(number.data(), number.data() + number.size(), real);
  if (read.ptr != number.data() + number.size() || read.ec == std::errc::invalid_argument)
    return false;
  if (read.ec == std::errc::result_out_of_range) {
    real = is_large(number) ? std::numeric_limits<Real>::infinity() : Real{0};
    if (number.front() == '-') real = -real;
  }
  value = std::isnan(real) ? std::numeric_limits<double>::quiet_NaN() : static_cast<double>(real);
  return true;
}

std::optional<Value> from_text(std::string_view text, Type to) {
  std::int64_t integer = 0;
  double real = 0;
  bool flag = false;
  switch (to) {
    case Type::boolean:
      return text_to_boolean(text, flag) ? std::optional<Value>(flag) : std::nullopt;
    case Type::int32:
      if (!text_to_integer(text, integer) || !fits_int32(integer)) return std::nullopt;
      return integer;
    case Type::int64:
      return text_to_integer(text, integer) ? std::optional<Value>(integer) : std::nullopt;
    case Type::float32:
      return text_to_float32(text, real) ? std::optional<Value>(real) : std::nullopt;
    case Type::float64:
      return text_to_real(text, real) ? std::optional<Value>(real) : std::nullopt;
    case Type::timestamp:
      return text_to_timestamp(text, integer) ? std::optional<Value>(integer) : std::nullopt;
    case Type::date:
      return text_to_date(text, integer) ? std::optional<Value>(integer) : std::nullopt;
    default:
      if (!data::is_decimal(to) || !text_to_decimal(text, to, integer)) return std::nullopt;
      return integer;
  }
}

std::optional<Value> from_integer(std::int64_t value, Type from, Type to) {
  switch (to) {
    case Type::boolean:
      return value != 0;
    case Type::int32:
      return fits_int32(value) ? std::optional<Value>(value) : std::nullopt;
    case Type::int64:
      return value;
    case Type::float32:
      return static_cast<double>(static_cast<float>(value));
    case Type::float64:
      return static_cast<double>(value);
    case Type::string:
      return std::string(ValueText().of_integer(value, from));
    default:
      if (!data::is_decimal(to) || !data::rescaled(value, 0, to, value)) return std::nullopt;
      return value;
  }
}

std::optional<Value> from_real(double value, Type from, Type to) {
  std::int64_t integer = 0;
  switch (to) {
    case Type::boolean:
      return value != 0;
    case Type::int32:
    case Type::int64:
      if (!real_to_integer(value, integer)) return std::nullopt;
      return from_integer(integer, Type::int64, to);
    case Type::float32:
      return to_float32(value);
    case Type::float64:
      return value;
    case Type::string:
      return std::string(ValueText().of_real(value, from));
    default:
      if (!data::is_decimal(to) || !data::decimal_of_real(value, to, integer)) return std::nullopt;
      return integer;
  }
}

std::optional<Value> from_decimal(std::int64_t value, Type from, Type to) {
  const int scale = data::scale_of(from);
  switch (to) {
    case Type::boolean:
      return value != 0;
    case Type::int32:
    case Type::int64:
      return from_integer(decimal_to_integer(value, scale), Type::int64, to);
    case Type::float32:
      return static_cast<double>(data::decimal_to_float(value, scale));
    case Type::float64:
      return data::decimal_to_real(value, scale);
    case Type::string:
      return data::decimal_text(value, scale);
    default:
      if (!data::is_decimal(to) || !data::rescaled(value, scale, to, value)) return std::nullopt;
      return value;
  }
}

}  // namespace

bool text_to_integer(std::string_view text, std::int64_t& value) {
  const std::string_view digits = without_plus(trimmed(text));
  const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  return !digits.empty() && read.ec == std::errc{} && read.ptr == digits.data() + digits.size();
}

bool text_to_real(std::string_view text, double& value) { return read_real<double>(text, value); }

bool text_to_float32(std::string_view text, double& value) { return read_real<float>(text, value); }

bool text_to_boolean(std::string_view text, bool& value) {
  const auto is = [word = trimmed(text)](std::string_view spelling) {
    return equal_in_any_case(word, spelling);
  };
  value = is("true") || is("t") || is("yes") || is("y") || is("1");
  return value || is("false") || is("f") || is("no") || is("n") || is("0");
}

bool text_to_timestamp(std::string_view text, std::int64_t& us) {
  text = trimmed(text);
  if (text.size() < 10 || text[4] != '-') return false;  // parse_time takes bare integers too
  const auto parsed = parse_time(text);
  if (parsed) us = *parsed;
  return parsed.has_value();
}

bool text_to_date(std::string_view text, std::int64_t& days) {
  std::int64_t us = 0;
  if (trimmed(text).size() != 10 || !text_to_timestamp(text, us)) return false;
  days = us / kDayUs - (us % kDayUs < 0 ? 1 : 0);
  return true;
}

bool text_to_decimal(std::string_view text, Type to, std::int64_t& scaled) {
  return data::read_decimal(without_plus(trimmed(text)), to, scaled) == data::DecimalFault::none;
}

std::int64_t decimal_to_integer(std::int64_t scaled, int scale) {
  return static_cast<std::int64_t>(data::divided_half_even(scaled, scale));
}

bool real_to_integer(double value, std::int64_t& integer) {
  if (!(value >= -0x1p63 && value < 0x1p63)) return false;
  integer = static_cast<std::int64_t>(value);
  const double fraction = value - static_cast<double>(integer);  // exact: under 2^53, or 0
  const double size = fraction < 0 ? -fraction : fraction;
  if (size > 0.5 || (size == 0.5 && integer % 2 != 0)) integer += fraction < 0 ? -1 : 1;
  return true;
}

std::string_view ValueText::of_date(const CivilTime& date) {
  const int size = std::snprintf(buffer_.data(), buffer_.size(), "%04lld-%02d-%02d",
                                 static_cast<long long>(date.year), date.month, date.day);
  return {buffer_.data(), static_cast<std::size_t>(size)};
}

std::string_view ValueText::keep(std::string_view text) {
  const std::size_t size = std::min(text.size(), buffer_.size());
  std::copy_n(text.begin(), size, buffer_.begin());
  return {buffer_.data(), size};
}

std::string_view ValueText::of_integer(std::int64_t value, Type type) {
  if (type == Type::timestamp) return keep(format_time(value));
  if (type == Type::date) return of_date(civil_date(value));
  if (data::is_decimal(type)) return keep(data::decimal_text(value, data::scale_of(type)));
  const auto end = std::to_chars(buffer_.data(), buffer_.data() + buffer_.size(), value).ptr;
  return {buffer_.data(), static_cast<std::size_t>(end - buffer_.data())};
}

std::string_view ValueText::of_real(double value, Type type) {
  if (std::isnan(value)) return "nan";
  char* const first = buffer_.data();
  char* const last = first + buffer_.size();
  const auto end = type == Type::float32 ? std::to_chars(first, last, static_cast<float>(value)).ptr
                                         : std::to_chars(first, last, value).ptr;
  return {first, static_cast<std::size_t>(end - first)};
}

// Whether a decimal holds every value of a type.
static bool widens_to_decimal(Type from, Type to) {
  const int digits = data::precision_of(to) - data::scale_of(to);  // before the point
  if (from == Type::boolean) return digits >= 1;
  if (from == Type::int32) return digits >= 10;
  return data::is_decimal(from) && data::scale_of(from) <= data::scale_of(to) &&
         data::precision_of(from) - data::scale_of(from) <= digits;
}

bool only_widens(Type from, Type to) {
  if (from == to) return true;
  if (data::is_decimal(to)) return widens_to_decimal(from, to);
  if (to == Type::int64) return from == Type::int32 || from == Type::boolean;
  return to == Type::float64 && (data::is_number(from) || from == Type::boolean);
}

bool can_convert(Type from, Type to) {
  const auto is_plain = [](Type type) { return data::is_number(type) || type == Type::boolean; };
  const auto is_time = [](Type type) { return type == Type::timestamp || type == Type::date; };
  const auto is_value = [&](Type type) { return is_plain(type) || is_time(type); };
  if (data::is_list(from) || data::is_list(to)) return false;
  if (from == to) return is_value(from) || from == Type::string;
  if (from == Type::string) return is_value(to);
  if (to == Type::string) return is_value(from);
  return (is_plain(from) && is_plain(to)) || (is_time(from) && is_time(to));
}

std::optional<Value> converted(const Value& value, Type from, Type to) {
  if (from == to) return value;
  if (const auto* text = std::get_if<std::string>(&value)) return from_text(*text, to);
  if (const auto* flag = std::get_if<bool>(&value)) {
    if (to == Type::string) return std::string(ValueText().of_boolean(*flag));
    return from_integer(*flag ? 1 : 0, Type::int64, to);
  }
  if (const auto* real = std::get_if<double>(&value)) return from_real(*real, from, to);
  if (const auto* integer = std::get_if<std::int64_t>(&value)) {
    // The value of a float literal that was written as an integer.
    if (data::is_float(from)) return from_real(static_cast<double>(*integer), from, to);
    if (data::is_decimal(from)) return from_decimal(*integer, from, to);
    return from_integer(*integer, from, to);
  }
  return std::nullopt;
}

std::string cast_advice(data::Type from, data::Type to) {
  if (from == data::Type::duration) return "divide it by a unit: (a - b) / 1min";
  if (to == data::Type::timestamp || to == data::Type::date)
    return "seconds since 1970 are timestamp '1970-01-01' + seconds(x)";
  return "a time has parts: hour(x), date_diff('day', timestamp '1970-01-01', x)";
}

}  // namespace coeval::define
