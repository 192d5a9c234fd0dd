#include "data/json_fault.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <set>

#include "data/utf8.h"

namespace coeval::data {

namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

int hex_digit(char c) {
  if (is_digit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

void append_utf8(std::string& out, std::uint32_t code) {
  const auto put = [&out](std::uint32_t byte) { out += static_cast<char>(byte); };
  if (code < 0x80) return put(code);
  if (code < 0x800) {
    put(0xC0 | code >> 6);
  } else {
    if (code < 0x10000) {
      put(0xE0 | code >> 12);
    } else {
      put(0xF0 | code >> 18);
      put(0x80 | (code >> 12 & 63));
    }
    put(0x80 | (code >> 6 & 63));
  }
  put(0x80 | (code & 63));
}

// Whether a number that does not fit double is too large rather than too small: its first non-zero
// digit stands left of the point once the exponent is applied. Small ones round to 0 and are no
// fault.
bool is_huge(std::string_view number) {
  const std::size_t e = std::min(number.find_first_of("eE"), number.size());
  const std::string_view mantissa = number.substr(0, e);
  const std::size_t point = std::min(mantissa.find('.'), mantissa.size());
  const std::size_t first = mantissa.find_first_of("123456789");
  if (first == std::string_view::npos) return false;
  const auto places = static_cast<std::int64_t>(point) - static_cast<std::int64_t>(first);
  std::int64_t exponent = 0;
  if (e < number.size()) {
    std::string_view digits = number.substr(e + 1);
    const bool minus = digits.front() == '-';
    if (!is_digit(digits.front())) digits.remove_prefix(1);
    const auto result = std::from_chars(digits.data(), digits.data() + digits.size(), exponent);
    if (result.ec != std::errc{}) return !minus;
    if (minus) exponent = -exponent;
  }
  return places + exponent > 0;
}

class FaultFinder {
 public:
  FaultFinder(std::string_view text, const JsonLimits& limits) : text_(text), limits_(limits) {}

  std::optional<JsonFault> find() {
    skip_space();
    if (value(0)) {
      skip_space();
      if (at_ < text_.size()) unexpected("expected nothing after the JSON value");
    }
    return std::move(fault_);
  }

 private:
  // Each reads one production and returns whether it was well-formed; if not, fault_ is set.
  bool value(int depth);
  bool array(int depth);
  bool object(int depth);
  bool key(std::set<std::string>& seen);
  bool text(std::string& decoded);
  bool escape(std::string& decoded);
  bool code_unit(std::uint32_t& unit);
  bool number();
  bool number_fits(std::string_view number, bool integer);
  bool word(std::string_view expected);
  bool digits();
  bool enter(int depth);

  void skip_space() {
    while (at_ < text_.size() && std::string_view(" \t\r\n").contains(text_[at_])) ++at_;
  }
  bool take(char c) {
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  bool wrong(std::size_t offset, std::string what, std::string found = {},
             Code code = Code::bad_json) {
    fault_ = JsonFault{code, offset, std::move(what), std::move(found)};
    return false;
  }
  bool unexpected(std::string expected);

  std::string_view text_;
  const JsonLimits& limits_;
  std::size_t at_ = 0;
  std::optional<JsonFault> fault_;
};

bool FaultFinder::unexpected(std::string expected) {
  if (at_ >= text_.size()) return wrong(at_, std::move(expected), "the end of the text");
  const std::string_view rest = text_.substr(at_);
  const std::size_t size = utf8_sequence(rest);
  if (size == 0) return wrong(at_, std::move(expected), "a byte that is not UTF-8");
  if (static_cast<unsigned char>(rest.front()) < 0x20)
    return wrong(at_, std::move(expected), "a control character");
  return wrong(at_, std::move(expected), "'" + std::string(rest.substr(0, size)) + "'");
}

bool FaultFinder::value(int depth) {
  if (at_ >= text_.size()) return unexpected("expected a value");
  std::string ignored;
  switch (text_[at_]) {
    case '{':
      return object(depth + 1);
    case '[':
      return array(depth + 1);
    case '"':
      return text(ignored);
    case 't':
      return word("true");
    case 'f':
      return word("false");
    case 'n':
      return word("null");
    default:
      if (text_[at_] != '-' && !is_digit(text_[at_])) return unexpected("expected a value");
      return number();
  }
}

bool FaultFinder::enter(int depth) {
  if (depth > limits_.max_depth)
    return wrong(at_, "arrays and objects nest deeper than allowed",
                 std::to_string(limits_.max_depth), Code::too_deep);
  ++at_;
  skip_space();
  return true;
}

bool FaultFinder::array(int depth) {
  if (!enter(depth)) return false;
  if (take(']')) return true;
  for (;;) {
    if (!value(depth)) return false;
    skip_space();
    if (take(']')) return true;
    if (!take(',')) return unexpected("expected ',' or ']'");
    skip_space();
  }
}

bool FaultFinder::object(int depth) {
  if (!enter(depth)) return false;
  if (take('}')) return true;
  std::set<std::string> seen;
  for (;;) {
    if (!key(seen)) return false;
    skip_space();
    if (!take(':')) return unexpected("expected ':'");
    skip_space();
    if (!value(depth)) return false;
    skip_space();
    if (take('}')) return true;
    if (!take(',')) return unexpected("expected ',' or '}'");
    skip_space();
  }
}

bool FaultFinder::key(std::set<std::string>& seen) {
  const std::size_t start = at_;
  std::string decoded;
  if (at_ >= text_.size() || text_[at_] != '"') return unexpected("expected a key in quotes");
  if (!text(decoded)) return false;
  const auto [entry, fresh] = seen.insert(std::move(decoded));
  return fresh || wrong(start, "repeated key", "'" + *entry + "'");
}

bool FaultFinder::text(std::string& decoded) {
  const std::size_t start = at_++;
  for (;;) {
    if (at_ >= text_.size()) return wrong(start, "a string that is never closed");
    const char c = text_[at_];
    if (take('"')) return true;
    if (c == '\\') {
      if (!escape(decoded)) return false;
      continue;
    }
    if (static_cast<unsigned char>(c) < 0x20)
      return wrong(at_, "a control character inside a string, where an escape belongs");
    const std::size_t size = utf8_sequence(text_.substr(at_));
    if (size == 0) return wrong(at_, "a byte that is not UTF-8");
    decoded.append(text_.substr(at_, size));
    at_ += size;
  }
}

bool FaultFinder::escape(std::string& decoded) {
  constexpr std::string_view kLetters = "\"\\/bfnrt", kMeanings = "\"\\/\b\f\n\r\t";
  const std::size_t start = at_++;
  if (at_ < text_.size()) {
    if (const std::size_t letter = kLetters.find(text_[at_]); letter != std::string_view::npos) {
      decoded += kMeanings[letter];
      ++at_;
      return true;
    }
  }
  if (!take('u')) return wrong(start, "an unknown escape");
  std::uint32_t unit = 0, low = 0;
  if (!code_unit(unit)) return false;
  if (unit >= 0xDC00 && unit < 0xE000) return wrong(start, "half of a surrogate pair");
  if (unit >= 0xD800 && unit < 0xDC00) {
    if (!take('\\') || !take('u')) return wrong(start, "half of a surrogate pair");
    if (!code_unit(low)) return false;
    if (low < 0xDC00 || low > 0xDFFF) return wrong(start, "half of a surrogate pair");
    unit = 0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00);
  }
  append_utf8(decoded, unit);
  return true;
}

bool FaultFinder::code_unit(std::uint32_t& unit) {
  for (int i = 0; i < 4; ++i, ++at_) {
    const int digit = at_ < text_.size() ? hex_digit(text_[at_]) : -1;
    if (digit < 0) return unexpected("expected four hexadecimal digits");
    unit = unit << 4 | static_cast<std::uint32_t>(digit);
  }
  return true;
}

bool FaultFinder::word(std::string_view expected) {
  if (!text_.substr(at_).starts_with(expected)) return unexpected("expected a value");
  at_ += expected.size();
  return true;
}

bool FaultFinder::digits() {
  if (at_ >= text_.size() || !is_digit(text_[at_])) return unexpected("expected a digit");
  while (at_ < text_.size() && is_digit(text_[at_])) ++at_;
  return true;
}

bool FaultFinder::number() {
  const std::size_t start = at_;
  bool integer = true;
  take('-');
  if (!take('0') && !digits()) return false;
  if (take('.')) {
    integer = false;
    if (!digits()) return false;
  }
  if (take('e') || take('E')) {
    integer = false;
    if (!take('+')) take('-');
    if (!digits()) return false;
  }
  if (!number_fits(text_.substr(start, at_ - start), integer))
    return wrong(
        start, integer ? "an integer that does not fit 64 bits" : "a number too large for a double",
        std::string(utf8_prefix(text_.substr(start, at_ - start), 40)), Code::out_of_range);
  return true;
}

bool FaultFinder::number_fits(std::string_view number, bool integer) {
  const char* end = number.data() + number.size();
  std::int64_t whole = 0;
  double real = 0;
  if (integer) return std::from_chars(number.data(), end, whole).ec == std::errc{};
  return std::from_chars(number.data(), end, real).ec == std::errc{} || !is_huge(number);
}

}  // namespace

std::optional<JsonFault> find_json_fault(std::string_view text, const JsonLimits& limits) {
  return FaultFinder(text, limits).find();
}

}  // namespace coeval::data
