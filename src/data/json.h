#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/error.h"
#include "data/column.h"

namespace coeval::data {

/// A JSON value. A number written without fraction and exponent is an integer and must fit int64;
/// every other number is a double. Object keys keep their order; a repeated key is an error of the
/// parser.
class Json {
 public:
  using Array = std::vector<Json>;
  using Object = std::vector<std::pair<std::string, Json>>;
  Json() = default;  ///< null
  Json(bool v) : value_(v) {}
  Json(std::int64_t v) : value_(v) {}
  Json(int v) : value_(static_cast<std::int64_t>(v)) {}
  Json(std::size_t v) : value_(static_cast<std::int64_t>(v)) {}
  Json(double v) : value_(v) {}
  Json(std::string v) : value_(std::move(v)) {}
  Json(std::string_view v) : value_(std::string(v)) {}
  Json(const char* v) : value_(std::string(v)) {}
  Json(Array v) : value_(std::move(v)) {}
  Json(Object v) : value_(std::move(v)) {}
  /// A number that keeps its text, which is a JSON number with a fraction or an exponent, or a
  /// decimal's digits; dump() writes that text.
  static Json number(double value, std::string text) {
    Json json;
    json.value_ = WrittenNumber{value, std::move(text)};
    return json;
  }

  bool is_null() const { return value_.index() == 0; }
  const bool* boolean() const { return std::get_if<bool>(&value_); }
  const std::int64_t* integer() const { return std::get_if<std::int64_t>(&value_); }
  const double* real() const {
    if (const auto* written = std::get_if<WrittenNumber>(&value_)) return &written->value;
    return std::get_if<double>(&value_);
  }
  /// The text of a number that was made or read with it, or null.
  const std::string* number_text() const {
    const auto* written = std::get_if<WrittenNumber>(&value_);
    return written == nullptr ? nullptr : &written->text;
  }
  const std::string* string() const { return std::get_if<std::string>(&value_); }
  const Array* array() const { return std::get_if<Array>(&value_); }
  const Object* object() const { return std::get_if<Object>(&value_); }
  /// Member of an object, or null pointer.
  const Json* find(std::string_view key) const;
  /// Sets or adds a member; makes an object of a null.
  Json& set(std::string key, Json v);
  /// Adds an element; makes an array of a null.
  Json& push(Json v);
  /// "null", "a boolean", "an integer", "a number", "a string", "an array", "an object".
  std::string_view kind() const;

  /// Compact text. Doubles print with the fewest digits that read back to the same bits, and always
  /// with a fraction or exponent, so that they read back as doubles; NaN and infinities print as
  /// the strings "NaN", "Infinity", "-Infinity".
  std::string dump() const;
  /// As dump(), but bytes of strings that are not UTF-8 stay what they are: then it is no JSON.
  std::string dump_bytes() const;
  /// Indented by two spaces.
  std::string dump_pretty() const;

 private:
  struct WrittenNumber {
    double value = 0;
    std::string text;
  };
  std::variant<std::monostate, bool, std::int64_t, double, std::string, Array, Object,
               WrittenNumber>
      value_;
};

struct JsonLimits {
  std::size_t max_bytes = 64u << 20;
  int max_depth = 64;  ///< arrays and objects inside one another; a lone scalar has depth 0
};
/// What is kept of the text besides its tree.
struct JsonTexts {
  bool numbers =
      false;  ///< each number with a fraction or exponent keeps its text: decimals need it
  /// Members of these names whose value is an object or array are read as strings of that value's
  /// text.
  std::span<const std::string> as_text = {};
  bool any() const { return numbers || !as_text.empty(); }
};
/// Reads one JSON text (RFC 8259; a byte order mark is skipped). Errors, each with line and column
/// (in characters, from 1) of the first fault in the message: bad_json; out_of_range for a number
/// that neither int64 nor double can hold; too_deep. And body_too_large.
Result<Json> parse_json(std::string_view text, JsonLimits limits = {}, JsonTexts texts = {});

/// The same, for many texts: keeps its buffers from one to the next.
/// Threading: one thread at a time.
class JsonParser {
 public:
  JsonParser();
  ~JsonParser();
  JsonParser(JsonParser&&) noexcept;
  JsonParser& operator=(JsonParser&&) noexcept;
  /// `first_line` is the number, in its file, of the line that `text` begins with; for messages.
  Result<Json> parse(std::string_view text, JsonLimits limits = {}, std::int64_t first_line = 1,
                     JsonTexts texts = {});

 private:
  struct Buffers;
  std::unique_ptr<Buffers> buffers_;
};

/// Appends a JSON string literal, quotes included. Bytes that are not UTF-8 become U+FFFD.
void append_json_string(std::string& out, std::string_view text);
void append_json_number(std::string& out, double value);

/// The JSON of one cell: timestamps as RFC 3339 strings, dates as YYYY-MM-DD; outside the years 0
/// to 9999, which those texts cannot say, as integer µs and days; a decimal as a number with all
/// digits of its scale; lists as arrays. `from_json` reads back the same value.
Json to_json(const Value& value, Type type);
/// Reads a JSON value as the declared type: a number is never read from a string, nor the other
/// way, but for the three strings "NaN", "Infinity", "-Infinity" that dump() writes for floats, and
/// for decimals, which are read exactly from either (a number with a fraction needs its text:
/// JsonTexts); an
/// int that does not fit is an error, a float32 beyond its range too; 3.0 is the integer 3, 3.5 is
/// none; timestamps take RFC 3339 text or integer µs, dates YYYY-MM-DD or integer days; lists take
/// arrays of the declared length without nulls. (semantics: V1) null gives a null Value. Errors:
/// type_mismatch, out_of_range; the message names what was found, not the column, which the caller
/// adds.
Result<Value> from_json(const Json& json, Type type);

}  // namespace coeval::data
