#include "define/checker.h"

#include <algorithm>

#include "define/build.h"
#include "define/functions.h"
#include "define/parser.h"

namespace coeval::define {

namespace {

using data::Type;

std::string type_text(Type type) { return std::string(data::name(type)); }

bool is_temporal(Type type) {
  return type == Type::timestamp || type == Type::date || type == Type::duration;
}

// The type that arithmetic on a and b has.
Type number_type(Type a, Type b) {
  return data::is_float(a) || data::is_float(b) ? Type::float64 : Type::int64;
}

// The one type that values of two types share without loss of meaning; null when there is none.
Type common_type(Type a, Type b) {
  if (a == b || b == Type::null) return a;
  if (a == Type::null) return b;
  return data::is_number(a) && data::is_number(b) ? number_type(a, b) : Type::null;
}

// As common_type, but arithmetic and comparison know int64 and float64 only.
Type widened(Type type) { return data::is_number(type) ? number_type(type, type) : type; }

std::string_view symbol_of(Op op) {
  switch (op) {
    case Op::add:
      return "+";
    case Op::subtract:
      return "-";
    case Op::multiply:
      return "*";
    case Op::divide:
      return "/";
    case Op::modulo:
      return "%";
    default:
      return "comparison";
  }
}

bool is_literal_zero(const Expr& expr) {
  return expr.op == Op::literal && expr.type == Type::int64 && !data::is_null(expr.literal) &&
         std::get<std::int64_t>(expr.literal) == 0;
}

class Checker {
 public:
  Checker(Scope& scope, const ExpressionText& text, Diagnostics& errors)
      : scope_(scope), errors_(errors, text) {}

  ExprPtr check(const Syntax& syntax) {
    switch (syntax.kind) {
      case Syntax::Kind::literal:
        return make_literal(syntax.type, syntax.value);
      case Syntax::Kind::name:
        return name(syntax);
      case Syntax::Kind::at:
        return question_time(syntax);
      case Syntax::Kind::unary:
        return unary(syntax);
      case Syntax::Kind::binary:
        return binary(syntax);
      case Syntax::Kind::between:
        return between(syntax);
      case Syntax::Kind::in:
        return in(syntax);
      case Syntax::Kind::call:
        return call(syntax);
    }
    return nullptr;
  }

  ExprPtr check_as(Type wanted, const Syntax& syntax, const std::string& what,
                   const std::string& advice) {
    ExprPtr expr = check(syntax);
    if (!expr) return nullptr;
    if (expr->type == Type::null) return cast_to(wanted, std::move(expr));
    if (expr->type == wanted) return expr;
    return mismatch(
        syntax, what + " must be " + type_text(wanted) + ", not " + type_text(expr->type), advice);
  }

  bool aggregate(const AggregateSyntax& syntax, Aggregate& out) {
    const AggregateFunction* function = find_aggregate(syntax.function);
    if (!function) {
      errors_.report(Code::bad_call, syntax.begin, syntax.end,
                     "no aggregate " + in_quotes(syntax.function),
                     aggregate_advice(syntax.function));
      return false;
    }
    out.kind = function->kind;
    const bool argument_good = aggregate_argument(*function, syntax, out);
    if (!syntax.where) return argument_good;
    out.where = check_as(Type::boolean, *syntax.where, "the condition after 'where'",
                         "write a comparison such as distance > 1000");
    return argument_good && out.where;
  }

 private:
  ExprPtr report(Code code, const Syntax& where, std::string message, std::string advice) {
    errors_.report(code, where.begin, where.end, std::move(message), std::move(advice));
    return nullptr;
  }
  ExprPtr mismatch(const Syntax& where, std::string message, std::string advice) {
    return report(Code::type_error, where, std::move(message), std::move(advice));
  }

  // Every inner node passes here: shared and inlined parts could otherwise grow without bound.
  ExprPtr made(const Syntax& where, Op op, Type type, std::vector<ExprPtr> args) {
    ExprPtr node = make_node(op, type, std::move(args));
    if (node->depth <= kMaxDepth && node->nodes <= kMaxNodes) return node;
    return report(Code::too_deep, where,
                  "the expression grows too large once its features are written out",
                  "at most " + std::to_string(kMaxDepth) + " levels and " +
                      std::to_string(kMaxNodes) + " parts");
  }

