#include "define/aggregate_checker.h"

#include "base/time.h"
#include "define/aggregates.h"
#include "define/build.h"
#include "define/checker.h"
#include "define/parser.h"

namespace coeval::define {

namespace {

using data::Type;

std::string aggregate_advice(const std::string& name) {
  const std::string advice = did_you_mean(name, aggregate_names());
  return advice.empty() ? "the aggregates are " + listed(aggregate_names()) : advice;
}

// The argument as the kernel folds it: a boolean counts as 0 or 1 where a number is taken; null
// when it cannot be folded.
ExprPtr aggregated(const AggregateFunction& function, ExprPtr argument) {
  const bool boolean = argument->type == Type::boolean;
  const bool decayed = function.constant == AggregateConstant::half_life;
  switch (function.over) {
    case Over::number:
    case Over::two_numbers:
      if (boolean) return cast_to(Type::int64, std::move(argument));
      if (decayed && data::is_decimal(argument->type))
        return cast_to(Type::float64, std::move(argument));
      return data::is_number(argument->type) ? argument : nullptr;
    case Over::condition:
      return boolean ? argument : nullptr;
    case Over::ordered:
      return data::is_list(argument->type) ? nullptr : argument;
    case Over::scalar: {
      const bool scalar = !data::is_list(argument->type) && argument->type != Type::duration;
      return scalar ? argument : nullptr;
    }
    default:
      return argument;
  }
}

Type result_of(const AggregateFunction& function, const ExprPtr& argument) {
  switch (function.result) {
    case AggregateResult::int64:
      return Type::int64;
    case AggregateResult::boolean:
      return Type::boolean;
    case AggregateResult::sum:
      if (data::is_decimal(argument->type))
        return data::decimal_type(data::kMaxDecimalDigits, data::scale_of(argument->type));
      return data::is_float(argument->type) ? Type::float64 : Type::int64;
    case AggregateResult::as_argument:
      return argument->type;
    case AggregateResult::list:
      return data::list_of(argument->type);
    case AggregateResult::float64:
      break;
  }
  return Type::float64;
}

// Reads the constant into the aggregate; what it must be instead, or nothing when it is good.
std::string_view take_constant(AggregateConstant wanted, const Expr& constant, Aggregate& out) {
  constexpr std::int64_t kLongestHalfLifeUs = 36'525 * kDayUs;  // a century, as windows
  const auto* integer = std::get_if<std::int64_t>(&constant.literal);
  const auto* real = std::get_if<double>(&constant.literal);
  const bool number = constant.op == Op::literal &&
                      (data::is_integer(constant.type) || data::is_float(constant.type));
  switch (wanted) {
    case AggregateConstant::place:
      if (!number || !integer || *integer < 0 || *integer > kMaxLag)
        return "a constant whole number from 0 to 1000";
      out.k = *integer;
      return {};
    case AggregateConstant::many:
      if (!number || !integer || *integer < 1 || *integer > kMaxLag)
        return "a constant whole number from 1 to 1000";
      out.k = *integer;
      return {};
    case AggregateConstant::fraction:
      out.p = real ? *real + 0.0 : integer ? static_cast<double>(*integer) : -1;  // −0 is 0
      return number && out.p >= 0 && out.p <= 1 ? "" : "a constant from 0 to 1";
    case AggregateConstant::half_life:
      if (constant.op != Op::literal || constant.type != Type::duration || !integer ||
          *integer <= 0 || *integer > kLongestHalfLifeUs)
        return "a constant duration above 0 such as 7d, at most 100 years";
      out.half_life_us = *integer;
      return {};
    case AggregateConstant::none:
      break;
  }
  return {};
}

class AggregateChecker {
 public:
  AggregateChecker(Scope& scope, const ExpressionText& text, Diagnostics& errors)
      : scope_(scope), text_(text), diagnostics_(errors), errors_(errors, text) {}

  bool run(const AggregateSyntax& syntax, Aggregate& out) {
    const AggregateFunction* function = find_aggregate(syntax.function);
    if (!function) {
      errors_.report(Code::bad_call, syntax.begin, syntax.end,
                     "no aggregate " + in_quotes(syntax.function),
                     aggregate_advice(syntax.function));
      return false;
    }
    out.kind = function->kind;
    const bool argument_good = arguments(*function, syntax, out);
    if (!syntax.where) return argument_good;
    out.where =
        check_syntax_of(Type::boolean, *syntax.where, scope_, text_, "the condition after 'where'",
                        "write a comparison such as distance > 1000", diagnostics_);
    return argument_good && out.where;
  }

 private:
  bool arguments(const AggregateFunction& function, const AggregateSyntax& syntax, Aggregate& out) {
    const std::size_t wanted = function.argument_count(), given = syntax.args.size();
    const bool may_lack = function.over == Over::rows_or_anything && given == 0;
    if (given != wanted && !may_lack) {
      errors_.report(
          Code::bad_call, syntax.begin, syntax.end,
          in_quotes(syntax.function) + " is called with " + std::to_string(given) + " arguments",
          "write " + std::string(function.signature));
      return false;
    }
    const bool has_constant = function.constant != AggregateConstant::none;
    const std::size_t values = given - (has_constant ? 1 : 0);
    if (values > 0) out.argument = value(function, syntax, *syntax.args[0]);
    if (values > 1) out.divisor = value(function, syntax, *syntax.args[1]);
    const bool good = (values == 0 || out.argument) && (values < 2 || out.divisor);
    const bool constant_good = !has_constant || constant(function, *syntax.args.back(), out);
    if (!good || !constant_good) return false;
    out.result = result_of(function, out.argument);
    return true;
  }

  ExprPtr value(const AggregateFunction& function, const AggregateSyntax& syntax,
                const Syntax& given) {
    ExprPtr argument = check_syntax(given, scope_, text_, diagnostics_);
    if (!argument) return nullptr;
    argument = aggregated(function, std::move(argument));
    if (!argument)
      errors_.report(Code::bad_call, given.begin, given.end,
                     in_quotes(syntax.function) + " does not take such a value",
                     "write " + std::string(function.signature));
    return argument;
  }

  bool constant(const AggregateFunction& function, const Syntax& given, Aggregate& out) {
    const ExprPtr constant = check_syntax(given, scope_, text_, diagnostics_);
    if (!constant) return false;
    const std::string_view wanted = take_constant(function.constant, *constant, out);
    if (wanted.empty()) return true;
    errors_.report(
        Code::bad_call, given.begin, given.end,
        "the last argument of " + in_quotes(function.name) + " must be " + std::string(wanted),
        "write " + std::string(function.signature));
    return false;
  }

  Scope& scope_;
  const ExpressionText& text_;
  Diagnostics& diagnostics_;
  ExpressionErrors errors_;
};

}  // namespace

bool check_aggregate(const ExpressionText& text, Scope& scope, Aggregate& out,
                     Diagnostics& errors) {
  const auto syntax = parse_aggregate(text, errors);
  return syntax && AggregateChecker(scope, text, errors).run(*syntax, out);
}

}  // namespace coeval::define
