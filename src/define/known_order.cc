#include "define/known_order.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "base/time.h"
#include "data/decimal.h"
#include "define/build.h"

namespace coeval::define {

namespace {

using data::Type;

// A search that takes longer than this has met a definition that nobody could review either.
constexpr int kMaxSteps = 1'000;

bool is_literal_duration(const Expr& expr) {
  return expr.op == Op::literal && expr.type == Type::duration && !data::is_null(expr.literal);
}

// A float64 that was an integer: neither −0 nor NaN.
bool is_cast_integer(const Expr& expr) {
  return expr.op == Op::cast && data::is_integer(expr.args[0]->type);
}

// time ± duration
bool moves_a_time(const Expr& expr) {
  return expr.type == Type::timestamp && (expr.op == Op::add || expr.op == Op::subtract);
}

bool is_truncation(const Expr& expr) {
  return expr.type == Type::timestamp && expr.op == Op::fn_date_trunc;
}

// What the durations of a time are added to.
const Expr& base_of(const Expr& time) {
  const Expr* rest = &time;
  while (moves_a_time(*rest)) rest = rest->args[0].get();
  return *rest;
}

// The same durations on another base.
ExprPtr on_base(const Expr& time, const ExprPtr& base) {
  if (!moves_a_time(time)) return base;
  return make_node(time.op, time.type, {on_base(*time.args[0], base), time.args[1]});
}

// The expressions one of which is the value of a choice, whatever its conditions are; none where it
// is no choice.
std::vector<ExprPtr> choices_of(const Expr& expr) {
  if (expr.op == Op::coalesce) return expr.args;
  if (expr.op == Op::if_else) return {expr.args[1], expr.args[2]};
  if (expr.op == Op::nullif) return {expr.args[0]};
  std::vector<ExprPtr> choices;
  if (expr.op != Op::case_when) return choices;
  for (std::size_t i = 1; i < expr.args.size(); i += 2) choices.push_back(expr.args[i]);
  choices.push_back(expr.args.back());
  return choices;
}

// Integers beyond are not exact as doubles; nothing is claimed about them.
constexpr double kExact = 9007199254740992.0;

std::optional<double> exact(double value) {
  return std::abs(value) <= kExact ? std::optional(value) : std::nullopt;
}

std::optional<double> number_of(const data::Value& value) {
  if (const auto* integer = std::get_if<std::int64_t>(&value))
    return exact(static_cast<double>(*integer));
  if (const auto* real = std::get_if<double>(&value)) return exact(*real);
  return std::nullopt;
}

// Not more than the value, nor less by 1 or more.
std::optional<double> at_least(const data::Value& value, Type type) {
  const auto* scaled = std::get_if<std::int64_t>(&value);
  if (!data::is_decimal(type) || scaled == nullptr) return number_of(value);
  const std::int64_t power = data::power_of_ten(data::scale_of(type));
  return exact(static_cast<double>(*scaled / power - (*scaled % power < 0 ? 1 : 0)));
}

std::optional<double> literal_number(const Expr& expr) {
  const bool is_float64 = expr.op == Op::literal && !data::is_decimal(expr.type);
  return is_float64 ? number_of(expr.literal) : std::nullopt;
}

// The value of a number that reads no column: integers, their sums, differences and products, and
// one literal of float64. Small enough to be exact.
std::optional<double> constant_number(const Expr& expr) {
  if (is_cast_integer(expr)) return constant_number(*expr.args[0]);
  if (expr.op == Op::literal) return literal_number(expr);
  const bool sum = expr.op == Op::add || expr.op == Op::subtract || expr.op == Op::multiply;
  if (!sum || !data::is_integer(expr.type)) return std::nullopt;
  const auto a = constant_number(*expr.args[0]), b = constant_number(*expr.args[1]);
  if (!a || !b) return std::nullopt;
  return exact(expr.op == Op::add ? *a + *b : expr.op == Op::subtract ? *a - *b : *a * *b);
}

// The µs of a duration that reads no column: 60d, days(60), hours(1) + 30min.
std::optional<std::int64_t> constant_duration(const Expr& expr) {
  // Only where the product is exact, so that nothing is rounded.
  const auto times = [](const Expr& number, std::int64_t unit_us) {
    const auto count = constant_number(number);
    const double unit = static_cast<double>(unit_us), us = count ? *count * unit : 0;
    const bool good =
        count && exact(us) && std::trunc(us) == us && std::fma(*count, unit, -us) == 0;
    return good ? std::optional(static_cast<std::int64_t>(us)) : std::nullopt;
  };
  switch (expr.op) {
    case Op::literal:
      return is_literal_duration(expr) ? std::optional(std::get<std::int64_t>(expr.literal))
                                       : std::nullopt;
    case Op::fn_seconds:
      return times(*expr.args[0], kSecondUs);
    case Op::fn_minutes:
      return times(*expr.args[0], kMinuteUs);
    case Op::fn_hours:
      return times(*expr.args[0], kHourUs);
    case Op::fn_days:
      return times(*expr.args[0], kDayUs);
    case Op::add:
    case Op::subtract: {
      const auto a = constant_duration(*expr.args[0]), b = constant_duration(*expr.args[1]);
      std::int64_t sum = 0;
      const bool overflows = !a || !b ||
                             (expr.op == Op::add ? __builtin_add_overflow(*a, *b, &sum)
                                                 : __builtin_sub_overflow(*a, *b, &sum));
      return overflows ? std::nullopt : std::optional(sum);
    }
    default:
      return std::nullopt;
  }
}

// A time as base + Σ sign · duration.
struct Terms {
  const Expr* base = nullptr;
  std::int64_t constant_us = 0;
  std::map<std::string, int> counts;  // by canonical text
  std::map<std::string, const Expr*> expressions;
  bool overflowed = false;

