#include "define/typed_value.h"

#include <array>
#include <charconv>
#include <cmath>

#include "base/time.h"
#include "define/conversion.h"

namespace coeval::define {

namespace {

using data::Type;
using Kind = TomlValue::Kind;

std::optional<data::Value> real(const TomlValue& value) {
  if (value.kind == Kind::real && std::isfinite(value.real)) return data::Value(value.real);
  if (value.kind == Kind::integer) return data::Value(static_cast<double>(value.integer));
  return std::nullopt;
}

std::optional<data::Value> integer(const TomlValue& value, Type type) {
  if (value.kind != Kind::integer) return std::nullopt;
  if (type == Type::int32 && !fits_int32(value.integer)) return std::nullopt;
  return data::Value(value.integer);
}

// A number with a fraction is the shortest text that means the same float64: up to 15 digits that
// is what was written. A text is exact.
std::optional<data::Value> decimal(const TomlValue& value, Type type) {
  std::array<char, 32> room{};
  std::string_view text = value.text;
  char* const end = room.data() + room.size();
  if (value.kind == Kind::integer)
    text = {room.data(), std::to_chars(room.data(), end, value.integer).ptr};
  else if (value.kind == Kind::real)
    text = {room.data(), std::to_chars(room.data(), end, value.real).ptr};
  else if (value.kind != Kind::string)
    return std::nullopt;
  std::int64_t scaled = 0;
  if (!text_to_decimal(text, type, scaled)) return std::nullopt;
  return data::Value(scaled);
}

std::optional<data::Value> moment(const TomlValue& value, Type type) {
  if (value.kind != Kind::moment) return std::nullopt;
  if (type == Type::timestamp) return data::Value(value.integer);
  return value.whole_day ? std::optional(data::Value(value.integer / kDayUs)) : std::nullopt;
}

}  // namespace

std::optional<data::Value> typed_value(const TomlValue& value, Type type) {
  switch (type) {
    case Type::boolean:
      return value.kind == Kind::boolean ? std::optional(data::Value(value.boolean)) : std::nullopt;
    case Type::int32:
    case Type::int64:
      return integer(value, type);
    case Type::float32:
    case Type::float64:
      return real(value);
    case Type::string:
      return value.kind == Kind::string ? std::optional(data::Value(value.text)) : std::nullopt;
    case Type::timestamp:
    case Type::date:
      return moment(value, type);
    default:
      return data::is_decimal(type) ? decimal(value, type) : std::nullopt;
  }
}

}  // namespace coeval::define
