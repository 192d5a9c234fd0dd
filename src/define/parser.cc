#include "define/parser.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "base/time.h"
#include "data/decimal.h"
#include "define/aggregates.h"
#include "define/functions.h"
#include "define/lexer.h"

namespace coeval::define {

namespace {

using Kind = Token::Kind;

// How tightly operators bind, loosest first.
enum Level : int {
  kOr = 1,
  kAnd = 2,
  kNot = 3,
  kComparison = 4,
  kSum = 5,
  kProduct = 6,
  kSign = 7
};

struct Infix {
  std::string_view text;
  Op op;
  int level;
};
constexpr std::array kInfix = {
    Infix{"or", Op::logical_or, kOr},
    Infix{"and", Op::logical_and, kAnd},
    Infix{"=", Op::equal, kComparison},
    Infix{"<>", Op::not_equal, kComparison},
    Infix{"<", Op::less, kComparison},
    Infix{"<=", Op::less_equal, kComparison},
    Infix{">", Op::greater, kComparison},
    Infix{">=", Op::greater_equal, kComparison},
    Infix{"+", Op::add, kSum},
    Infix{"-", Op::subtract, kSum},
    Infix{"*", Op::multiply, kProduct},
    Infix{"/", Op::divide, kProduct},
    Infix{"%", Op::modulo, kProduct},
};

const Infix* find_infix(const Token& token) {
  if (token.kind != Kind::symbol && token.kind != Kind::keyword) return nullptr;
  for (const auto& row : kInfix)
    if (row.text == token.text) return &row;
  return nullptr;
}

// The text inside 'quotes' or "quotes", a doubled quote standing for one.
std::string unquoted(std::string_view token) {
  const char quote = token.front();
  std::string text;
  for (std::size_t i = 1; i + 1 < token.size(); ++i) {
    text += token[i];
    if (token[i] == quote) ++i;
  }
  return text;
}

// Stands for the decimal type that a text turns out to have.
constexpr data::Type kAnyDecimal = data::decimal_type(0, 0);

// A Pratt parser. After the first error every function returns null and nothing more is reported.
class Parser {
 public:
  Parser(const ExpressionText& text, Diagnostics& errors)
      : errors_(errors, text), tokens_(tokenize(text.text, errors_)) {}

  SyntaxPtr whole() {
    if (tokens_.empty()) return nullptr;
    SyntaxPtr node = expression(kOr);
    return node && expect_end() ? std::move(node) : nullptr;
  }

  std::optional<AggregateSyntax> aggregate() {
    if (tokens_.empty()) return std::nullopt;
    const Token name = token();
    if (name.kind != Kind::name || !tokens_[at_ + 1].is_symbol("(")) {
      errors_.report(Code::bad_call, name.begin, name.end,
                     "not an aggregate: " + in_quotes(name.text),
                     "write one such as \"count()\" or \"mean(delay) where distance > 1000\"");
      return std::nullopt;
    }
    at_ += 2;
    AggregateSyntax aggregate{std::string(name.text), name.begin, name.end, {}, nullptr};
    if (!arguments(aggregate.args)) return std::nullopt;
    if (token().is_keyword("where")) {
      ++at_;
      aggregate.where = expression(kOr);
      if (!aggregate.where) return std::nullopt;
    }
    return expect_end() ? std::optional(std::move(aggregate)) : std::nullopt;
  }

 private:
  const Token& token() const { return tokens_[at_]; }

  SyntaxPtr fail(Code code, const Token& where, std::string message, std::string advice) {
    if (!failed_)
      errors_.report(code, where.begin, where.end, std::move(message), std::move(advice));
    failed_ = true;
    return nullptr;
  }

  SyntaxPtr unexpected() {
    const Token& found = token();
    if (found.kind == Kind::end)
      return fail(Code::expression_syntax, found, "the expression ends too early",
                  "a value is missing after the last operator");
    return fail(Code::expression_syntax, found, "unexpected " + in_quotes(found.text),
                "a value is expected here: a number, a 'text', a column or a call");
  }

  bool expect_end() {
    const Token& found = token();
    if (found.kind == Kind::end) return true;
    if (found.is_keyword("where"))
      fail(Code::expression_syntax, found, "'where' belongs to an aggregate of a view",
           "write if(condition, a, b)");
    else
      fail(Code::expression_syntax, found, "unexpected " + in_quotes(found.text),
           "an operator is missing before it, or a parenthesis is closed twice");
    return false;
  }

