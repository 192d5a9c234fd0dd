#include "data/cell_text.h"

#include <charconv>

#include "base/time.h"
#include "data/decimal.h"
#include "data/utf8.h"

namespace coeval::data {

namespace {

// Bytes that a terminal does not show stand as \xNN.
std::string quoted_excerpt(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  const bool cut = text.size() > 60;
  if (cut) text = utf8_prefix(text, 57);
  std::string out = "'";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte != 0x7F)
      out += c;
    else
      (((out += "\\x") += kDigits[byte >> 4]) += kDigits[byte & 15]);
  }
  return out + (cut ? "...'" : "'");
}

// "12,5" and "1.234,56", as much of the world writes numbers.
bool is_decimal_comma(std::string_view text) {
  if (text.starts_with('-')) text.remove_prefix(1);
  const std::size_t comma = text.find(',');
  if (comma == 0 || comma == std::string_view::npos || comma + 1 == text.size()) return false;
  const std::string_view whole = text.substr(0, comma), fraction = text.substr(comma + 1);
  return whole.front() != '.' && whole.find_first_not_of("0123456789.") == std::string_view::npos &&
         fraction.find_first_not_of("0123456789") == std::string_view::npos;
}

std::unexpected<Error> text_is_not(Type type, std::string_view text) {
  std::string message = "not " + std::string(name(type)) + ": " + quoted_excerpt(text);
  if (!is_number(type) || !is_decimal_comma(text))
    return fail(Code::type_mismatch, std::move(message));
  return fail(Code::type_mismatch, message + ", which looks like a decimal comma", "write a point");
}

std::unexpected<Error> text_does_not_fit(Type type, std::string_view text) {
  return fail(Code::out_of_range,
              "does not fit " + std::string(name(type)) + ": " + quoted_excerpt(text));
}

template <class T>
Result<T> number_text(std::string_view text, Type type) {
  T value{};
  const char* end = text.data() + text.size();
  const auto result = std::from_chars(text.data(), end, value);
  if (result.ec == std::errc::result_out_of_range) return text_does_not_fit(type, text);
  if (result.ec != std::errc{} || result.ptr != end) return text_is_not(type, text);
  return value;
}

Result<Cell> boolean_text(std::string_view text) {
  if (text == "true" || text == "True" || text == "TRUE") return true;
  if (text == "false" || text == "False" || text == "FALSE") return false;
  return text_is_not(Type::boolean, text);
}

Result<Cell> date_text(std::string_view text) {
  if (text.size() == 10 && text[4] == '-')
    if (const auto us = parse_time(text)) return *us / kDayUs;
  const auto days = number_text<std::int32_t>(text, Type::date);
  if (!days) return text_is_not(Type::date, text);
  return static_cast<std::int64_t>(*days);
}

Result<Cell> time_text(std::string_view text) {
  const auto us = parse_time(text);
  if (!us) return text_is_not(Type::timestamp, text);
  return *us;
}

Result<Cell> decimal_text_cell(std::string_view text, Type type) {
  std::int64_t scaled = 0;
  switch (read_decimal(text, type, scaled)) {
    case DecimalFault::no_number:
      return text_is_not(type, text);
    case DecimalFault::none:
      return scaled;
    default:
      return text_does_not_fit(type, text);
  }
}

template <class T, class Wide>
Result<Cell> widened(std::string_view text, Type type) {
  COEVAL_ASSIGN(const T value, number_text<T>(text, type));
  return static_cast<Wide>(value);
}

}  // namespace

Result<Cell> parse_cell(std::string_view text, Type type) {
  switch (type) {
    case Type::boolean:
      return boolean_text(text);
    case Type::int32:
      return widened<std::int32_t, std::int64_t>(text, type);
    case Type::float32:
      return widened<float, double>(text, type);
    case Type::float64:
      return widened<double, double>(text, type);
    case Type::timestamp:
      return time_text(text);
    case Type::date:
      return date_text(text);
    case Type::string:
      if (!is_utf8(text)) return fail(Code::type_mismatch, "the text is not UTF-8");
      return text;
    default:
      if (is_decimal(type)) return decimal_text_cell(text, type);
      return widened<std::int64_t, std::int64_t>(text, type);
  }
}

void append_cell(ColumnBuilder& builder, const Cell& cell) {
  if (const auto* boolean = std::get_if<bool>(&cell)) return builder.append_boolean(*boolean);
  if (const auto* integer = std::get_if<std::int64_t>(&cell))
    return builder.append_integer(*integer);
  if (const auto* real = std::get_if<double>(&cell)) return builder.append_real(*real);
  if (const auto* text = std::get_if<std::string_view>(&cell)) return builder.append_string(*text);
  builder.append_null();
}

Value to_value(const Cell& cell) {
  return std::visit(
      []<class T>(const T& value) -> Value {
        if constexpr (std::is_same_v<T, std::string_view>)
          return std::string(value);
        else
          return value;
      },
      cell);
}

std::string reasons_of(std::span<const BadCell> cells) {
  std::string reasons;
  for (const BadCell& cell : cells) reasons += (reasons.empty() ? "" : "; ") + cell.reason;
  return reasons;
}

}  // namespace coeval::data
