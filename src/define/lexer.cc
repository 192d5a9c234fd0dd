#include "define/lexer.h"

#include <algorithm>
#include <array>

namespace coeval::define {

namespace {

constexpr std::array<std::string_view, 13> kKeywords = {"and",     "or",    "not",  "is",    "null",
                                                        "between", "in",    "true", "false", "case",
                                                        "like",    "where", "at"};
constexpr std::array<std::string_view, 21> kSymbols = {"<>", "<=", ">=", "==", "!=", "<",  ">",
                                                       "=",  "+",  "-",  "*",  "/",  "%",  "(",
                                                       ")",  ",",  ".",  "[",  "]",  "&&", "||"};

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

std::string_view keyword(std::string_view word) {
  for (const auto& known : kKeywords)
    if (std::equal(word.begin(), word.end(), known.begin(), known.end(),
                   [](char a, char b) { return lower(a) == b; }))
      return known;
  return {};
}

class Lexer {
 public:
  Lexer(std::string_view text, ExpressionErrors& errors) : text_(text), errors_(errors) {}

  std::vector<Token> run() {
    while (!failed_) {
      while (at_ < text_.size() && is_space(text_[at_])) ++at_;
      if (at_ == text_.size()) {
        tokens_.push_back({Token::Kind::end, {}, at_, at_});
        return std::move(tokens_);
      }
      next();
    }
    return {};
  }

 private:
  void next() {
    const char c = text_[at_];
    if (is_digit(c) || (c == '.' && is_digit(peek(1)))) return number();
    if (is_letter(c)) return word();
    if (c == '\'') return delimited(Token::Kind::string);
    if (c == '"') return delimited(Token::Kind::quoted_name);
    symbol();
  }

  char peek(std::size_t ahead) const {
    return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0';
  }

  void push(Token::Kind kind, std::size_t end) {
    tokens_.push_back({kind, text_.substr(at_, end - at_), at_, end});
    at_ = end;
  }

  void fail(std::size_t end, std::string message, std::string advice) {
    errors_.report(Code::expression_syntax, at_, end, std::move(message), std::move(advice));
    failed_ = true;
  }

  std::size_t digits(std::size_t i) const {
    while (i < text_.size() && is_digit(text_[i])) ++i;
    return i;
  }

  // 12, 1.5, 1e9, .5, or 12 with a unit: 15min
  void number() {
    std::size_t end = digits(at_);
    Token::Kind kind = Token::Kind::integer;
    if (end < text_.size() && text_[end] == '.') {
      kind = Token::Kind::real;
      end = digits(end + 1);
    }
    if (const std::size_t exponent = exponent_end(end); exponent != end) {
      kind = Token::Kind::real;
      end = exponent;
    }
    std::size_t unit = end;
    while (unit < text_.size() && (is_letter(text_[unit]) || is_digit(text_[unit]))) ++unit;
    if (unit != end && kind == Token::Kind::real)
      return fail(unit, "not a number: " + in_quotes(text_.substr(at_, unit - at_)),
                  "durations take whole numbers, such as 90s or 15min");
    push(unit != end ? Token::Kind::duration : kind, unit);
  }

  std::size_t exponent_end(std::size_t i) const {
    if (i >= text_.size() || lower(text_[i]) != 'e') return i;
    std::size_t first = i + 1;
    if (first < text_.size() && (text_[first] == '+' || text_[first] == '-')) ++first;
    const std::size_t end = digits(first);
    return end == first ? i : end;
  }

  void word() {
    std::size_t end = at_;
    while (end < text_.size() && (is_letter(text_[end]) || is_digit(text_[end]))) ++end;
    const std::string_view known = keyword(text_.substr(at_, end - at_));
    push(known.empty() ? Token::Kind::name : Token::Kind::keyword, end);
    if (!known.empty()) tokens_.back().text = known;
  }

  // 'text' or "name"; the quote itself is doubled.
  void delimited(Token::Kind kind) {
    const char quote = text_[at_];
    std::size_t end = at_ + 1;
    while (end < text_.size() &&
           (text_[end] != quote || (end + 1 < text_.size() && text_[end + 1] == quote)))
      end += text_[end] == quote ? 2 : 1;
    if (end >= text_.size())
      return fail(text_.size(), "a quote is not closed", "close it with " + std::string(1, quote));
    push(kind, end + 1);
  }

  void symbol() {
    for (const auto& known : kSymbols) {
      if (!text_.substr(at_).starts_with(known)) continue;
      if (known == "&&" || known == "||")
        return fail(at_ + 2, "no operator " + in_quotes(known),
                    known == "&&" ? "write 'and'" : "write 'or'; texts are joined by concat(a, b)");
      push(Token::Kind::symbol, at_ + known.size());
      if (known == "==") tokens_.back().text = "=";
      if (known == "!=") tokens_.back().text = "<>";
      return;
    }
    std::size_t end = at_ + 1;
    while (end < text_.size() && (static_cast<unsigned char>(text_[end]) & 0xC0U) == 0x80U) ++end;
    fail(end, "unexpected character " + in_quotes(text_.substr(at_, end - at_)),
         "a name with such characters needs double quotes, a text single ones");
  }

  std::string_view text_;
  ExpressionErrors& errors_;
  std::vector<Token> tokens_;
  std::size_t at_ = 0;
  bool failed_ = false;
};

}  // namespace

std::vector<Token> tokenize(std::string_view text, ExpressionErrors& errors) {
  if (text.size() > kMaxExpressionBytes) {
    errors.report(Code::too_deep, 0, 1,
                  "an expression is longer than 64 kB: " + std::to_string(text.size()) + " bytes",
                  "split it into features");
    return {};
  }
  return Lexer(text, errors).run();
}

bool is_plain_name(std::string_view name) {
  if (name.empty() || !is_letter(name.front()) || !keyword(name).empty()) return false;
  return std::all_of(name.begin(), name.end(), [](char c) { return is_letter(c) || is_digit(c); });
}

}  // namespace coeval::define