  bool expect_symbol(std::string_view symbol, const Token& opened) {
    if (token().is_symbol(symbol)) {
      ++at_;
      return true;
    }
    if (token().kind == Kind::end)
      fail(Code::expression_syntax, opened, "a parenthesis is not closed",
           "add '" + std::string(symbol) + "'");
    else
      expect_end();
    return false;
  }

  // Every node passes here: bounds the depth of the tree, which recursion elsewhere relies on.
  SyntaxPtr finish(SyntaxPtr node, std::size_t begin) {
    node->begin = begin;
    node->end = tokens_[at_ == 0 ? 0 : at_ - 1].end;
    for (const auto& argument : node->args)
      node->depth = std::max(node->depth, argument->depth + 1);
    return node->depth > kMaxNesting ? too_deep() : std::move(node);
  }

  SyntaxPtr too_deep() {
    return fail(Code::too_deep, token(),
                "the expression nests deeper than " + std::to_string(kMaxNesting) + " levels",
                "split it into features");
  }

  SyntaxPtr node(Syntax::Kind kind) {
    auto made = std::make_unique<Syntax>();
    made->kind = kind;
    return made;
  }

  // Recursion happens only through here.
  SyntaxPtr expression(int level) {
    if (nesting_ >= kMaxNesting) return too_deep();
    ++nesting_;
    SyntaxPtr left = prefix();
    while (left && !failed_) {
      SyntaxPtr next = infix(left, level);
      if (!next) break;
      left = std::move(next);
    }
    --nesting_;
    return failed_ ? nullptr : std::move(left);
  }

  SyntaxPtr prefix() {
    const Token start = token();
    if (start.is_keyword("not")) return unary(Op::logical_not, kNot);
    if (start.is_symbol("-")) return unary(Op::negate, kSign);
    if (start.is_symbol("(")) {
      ++at_;
      SyntaxPtr inner = expression(kOr);
      if (!inner || !expect_symbol(")", start)) return nullptr;
      inner->parenthesised = true;
      return finish(std::move(inner), start.begin);
    }
    if (start.is_symbol("[")) return list();
    if (start.is_keyword("case")) return case_of();
    if (start.kind == Kind::name || start.kind == Kind::quoted_name) return name_or_call();
    return atom();
  }

  // [a, b, …]
  SyntaxPtr list() {
    const Token opened = token();
    SyntaxPtr made = node(Syntax::Kind::list);
    do {
      ++at_;
      SyntaxPtr element = expression(kOr);
      if (!element) return nullptr;
      made->args.push_back(std::move(element));
    } while (token().is_symbol(","));
    if (!expect_symbol("]", opened)) return nullptr;
    return finish(std::move(made), opened.begin);
  }

  SyntaxPtr unary(Op op, int level) {
    const std::size_t begin = token().begin;
    ++at_;
    // The least integer is not the negation of one.
    if (op == Op::negate && token().kind == Kind::integer && token().text == "9223372036854775808")
      return finish(literal(data::Type::int64, INT64_MIN), begin);
    SyntaxPtr argument = expression(level);
    if (!argument) return nullptr;
    SyntaxPtr made = node(Syntax::Kind::unary);
    made->op = op;
    made->args.push_back(std::move(argument));
    return finish(std::move(made), begin);
  }

  SyntaxPtr literal(data::Type type, data::Value value) {
    SyntaxPtr made = node(Syntax::Kind::literal);
    made->type = type;
    made->value = std::move(value);
    const std::size_t begin = token().begin;
    ++at_;
    return finish(std::move(made), begin);
  }

  SyntaxPtr atom() {
    const Token found = token();
    if (found.kind == Kind::integer) return integer(found);
    if (found.kind == Kind::real) return real(found);
    if (found.kind == Kind::duration) return duration(found);
    if (found.kind == Kind::string) return literal(data::Type::string, unquoted(found.text));
    if (found.is_keyword("true")) return literal(data::Type::boolean, true);
    if (found.is_keyword("false")) return literal(data::Type::boolean, false);
    if (found.is_keyword("null")) return literal(data::Type::null, {});
    if (!found.is_keyword("at")) return unexpected();
    ++at_;
    return finish(node(Syntax::Kind::at), found.begin);
  }