  ExprPtr name(const Syntax& syntax) {
    const Binding binding = scope_.find(syntax.text);
    if (binding.found) return binding.expr;
    std::string advice = did_you_mean(syntax.text, scope_.names());
    if (syntax.text.find('.') != std::string::npos)
      return report(Code::unknown_name, syntax, "unknown feature " + in_quotes(syntax.text),
                    advice.empty() ? "view features are written view.aggregate_window" : advice);
    if (advice.empty()) advice = scope_.description() + " has " + listed(scope_.names());
    return report(Code::unknown_column, syntax, "unknown column " + in_quotes(syntax.text),
                  std::move(advice));
  }

  ExprPtr question_time(const Syntax& syntax) {
    if (scope_.has_question_time()) return make_question_time();
    return report(
        Code::unknown_name, syntax,
        "'at' is the question's time, which a row of " + scope_.description() + " does not have",
        "name a column; a column called at is written \"at\"");
  }

  ExprPtr unary(const Syntax& syntax) {
    const Syntax& operand = *syntax.args[0];
    if (syntax.op == Op::logical_not) {
      ExprPtr value = check_as(Type::boolean, operand, "what 'not' negates", "write a comparison");
      return value ? made(syntax, Op::logical_not, Type::boolean, {std::move(value)}) : nullptr;
    }
    ExprPtr value = check(operand);
    if (!value) return nullptr;
    if (syntax.op == Op::negate) return negated(syntax, std::move(value));
    if (value->type == Type::null) value = cast_to(Type::boolean, std::move(value));
    return made(syntax, syntax.op, Type::boolean, {std::move(value)});
  }

  ExprPtr negated(const Syntax& syntax, ExprPtr value) {
    if (value->type == Type::null) value = cast_to(Type::int64, std::move(value));
    if (value->op == Op::literal) {
      if (const auto* integer = std::get_if<std::int64_t>(&value->literal);
          integer && (value->type == Type::int64 || value->type == Type::duration))
        return make_literal(value->type, -*integer);
      if (const auto* real = std::get_if<double>(&value->literal))
        return make_literal(value->type, -*real);
    }
    if (value->type == Type::duration)
      return made(syntax, Op::subtract, Type::duration,
                  {make_literal(Type::duration, std::int64_t{0}), std::move(value)});
    if (!data::is_number(value->type))
      return mismatch(syntax, "'-' needs a number or a duration, not " + type_text(value->type),
                      {});
    const Type type = widened(value->type);
    return made(syntax, Op::negate, type, {cast_to(type, std::move(value))});
  }

  ExprPtr binary(const Syntax& syntax) {
    if (syntax.op == Op::logical_and || syntax.op == Op::logical_or) return logical(syntax);
    ExprPtr left = check(*syntax.args[0]);
    ExprPtr right = check(*syntax.args[1]);
    if (!left || !right) return nullptr;
    if (syntax.op >= Op::equal && syntax.op <= Op::greater_equal)
      return comparison(syntax, syntax.op, std::move(left), std::move(right));
    return arithmetic(syntax, std::move(left), std::move(right));
  }

  ExprPtr logical(const Syntax& syntax) {
    const std::string what =
        syntax.op == Op::logical_and ? "an operand of 'and'" : "an operand of 'or'";
    ExprPtr left = check_as(Type::boolean, *syntax.args[0], what, "write a comparison");
    ExprPtr right = check_as(Type::boolean, *syntax.args[1], what, "write a comparison");
    if (!left || !right) return nullptr;
    return made(syntax, syntax.op, Type::boolean, {std::move(left), std::move(right)});
  }

  ExprPtr comparison(const Syntax& where, Op op, ExprPtr left, ExprPtr right) {
    Type type = common_type(left->type, right->type);
    if (left->type == Type::null && right->type == Type::null) type = Type::boolean;
    if (type == Type::null)
      return mismatch(where,
                      "cannot compare " + type_text(left->type) + " with " + type_text(right->type),
                      comparison_advice(left->type, right->type));
    if (type == Type::boolean && op != Op::equal && op != Op::not_equal)
      return mismatch(where, "booleans have no order", "compare them with = or <>");
    type = widened(type);
    return made(where, op, Type::boolean,
                {cast_to(type, std::move(left)), cast_to(type, std::move(right))});
  }

