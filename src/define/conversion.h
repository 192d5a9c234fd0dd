#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"
#include "data/value.h"

namespace coeval::define {

/// What `cast` does with one value, for constants when a definition is checked and for columns when
/// it is evaluated. Text may have spaces, tabs and line breaks around it, nothing else.

/// The number a text spells: an optional sign, then decimal digits. False if it is none, or no
/// int64.
bool text_to_integer(std::string_view text, std::int64_t& value);
/// A decimal number with or without fraction and exponent, or `inf`, `infinity`, `nan` in any case,
/// rounded once: 1e999 is infinite.
bool text_to_real(std::string_view text, double& value);
/// The same, rounded once to float32.
bool text_to_float32(std::string_view text, double& value);
/// true, t, yes, y, 1 or false, f, no, n, 0, in any case.
bool text_to_boolean(std::string_view text, bool& value);
/// A date with a time, or without: midnight. RFC 3339, or a space for its T; UTC unless the text
/// has an offset.
bool text_to_timestamp(std::string_view text, std::int64_t& us);
/// "2001-06-01".
bool text_to_date(std::string_view text, std::int64_t& days);

/// A number as text_to_real takes them, but for inf and nan, that the decimal holds exactly.
bool text_to_decimal(std::string_view text, data::Type to, std::int64_t& scaled);

/// The nearest integer to a decimal, half to even.
std::int64_t decimal_to_integer(std::int64_t scaled, int scale);
/// The nearest integer, half to even; false for NaN and what is no int64.
bool real_to_integer(double value, std::int64_t& integer);
/// IEEE's rounding: beyond the largest float32 is infinite.
inline double to_float32(double value) { return static_cast<double>(static_cast<float>(value)); }
inline bool fits_int32(std::int64_t value) {
  return value >= std::numeric_limits<std::int32_t>::min() &&
         value <= std::numeric_limits<std::int32_t>::max();
}

/// Text of one value, the shortest that reads back to the same value: true, -12, 0.1, 1e+30, inf,
/// nan, 2001-06-01T12:30:00Z, 2001-06-01.
class ValueText {
 public:
  std::string_view of_boolean(bool value) { return value ? "true" : "false"; }
  /// int32, int64, timestamp (µs), date (days) or a decimal, with all digits of its scale.
  std::string_view of_integer(std::int64_t value, data::Type type);
  /// float32 (rounded to it already) or float64.
  std::string_view of_real(double value, data::Type type);

 private:
  std::string_view of_date(const CivilTime& date);
  std::string_view keep(std::string_view text);
  std::array<char, 64> buffer_{};
};

/// Whether `cast` exists between two types. Numbers and booleans become each other, text becomes
/// anything and anything text, timestamps and dates become each other.
bool can_convert(data::Type from, data::Type to);
/// What to write instead of a cast that does not exist.
std::string cast_advice(data::Type from, data::Type to);
/// Whether every value stays what it is, so that nobody needs to write the cast.
bool only_widens(data::Type from, data::Type to);

/// A constant as another type; nullopt when the cast fails. Neither is a timestamp turned into a
/// date nor a date into a timestamp, which is a question of the zone.
std::optional<data::Value> converted(const data::Value& value, data::Type from, data::Type to);

}  // namespace coeval::define
