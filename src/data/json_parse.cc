#include <simdjson.h>

#include <algorithm>

#include "data/json.h"
#include "data/json_fault.h"

namespace coeval::data {

namespace {

namespace dom = simdjson::dom;

std::string_view without_byte_order_mark(std::string_view text) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  return text;
}

bool has_repeated_key(const Json::Object& object) {
  if (object.size() <= 8) {
    for (std::size_t i = 1; i < object.size(); ++i)
      for (std::size_t j = 0; j < i; ++j)
        if (object[i].first == object[j].first) return true;
    return false;
  }
  std::vector<std::string_view> keys;
  keys.reserve(object.size());
  for (const auto& member : object) keys.push_back(member.first);
  std::sort(keys.begin(), keys.end());
  return std::adjacent_find(keys.begin(), keys.end()) != keys.end();
}

// Walks over valid JSON text in step with its tree, for what the tree does not keep.
class TextCursor {
 public:
  explicit TextCursor(std::string_view text) : rest_(text) {}
  // Moves to where the next value, key or end of a container begins.
  void skip_separators() {
    const std::size_t at = rest_.find_first_not_of(" \t\r\n,:");
    rest_.remove_prefix(std::min(at, rest_.size()));
  }
  void skip_bracket() {
    skip_separators();
    rest_.remove_prefix(1);
  }
  std::string_view scalar() {
    skip_separators();
    const std::string_view from = rest_;
    if (rest_.starts_with('"'))
      skip_string();
    else
      rest_.remove_prefix(std::min(rest_.find_first_of(" \t\r\n,:]}"), rest_.size()));
    return from.substr(0, from.size() - rest_.size());
  }
  // An object or array whole.
  std::string_view container() {
    skip_separators();
    const std::string_view from = rest_;
    std::size_t depth = 0;
    do {
      rest_.remove_prefix(std::min(rest_.find_first_of("\"[]{}"), rest_.size()));
      if (rest_.empty()) break;
      if (rest_.front() == '"') {
        skip_string();
        continue;
      }
      depth += rest_.front() == '[' || rest_.front() == '{' ? 1 : -1;
      rest_.remove_prefix(1);
    } while (depth > 0);
    return from.substr(0, from.size() - rest_.size());
  }

 private:
  void skip_string() {
    std::size_t at = 1;
    while (at < rest_.size() && rest_[at] != '"') at += rest_[at] == '\\' ? 2 : 1;
    rest_.remove_prefix(std::min(at + 1, rest_.size()));
  }
  std::string_view rest_;
};

// Copies simdjson's tree into ours. False when our rules are stricter than its: depth, repeated
// keys, integers beyond int64.
class TreeCopier {
 public:
  TreeCopier(int max_depth, std::string_view text, JsonTexts texts)
      : max_depth_(max_depth), texts_(texts), cursor_(text) {}
  bool copy(dom::element from, Json& to, int depth);

