#include "define/checker.h"

#include <algorithm>

#include "define/aggregates.h"
#include "define/arithmetic_types.h"
#include "define/build.h"
#include "define/constant_arguments.h"
#include "define/conversion.h"
#include "define/decimal_types.h"
#include "define/functions.h"
#include "define/list_arguments.h"
#include "define/parser.h"

namespace coeval::define {

namespace {

using data::Type;

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
  const bool whole =
      expr.type == Type::int64 || expr.type == Type::duration || data::is_decimal(expr.type);
  return expr.op == Op::literal && whole && !data::is_null(expr.literal) &&
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
      case Syntax::Kind::like:
        return like(syntax);
      case Syntax::Kind::distinct:
        return distinct(syntax);
      case Syntax::Kind::case_of:
        return case_of(syntax);
      case Syntax::Kind::cast:
        return cast(syntax);
      case Syntax::Kind::call:
        return call(syntax);
      case Syntax::Kind::list:
        return list(syntax);
    }
    return nullptr;
  }

  ExprPtr check_as(Type wanted, const Syntax& syntax, const std::string& what,
                   const std::string& advice) {
    ExprPtr expr = check(syntax);
    if (!expr) return nullptr;
    if (expr->type == Type::null) return cast_to(wanted, std::move(expr));
    if (expr->type == wanted) return expr;
    return mismatch(syntax,
                    what + " must be " + data::name(wanted) + ", not " + data::name(expr->type),
                    advice);
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
    const auto names = errors_.suggests() ? scope_.names() : std::vector<std::string>();
    const bool feature = syntax.text.contains('.');
    std::string advice = did_you_mean(syntax.text, names);
    if (advice.empty() && feature) advice = "view features are written view.aggregate_window";
    if (advice.empty() && !names.empty()) advice = scope_.description() + " has " + listed(names);
    return report(feature ? Code::unknown_name : Code::unknown_column, syntax,
                  (feature ? "unknown feature " : "unknown column ") + in_quotes(syntax.text),
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
          integer && *integer != INT64_MIN &&
          (value->type == Type::int64 || value->type == Type::duration ||
           data::is_decimal(value->type)))
        return make_literal(value->type, -*integer);
      if (const auto* real = std::get_if<double>(&value->literal))
        return make_literal(value->type, -*real);
    }
    if (value->type == Type::duration)
      return made(syntax, Op::subtract, Type::duration,
                  {make_literal(Type::duration, std::int64_t{0}), std::move(value)});
    if (!data::is_number(value->type))
      return mismatch(syntax, "'-' needs a number or a duration, not " + data::name(value->type),
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
      return mismatch(
          where, "cannot compare " + data::name(left->type) + " with " + data::name(right->type),
          comparison_advice(left->type, right->type));
    if (data::is_list(type))
      return mismatch(where, "lists cannot be compared", "compare elements: element(list, 0)");
    if (type == Type::boolean && op != Op::equal && op != Op::not_equal)
      return mismatch(where, "booleans have no order", "compare them with = or <>");
    if (data::is_decimal(type))
      return made(where, op, Type::boolean,
                  {scaled_operand(std::move(left), type), scaled_operand(std::move(right), type)});
    type = widened(type);
    return made(where, op, Type::boolean,
                {cast_to(type, std::move(left)), cast_to(type, std::move(right))});
  }

  static std::string comparison_advice(Type a, Type b) {
    if (a == Type::duration || b == Type::duration)
      return "a duration compares with a duration: 90s, 15min, 3h, hours(2)";
    if (is_temporal(a) || is_temporal(b)) return "a time is written timestamp '2001-06-01 12:30'";
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
          "'" + std::string(symbol_of(syntax.op)) + "' needs numbers, not " + data::name(wrong),
          wrong == Type::boolean ? "a boolean becomes 0 or 1 by if(condition, 1, 0)"
                                 : "strings can only be compared");
    }
    if (syntax.op == Op::divide) return quotient(syntax, std::move(left), std::move(right));
    if (syntax.op == Op::modulo && is_literal_zero(*right)) return division_by_zero(syntax);
    const Type type = number_type(left->type, right->type);
    if (syntax.op == Op::modulo && type != Type::int64)
      return mismatch(syntax, "'%' needs integers, not " + data::name(type), {});
    if (data::is_decimal(type)) return of_decimals(syntax, type, std::move(left), std::move(right));
    return made(syntax, syntax.op, type,
                {cast_to(type, std::move(left)), cast_to(type, std::move(right))});
  }

  // semantics: V5
  ExprPtr of_decimals(const Syntax& syntax, Type common, ExprPtr left, ExprPtr right) {
    left = scaled_operand(std::move(left), common);
    right = scaled_operand(std::move(right), common);
    const Type type = decimal_result(syntax.op, left->type, right->type);
    if (type != Type::null)
      return made(syntax, syntax.op, type, {std::move(left), std::move(right)});
    return mismatch(syntax,
                    "the product of " + data::name(left->type) + " and " + data::name(right->type) +
                        " has more than 18 digits after the point",
                    "cast one of them: cast(x as decimal(12,2)), or to float64");
  }

  ExprPtr quotient(const Syntax& syntax, ExprPtr left, ExprPtr right) {
    if (is_literal_zero(*right)) return division_by_zero(syntax);
    if (is_of_decimals(left->type, right->type)) {
      const Type common = common_decimal(left->type, right->type);
      return made(
          syntax, Op::divide, Type::float64,
          {scaled_operand(std::move(left), common), scaled_operand(std::move(right), common)});
    }
    return made(
        syntax, Op::divide, Type::float64,
        {cast_to(Type::float64, std::move(left)), cast_to(Type::float64, std::move(right))});
  }

  ExprPtr division_by_zero(const Syntax& syntax) {
    return mismatch(*syntax.args[1], "division by zero", "the result would always be null");
  }

  // timestamp ± duration, timestamp − timestamp, duration ± duration, duration / duration
  ExprPtr temporal(const Syntax& syntax, ExprPtr left, ExprPtr right) {
    const Op op = syntax.op;
    if (op == Op::divide && left->type == Type::duration && right->type == Type::duration)
      return quotient(syntax, std::move(left), std::move(right));
    if (op == Op::add && left->type == Type::duration && right->type == Type::timestamp)
      left.swap(right);
    const bool sum = op == Op::add || op == Op::subtract;
    if (sum && right->type == Type::null && left->type != Type::date)
      right = cast_to(Type::duration, std::move(right));
    const Type type = temporal_result(op, left->type, right->type);
    if (type == Type::null)
      return mismatch(syntax,
                      "no '" + std::string(symbol_of(op)) + "' for " + data::name(left->type) +
                          " and " + data::name(right->type),
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
    if (find_aggregate(syntax.text))
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

  // Arguments are brought to their types, constants looked at, and what the node needs besides its
  // arguments is added.
  ExprPtr typed_call(const Syntax& syntax, const Function& function, std::vector<ExprPtr> args) {
    Type common = Type::null;
    for (std::size_t i = 0; i < args.size(); ++i) {
      if (!is_common(function.parameter(i).takes)) continue;
      const Type next = common_type(common, args[i]->type);
      if (next == Type::null && args[i]->type != Type::null)
        return mismatch(*syntax.args[i],
                        in_quotes(function.name) + " mixes " + data::name(common) + " and " +
                            data::name(args[i]->type),
                        "write " + std::string(function.signature));
      common = next;
    }
    if (data::is_decimal(common) && function.gives == Gives::duration) common = Type::float64;
    for (std::size_t i = 0; i < args.size(); ++i) {
      const Type found = args[i]->type;
      args[i] = taken(function.parameter(i), common, std::move(args[i]));
      if (!args[i]) return wrong_argument(*syntax.args[i], function, function.parameter(i), found);
    }
    auto problem = check_constants(function.op, args);
    if (!problem) problem = check_lists(function.op, args);
    if (problem)
      return report(Code::bad_call, *syntax.args[problem->argument], problem->message,
                    problem->advice);
    Type type = result_type(function, args);
    if (type == Type::null) return make_literal(Type::null, {});
    if (data::is_decimal(type)) type = decimal_function_result(function.op, type, args);
    if (function.op == Op::fn_regexp_like) return matching(syntax, function.op, std::move(args));
    return in_zone(made(syntax, function.op, type, std::move(args)));
  }

  static bool is_common(Takes takes) {
    return takes == Takes::number || takes == Takes::anything || takes == Takes::ordered ||
           takes == Takes::moment;
  }

  // The argument with the type that its parameter wants; null when it cannot have it.
  static ExprPtr taken(const Parameter& parameter, Type common, ExprPtr expr) {
    if (data::is_list(expr->type) && !takes_lists(parameter.takes)) return nullptr;
    if (parameter.constant && (expr->op != Op::literal || data::is_null(expr->literal)))
      return nullptr;
    const Type given = is_common(parameter.takes) ? common : expr->type;
    const Type wanted = wanted_type(parameter.takes, given);
    if (wanted != Type::null) {
      ExprPtr value = cast_to(wanted, std::move(expr));
      // A decimal that does not fit is no constant.
      return parameter.constant && value->op != Op::literal ? nullptr : value;
    }
    return parameter.takes == Takes::anything ? expr : nullptr;  // all of them are null
  }

  // What a value of a type is cast to; null when the parameter does not take it.
  static Type wanted_type(Takes takes, Type type) {
    const auto only = [type](Type one) {
      return type == one || type == Type::null ? one : Type::null;
    };
    switch (takes) {
      case Takes::number:
        if (type == Type::null) return Type::int64;
        return data::is_number(type) ? widened(type) : Type::null;
      case Takes::ordered:
        return data::is_number(type) || is_temporal(type) ? widened(type) : Type::null;
      case Takes::moment:
        return type == Type::date ? type : only(Type::timestamp);
      case Takes::each:
        if (type == Type::null) return Type::boolean;
        return type == Type::duration ? Type::null : type;
      case Takes::real:
        return data::is_number(type) || type == Type::null ? Type::float64 : Type::null;
      case Takes::integer:
        return data::is_integer(type) ? Type::int64 : only(Type::int64);
      case Takes::text:
        return only(Type::string);
      case Takes::timestamp:
        return only(Type::timestamp);
      case Takes::condition:
        return only(Type::boolean);
      case Takes::sized:
      case Takes::list:
      case Takes::vector:
        return wanted_list(takes, type);
      case Takes::anything:
        break;
    }
    return type;
  }

  ExprPtr wrong_argument(const Syntax& where, const Function& function, const Parameter& parameter,
                         Type found) {
    const std::string name = in_quotes(function.name);
    const std::string advice = "write " + std::string(function.signature);
    if (parameter.constant)
      return report(Code::bad_call, where, name + " needs a constant here", advice);
    if (parameter.takes == Takes::vector && data::is_list(found))
      return report(Code::bad_call, where, name + " does not take " + data::name(found),
                    "it takes lists of floats; constants are written [1.0, 2.5]");
    const bool text = parameter.takes == Takes::text && can_convert(found, Type::string);
    return report(Code::bad_call, where, name + " does not take " + data::name(found),
                  text ? "write cast(… as string)" : advice);
  }

  static Type result_type(const Function& function, const std::vector<ExprPtr>& args) {
    switch (function.gives) {
      case Gives::int64:
        return Type::int64;
      case Gives::float64:
        return Type::float64;
      case Gives::boolean:
        return Type::boolean;
      case Gives::text:
        return Type::string;
      case Gives::duration:
        return Type::duration;
      case Gives::element:
        return data::element_of(args[0]->type);
      case Gives::as_argument:
        break;
    }
    for (std::size_t i = 0; i < args.size(); ++i)
      if (is_common(function.parameter(i).takes)) return args[i]->type;
    return Type::null;
  }

  // semantics: T8
  ExprPtr in_zone(ExprPtr expr) {
    if (!expr || !scope_.zone() || !reads_clock(*expr)) return expr;
    auto copy = std::make_shared<Expr>(*expr);
    copy->zone = scope_.zone();
    return copy;
  }

  // Whether a clock and calendar decide what the node's timestamps mean.
  static bool reads_clock(const Expr& expr) {
    const auto is_time = [](const ExprPtr& part) { return part->type == Type::timestamp; };
    if (expr.op >= Op::fn_year && expr.op <= Op::fn_date_diff)
      return std::ranges::any_of(expr.args, is_time);
    if (expr.op != Op::convert && expr.op != Op::try_convert) return false;
    const Type from = expr.args[0]->type;
    return (from == Type::timestamp && expr.type == Type::date) ||
           (from == Type::date && expr.type == Type::timestamp);
  }

  // A node with a constant pattern.
  ExprPtr matching(const Syntax& syntax, Op op, std::vector<ExprPtr> args) {
    const auto pattern = compile_pattern(op, args);
    if (!pattern)
      return report(Code::bad_call, *syntax.args[1], pattern.error().message,
                    pattern.error().advice);
    ExprPtr node = made(syntax, op, Type::boolean, std::move(args));
    if (!node) return nullptr;
    auto copy = std::make_shared<Expr>(*node);
    copy->pattern = *pattern;
    return copy;
  }

  ExprPtr like(const Syntax& syntax) {
    const std::string form = "write s like 'a%', or s like '100!%' escape '!'";
    std::vector<ExprPtr> args;
    args.push_back(check_as(Type::string, *syntax.args[0], "what 'like' compares", form));
    for (std::size_t i = 1; i < syntax.args.size(); ++i) {
      const std::string what = i == 1 ? "the pattern of 'like'" : "the escape of 'like'";
      ExprPtr part = check_as(Type::string, *syntax.args[i], what, form);
      if (part && (part->op != Op::literal || data::is_null(part->literal)))
        part = report(Code::bad_call, *syntax.args[i], what + " must be a constant text", form);
      args.push_back(std::move(part));
    }
    if (std::ranges::count(args, nullptr) > 0) return nullptr;
    return negated_if(syntax, matching(syntax, Op::like, std::move(args)));
  }

  ExprPtr distinct(const Syntax& syntax) {
    ExprPtr left = check(*syntax.args[0]);
    ExprPtr right = check(*syntax.args[1]);
    if (!left || !right) return nullptr;
    // The types are those that could be compared.
    const ExprPtr same = comparison(syntax, Op::equal, std::move(left), std::move(right));
    if (!same) return nullptr;
    return negated_if(syntax, made(syntax, Op::is_distinct, Type::boolean, same->args));
  }

  ExprPtr case_of(const Syntax& syntax) {
    const ExprPtr operand = syntax.has_operand ? check(*syntax.args[0]) : nullptr;
    bool good = operand || !syntax.has_operand;
    std::vector<ExprPtr> parts;
    std::size_t next = syntax.has_operand ? 1 : 0;
    const std::size_t last = syntax.args.size() - (syntax.has_else ? 1 : 0);
    for (; next < last; next += 2) {
      parts.push_back(condition_of_case(*syntax.args[next], operand, syntax.has_operand));
      parts.push_back(check(*syntax.args[next + 1]));
    }
    parts.push_back(syntax.has_else ? check(*syntax.args[last]) : make_literal(Type::null, {}));
    good = good && std::ranges::count(parts, nullptr) == 0;
    return good ? typed_case(syntax, std::move(parts)) : nullptr;
  }

  ExprPtr condition_of_case(const Syntax& syntax, const ExprPtr& operand, bool has_operand) {
    if (!has_operand)
      return check_as(Type::boolean, syntax, "a condition of 'case'", "write a comparison");
    ExprPtr candidate = check(syntax);
    if (!candidate || !operand) return nullptr;
    return comparison(syntax, Op::equal, operand, std::move(candidate));
  }

  // The values are every second part, and the last.
  ExprPtr typed_case(const Syntax& syntax, std::vector<ExprPtr> parts) {
    const std::size_t first = syntax.has_operand ? 1 : 0;
    Type type = Type::null;
    const auto is_value = [&](std::size_t i) { return i % 2 == 1 || i + 1 == parts.size(); };
    for (std::size_t i = 0; i < parts.size(); ++i) {
      if (!is_value(i)) continue;
      const Type next = common_type(type, parts[i]->type);
      if (next == Type::null && parts[i]->type != Type::null)
        return mismatch(*syntax.args[first + i],
                        "'case' mixes " + data::name(type) + " and " + data::name(parts[i]->type),
                        "all values of a 'case' have one type");
      type = next;
    }
    if (type == Type::null) return make_literal(Type::null, {});
    for (std::size_t i = 0; i < parts.size(); ++i)
      if (is_value(i)) parts[i] = cast_to(type, std::move(parts[i]));
    const Op op = parts.size() == 3 ? Op::if_else : Op::case_when;
    return made(syntax, op, type, std::move(parts));
  }

  // Constants alone, brought to one type.
  ExprPtr list(const Syntax& syntax) {
    if (syntax.args.size() > data::kMaxListLength)
      return report(Code::too_deep, syntax, "a list of more than 4,096 elements", "write fewer");
    std::vector<ExprPtr> elements;
    Type type = Type::null;
    for (const auto& part : syntax.args) {
      ExprPtr element = check(*part);
      if (!element) return nullptr;
      type = common_type(type, element->type);
      if (!can_be_element(*element, type))
        return mismatch(*part, "an element of a list must be a constant, all of one type",
                        "write [0.5, 1.25]");
      elements.push_back(std::move(element));
    }
    ExprPtr whole = list_of_constants(type, std::move(elements));
    return whole ? whole : mismatch(syntax, "an element does not fit " + data::name(type), {});
  }

  // A constant is cast here and now, so that a mistake is found here and now.
  ExprPtr cast(const Syntax& syntax) {
    const bool may_fail = syntax.text == "try_cast";
    ExprPtr value = check(*syntax.args[0]);
    if (!value) return nullptr;
    const Type from = value->type;
    if (from == Type::null) return cast_null(syntax, may_fail);
    if (!can_convert(from, syntax.type))
      return mismatch(syntax, "no cast from " + data::name(from) + " to " + data::name(syntax.type),
                      cast_advice(from, syntax.type));
    const bool zoned = is_temporal(from) && is_temporal(syntax.type);
    if (value->op == Op::literal && !zoned) return cast_constant(syntax, *value, may_fail);
    if (from == syntax.type) return value;
    if (only_widens(from, syntax.type))
      return made(syntax, Op::cast, syntax.type, {std::move(value)});
    return in_zone(
        made(syntax, may_fail ? Op::try_convert : Op::convert, syntax.type, {std::move(value)}));
  }

  ExprPtr cast_constant(const Syntax& syntax, const Expr& literal, bool may_fail) {
    if (auto value = converted(literal.literal, literal.type, syntax.type))
      return make_literal(syntax.type, std::move(*value));
    if (may_fail)
      return made(syntax, Op::try_convert, syntax.type, {std::make_shared<Expr>(literal)});
    return mismatch(*syntax.args[0],
                    in_quotes(data::to_text(literal.literal, literal.type)) + " is no " +
                        data::name(syntax.type),
                    syntax.type == Type::timestamp || syntax.type == Type::date
                        ? "write '2001-06-01', or with a time '2001-06-01 12:30:00'"
                        : "try_cast gives null instead");
  }

  // Stays a cast: the text of a null literal does not tell its type.
  ExprPtr cast_null(const Syntax& syntax, bool may_fail) {
    const Type from = syntax.type == Type::string ? Type::boolean : Type::string;
    return made(syntax, may_fail ? Op::try_convert : Op::convert, syntax.type,
                {make_literal(from, {})});
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

ExprPtr check_syntax_of(data::Type wanted, const Syntax& syntax, Scope& scope,
                        const ExpressionText& text, const std::string& what,
                        const std::string& advice, Diagnostics& errors) {
  return Checker(scope, text, errors).check_as(wanted, syntax, what, advice);
}

ExprPtr check_expression(const ExpressionText& text, Scope& scope, Diagnostics& errors) {
  const SyntaxPtr syntax = parse_expression(text, errors);
  return syntax ? check_syntax(*syntax, scope, text, errors) : nullptr;
}

ExprPtr check_expression_of(data::Type wanted, const ExpressionText& text, Scope& scope,
                            const std::string& what, const std::string& advice,
                            Diagnostics& errors) {
  const SyntaxPtr syntax = parse_expression(text, errors);
  return syntax ? check_syntax_of(wanted, *syntax, scope, text, what, advice, errors) : nullptr;
}

}  // namespace coeval::define