  static std::string comparison_advice(Type a, Type b) {
    if (a == Type::duration || b == Type::duration)
      return "a duration compares with a duration: 90s, 15min, 3h, hours(2)";
    if (a == Type::string || b == Type::string) return "text is written 'in single quotes'";
    return "both sides need one type";
  }

  ExprPtr arithmetic(const Syntax& syntax, ExprPtr left, ExprPtr right) {
    if (is_temporal(left->type) || is_temporal(right->type))
      return temporal(syntax, std::move(left), std::move(right));
    const auto number = [](Type type) { return data::is_number(type) || type == Type::null; };
    if (!number(left->type) || !number(right->type)) {
      const Type wrong = number(left->type) ? right->type : left->type;
      return mismatch(
          syntax,
          "'" + std::string(symbol_of(syntax.op)) + "' needs numbers, not " + type_text(wrong),
          wrong == Type::boolean ? "a boolean becomes 0 or 1 by if(condition, 1, 0)"
                                 : "strings can only be compared");
    }
    const bool divides = syntax.op == Op::divide || syntax.op == Op::modulo;
    if (divides && is_literal_zero(*right))
      return mismatch(*syntax.args[1], "division by zero", "the result would always be null");
    Type type = syntax.op == Op::divide ? Type::float64 : number_type(left->type, right->type);
    if (syntax.op == Op::modulo && type != Type::int64)
      return mismatch(syntax, "'%' needs integers, not float64", {});
    return made(syntax, syntax.op, type,
                {cast_to(type, std::move(left)), cast_to(type, std::move(right))});
  }

  // timestamp ± duration, timestamp − timestamp, duration ± duration
  ExprPtr temporal(const Syntax& syntax, ExprPtr left, ExprPtr right) {
    const Op op = syntax.op;
    if (op == Op::add && left->type == Type::duration && right->type == Type::timestamp)
      left.swap(right);
    const bool sum = op == Op::add || op == Op::subtract;
    if (sum && right->type == Type::null && left->type != Type::date)
      right = cast_to(Type::duration, std::move(right));
    Type type = Type::null;
    if (sum && right->type == Type::duration && left->type == Type::timestamp)
      type = Type::timestamp;
    if (sum && right->type == Type::duration && left->type == Type::duration) type = Type::duration;
    if (op == Op::subtract && left->type == Type::timestamp && right->type == Type::timestamp)
      type = Type::duration;
    if (type == Type::null)
      return mismatch(syntax,
                      "no '" + std::string(symbol_of(op)) + "' for " + type_text(left->type) +
                          " and " + type_text(right->type),
                      "times take durations: date + 15min, date + minutes(distance / 7.5), a - b");
    return made(syntax, op, type, {std::move(left), std::move(right)});
  }

  ExprPtr between(const Syntax& syntax) {
    ExprPtr value = check(*syntax.args[0]);
    ExprPtr low = check(*syntax.args[1]);
    ExprPtr high = check(*syntax.args[2]);
    if (!value || !low || !high) return nullptr;
    ExprPtr above = comparison(syntax, Op::greater_equal, value, std::move(low));
    ExprPtr below = comparison(syntax, Op::less_equal, value, std::move(high));
    if (!above || !below) return nullptr;
    return negated_if(syntax, made(syntax, Op::logical_and, Type::boolean, {above, below}));
  }

  ExprPtr in(const Syntax& syntax) {
    const ExprPtr value = check(*syntax.args[0]);
    std::vector<ExprPtr> tests;
    bool good = value != nullptr;
    for (std::size_t i = 1; i < syntax.args.size(); ++i) {
      ExprPtr candidate = check(*syntax.args[i]);
      if (candidate && value)
        candidate = comparison(*syntax.args[i], Op::equal, value, std::move(candidate));
      good = good && candidate;
      tests.push_back(std::move(candidate));
    }
    return good ? negated_if(syntax, any_of(syntax, tests, 0, tests.size())) : nullptr;
  }