  /// `truncated_down`: date_trunc(unit, x) may stand as x, which is not below it.
  Terms(const Expr& time, bool truncated_down) {
    const Expr* rest = &time;
    while (true) {
      if (moves_a_time(*rest)) {
        add(*rest->args[1], rest->op == Op::add ? 1 : -1);
        rest = rest->args[0].get();
      } else if (truncated_down && is_truncation(*rest)) {
        rest = rest->args[1].get();
      } else {
        break;
      }
    }
    base = rest;
  }

  void add(const Expr& duration, int sign) {
    if (const auto us = constant_duration(duration)) {
      overflowed |= sign > 0 ? __builtin_add_overflow(constant_us, *us, &constant_us)
                             : __builtin_sub_overflow(constant_us, *us, &constant_us);
      return;
    }
    const std::string text = canonical(duration);
    counts[text] += sign;
    expressions[text] = &duration;
  }
};

}  // namespace

bool KnownOrder::at_most(const Expr& a, const Expr& b) const {
  int steps = 0;
  return at_most(a, b, steps);
}

bool KnownOrder::at_most(const Expr& a, const Expr& b, int& steps) const {
  if (++steps > kMaxSteps) return false;
  if (at_most_by_terms(a, b)) return true;
  // Each part of a choice, of the greatest on the left, of the least on the right: with the
  // durations that are added to it.
  const auto below = [&](const ExprPtr& part) { return at_most(*on_base(a, part), b, steps); };
  const auto above = [&](const ExprPtr& part) { return at_most(a, *on_base(b, part), steps); };
  const Expr& base_a = base_of(a);
  const Expr& base_b = base_of(b);
  if (base_a.op == Op::fn_greatest) return std::ranges::all_of(base_a.args, below);
  if (const auto parts = choices_of(base_a); !parts.empty())
    return std::ranges::all_of(parts, below);
  // One part suffices, and is there wherever the whole has a value; a sum with it need not be.
  if (a.op == Op::fn_least && std::ranges::any_of(a.args, below)) return true;
  if (is_truncation(a) && below(a.args[1])) return true;
  if (base_b.op == Op::fn_least) return std::ranges::all_of(base_b.args, above);
  if (const auto parts = choices_of(base_b); !parts.empty())
    return std::ranges::all_of(parts, above);
  return b.op == Op::fn_greatest && std::ranges::any_of(b.args, above);
}

// With one base, b − a is a sum of durations, whose lower bound must not be negative.
bool KnownOrder::at_most_by_terms(const Expr& a, const Expr& b) const {
  Terms difference(b, false);
  const Terms lower(a, true);
  if (canonical(*lower.base) != canonical(*difference.base)) return false;
  difference.overflowed |=
      lower.overflowed ||
      __builtin_sub_overflow(difference.constant_us, lower.constant_us, &difference.constant_us);
  for (const auto& [text, count] : lower.counts) {
    difference.counts[text] -= count;
    difference.expressions[text] = lower.expressions.at(text);
  }
  if (difference.overflowed) return false;
  auto least = exact(static_cast<double>(difference.constant_us));
  for (const auto& [text, count] : difference.counts) {
    if (count == 0 || !least) continue;
    const auto bound = count > 0 ? lower_bound(*difference.expressions.at(text)) : std::nullopt;
    least = bound ? exact(*least + count * *bound) : std::nullopt;
  }
  return least && *least >= 0;
}

std::optional<double> KnownOrder::lower_bound(const Expr& expr) const {
  switch (expr.op) {
    case Op::literal:
      return at_least(expr.literal, expr.type);
    case Op::column:
      return declared_minimum(expr);
    case Op::cast:
      if (expr.args[0]->type == Type::boolean) return 0.0;
      return lower_bound(*expr.args[0]);
    case Op::add:
      return sum(expr);
    case Op::subtract:
      return difference(expr);
    case Op::multiply:
      return product(*expr.args[0], *expr.args[1]);
    case Op::divide:
      return quotient(*expr.args[0], *expr.args[1]);
    case Op::fn_least:
      return least_of(expr.args);
    case Op::coalesce:
    case Op::if_else:
    case Op::case_when:
    case Op::nullif:
      return least_of(choices_of(expr));
    case Op::fn_greatest:
      return greatest_of(expr.args);
    case Op::fn_clamp:
      return clamped(expr);
    case Op::fn_seconds:
      return scaled(expr, kSecondUs);
    case Op::fn_minutes:
      return scaled(expr, kMinuteUs);
    case Op::fn_hours:
      return scaled(expr, kHourUs);
    case Op::fn_days:
      return scaled(expr, kDayUs);
    case Op::fn_floor:
    case Op::fn_ceil:
    case Op::fn_trunc:
    case Op::fn_sign:
    case Op::fn_round:
    case Op::modulo:
      return rounded(expr);
    case Op::fn_abs:
      return std::max(0.0, lower_bound(*expr.args[0]).value_or(0));
    case Op::fn_month:
    case Op::fn_day:
    case Op::fn_day_of_year:
    case Op::fn_week:
    case Op::fn_quarter:
      return 1.0;
    case Op::fn_length:
    case Op::fn_hash_bucket:
    case Op::fn_bucketize:
    case Op::fn_width_bucket:
    case Op::fn_sqrt:
    case Op::fn_exp:
    case Op::fn_haversine_km:
    case Op::fn_hour:
    case Op::fn_minute:
    case Op::fn_second:
    case Op::fn_weekday:
    case Op::fn_minute_of_day:
      return 0.0;
    default:
      return std::nullopt;
  }
}

std::optional<double> KnownOrder::sum(const Expr& expr) const {
  const auto a = lower_bound(*expr.args[0]), b = lower_bound(*expr.args[1]);
  return a && b ? exact(*a + *b) : std::nullopt;
}

std::optional<double> KnownOrder::difference(const Expr& expr) const {
  const auto a = lower_bound(*expr.args[0]), b = literal_number(*expr.args[1]);
  return a && b ? exact(*a - *b) : std::nullopt;
}

std::optional<double> KnownOrder::least_of(const std::vector<ExprPtr>& parts) const {
  std::optional<double> least = lower_bound(*parts.front());
  for (std::size_t i = 1; least && i < parts.size(); ++i) {
    const auto bound = lower_bound(*parts[i]);
    least = bound ? std::optional(std::min(*least, *bound)) : std::nullopt;
  }
  return least;
}

std::optional<double> KnownOrder::greatest_of(const std::vector<ExprPtr>& parts) const {
  std::optional<double> greatest;
  for (const auto& part : parts) {
    const auto bound = lower_bound(*part);
    if (bound && (!greatest || *bound > *greatest)) greatest = bound;
  }
  return greatest;
}

// clamp(x, low, high) is high, or it is not below x, and not below low unless that is NaN.
std::optional<double> KnownOrder::clamped(const Expr& expr) const {
  const auto high = lower_bound(*expr.args[2]);
  const Expr& low = *expr.args[1];
  const bool may_be_nan =
      data::is_float(low.type) && low.op != Op::literal && !is_cast_integer(low);
  const auto rest =
      may_be_nan ? lower_bound(*expr.args[0]) : greatest_of({expr.args[0], expr.args[1]});
  return high && rest ? std::optional(std::min(*high, *rest)) : std::nullopt;
}

// Functions that keep the order of numbers, or at least do not go below 0 from above.
std::optional<double> KnownOrder::rounded(const Expr& expr) const {
  const auto bound = lower_bound(*expr.args[0]);
  if (expr.op == Op::fn_sign) return bound && *bound >= 0 ? 0.0 : -1.0;
  if (!bound) return std::nullopt;
  if (expr.op == Op::fn_floor) return std::floor(*bound);
  if (expr.op == Op::fn_ceil || expr.op == Op::fn_trunc) return std::trunc(*bound);
  return *bound >= 0 ? std::optional(0.0) : std::nullopt;  // fn_round, modulo
}

// The function rounds to a whole microsecond, perhaps down.
std::optional<double> KnownOrder::scaled(const Expr& expr, double unit_us) const {
  const auto bound = lower_bound(*expr.args[0]);
  return bound ? exact(std::floor(*bound * unit_us)) : std::nullopt;
}

std::optional<double> KnownOrder::product(const Expr& a, const Expr& b) const {
  const auto low_a = lower_bound(a), low_b = lower_bound(b);
  if (!low_a || !low_b) return std::nullopt;
  const bool monotone = (*low_a >= 0 && *low_b >= 0) || (literal_number(a) && *low_a >= 0) ||
                        (literal_number(b) && *low_b >= 0);
  return monotone ? exact(*low_a * *low_b) : std::nullopt;
}

std::optional<double> KnownOrder::quotient(const Expr& a, const Expr& b) const {
  const auto low_a = lower_bound(a), low_b = lower_bound(b);
  if (!low_a || !low_b) return std::nullopt;
  if (literal_number(b) && *low_b > 0) return exact(*low_a / *low_b);
  // A float divisor may be −0, which makes the quotient −∞; one that is a cast integer is not.
  const bool positive = *low_b > 0 || (*low_b >= 0 && is_cast_integer(b));
  return *low_a >= 0 && positive ? std::optional(0.0) : std::nullopt;
}

// Rows below a declared minimum never become rows: they are in quarantine.
std::optional<double> KnownOrder::declared_minimum(const Expr& column) const {
  const SourceColumn& declared = source_.columns[static_cast<std::size_t>(column.column)];
  if (!declared.min || !data::is_number(column.type)) return std::nullopt;
  // What only warns bounds nothing, and NaN is below no bound.
  if (declared.severity_of("min") == Severity::warn || !declared.finite) return std::nullopt;
  return at_least(*declared.min, column.type);
}

ExprPtr latest(const std::vector<ExprPtr>& times, const KnownOrder& order) {
  std::vector<ExprPtr> kept;
  for (const auto& time : times) {
    const auto covers = [&](const ExprPtr& other) { return order.at_most(*time, *other); };
    if (std::ranges::any_of(kept, covers)) continue;
    std::erase_if(kept, [&](const ExprPtr& other) { return order.at_most(*other, *time); });
    kept.push_back(time);
  }
  if (kept.empty()) return nullptr;
  return kept.size() == 1 ? kept[0] : make_node(Op::fn_greatest, Type::timestamp, kept);
}

}  // namespace coeval::define
