#include "models/xgboost_json.h"

#include <string>

namespace coeval::models {
namespace {

constexpr int kMaxDepth = 64;

bool is_space(char c) { return c == ' ' || c == '\n' || c == '\t' || c == '\r'; }

/// What may stand in a number or in a word like NaN; the conversion checks the rest.
bool is_token(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
         c == '+' || c == '.';
}

}  // namespace

/// One pass over the bytes.
class XgboostJsonReader {
 public:
  explicit XgboostJsonReader(std::string_view bytes) : bytes_(bytes) {}

  Result<Ubj> read_document() {
    COEVAL_ASSIGN(Ubj value, read_value(0));
    skip_space();
    if (at_ != bytes_.size()) return fault("bytes after the end of the document");
    return value;
  }

 private:
  std::unexpected<Error> fault(const std::string& what) const {
    return fail(Code::bad_model, "not a JSON model: " + what + " at byte " + std::to_string(at_),
                "the file is damaged or of another format; take it from its source again");
  }

  void skip_space() {
    while (at_ < bytes_.size() && is_space(bytes_[at_])) ++at_;
  }

  /// The next byte that is not a space, or 0 at the end.
  char peek() {
    skip_space();
    return at_ < bytes_.size() ? bytes_[at_] : '\0';
  }

  bool take_if(char expected) {
    if (peek() != expected || at_ == bytes_.size()) return false;
    ++at_;
    return true;
  }

  Result<std::string_view> read_text() {
    if (!take_if('"')) return fault("a string is missing");
    const std::size_t begin = at_;
    while (at_ < bytes_.size() && bytes_[at_] != '"') at_ += bytes_[at_] == '\\' ? 2 : 1;
    if (at_ >= bytes_.size()) {
      at_ = begin;
      return fault("a string without an end");
    }
    return bytes_.substr(begin, at_++ - begin);
  }

  Result<std::string_view> read_token() {
    skip_space();
    const std::size_t begin = at_;
    while (at_ < bytes_.size() && is_token(bytes_[at_])) ++at_;
    if (at_ == begin) return fault(at_ == bytes_.size() ? "unexpected end" : "unexpected byte");
    return bytes_.substr(begin, at_ - begin);
  }

  Result<Ubj> read_value(int depth) {
    switch (peek()) {
      case '{':
        return read_object(depth + 1);
      case '[':
        return read_array(depth + 1);
      case '"':
        return read_string();
      default:
        return read_scalar();
    }
  }

  Result<Ubj> read_string() {
    Ubj value;
    value.kind_ = Ubj::Kind::string;
    COEVAL_ASSIGN(value.bytes_, read_text());
    return value;
  }

  /// Numbers matter inside arrays only; outside they are kept as integers where they are ones.
  Result<Ubj> read_scalar() {
    COEVAL_ASSIGN(const std::string_view token, read_token());
    Ubj value;
    if (token == "null") return value;
    Ubj one;
    one.tokens_ = {token};
    if (const auto integer = one.integer_at(0)) {
      const bool boolean = token == "true" || token == "false";
      value.kind_ = boolean ? Ubj::Kind::boolean : Ubj::Kind::integer;
      value.integer_ = *integer;
      return value;
    }
    const auto real = one.real_at(0);
    if (!real) return fault("'" + std::string(token.substr(0, 40)) + "' is no value");
    value.kind_ = Ubj::Kind::real;
    value.real_ = *real;
    return value;
  }

  Result<Ubj> read_array(int depth) {
    if (depth > kMaxDepth) return fault("nested too deeply");
    ++at_;
    Ubj value;
    value.kind_ = Ubj::Kind::array;
    if (take_if(']')) return value;
    const char first = peek();
    const bool scalars = first != '{' && first != '[' && first != '"';
    while (true) {
      if (scalars) {
        COEVAL_ASSIGN(const std::string_view token, read_token());
        value.tokens_.push_back(token);
      } else {
        COEVAL_ASSIGN(Ubj element, read_value(depth));
        value.elements_.push_back(std::move(element));
      }
      if (take_if(']')) return value;
      if (!take_if(',')) return fault("an array lacks its comma or its end");
    }
  }

  Result<Ubj> read_object(int depth) {
    if (depth > kMaxDepth) return fault("nested too deeply");
    ++at_;
    Ubj value;
    value.kind_ = Ubj::Kind::object;
    if (take_if('}')) return value;
    while (true) {
      skip_space();
      COEVAL_ASSIGN(const std::string_view key, read_text());
      if (!take_if(':')) return fault("a member lacks its colon");
      COEVAL_ASSIGN(Ubj member, read_value(depth));
      value.members_.emplace_back(key, std::move(member));
      if (take_if('}')) return value;
      if (!take_if(',')) return fault("an object lacks its comma or its end");
    }
  }

  std::string_view bytes_;
  std::size_t at_ = 0;
};

Result<Ubj> read_xgboost_json(std::string_view bytes) {
  return XgboostJsonReader(bytes).read_document();
}

}  // namespace coeval::models
