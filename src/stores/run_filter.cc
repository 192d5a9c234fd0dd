#include "stores/run_filter.h"

#include <charconv>
#include <cmath>
#include <optional>
#include <utility>

namespace coeval::stores {

namespace {

constexpr std::size_t kLongest = 10'000;
constexpr int kDeepest = 50;
constexpr int kMostConditions = 100;

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

std::string lower(std::string_view word) {
  std::string out(word);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return out;
}

struct Token {
  enum class Kind : std::uint8_t { end, word, quoted_field, number, text, sign };
  Kind kind = Kind::end;
  std::string text;  // of a text without its quotes; of a word in lower case in `keyword`
  double number = 0;
  SourcePosition at;

  bool is_keyword(std::string_view word) const { return kind == Kind::word && lower(text) == word; }
  bool is_sign(std::string_view sign) const { return kind == Kind::sign && text == sign; }
};

std::unexpected<Error> fault(Code code, const SourcePosition& at, std::string message,
                             std::string advice) {
  return std::unexpected(Error{code, std::move(message), std::move(advice), at, {}});
}

// Cuts a text into tokens. Columns count characters, as carets do.
class Tokens {
 public:
  explicit Tokens(std::string_view text) : text_(text) {}

  Result<Token> next() {
    while (at_ < text_.size() && is_space(text_[at_])) step(1);
    Token token;
    token.at = place(1);
    if (at_ == text_.size()) return token;
    const char c = text_[at_];
    if (is_letter(c)) return word(std::move(token));
    if (is_digit(c) || ((c == '-' || c == '+' || c == '.') && at_ + 1 < text_.size() &&
                        (is_digit(text_[at_ + 1]) || text_[at_ + 1] == '.')))
      return number(std::move(token));
    if (c == '\'' || c == '"' || c == '`') return quoted(std::move(token), c);
    return sign(std::move(token));
  }

 private:
  SourcePosition place(int length) const { return {kFilterOption, line_, column_, length}; }

  void step(std::size_t bytes) {
    for (const std::size_t end = at_ + bytes; at_ < end; ++at_) {
      const auto byte = static_cast<unsigned char>(text_[at_]);
      if (byte == '\n') {
        ++line_;
        column_ = 1;
      } else if ((byte & 0xc0) != 0x80) {  // the first byte of a character
        ++column_;
      }
    }
  }

  Token word(Token token) {
    std::size_t end = at_;
    while (end < text_.size() && (is_letter(text_[end]) || is_digit(text_[end]) ||
                                  text_[end] == '.' || text_[end] == '@'))
      ++end;
    token.kind = Token::Kind::word;
    token.text = std::string(text_.substr(at_, end - at_));
    token.at.length = static_cast<int>(end - at_);
    step(end - at_);
    return token;
  }

  Result<Token> number(Token token) {
    std::size_t end = at_ + 1;
    while (end < text_.size() &&
           (is_digit(text_[end]) || is_letter(text_[end]) || text_[end] == '.' ||
            ((text_[end] == '-' || text_[end] == '+') && lower(text_.substr(end - 1, 1)) == "e")))
      ++end;
    token.kind = Token::Kind::number;
    token.text = std::string(text_.substr(at_, end - at_));
    token.at.length = static_cast<int>(end - at_);
    const char* first = token.text.data() + (token.text.front() == '+' ? 1 : 0);
    const char* last = token.text.data() + token.text.size();
    const auto [stop, failure] = std::from_chars(first, last, token.number);
    if (failure != std::errc() || stop != last || !std::isfinite(token.number))
      return fault(Code::expression_syntax, token.at, "'" + token.text + "' is no number",
                   "numbers are 6, -0.5, 1e-3; texts stand in quotes: '" + token.text + "'");
    step(end - at_);
    return token;
  }

  Result<Token> quoted(Token token, char quote) {
    const std::size_t from = at_;
    std::size_t end = at_ + 1;
    for (;; ++end) {
      if (end >= text_.size())
        return fault(Code::expression_syntax, token.at, "a quote is opened and not closed",
                     "end the text with another " + std::string(1, quote));
      if (text_[end] != quote) {
        token.text += text_[end];
      } else if (end + 1 < text_.size() && text_[end + 1] == quote) {
        token.text += quote;
        ++end;
      } else {
        break;
      }
    }
    token.kind = quote == '`' ? Token::Kind::quoted_field : Token::Kind::text;
    const int column = column_;
    step(end + 1 - from);
    token.at.length = column_ > column ? column_ - column : 1;
    return token;
  }

  Result<Token> sign(Token token) {
    for (const std::string_view known : {"!=", "<=", ">=", "=", "<", ">", "(", ")"}) {
      if (!text_.substr(at_).starts_with(known)) continue;
      token.kind = Token::Kind::sign;
      token.text = std::string(known);
      token.at.length = static_cast<int>(known.size());
      step(known.size());
      return token;
    }
    const auto byte = static_cast<unsigned char>(text_[at_]);
    const std::string shown = byte >= 0x20 && byte < 0x7f ? std::string(1, text_[at_]) : "this";
    return fault(Code::expression_syntax, token.at, "'" + shown + "' means nothing here",
                 "conditions are FIELD = != < <= > >= LITERAL, joined by and, or, not, ( )");
  }

