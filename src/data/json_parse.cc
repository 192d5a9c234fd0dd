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

// Copies simdjson's tree into ours. False when our rules are stricter than its: depth, repeated
// keys, integers beyond int64.
class TreeCopier {
 public:
  explicit TreeCopier(int max_depth) : max_depth_(max_depth) {}
  bool copy(dom::element from, Json& to, int depth);

 private:
  bool copy_array(dom::array from, Json& to, int depth);
  bool copy_object(dom::object from, Json& to, int depth);
  int max_depth_;
};

bool TreeCopier::copy(dom::element from, Json& to, int depth) {
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
      to = Json(double(from));
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
  for (const dom::element element : from)
    if (!copy(element, elements.emplace_back(), depth)) return false;
  to = Json(std::move(elements));
  return true;
}

bool TreeCopier::copy_object(dom::object from, Json& to, int depth) {
  if (depth > max_depth_) return false;
  Json::Object members;
  members.reserve(from.size());
  for (const dom::key_value_pair member : from) {
    auto& [key, value] = members.emplace_back(std::string(member.key), Json());
    if (!copy(member.value, value, depth)) return false;
  }
  if (has_repeated_key(members)) return false;
  to = Json(std::move(members));
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

Result<Json> JsonParser::parse(std::string_view text, JsonLimits limits, std::int64_t first_line) {
  if (text.size() > limits.max_bytes)
    return fail(Code::body_too_large,
                "JSON of " + std::to_string(text.size()) + " bytes, the limit is " +
                    std::to_string(limits.max_bytes),
                "send it in parts");
  text = without_byte_order_mark(text);
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
  if (read && TreeCopier(limits.max_depth).copy(root, json, 0)) return json;
  return std::unexpected(describe(text, limits, first_line));
}

Result<Json> parse_json(std::string_view text, JsonLimits limits) {
  return JsonParser().parse(text, limits);
}

}  // namespace coeval::data
