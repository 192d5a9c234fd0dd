#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "base/error.h"

namespace coeval::data {

/// Types of values. (semantics: V1) `duration` exists inside expressions only, never in a file.
/// Beyond those listed there is one for each decimal(p,s): decimal_type().
enum class Type : std::uint32_t {
  boolean,
  int32,
  int64,
  float32,
  float64,
  string,
  timestamp,  ///< µs since the epoch, UTC
  date,       ///< days since the epoch
  duration,   ///< µs
  null,       ///< the type of the literal null; never of a column
};

/// "int32", "timestamp", … as written in definitions.
std::string_view name(Type type);
/// Reads a type name. Errors: bad_toml_value, with the names that exist; unsupported for
/// list<float32>(n), which V1 lists and this version does not read yet.
Result<Type> parse_type(std::string_view text);

inline bool is_integer(Type t) { return t == Type::int32 || t == Type::int64; }
inline bool is_float(Type t) { return t == Type::float32 || t == Type::float64; }

/// Digits that a decimal may have: each value · 10^scale is an int64.
inline constexpr int kMaxDecimalDigits = 18;
/// decimal(precision, scale): `precision` digits, `scale` of them after the point; 1 ≤ precision ≤
/// kMaxDecimalDigits, 0 ≤ scale ≤ precision. A column holds value · 10^scale as int64.
constexpr Type decimal_type(int precision, int scale) {
  // Numbered by precision, then scale, after the types that are listed; all below 256.
  return static_cast<Type>(32 + (precision - 1) * (precision + 2) / 2 + scale);
}
constexpr bool is_decimal(Type t) {
  return t >= decimal_type(1, 0) && t <= decimal_type(kMaxDecimalDigits, kMaxDecimalDigits);
}
/// Digits of a decimal.
constexpr int precision_of(Type t) {
  int precision = 1;
  while (t > decimal_type(precision, precision)) ++precision;
  return precision;
}
/// Its digits after the point; 0 of every other type.
constexpr int scale_of(Type t) {
  return is_decimal(t) ? static_cast<int>(t) - static_cast<int>(decimal_type(precision_of(t), 0))
                       : 0;
}

inline bool is_number(Type t) { return is_integer(t) || is_float(t) || is_decimal(t); }
/// Bytes of one value in a column; 0 for boolean (one bit), string and null.
std::size_t width(Type type);

/// One value. std::monostate is null. Integers of every width, timestamps, dates and durations are
/// int64, and so is a decimal, times 10^scale; both float widths are double.
using Value = std::variant<std::monostate, bool, std::int64_t, double, std::string>;
inline bool is_null(const Value& v) { return v.index() == 0; }
/// For people: null, true, 12, 0.5, 12.30, "ABC"; a timestamp as RFC 3339.
std::string to_text(const Value& value, Type type);

}  // namespace coeval::data