  std::string_view text_;
  std::size_t at_ = 0;
  int line_ = 1, column_ = 1;
};

std::optional<RunCondition::Op> operator_of(const Token& token) {
  using Op = RunCondition::Op;
  if (token.is_sign("=")) return Op::equal;
  if (token.is_sign("!=")) return Op::unequal;
  if (token.is_sign("<")) return Op::less;
  if (token.is_sign("<=")) return Op::at_most;
  if (token.is_sign(">")) return Op::greater;
  if (token.is_sign(">=")) return Op::at_least;
  return std::nullopt;
}

// By recursive descent. What reads a thing leaves token_ at the first one behind it.
class Parser {
 public:
  explicit Parser(std::string_view text) : tokens_(text) {}

  Result<RunFilter> run() {
    COEVAL_TRY(advance());
    if (token_.kind == Token::Kind::end) return RunFilter{};
    COEVAL_ASSIGN(filter_.root, expression(0));
    if (token_.kind != Token::Kind::end) return expected("'and' or 'or'");
    return std::move(filter_);
  }

 private:
  Status advance() {
    COEVAL_ASSIGN(token_, tokens_.next());
    return {};
  }

  std::unexpected<Error> expected(const std::string& what) const {
    const std::string found = token_.kind == Token::Kind::end ? "the end" : "'" + token_.text + "'";
    std::string advice;
    if (token_.is_sign("=")) advice = "one = compares";
    return fault(Code::expression_syntax, token_.at, "expected " + what + ", found " + found,
                 std::move(advice));
  }

  int add(RunFilter::Node node) {
    filter_.nodes.push_back(std::move(node));
    return static_cast<int>(filter_.nodes.size()) - 1;
  }

  Result<int> expression(int depth) {
    COEVAL_ASSIGN(int left, term(depth));
    while (token_.is_keyword("or")) {
      COEVAL_TRY(advance());
      COEVAL_ASSIGN(const int right, term(depth));
      left = add({RunFilter::Node::Kind::any, left, right, {}});
    }
    return left;
  }

  Result<int> term(int depth) {
    COEVAL_ASSIGN(int left, factor(depth));
    while (token_.is_keyword("and")) {
      COEVAL_TRY(advance());
      COEVAL_ASSIGN(const int right, factor(depth));
      left = add({RunFilter::Node::Kind::all, left, right, {}});
    }
    return left;
  }

  Result<int> factor(int depth) {
    if (depth == kDeepest)
      return fault(Code::too_deep, token_.at,
                   "more than " + std::to_string(kDeepest) + " levels of 'not' and brackets", "");
    if (token_.is_keyword("not")) {
      COEVAL_TRY(advance());
      COEVAL_ASSIGN(const int of, factor(depth + 1));
      return add({RunFilter::Node::Kind::none, of, -1, {}});
    }
    if (token_.is_sign("(")) {
      COEVAL_TRY(advance());
      COEVAL_ASSIGN(const int inner, expression(depth + 1));
      if (!token_.is_sign(")")) return expected("'and', 'or' or ')'");
      COEVAL_TRY(advance());
      return inner;
    }
    return condition();
  }

  Result<int> condition() {
    RunFilter::Node node;
    RunCondition& made = node.condition;
    const bool keyword = token_.is_keyword("and") || token_.is_keyword("or") ||
                         token_.is_keyword("is") || token_.is_keyword("null");
    if ((token_.kind != Token::Kind::word || keyword) && token_.kind != Token::Kind::quoted_field)
      return expected("a field, such as test.auc");
    if (++conditions_ > kMostConditions)
      return fault(Code::too_deep, token_.at,
                   "more than " + std::to_string(kMostConditions) + " conditions", "");
    made.field = token_.text;
    made.field_at = token_.at;
    COEVAL_TRY(advance());
    COEVAL_TRY(token_.is_keyword("is") ? presence(made) : comparison(made));
    return add(std::move(node));
  }

  Status presence(RunCondition& made) {
    COEVAL_TRY(advance());
    made.op = RunCondition::Op::missing;
    if (token_.is_keyword("not")) {
      made.op = RunCondition::Op::present;
      COEVAL_TRY(advance());
    }
    if (!token_.is_keyword("null")) return expected("'null'");
    made.literal_at = token_.at;
    return advance();
  }

  Status comparison(RunCondition& made) {
    const auto op = operator_of(token_);
    if (!op) return expected("one of = != < <= > >= or 'is null' behind " + made.field);
    made.op = *op;
    COEVAL_TRY(advance());
    made.literal_at = token_.at;
    if (token_.kind == Token::Kind::number) {
      made.literal = token_.number;
    } else if (token_.kind == Token::Kind::text) {
      made.literal = token_.text;
    } else if (token_.kind == Token::Kind::word) {
      return fault(Code::expression_syntax, token_.at,
                   "'" + token_.text + "' is neither a number nor a text",
                   "texts stand in quotes: '" + token_.text + "'; a missing value is `is null`");
    } else {
      return expected("a number, or a text in quotes");
    }
    return advance();
  }

  Tokens tokens_;
  Token token_;
  RunFilter filter_;
  int conditions_ = 0;
};

}  // namespace

Result<RunFilter> parse_run_filter(std::string_view text) {
  if (text.size() > kLongest)
    return fault(Code::too_deep, {kFilterOption, 1, 1, 1},
                 "the filter has " + std::to_string(text.size()) + " bytes, at most " +
                     std::to_string(kLongest),
                 "");
  return Parser(text).run();
}

}  // namespace coeval::stores
