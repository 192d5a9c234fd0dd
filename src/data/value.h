#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "base/error.h"

namespace coeval::data {

/// Types of values. (semantics: V1) `duration` exists inside expressions only, never in a file.
/// Named here are the scalar ones; decimal_type() makes those of decimals and list_of() those of
/// lists, which no `case` names.
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

/// How many elements a list may be declared to have.
inline constexpr std::uint32_t kMaxListLength = 4096;
namespace type_bits {  // of a list's type: the element, the mark of a list, the length
inline constexpr std::uint32_t kElement = 0xFF, kList = 0x100;
inline constexpr int kLengthAt = 16;
}  // namespace type_bits
/// The type of lists of a scalar type: `length` elements each, or any number where it is 0.
constexpr Type list_of(Type element, std::uint32_t length = 0) {
  return static_cast<Type>(static_cast<std::uint32_t>(element) | type_bits::kList |
                           length << type_bits::kLengthAt);
}
constexpr bool is_list(Type type) {
  return (static_cast<std::uint32_t>(type) & type_bits::kList) != 0;
}
constexpr Type element_of(Type list) {
  return static_cast<Type>(static_cast<std::uint32_t>(list) & type_bits::kElement);
}
/// The declared length; 0 where lists may have any.
constexpr std::uint32_t list_length(Type list) {
  return static_cast<std::uint32_t>(list) >> type_bits::kLengthAt;
}

/// "int32", "timestamp", "list<float32>(8)", "list<string>", … as written in definitions.
std::string name(Type type);
/// Reads a type name. Errors: bad_toml_value, with the names that exist.
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
/// Whether values are bytes of any number: strings, and lists, which are packed (packed_list.h).
inline bool has_bytes(Type t) { return t == Type::string || is_list(t); }
/// Bytes of one value in a column; 0 for boolean (one bit), string, lists and null.
std::size_t width(Type type);

/// One value. std::monostate is null. Integers of every width, timestamps, dates and durations are
/// int64, and so is a decimal, times 10^scale; both float widths are double; a list is its packed
/// bytes (packed_list.h).
using Value = std::variant<std::monostate, bool, std::int64_t, double, std::string>;
inline bool is_null(const Value& v) { return v.index() == 0; }
/// For people: null, true, 12, 0.5, 12.30, ABC, [0.5, 1]; a timestamp as RFC 3339.
std::string to_text(const Value& value, Type type);

}  // namespace coeval::data