  SyntaxPtr integer(const Token& found) {
    std::int64_t value = 0;
    const auto end = found.text.data() + found.text.size();
    if (std::from_chars(found.text.data(), end, value).ec != std::errc{})
      return fail(Code::expression_syntax, found,
                  "an integer does not fit 64 bits: " + in_quotes(found.text),
                  "write it with a fraction, such as 1e20, to use a float64");
    return literal(data::Type::int64, value);
  }

  SyntaxPtr real(const Token& found) {
    double value = 0;
    const auto end = found.text.data() + found.text.size();
    if (std::from_chars(found.text.data(), end, value).ec != std::errc{})
      return fail(Code::expression_syntax, found,
                  "a number does not fit float64: " + in_quotes(found.text),
                  "the largest is about 1.8e308, the smallest above 0 about 5e-324");
    return literal(data::Type::float64, value);
  }

  SyntaxPtr duration(const Token& found) {
    const auto us = parse_duration(found.text);
    if (!us) return fail(Code::expression_syntax, found, us.error().message, us.error().advice);
    return literal(data::Type::duration, *us);
  }

  SyntaxPtr name_or_call() {
    const Token first = token();
    ++at_;
    if (first.kind == Kind::name && token().is_symbol("("))
      return first.text == "cast" || first.text == "try_cast" ? cast(first) : call(first);
    if (first.kind == Kind::name && token().kind == Kind::string)
      if (const auto type = constant_type(first)) return typed_constant(first, *type);
    std::string text = spelled(first);
    while (token().is_symbol(".")) {
      ++at_;
      const Token part = token();
      if (part.kind != Kind::name && part.kind != Kind::quoted_name) return unexpected();
      text += "." + spelled(part);
      ++at_;
    }
    SyntaxPtr made = node(Syntax::Kind::name);
    made->text = std::move(text);
    return finish(std::move(made), first.begin);
  }

  // date '2001-06-01', timestamp '2001-06-01 12:30': only before a text are the words special.
  static std::optional<data::Type> constant_type(const Token& word) {
    if (word.text == "date") return data::Type::date;
    if (word.text == "timestamp") return data::Type::timestamp;
    if (word.text == "decimal") return kAnyDecimal;
    return std::nullopt;
  }

  // decimal '12.30' has the digits that are written.
  SyntaxPtr decimal_constant(const Token& word, SyntaxPtr text) {
    std::int64_t scaled = 0;
    if (!data::read_any_decimal(std::get<std::string>(text->value), text->type, scaled))
      return fail(Code::type_error, word,
                  in_quotes(std::get<std::string>(text->value)) + " is no decimal",
                  "write up to 18 digits, such as decimal '12.30'");
    text->value = scaled;
    return finish(std::move(text), word.begin);
  }

  SyntaxPtr typed_constant(const Token& word, data::Type type) {
    SyntaxPtr text = literal(data::Type::string, unquoted(token().text));
    if (!text) return nullptr;
    if (type == kAnyDecimal) return decimal_constant(word, std::move(text));
    SyntaxPtr made = node(Syntax::Kind::cast);
    made->text = "cast";
    made->type = type;
    made->args.push_back(std::move(text));
    return finish(std::move(made), word.begin);
  }

  // cast(value as type)
  SyntaxPtr cast(const Token& name) {
    const Token opened = token();
    ++at_;
    SyntaxPtr value = expression(kOr);
    if (!value) return nullptr;
    const std::string form = "write " + std::string(name.text) + "(x as int64)";
    if (!is_word(token(), "as"))
      return fail(Code::expression_syntax, token(), in_quotes(name.text) + " needs 'as' and a type",
                  form);
    ++at_;
    const Token target = token();
    if (target.kind != Kind::name)
      return fail(Code::expression_syntax, target, "a type is missing after 'as'", form);
    ++at_;
    const Result<data::Type> type = data::parse_type(std::string(target.text) + type_arguments());
    if (!type) return fail(Code::type_error, target, type.error().message, type.error().advice);
    if (!expect_symbol(")", opened)) return nullptr;
    SyntaxPtr made = node(Syntax::Kind::cast);
    made->text = std::string(name.text);
    made->type = *type;
    made->args.push_back(std::move(value));
    return finish(std::move(made), name.begin);
  }