  // A balanced tree of 'or', so that a long list stays shallow.
  ExprPtr any_of(const Syntax& where, const std::vector<ExprPtr>& tests, std::size_t begin,
                 std::size_t end) {
    if (end - begin == 1) return tests[begin];
    const std::size_t middle = begin + (end - begin) / 2;
    ExprPtr left = any_of(where, tests, begin, middle);
    ExprPtr right = any_of(where, tests, middle, end);
    if (!left || !right) return nullptr;
    return made(where, Op::logical_or, Type::boolean, {std::move(left), std::move(right)});
  }

  ExprPtr negated_if(const Syntax& syntax, ExprPtr test) {
    if (!test || !syntax.negated) return test;
    return made(syntax, Op::logical_not, Type::boolean, {std::move(test)});
  }

  ExprPtr call(const Syntax& syntax) {
    const Function* function = find_function(syntax.text);
    if (!function) return unknown_function(syntax);
    const int count = static_cast<int>(syntax.args.size());
    if (count < function->min_args || (function->max_args >= 0 && count > function->max_args))
      return report(
          Code::bad_call, syntax,
          in_quotes(syntax.text) + " is called with " + std::to_string(count) + " arguments",
          "write " + std::string(function->signature));
    std::vector<ExprPtr> args;
    for (const auto& argument : syntax.args) args.push_back(check(*argument));
    if (std::count(args.begin(), args.end(), nullptr) > 0) return nullptr;
    return typed_call(syntax, *function, std::move(args));
  }

  ExprPtr unknown_function(const Syntax& syntax) {
    if (find_aggregate(syntax.text) || is_future_aggregate(syntax.text))
      return report(Code::bad_call, syntax,
                    in_quotes(syntax.text) + " is an aggregate and belongs in a view",
                    "add it to a [view.…] table and read it as view.aggregate_window");
    const std::string advice = did_you_mean(syntax.text, function_names());
    return report(Code::bad_call, syntax, "no function " + in_quotes(syntax.text),
                  advice.empty() ? "the functions are " + all_functions() : advice);
  }

  static std::string all_functions() {
    std::string text;
    for (const auto& name : function_names()) text += (text.empty() ? "" : ", ") + name;
    return text;
  }

  ExprPtr typed_call(const Syntax& syntax, const Function& function, std::vector<ExprPtr> args) {
    const std::size_t first = function.takes == Takes::condition ? 1 : 0;
    if (first == 1) {
      args[0] = cast_null(Type::boolean, std::move(args[0]));
      if (args[0]->type != Type::boolean)
        return wrong_argument(*syntax.args[0], function, args[0]->type);
    }
    Type type = Type::null;
    for (std::size_t i = first; i < args.size(); ++i) {
      const Type next = common_type(type, args[i]->type);
      if (next == Type::null && args[i]->type != Type::null)
        return mismatch(*syntax.args[i],
                        in_quotes(function.name) + " mixes " + type_text(type) + " and " +
                            type_text(args[i]->type),
                        "write " + std::string(function.signature));
      type = next;
    }
    type = argument_type(function, type);
    if (type == Type::null) return wrong_argument(*syntax.args[first], function, args[first]->type);
    for (std::size_t i = first; i < args.size(); ++i) args[i] = cast_to(type, std::move(args[i]));
    return made(syntax, function.op, result_type(function, type), std::move(args));
  }

  static ExprPtr cast_null(Type type, ExprPtr expr) {
    return expr->type == Type::null ? cast_to(type, std::move(expr)) : expr;
  }

  ExprPtr wrong_argument(const Syntax& where, const Function& function, Type found) {
    return report(Code::bad_call, where,
                  in_quotes(function.name) + " does not take " + type_text(found),
                  "write " + std::string(function.signature));
  }

  // The type that a function's arguments are cast to; null when it does not take them.
  static Type argument_type(const Function& function, Type type) {
    switch (function.takes) {
      case Takes::number:
        if (type == Type::null) return Type::int64;
        return data::is_number(type) ? widened(type) : Type::null;
      case Takes::timestamp:
        return type == Type::timestamp || type == Type::null ? Type::timestamp : Type::null;
      case Takes::ordered:
        return data::is_number(type) || is_temporal(type) ? widened(type) : Type::null;
      case Takes::anything:
      case Takes::condition:
        return type;
    }
    return Type::null;
  }