 private:
  bool copy_array(dom::array from, Json& to, int depth);
  bool copy_object(dom::object from, Json& to, int depth);
  bool copy_member(std::string_view key, dom::element from, Json& to, int depth);
  Json real(double value) {
    return texts_.numbers ? Json::number(value, std::string(scalar_)) : Json(value);
  }
  int max_depth_;
  JsonTexts texts_;
  TextCursor cursor_;        // moved only when texts are wanted
  std::string_view scalar_;  // the text of the scalar that is copied
};

bool TreeCopier::copy(dom::element from, Json& to, int depth) {
  if (texts_.any() && !from.is_array() && !from.is_object()) scalar_ = cursor_.scalar();
  switch (from.type()) {
    case dom::element_type::ARRAY:
      return copy_array(dom::array(from), to, depth + 1);
    case dom::element_type::OBJECT:
      return copy_object(dom::object(from), to, depth + 1);
    case dom::element_type::STRING:
      to = Json(std::string_view(from));
      return true;
    case dom::element_type::INT64:
      to = Json(std::int64_t(from));
      return true;
    case dom::element_type::UINT64:
      return false;
    case dom::element_type::DOUBLE:
      to = real(double(from));
      return true;
    case dom::element_type::BOOL:
      to = Json(bool(from));
      return true;
    case dom::element_type::NULL_VALUE:
      to = Json();
      return true;
  }
  return false;
}

bool TreeCopier::copy_array(dom::array from, Json& to, int depth) {
  if (depth > max_depth_) return false;
  Json::Array elements;
  elements.reserve(from.size());
  if (texts_.any()) cursor_.skip_bracket();
  for (const dom::element element : from)
    if (!copy(element, elements.emplace_back(), depth)) return false;
  if (texts_.any()) cursor_.skip_bracket();
  to = Json(std::move(elements));
  return true;
}

bool TreeCopier::copy_object(dom::object from, Json& to, int depth) {
  if (depth > max_depth_) return false;
  Json::Object members;
  members.reserve(from.size());
  if (texts_.any()) cursor_.skip_bracket();
  for (const dom::key_value_pair member : from) {
    auto& [key, value] = members.emplace_back(std::string(member.key), Json());
    if (texts_.any()) cursor_.scalar();
    if (!copy_member(key, member.value, value, depth)) return false;
  }
  if (texts_.any()) cursor_.skip_bracket();
  if (has_repeated_key(members)) return false;
  to = Json(std::move(members));
  return true;
}

// A member that is wanted as text is read as a tree too: its depth and its keys are checked.
bool TreeCopier::copy_member(std::string_view key, dom::element from, Json& to, int depth) {
  const bool container = from.is_array() || from.is_object();
  if (!container || std::ranges::find(texts_.as_text, key) == texts_.as_text.end())
    return copy(from, to, depth);
  TextCursor after = cursor_;
  const std::string_view text = after.container();
  if (!copy(from, to, depth)) return false;
  cursor_ = after;
  to = Json(text);
  return true;
}

std::string place(std::string_view text, std::size_t offset, std::int64_t first_line) {
  const std::string_view before = text.substr(0, offset);
  const auto line = first_line + std::count(before.begin(), before.end(), '\n');
  const std::string_view in_line = before.substr(before.rfind('\n') + 1);
  const auto column =
      1 + std::count_if(in_line.begin(), in_line.end(), [](char c) { return (c & 0xC0) != 0x80; });
  return " at line " + std::to_string(line) + ", column " + std::to_string(column);
}

Error describe(std::string_view text, const JsonLimits& limits, std::int64_t first_line) {
  const auto fault = find_json_fault(text, limits);
  if (!fault) return fail(Code::bad_json, "the text is not valid JSON").error();
  std::string message = fault->what + place(text, fault->offset, first_line);
  const bool expected = fault->what.starts_with("expected");
  if (!fault->found.empty()) message += (expected ? ", found " : ": ") + fault->found;
  std::string advice;
  if (fault->code == Code::out_of_range) advice = "send integers beyond 64 bits as strings";
  return fail(fault->code, std::move(message), std::move(advice)).error();
}

}  // namespace

struct JsonParser::Buffers {
  dom::parser parser;
};

JsonParser::JsonParser() : buffers_(std::make_unique<Buffers>()) {}
JsonParser::~JsonParser() = default;
JsonParser::JsonParser(JsonParser&&) noexcept = default;
JsonParser& JsonParser::operator=(JsonParser&&) noexcept = default;

Result<Json> JsonParser::parse(std::string_view text, JsonLimits limits, std::int64_t first_line,
                               JsonTexts texts) {
  if (text.size() > limits.max_bytes)
    return fail(Code::body_too_large,
                "JSON of " + std::to_string(text.size()) + " bytes, the limit is " +
                    std::to_string(limits.max_bytes),
                "send it in parts");
  text = without_byte_order_mark(text);
  if (text.data() == nullptr) text = "";  // simdjson takes no null pointer, not even of no bytes
  // One level more than allowed, so that simdjson's way of counting does not matter: ours decides.
  const auto depth = static_cast<std::size_t>(std::max(limits.max_depth, 0)) + 2;
  dom::element root;
  Json json;
  const bool allocated =
      buffers_->parser.allocate(std::max(text.size(), buffers_->parser.capacity()), depth) ==
      simdjson::SUCCESS;
  if (!allocated)
    return fail(Code::internal, "no memory to parse JSON of bytes: " + std::to_string(text.size()));
  const bool read = buffers_->parser.parse(text.data(), text.size()).get(root) == simdjson::SUCCESS;
  if (read && TreeCopier(limits.max_depth, text, texts).copy(root, json, 0)) return json;
  return std::unexpected(describe(text, limits, first_line));
}

Result<Json> parse_json(std::string_view text, JsonLimits limits, JsonTexts texts) {
  return JsonParser().parse(text, limits, 1, texts);
}

}  // namespace coeval::data
