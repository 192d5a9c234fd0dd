#include "data/plain_json_row.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>

#include "base/check.h"
#include "base/time.h"
#include "data/decimal.h"

namespace coeval::data {

namespace {

constexpr std::size_t kMaxOthers = 16;
constexpr std::size_t kMaxDigits = 18;  // always fit int64

bool is_blank(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

void skip_blanks(std::string_view& rest) {
  std::size_t at = 0;
  while (at < rest.size() && is_blank(rest[at])) ++at;
  rest.remove_prefix(at);
}

bool take(std::string_view& rest, char c) {
  if (rest.empty() || rest.front() != c) return false;
  rest.remove_prefix(1);
  return true;
}

/// Takes c with the blanks before it.
bool take_mark(std::string_view& rest, char c) {
  if (take(rest, c)) return true;
  skip_blanks(rest);
  return take(rest, c);
}

bool take_word(std::string_view& rest, std::string_view word) {
  if (!rest.starts_with(word)) return false;
  rest.remove_prefix(word.size());
  return true;
}

/// The inside of a string without escapes.
std::optional<std::string_view> take_text(std::string_view& rest) {
  if (rest.empty() || rest.front() != '"') return std::nullopt;
  const char* const begin = rest.data() + 1;
  const char* const end = rest.data() + rest.size();
  const char* at = begin;
  while (at < end && *at != '"' && *at != '\\' && static_cast<unsigned char>(*at) >= 0x20) ++at;
  if (at == end || *at != '"') return std::nullopt;
  const auto size = static_cast<std::size_t>(at - begin);
  rest.remove_prefix(size + 2);
  return std::string_view(begin, size);
}

std::size_t digits_at(std::string_view text, std::size_t at) {
  const std::size_t from = at;
  while (at < text.size() && is_digit(text[at])) ++at;
  return at - from;
}

/// A number as JSON writes it: its text, and whether it is an integer.
struct Number {
  std::string_view text;
  bool whole = false;
  std::size_t digits = 0;  // of the part before the point
};

std::optional<Number> take_number(std::string_view& rest) {
  std::size_t at = rest.starts_with('-') ? 1 : 0;
  Number number;
  number.digits = digits_at(rest, at);
  if (number.digits == 0 || (number.digits > 1 && rest[at] == '0')) return std::nullopt;
  at += number.digits;
  number.whole = true;
  if (at < rest.size() && rest[at] == '.') {
    number.whole = false;
    const std::size_t fraction = digits_at(rest, ++at);
    if (fraction == 0) return std::nullopt;
    at += fraction;
  }
  if (at < rest.size() && (rest[at] == 'e' || rest[at] == 'E')) {
    number.whole = false;
    ++at;
    if (at < rest.size() && (rest[at] == '+' || rest[at] == '-')) ++at;
    const std::size_t exponent = digits_at(rest, at);
    if (exponent == 0) return std::nullopt;
    at += exponent;
  }
  number.text = rest.substr(0, at);
  rest.remove_prefix(at);
  return number;
}

std::optional<std::int64_t> integer_of(const Number& number) {
  if (!number.whole || number.digits > kMaxDigits) return std::nullopt;
  const bool minus = number.text.front() == '-';
  std::int64_t value = 0;
  for (const char c : number.text.substr(minus ? 1 : 0)) value = value * 10 + (c - '0');
  return minus ? -value : value;
}

std::optional<double> real_of(const Number& number) {
  if (number.whole) {
    const auto integer = integer_of(number);
    return integer ? std::optional(static_cast<double>(*integer)) : std::nullopt;
  }
  double value = 0;
  const char* const end = number.text.data() + number.text.size();
  const auto [stopped, failure] = std::from_chars(number.text.data(), end, value);
  if (failure != std::errc{} || stopped != end || !std::isfinite(value)) return std::nullopt;
  return value;
}

int two_digits(const char* at) { return (at[0] - '0') * 10 + (at[1] - '0'); }

/// "2001-06-01T12:30:00Z", the way most programs write a time, without looking for other ways.
std::optional<std::int64_t> common_time(std::string_view text) {
  constexpr std::string_view kShape = "0000-00-00T00:00:00Z";
  if (text.size() != kShape.size()) return std::nullopt;
  for (std::size_t i = 0; i < kShape.size(); ++i)
    if (kShape[i] == '0' ? !is_digit(text[i]) : text[i] != kShape[i]) return std::nullopt;
  const char* const at = text.data();
  const int month = two_digits(at + 5), day = two_digits(at + 8), hour = two_digits(at + 11);
  const int minute = two_digits(at + 14), second = two_digits(at + 17);
  // The last days of months are for parse_time to know.
  if (month < 1 || month > 12 || day < 1 || day > 28 || hour > 23 || minute > 59 || second > 59)
    return std::nullopt;
  return civil_to_us(two_digits(at) * 100 + two_digits(at + 2), month, day, hour, minute, second,
                     0);
}

std::optional<std::int64_t> time_of(std::string_view text, Type type) {
  if (type == Type::timestamp) {
    if (const auto us = common_time(text)) return us;
    if (text.find('-', 1) == std::string_view::npos) return std::nullopt;
    const auto us = parse_time(text);
    return us ? std::optional(*us) : std::nullopt;
  }
  if (text.size() != 10 || text.find('-', 1) != 4) return std::nullopt;
  const auto us = parse_time(text);
  return us ? std::optional(*us / kDayUs) : std::nullopt;
}

bool is_time(Type type) { return type == Type::timestamp || type == Type::date; }

}  // namespace

PlainJsonRow::PlainJsonRow(const Schema& schema)
    : schema_(schema), cells_(schema.fields.size()), read_in_(schema.fields.size(), 0) {
  for (std::size_t field = 0; field < schema.fields.size(); ++field) order_.push_back(field);
}

bool PlainJsonRow::read(std::string_view& text) {
  ++object_;
  read_count_ = members_ = 0;
  others_.clear();
  std::string_view rest = text;
  if (!take_mark(rest, '{')) return false;
  if (!take_mark(rest, '}')) {
    do {
      if (!read_member(rest)) return false;
    } while (take_mark(rest, ','));
    if (!take_mark(rest, '}')) return false;
  }
  if (read_count_ < cells_.size() && !fill_missing()) return false;
  text = rest;
  return true;
}

bool PlainJsonRow::read_member(std::string_view& rest) {
  skip_blanks(rest);
  const auto name = take_text(rest);
  if (!name || !take_mark(rest, ':')) return false;
  skip_blanks(rest);
  const std::size_t field = field_of(*name);
  if (field == cells_.size()) return read_unknown(rest, *name);
  if (read_in_[field] == object_) return false;  // twice
  read_in_[field] = object_;
  ++read_count_;
  return read_value(rest, field);
}

// Objects of one sender have their members in one order, so the member that came here last time is
// tried first.
std::size_t PlainJsonRow::field_of(std::string_view name) {
  const std::size_t place = members_++;
  if (place < order_.size() && schema_.fields[order_[place]].name == name) return order_[place];
  for (std::size_t field = 0; field < schema_.fields.size(); ++field) {
    if (schema_.fields[field].name != name) continue;
    if (place < order_.size()) order_[place] = field;
    return field;
  }
  return schema_.fields.size();
}

bool PlainJsonRow::read_value(std::string_view& rest, std::size_t field) {
  const Type type = schema_.fields[field].type;
  Cell& cell = cells_[field];
  if (take_word(rest, "null")) {
    cell.kind = Cell::Kind::null;
    return schema_.fields[field].nullable;
  }
  if (is_list(type)) return false;
  if (type == Type::string || (is_time(type) && rest.starts_with('"'))) {
    const auto text = take_text(rest);
    if (!text) return false;
    cell.kind = type == Type::string ? Cell::Kind::text : Cell::Kind::integer;
    if (type == Type::string) {
      cell.text = *text;
      return true;
    }
    const auto time = time_of(*text, type);
    cell.integer = time.value_or(0);
    return time.has_value();
  }
  if (type == Type::boolean) {
    cell.kind = Cell::Kind::boolean;
    cell.integer = rest.starts_with('t');
    return take_word(rest, "true") || take_word(rest, "false");
  }
  const auto number = take_number(rest);
  if (!number) return false;
  if (is_float(type)) {
    const auto real = real_of(*number);
    cell.kind = Cell::Kind::real;
    cell.real = real.value_or(0);
    return real && (type == Type::float64 || std::isfinite(static_cast<float>(*real)));
  }
  cell.kind = Cell::Kind::integer;
  if (is_decimal(type))
    return real_of(*number) && read_decimal(number->text, type, cell.integer) == DecimalFault::none;
  const auto integer = integer_of(*number);
  cell.integer = integer.value_or(0);
  return integer && (width(type) != 4 || *integer == static_cast<std::int32_t>(*integer));
}

bool PlainJsonRow::read_unknown(std::string_view& rest, std::string_view name) {
  if (others_.size() == kMaxOthers || std::ranges::find(others_, name) != others_.end())
    return false;
  others_.push_back(name);
  if (rest.starts_with('"')) return take_text(rest).has_value();
  if (take_word(rest, "null") || take_word(rest, "true") || take_word(rest, "false")) return true;
  const auto number = take_number(rest);
  return number && real_of(*number);
}

bool PlainJsonRow::fill_missing() {
  for (std::size_t field = 0; field < cells_.size(); ++field) {
    if (read_in_[field] == object_) continue;
    if (!schema_.fields[field].nullable) return false;
    cells_[field].kind = Cell::Kind::null;
  }
  return true;
}

void PlainJsonRow::append_to(std::vector<ColumnBuilder>& builders) const {
  COEVAL_CHECK(builders.size() == cells_.size());
  for (std::size_t field = 0; field < cells_.size(); ++field) {
    const Cell& cell = cells_[field];
    switch (cell.kind) {
      case Cell::Kind::null:
        builders[field].append_null();
        break;
      case Cell::Kind::integer:
        builders[field].append_integer(cell.integer);
        break;
      case Cell::Kind::real:
        builders[field].append_real(cell.real);
        break;
      case Cell::Kind::boolean:
        builders[field].append_boolean(cell.integer != 0);
        break;
      case Cell::Kind::text:
        builders[field].append_string(cell.text);
        break;
    }
  }
}

}  // namespace coeval::data