  static Type result_type(const Function& function, Type argument) {
    switch (function.gives) {
      case Gives::int64:
        return Type::int64;
      case Gives::duration:
        return Type::duration;
      case Gives::as_argument:
        break;
    }
    return argument;
  }

  static std::string aggregate_advice(const std::string& name) {
    const std::string advice = did_you_mean(name, aggregate_names());
    return advice.empty() ? "the aggregates are " + listed(aggregate_names()) : advice;
  }

  bool aggregate_argument(const AggregateFunction& function, const AggregateSyntax& syntax,
                          Aggregate& out) {
    const std::size_t wanted = function.over == Over::rows_or_anything ? 0 : 1;
    if (syntax.args.size() > 1 || syntax.args.size() < wanted) {
      errors_.report(Code::bad_call, syntax.begin, syntax.end,
                     in_quotes(syntax.function) + " is called with " +
                         std::to_string(syntax.args.size()) + " arguments",
                     "write " + std::string(function.signature));
      return false;
    }
    out.result = Type::int64;
    if (syntax.args.empty()) return true;
    ExprPtr argument = check(*syntax.args[0]);
    if (!argument) return false;
    if (argument->type == Type::string && function.over != Over::rows_or_anything &&
        function.over != Over::number) {
      errors_.report(Code::unsupported, syntax.args[0]->begin, syntax.args[0]->end,
                     in_quotes(syntax.function) + " over strings is not answered by this version",
                     "count(x) is the only aggregate over strings");
      return false;
    }
    argument = aggregated(function, std::move(argument));
    if (!argument) {
      errors_.report(Code::bad_call, syntax.args[0]->begin, syntax.args[0]->end,
                     in_quotes(syntax.function) + " does not take such a value",
                     "write " + std::string(function.signature));
      return false;
    }
    out.result = aggregate_result(function, argument->type);
    out.argument = std::move(argument);
    return true;
  }

  // The argument as the kernel folds it: a boolean counts as 0 or 1; null when it cannot be folded.
  static ExprPtr aggregated(const AggregateFunction& function, ExprPtr argument) {
    if (argument->type == Type::null) return nullptr;
    if (function.over == Over::rows_or_anything) return argument;
    if (argument->type == Type::boolean) return cast_to(Type::int64, std::move(argument));
    if (function.over == Over::number && !data::is_number(argument->type)) return nullptr;
    return argument;
  }

  static Type aggregate_result(const AggregateFunction& function, Type argument) {
    switch (function.kind) {
      case Aggregation::count:
        return Type::int64;
      case Aggregation::mean:
        return Type::float64;
      case Aggregation::sum:
        return widened(argument);
      default:
        return argument;
    }
  }

  Scope& scope_;
  ExpressionErrors errors_;
};

// A type that a value can have; the bare literal null has none.
ExprPtr with_type(ExprPtr expr, const Syntax& syntax, const ExpressionText& text,
                  Diagnostics& errors) {
  if (!expr || expr->type != Type::null) return expr;
  ExpressionErrors(errors, text)
      .report(Code::type_error, syntax.begin, syntax.end, "the expression is always null",
              "give it a value");
  return nullptr;
}

}  // namespace

ExprPtr check_syntax(const Syntax& syntax, Scope& scope, const ExpressionText& text,
                     Diagnostics& errors) {
  return with_type(Checker(scope, text, errors).check(syntax), syntax, text, errors);
}

ExprPtr check_expression(const ExpressionText& text, Scope& scope, Diagnostics& errors) {
  const SyntaxPtr syntax = parse_expression(text, errors);
  return syntax ? check_syntax(*syntax, scope, text, errors) : nullptr;
}

ExprPtr check_expression_of(data::Type wanted, const ExpressionText& text, Scope& scope,
                            const std::string& what, const std::string& advice,
                            Diagnostics& errors) {
  const SyntaxPtr syntax = parse_expression(text, errors);
  return syntax ? Checker(scope, text, errors).check_as(wanted, *syntax, what, advice) : nullptr;
}

bool check_aggregate(const ExpressionText& text, Scope& scope, Aggregate& out,
                     Diagnostics& errors) {
  const auto syntax = parse_aggregate(text, errors);
  return syntax && Checker(scope, text, errors).aggregate(*syntax, out);
}

}  // namespace coeval::define
