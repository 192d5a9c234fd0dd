#include <cmath>
#include <limits>

#include "base/time.h"
#include "data/decimal.h"
#include "data/json.h"
#include "data/packed_list.h"
#include "data/utf8.h"

namespace coeval::data {

namespace {

// The days whose year has four digits: 0000-01-01 to 9999-12-31.
constexpr std::int64_t kFirstTextDay = -719528, kLastTextDay = 2932896;

Json time_json(std::int64_t us) {
  if (us < kFirstTextDay * kDayUs || us >= (kLastTextDay + 1) * kDayUs) return Json(us);
  return Json(format_time(us));
}

Json date_json(std::int64_t days) {
  if (days < kFirstTextDay || days > kLastTextDay) return Json(days);
  return Json(format_time(days * kDayUs).substr(0, 10));
}

std::string excerpt(const Json& json) {
  const std::string text = json.dump();
  return text.size() <= 60 ? text : std::string(utf8_prefix(text, 57)) + "...";
}

std::unexpected<Error> not_a(Type type, const Json& found, std::string advice = {}) {
  return fail(Code::type_mismatch,
              "expected " + std::string(name(type)) + ", found " + std::string(found.kind()) +
                  ": " + excerpt(found),
              std::move(advice));
}

std::unexpected<Error> does_not_fit(Type type, const Json& found) {
  return fail(Code::out_of_range,
              "does not fit " + std::string(name(type)) + ": " + excerpt(found));
}

// The integer that a JSON number stands for: 3 and 3.0 are the same number, as in JSON Schema. Up
// to 2^53 the double holds exactly what was written.
bool whole_number(const Json& json, std::int64_t& whole) {
  if (const auto* integer = json.integer()) {
    whole = *integer;
    return true;
  }
  const auto* real = json.real();
  if (real == nullptr || std::trunc(*real) != *real || std::fabs(*real) > 9007199254740992.0)
    return false;
  whole = static_cast<std::int64_t>(*real);
  return true;
}

Result<Value> integer_cell(const Json& json, Type type) {
  std::int64_t whole = 0;
  if (!whole_number(json, whole)) return not_a(type, json);
  if (width(type) == 4 && whole != static_cast<std::int32_t>(whole))
    return does_not_fit(type, json);
  return whole;
}

// The strings that dump() writes for the floats that JSON has no number for.
bool named_float(const Json& json, double& value) {
  const auto* text = json.string();
  if (text == nullptr) return false;
  if (*text == "NaN")
    value = std::numeric_limits<double>::quiet_NaN();
  else if (*text == "Infinity")
    value = std::numeric_limits<double>::infinity();
  else if (*text == "-Infinity")
    value = -std::numeric_limits<double>::infinity();
  else
    return false;
  return true;
}

Result<Value> float_cell(const Json& json, Type type) {
  double value = 0;
  if (named_float(json, value)) return value;
  if (const auto* integer = json.integer())
    value = static_cast<double>(*integer);
  else if (const auto* real = json.real())
    value = *real;
  else
    return not_a(type, json);
  if (type == Type::float64) return value;
  const auto narrow = static_cast<float>(value);
  if (!std::isfinite(narrow)) return does_not_fit(type, json);
  return static_cast<double>(narrow);
}

// A number without its text is the shortest that means the same float64, which up to 15 digits is
// what was written.
std::string number_text(const Json& json) {
  if (const auto* text = json.number_text()) return *text;
  return json.string() != nullptr ? *json.string() : json.dump();
}

Result<Value> decimal_cell(const Json& json, Type type) {
  if (json.integer() == nullptr && json.real() == nullptr && json.string() == nullptr)
    return not_a(type, json);
  std::int64_t scaled = 0;
  switch (read_decimal(number_text(json), type, scaled)) {
    case DecimalFault::no_number:
      return not_a(type, json);
    case DecimalFault::none:
      return scaled;
    default:
      return does_not_fit(type, json);
  }
}

Result<Value> time_cell(const Json& json) {
  constexpr std::string_view kAdvice =
      "write RFC 3339 such as \"2001-06-01T12:30:00Z\", or integer microseconds";
  if (json.integer() != nullptr) return *json.integer();
  const auto* text = json.string();
  if (text == nullptr || text->find('-', 1) == std::string::npos)
    return not_a(Type::timestamp, json, std::string(kAdvice));
  const auto us = parse_time(*text);
  if (!us) return not_a(Type::timestamp, json, std::string(kAdvice));
  return *us;
}

Result<Value> date_cell(const Json& json) {
  if (json.integer() != nullptr) return integer_cell(json, Type::date);
  const auto* text = json.string();
  if (text != nullptr && text->size() == 10)
    if (const auto us = parse_time(*text); us && text->find('-', 1) == 4) return *us / kDayUs;
  return not_a(Type::date, json, "write YYYY-MM-DD, or integer days since 1970-01-01");
}

Json list_json(std::string_view bytes, Type type) {
  const ListView list(bytes, type);
  const std::size_t size = list.size();
  Json::Array elements;
  for (std::size_t i = 0; i < size; ++i)
    elements.push_back(to_json(list.value(i), element_of(type)));
  return elements;
}

Result<Value> list_cell(const Json& json, Type type) {
  const auto* elements = json.array();
  if (elements == nullptr) return not_a(type, json);
  const std::uint32_t length = list_length(type);
  if (length > 0 && elements->size() != length)
    return fail(Code::type_mismatch, "expected " + name(type) + ", found an array of " +
                                         std::to_string(elements->size()) + " elements");
  std::string bytes;
  for (std::size_t i = 0; i < elements->size(); ++i) {
    auto value = from_json((*elements)[i], element_of(type));
    if (value && !is_null(*value)) {
      append_element(bytes, element_of(type), *value);
      continue;
    }
    const std::string place = "element " + std::to_string(i) + " of the list ";
    if (value) return fail(Code::type_mismatch, place + "is null", "leave out the whole list");
    value.error().message.insert(0, place + "(from 0): ");
    return value;
  }
  return bytes;
}

}  // namespace

Json to_json(const Value& value, Type type) {
  if (is_null(value)) return {};
  if (is_list(type)) return list_json(std::get<std::string>(value), type);
  if (const auto* boolean = std::get_if<bool>(&value)) return *boolean;
  if (const auto* real = std::get_if<double>(&value)) return *real;
  if (const auto* text = std::get_if<std::string>(&value)) return *text;
  const std::int64_t integer = std::get<std::int64_t>(value);
  if (type == Type::timestamp) return time_json(integer);
  if (type == Type::date) return date_json(integer);
  if (is_decimal(type))
    return Json::number(decimal_to_real(integer, scale_of(type)),
                        decimal_text(integer, scale_of(type)));
  return integer;
}

Result<Value> from_json(const Json& json, Type type) {
  if (json.is_null()) return Value{};
  if (is_list(type)) return list_cell(json, type);
  switch (type) {
    case Type::boolean:
      if (json.boolean() == nullptr) return not_a(type, json);
      return *json.boolean();
    case Type::string:
      if (json.string() == nullptr) return not_a(type, json);
      return *json.string();
    case Type::float32:
    case Type::float64:
      return float_cell(json, type);
    case Type::timestamp:
      return time_cell(json);
    case Type::date:
      return date_cell(json);
    default:
      if (is_decimal(type)) return decimal_cell(json, type);
      return integer_cell(json, type);
  }
}

}  // namespace coeval::data
