#include "data/json_path.h"

#include <algorithm>
#include <charconv>

#include "data/json.h"

namespace coeval::data {

namespace {

bool is_plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '-' || (c & 0x80) != 0;
}

std::string part_text(std::string_view part) {
  if (!part.empty() && std::ranges::all_of(part, is_plain)) return std::string(part);
  std::string out = "\"";
  for (const char c : part) out.append(c == '"' ? 2 : 1, c);
  return out + "\"";
}

std::unexpected<Error> bad_path(std::string_view text, const std::string& what) {
  return fail(
      Code::bad_toml_value, "bad JSON path '" + std::string(text) + "': " + what,
      "write the column, then keys and places: payload.card.country, payload.items[0].price; "
      "an odd key in double quotes");
}

class PathReader {
 public:
  explicit PathReader(std::string_view text) : text_(text), rest_(text) {}

  Result<JsonPath> read() {
    JsonPath path;
    if (!part(path.column)) return bad_path(text_, "it begins with no column");
    while (!rest_.empty()) {
      JsonStep step;
      const char c = rest_.front();
      rest_.remove_prefix(1);
      if (c == '.' ? !part(step.key) : c != '[' || !index(step.index))
        return bad_path(text_, c == '.' ? "a key is missing" : "a point or [0] is expected");
      path.steps.push_back(std::move(step));
      if (path.steps.size() > kMaxJsonSteps) return bad_path(text_, "more than 64 steps");
    }
    if (path.steps.empty()) return bad_path(text_, "it does not say what of the column");
    return path;
  }

 private:
  bool part(std::string& out) {
    if (rest_.starts_with('"')) return quoted(out);
    const auto end = std::ranges::find_if_not(rest_, is_plain);
    out.assign(rest_.begin(), end);
    rest_.remove_prefix(out.size());
    return !out.empty();
  }

  bool quoted(std::string& out) {
    for (std::size_t at = 1; at < rest_.size(); ++at) {
      if (rest_[at] == '"' && (at + 1 == rest_.size() || rest_[at + 1] != '"')) {
        rest_.remove_prefix(at + 1);
        return true;
      }
      at += rest_[at] == '"' ? 1 : 0;
      out += rest_[at];
    }
    return false;
  }

  bool index(std::int64_t& out) {
    constexpr std::int64_t kMost = 1'000'000'000;
    const auto read = std::from_chars(rest_.data(), rest_.data() + rest_.size(), out);
    if (read.ec != std::errc{} || out < 0 || out > kMost) return false;
    rest_.remove_prefix(static_cast<std::size_t>(read.ptr - rest_.data()));
    if (!rest_.starts_with(']')) return false;
    rest_.remove_prefix(1);
    return true;
  }

  std::string_view text_, rest_;
};

}  // namespace

std::string JsonPath::text(std::size_t count) const {
  std::string out = part_text(column);
  for (std::size_t i = 0; i < std::min(count, steps.size()); ++i) {
    const JsonStep& step = steps[i];
    out += step.index >= 0 ? "[" + std::to_string(step.index) + "]" : "." + part_text(step.key);
  }
  return out;
}

std::string JsonPath::text() const { return text(steps.size()); }

Result<JsonPath> parse_json_path(std::string_view text) { return PathReader(text).read(); }

Result<const Json*> find_json(const Json& root, const JsonPath& path) {
  const Json* at = &root;
  for (std::size_t i = 0; i < path.steps.size(); ++i) {
    if (at == nullptr || at->is_null()) return nullptr;
    const JsonStep& step = path.steps[i];
    const bool element = step.index >= 0;
    if (element ? at->array() == nullptr : at->object() == nullptr)
      return fail(Code::type_mismatch, path.text(i) + ": expected " +
                                           (element ? "an array" : "an object") + ", found " +
                                           std::string(at->kind()));
    if (!element)
      at = at->find(step.key);
    else
      at = static_cast<std::size_t>(step.index) < at->array()->size()
               ? &(*at->array())[static_cast<std::size_t>(step.index)]
               : nullptr;
  }
  return at == nullptr || at->is_null() ? nullptr : at;
}

}  // namespace coeval::data
