#include "data/json.h"

#include <array>
#include <charconv>
#include <cmath>

#include "base/check.h"
#include "data/utf8.h"

namespace coeval::data {

namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

void append_string(std::string& out, std::string_view text, std::string_view replacement);

// Writes a tree, compactly or indented by two spaces.
class JsonWriter {
 public:
  explicit JsonWriter(bool pretty, bool keeps_bytes = false)
      : pretty_(pretty), keeps_bytes_(keeps_bytes) {}
  void write(const Json& json);
  std::string take() { return std::move(out_); }

 private:
  void write_array(const Json::Array& array);
  void write_object(const Json::Object& object);
  void new_line();

  std::string out_;
  bool pretty_, keeps_bytes_;
  std::size_t depth_ = 0;
};

void append_integer(std::string& out, std::int64_t value) {
  std::array<char, 24> text{};
  out.append(text.data(), std::to_chars(text.data(), text.data() + text.size(), value).ptr);
}

void JsonWriter::write(const Json& json) {
  if (const auto* object = json.object()) return write_object(*object);
  if (const auto* array = json.array()) return write_array(*array);
  if (const auto* text = json.string())
    return append_string(out_, *text, keeps_bytes_ ? std::string_view() : kReplacement);
  if (const auto* integer = json.integer()) return append_integer(out_, *integer);
  if (const auto* digits = json.number_text()) {
    out_ += *digits;
    return;
  }
  if (const auto* real = json.real()) return append_json_number(out_, *real);
  const auto* boolean = json.boolean();
  out_ += boolean == nullptr ? "null" : *boolean ? "true" : "false";
}

void JsonWriter::new_line() {
  if (!pretty_) return;
  out_ += '\n';
  out_.append(2 * depth_, ' ');
}

void JsonWriter::write_array(const Json::Array& array) {
  out_ += '[';
  ++depth_;
  for (std::size_t i = 0; i < array.size(); ++i) {
    if (i > 0) out_ += ',';
    new_line();
    write(array[i]);
  }
  --depth_;
  if (!array.empty()) new_line();
  out_ += ']';
}

void JsonWriter::write_object(const Json::Object& object) {
  out_ += '{';
  ++depth_;
  for (std::size_t i = 0; i < object.size(); ++i) {
    if (i > 0) out_ += ',';
    new_line();
    append_json_string(out_, object[i].first);
    out_ += pretty_ ? ": " : ":";
    write(object[i].second);
  }
  --depth_;
  if (!object.empty()) new_line();
  out_ += '}';
}

bool is_plain(char c) {
  return static_cast<unsigned char>(c) >= 0x20 && c != '"' && c != '\\' && (c & 0x80) == 0;
}

void append_escaped(std::string& out, char c) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  switch (c) {
    case '"':
      out += "\\\"";
      break;
    case '\\':
      out += "\\\\";
      break;
    case '\n':
      out += "\\n";
      break;
    case '\r':
      out += "\\r";
      break;
    case '\t':
      out += "\\t";
      break;
    default:
      out += "\\u00";
      out += kDigits[static_cast<unsigned char>(c) >> 4];
      out += kDigits[static_cast<unsigned char>(c) & 15];
  }
}

// With no replacement a byte that is not UTF-8 stands for itself.
void append_string(std::string& out, std::string_view text, std::string_view replacement) {
  out += '"';
  while (!text.empty()) {
    std::size_t plain = 0;
    while (plain < text.size() && is_plain(text[plain])) ++plain;
    out.append(text.substr(0, plain));
    text.remove_prefix(plain);
    if (text.empty()) break;
    const std::size_t sequence = utf8_sequence(text);
    if (sequence == 1)
      append_escaped(out, text.front());
    else if (sequence == 0)
      out += replacement.empty() ? text.substr(0, 1) : replacement;
    else
      out.append(text.substr(0, sequence));
    text.remove_prefix(sequence == 0 ? 1 : sequence);
  }
  out += '"';
}

}  // namespace

void append_json_string(std::string& out, std::string_view text) {
  append_string(out, text, kReplacement);
}

void append_json_number(std::string& out, double value) {
  if (std::isnan(value)) return append_json_string(out, "NaN");
  if (std::isinf(value)) return append_json_string(out, value > 0 ? "Infinity" : "-Infinity");
  std::array<char, 32> text{};
  const char* end = std::to_chars(text.data(), text.data() + text.size(), value).ptr;
  const std::string_view digits(text.data(), end);
  out.append(digits);
  // 5 would read back as an integer, and -0 lose its sign.
  if (digits.find_first_of(".e") == std::string_view::npos) out += ".0";
}

const Json* Json::find(std::string_view key) const {
  const Object* members = object();
  if (members == nullptr) return nullptr;
  for (const auto& [name, value] : *members)
    if (name == key) return &value;
  return nullptr;
}

Json& Json::set(std::string key, Json v) {
  if (is_null()) value_ = Object{};
  auto* members = std::get_if<Object>(&value_);
  COEVAL_CHECK(members != nullptr);
  for (auto& [name, value] : *members)
    if (name == key) {
      value = std::move(v);
      return *this;
    }
  members->emplace_back(std::move(key), std::move(v));
  return *this;
}

Json& Json::push(Json v) {
  if (is_null()) value_ = Array{};
  auto* elements = std::get_if<Array>(&value_);
  COEVAL_CHECK(elements != nullptr);
  elements->push_back(std::move(v));
  return *this;
}

std::string_view Json::kind() const {
  constexpr std::array<std::string_view, 8> kKinds = {"null",      "a boolean", "an integer",
                                                      "a number",  "a string",  "an array",
                                                      "an object", "a number"};
  return kKinds[value_.index()];
}

std::string Json::dump() const {
  JsonWriter writer(false);
  writer.write(*this);
  return writer.take();
}

std::string Json::dump_bytes() const {
  JsonWriter writer(false, true);
  writer.write(*this);
  return writer.take();
}

std::string Json::dump_pretty() const {
  JsonWriter writer(true);
  writer.write(*this);
  return writer.take();
}

}  // namespace coeval::data
