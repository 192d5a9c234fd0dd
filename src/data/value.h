#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "base/error.h"

namespace coeval::data {

/// Types of values. (semantics: V1) `duration` exists inside expressions only, never in a file.
enum class Type : std::uint8_t {
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
/// decimal(p,s) and list<float32>(n), which V1 lists and this version does not read yet.
Result<Type> parse_type(std::string_view text);

inline bool is_integer(Type t) { return t == Type::int32 || t == Type::int64; }
inline bool is_float(Type t) { return t == Type::float32 || t == Type::float64; }
inline bool is_number(Type t) { return is_integer(t) || is_float(t); }
/// Bytes of one value in a column; 0 for boolean (one bit), string and null.
std::size_t width(Type type);

/// One value. std::monostate is null. Integers of every width, timestamps, dates and durations are
/// int64; both float widths are double.
using Value = std::variant<std::monostate, bool, std::int64_t, double, std::string>;
inline bool is_null(const Value& v) { return v.index() == 0; }
/// For people: null, true, 12, 0.5, "ABC"; a timestamp as RFC 3339.
std::string to_text(const Value& value, Type type);

}  // namespace coeval::data
