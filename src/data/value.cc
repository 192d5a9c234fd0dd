#include "data/value.h"

#include <array>
#include <charconv>
#include <optional>

#include "base/time.h"
#include "data/decimal.h"
#include "data/packed_list.h"

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
      return is_decimal(type) ? decimal_text(value, scale_of(type)) : std::to_string(value);
  }
}

// list<float32>(8), or list<float32> for lists of any length; nothing where the text is neither.
std::optional<Type> parse_list(std::string_view text) {
  constexpr std::string_view kBegin = "list<";
  const std::size_t close = text.find('>');
  if (!text.starts_with(kBegin) || close == std::string_view::npos) return std::nullopt;
  const auto element = parse_type(text.substr(kBegin.size(), close - kBegin.size()));
  if (!element || is_list(*element)) return std::nullopt;
  const std::string_view rest = text.substr(close + 1);
  if (rest.empty()) return list_of(*element);
  if (!rest.starts_with('(') || !rest.ends_with(')')) return std::nullopt;
  const char* const end = rest.data() + rest.size() - 1;
  std::uint32_t length = 0;
  const auto read = std::from_chars(rest.data() + 1, end, length);
  if (read.ec != std::errc{} || read.ptr != end || length < 1 || length > kMaxListLength)
    return std::nullopt;
  return list_of(*element, length);
}

// decimal(p,s) by p, then s.
using DecimalNames = std::array<std::array<std::string, 32>, 32>;
const DecimalNames& decimal_names() {
  static const DecimalNames kNames = [] {
    DecimalNames names;
    for (int p = 1; p <= kMaxDecimalDigits; ++p)
      for (int s = 0; s <= p; ++s)
        names[static_cast<std::size_t>(p)][static_cast<std::size_t>(s)] =
            "decimal(" + std::to_string(p) + "," + std::to_string(s) + ")";
    return names;
  }();
  return kNames;
}

}  // namespace

std::string name(Type type) {
  if (is_list(type)) {
    const std::uint32_t length = list_length(type);
    return "list<" + name(element_of(type)) + ">" +
           (length > 0 ? "(" + std::to_string(length) + ")" : "");
  }
  if (is_decimal(type))
    return decimal_names()[static_cast<std::size_t>(precision_of(type))]
                          [static_cast<std::size_t>(scale_of(type))];
  for (const auto& row : kTypeNames)
    if (row.type == type) return std::string(row.name);
  return "?";
}

Result<Type> parse_type(std::string_view text) {
  for (const auto& row : kTypeNames) {
    if (row.type == Type::duration || row.type == Type::null) continue;
    if (row.name == text) return row.type;
  }
  if (const auto list = parse_list(text)) return *list;
  if (text.starts_with("list"))
    return fail(Code::bad_toml_value, "no type of lists: '" + std::string(text) + "'",
                "write list<float32>(n) with a length n from 1 to 4096");
  if (text.starts_with("decimal")) return parse_decimal_type(text);
  return fail(Code::bad_toml_value, "unknown type '" + std::string(text) + "'",
              "the types are bool, int32, int64, float32, float64, decimal(p,s), string, "
              "timestamp, date, list<float32>(n)");
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
      return is_decimal(type) ? 8 : 0;
  }
}

std::string to_text(const Value& value, Type type) {
  if (is_null(value)) return "null";
  if (is_list(type)) return list_text(std::get<std::string>(value), type);
  if (const auto* v = std::get_if<bool>(&value)) return *v ? "true" : "false";
  if (const auto* v = std::get_if<std::int64_t>(&value)) return integer_text(*v, type);
  if (const auto* v = std::get_if<double>(&value)) return real_text(*v);
  return std::get<std::string>(value);
}

}  // namespace coeval::data