  // The "(12,2)" of a type, if one stands here; what is no such is left for the type's own error.
  std::string type_arguments() {
    if (!token().is_symbol("(")) return {};
    std::string text;
    for (int i = 0; i < 5 && token().kind != Kind::end; ++i) {
      text += token().text;
      const bool last = token().is_symbol(")");
      ++at_;
      if (last) break;
    }
    return text;
  }

  // Words such as `then` are special only where no name could stand, so columns may be called so.
  static bool is_word(const Token& token, std::string_view word) {
    return token.kind == Kind::name && std::ranges::equal(token.text, word, [](char a, char b) {
             return (a >= 'A' && a <= 'Z' ? static_cast<char>(a + ('a' - 'A')) : a) == b;
           });
  }

  // case [operand] when a then x … [else y] end
  SyntaxPtr case_of() {
    const Token start = token();
    ++at_;
    SyntaxPtr made = node(Syntax::Kind::case_of);
    made->has_operand = !is_word(token(), "when");
    if (made->has_operand && !part_of_case(*made)) return nullptr;
    while (is_word(token(), "when")) {
      ++at_;
      if (!part_of_case(*made)) return nullptr;
      if (!is_word(token(), "then"))
        return fail(Code::expression_syntax, token(), "'when' needs 'then'",
                    "write case when condition then value else value end");
      ++at_;
      if (!part_of_case(*made)) return nullptr;
    }
    if (made->args.size() < 2)
      return fail(Code::expression_syntax, token(), "'case' needs 'when'",
                  "write case when condition then value else value end");
    made->has_else = is_word(token(), "else");
    if (made->has_else) {
      ++at_;
      if (!part_of_case(*made)) return nullptr;
    }
    if (!is_word(token(), "end"))
      return fail(Code::expression_syntax, token().kind == Kind::end ? start : token(),
                  "'case' needs 'end'", "write case when condition then value else value end");
    ++at_;
    return finish(std::move(made), start.begin);
  }

  bool part_of_case(Syntax& made) {
    SyntaxPtr part = expression(kOr);
    if (!part) return false;
    made.args.push_back(std::move(part));
    return true;
  }

  static std::string spelled(const Token& name) {
    return name.kind == Kind::quoted_name ? unquoted(name.text) : std::string(name.text);
  }

  SyntaxPtr call(const Token& name) {
    ++at_;
    SyntaxPtr made = node(Syntax::Kind::call);
    made->text = std::string(name.text);
    if (!arguments(made->args)) return nullptr;
    return finish(std::move(made), name.begin);
  }

  // After "(": values separated by commas, then ")".
  bool arguments(std::vector<SyntaxPtr>& args) {
    const Token opened = tokens_[at_ - 1];
    if (token().is_symbol(")")) {
      ++at_;
      return true;
    }
    while (true) {
      SyntaxPtr argument = expression(kOr);
      if (!argument) return false;
      args.push_back(std::move(argument));
      if (!token().is_symbol(",")) return expect_symbol(")", opened);
      ++at_;
    }
  }

  // An operator after `left` that binds at least as tightly as `level`, or null; `left` is then
  // kept.
  SyntaxPtr infix(SyntaxPtr& left, int level) {
    if (level <= kComparison) {
      if (token().is_keyword("is")) return null_test(left);
      for (const std::string_view word : {"between", "in", "like", "not"})
        if (token().is_keyword(word)) return membership(left);
    }
    const Infix* found = find_infix(token());
    if (!found || found->level < level) return nullptr;
    if (found->level == kComparison && is_comparison(*left))
      return fail(Code::expression_syntax, token(), "comparisons do not chain",
                  "write 'a < b and b < c', or 'b between a and c'");
    const std::size_t begin = left->begin;
    ++at_;
    SyntaxPtr right = expression(found->level + 1);
    if (!right) return nullptr;
    SyntaxPtr made = node(Syntax::Kind::binary);
    made->op = found->op;
    made->args.push_back(std::move(left));
    made->args.push_back(std::move(right));
    return finish(std::move(made), begin);
  }

  // In parentheses a comparison is a boolean like any other.
  static bool is_comparison(const Syntax& node) {
    return node.kind == Syntax::Kind::binary && node.op >= Op::equal &&
           node.op <= Op::greater_equal && !node.parenthesised;
  }

