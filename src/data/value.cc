#include "data/value.h"

#include <array>
#include <charconv>

#include "base/time.h"

namespace coeval::data {

namespace {

struct TypeName {
  Type type;
  std::string_view name;
};
constexpr std::array kTypeNames = {
    TypeName{Type::boolean, "bool"},        TypeName{Type::int32, "int32"},
    TypeName{Type::int64, "int64"},         TypeName{Type::float32, "float32"},
    TypeName{Type::float64, "float64"},     TypeName{Type::string, "string"},
    TypeName{Type::timestamp, "timestamp"}, TypeName{Type::date, "date"},
    TypeName{Type::duration, "duration"},   TypeName{Type::null, "null"},
};

std::string real_text(double value) {
  std::array<char, 32> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value).ptr;
  return {text.data(), end};
}

std::string integer_text(std::int64_t value, Type type) {
  switch (type) {
    case Type::timestamp:
      return format_time(value);
    case Type::date:
      return format_date(value);
    case Type::duration:
      return format_duration(value);
    default:
      return std::to_string(value);
  }
}

}  // namespace

std::string_view name(Type type) {
  for (const auto& row : kTypeNames)
    if (row.type == type) return row.name;
  return "?";
}

Result<Type> parse_type(std::string_view text) {
  for (const auto& row : kTypeNames) {
    if (row.type == Type::duration || row.type == Type::null) continue;
    if (row.name == text) return row.type;
  }
  if (text.starts_with("decimal") || text.starts_with("list"))
    return fail(Code::unsupported, "type '" + std::string(text) + "' is not read by this version",
                "use int64 in the smallest unit for money, and one column per element for lists");
  return fail(Code::bad_toml_value, "unknown type '" + std::string(text) + "'",
              "the types are bool, int32, int64, float32, float64, string, timestamp, date");
}

std::size_t width(Type type) {
  switch (type) {
    case Type::int32:
    case Type::float32:
    case Type::date:
      return 4;
    case Type::int64:
    case Type::float64:
    case Type::timestamp:
    case Type::duration:
      return 8;
    default:
      return 0;
  }
}

std::string to_text(const Value& value, Type type) {
  if (is_null(value)) return "null";
  if (const auto* v = std::get_if<bool>(&value)) return *v ? "true" : "false";
  if (const auto* v = std::get_if<std::int64_t>(&value)) return integer_text(*v, type);
  if (const auto* v = std::get_if<double>(&value)) return real_text(*v);
  return std::get<std::string>(value);
}

}  // namespace coeval::data