  SyntaxPtr null_test(SyntaxPtr& left) {
    const std::size_t begin = left->begin;
    ++at_;
    const bool negated = token().is_keyword("not");
    if (negated) ++at_;
    if (is_word(token(), "distinct")) return distinct(left, negated);
    if (!token().is_keyword("null"))
      return fail(Code::expression_syntax, token(), "'is' tests for null only",
                  "write 'is null' or 'is not null'; a boolean needs no test");
    ++at_;
    SyntaxPtr made = node(Syntax::Kind::unary);
    made->op = negated ? Op::is_not_null : Op::is_null;
    made->args.push_back(std::move(left));
    return finish(std::move(made), begin);
  }

  // is [not] distinct from other
  SyntaxPtr distinct(SyntaxPtr& left, bool negated) {
    const std::size_t begin = left->begin;
    ++at_;
    if (!is_word(token(), "from"))
      return fail(Code::expression_syntax, token(), "'is distinct' needs 'from'",
                  "write 'a is distinct from b'");
    ++at_;
    SyntaxPtr right = expression(kSum);
    if (!right) return nullptr;
    SyntaxPtr made = node(Syntax::Kind::distinct);
    made->negated = negated;
    made->args.push_back(std::move(left));
    made->args.push_back(std::move(right));
    return finish(std::move(made), begin);
  }

  // [not] between low and high, [not] in (a, b, …), [not] like 'pattern' [escape 'c']
  SyntaxPtr membership(SyntaxPtr& left) {
    const bool negated = token().is_keyword("not");
    if (negated) ++at_;
    if (token().is_keyword("between")) return between(left, negated);
    if (token().is_keyword("in")) return in(left, negated);
    if (token().is_keyword("like")) return like(left, negated);
    return fail(Code::expression_syntax, token(),
                "'not' after a value needs 'between', 'in' or 'like'",
                "'not' alone stands before what it negates");
  }

  SyntaxPtr like(SyntaxPtr& left, bool negated) {
    const std::size_t begin = left->begin;
    ++at_;
    SyntaxPtr made = node(Syntax::Kind::like);
    made->negated = negated;
    made->args.push_back(std::move(left));
    if (!part_of_like(*made)) return nullptr;
    if (is_word(token(), "escape")) {
      ++at_;
      if (!part_of_like(*made)) return nullptr;
    }
    return finish(std::move(made), begin);
  }

  bool part_of_like(Syntax& made) {
    SyntaxPtr part = expression(kSum);
    if (!part) return false;
    made.args.push_back(std::move(part));
    return true;
  }

  SyntaxPtr between(SyntaxPtr& left, bool negated) {
    const std::size_t begin = left->begin;
    ++at_;
    SyntaxPtr low = expression(kSum);
    if (!low) return nullptr;
    if (!token().is_keyword("and"))
      return fail(Code::expression_syntax, token(), "'between' needs 'and'",
                  "write 'a between low and high'");
    ++at_;
    SyntaxPtr high = expression(kSum);
    if (!high) return nullptr;
    SyntaxPtr made = node(Syntax::Kind::between);
    made->negated = negated;
    made->args.push_back(std::move(left));
    made->args.push_back(std::move(low));
    made->args.push_back(std::move(high));
    return finish(std::move(made), begin);
  }

  SyntaxPtr in(SyntaxPtr& left, bool negated) {
    const std::size_t begin = left->begin;
    ++at_;
    SyntaxPtr made = node(Syntax::Kind::in);
    made->negated = negated;
    made->args.push_back(std::move(left));
    if (!token().is_symbol("("))
      return fail(Code::expression_syntax, token(), "'in' needs a list in parentheses",
                  "write \"a in ('x', 'y')\"");
    ++at_;
    if (!arguments(made->args)) return nullptr;
    if (made->args.size() < 2)
      return fail(Code::expression_syntax, tokens_[at_ - 1], "'in' needs at least one value",
                  "write \"a in ('x', 'y')\"");
    return finish(std::move(made), begin);
  }

  ExpressionErrors errors_;
  std::vector<Token> tokens_;
  std::size_t at_ = 0;
  int nesting_ = 0;
  bool failed_ = false;
};

}  // namespace

SyntaxPtr parse_expression(const ExpressionText& text, Diagnostics& errors) {
  return Parser(text, errors).whole();
}

std::optional<AggregateSyntax> parse_aggregate(const ExpressionText& text, Diagnostics& errors) {
  return Parser(text, errors).aggregate();
}

}  // namespace coeval::define
