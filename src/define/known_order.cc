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

// A time as base + Σ sign · duration.
struct Terms {
  const Expr* base = nullptr;
  std::int64_t constant_us = 0;
  std::map<std::string, int> counts;  // by canonical text
  std::map<std::string, const Expr*> expressions;
  bool overflowed = false;

  explicit Terms(const Expr& time) {
    const Expr* rest = &time;
    while (rest->type == Type::timestamp && (rest->op == Op::add || rest->op == Op::subtract)) {
      add(*rest->args[1], rest->op == Op::add ? 1 : -1);
      rest = rest->args[0].get();
    }
    base = rest;
  }

  void add(const Expr& duration, int sign) {
    if (is_literal_duration(duration)) {
      const std::int64_t us = std::get<std::int64_t>(duration.literal);
      overflowed |= sign > 0 ? __builtin_add_overflow(constant_us, us, &constant_us)
                             : __builtin_sub_overflow(constant_us, us, &constant_us);
      return;
    }
    const std::string text = canonical(duration);
    counts[text] += sign;
    expressions[text] = &duration;
  }
};

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

}  // namespace

bool KnownOrder::at_most(const Expr& a, const Expr& b) const {
  int steps = 0;
  return at_most(a, b, steps);
}

bool KnownOrder::at_most(const Expr& a, const Expr& b, int& steps) const {
  if (++steps > kMaxSteps) return false;
  if (at_most_by_terms(a, b)) return true;
  const auto below = [&](const ExprPtr& part) { return at_most(*part, b, steps); };
  const auto above = [&](const ExprPtr& part) { return at_most(a, *part, steps); };
  if (a.op == Op::fn_greatest || a.op == Op::coalesce) return std::ranges::all_of(a.args, below);
  if (a.op == Op::if_else) return below(a.args[1]) && below(a.args[2]);
  if (a.op == Op::fn_least) return std::ranges::any_of(a.args, below);
  if (b.op == Op::fn_least || b.op == Op::coalesce) return std::ranges::all_of(b.args, above);
  if (b.op == Op::if_else) return above(b.args[1]) && above(b.args[2]);
  return b.op == Op::fn_greatest && std::ranges::any_of(b.args, above);
}

// With one base, b − a is a sum of durations, whose lower bound must not be negative.
bool KnownOrder::at_most_by_terms(const Expr& a, const Expr& b) const {
  Terms difference(b);
  const Terms lower(a);
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
      return lower_bound(*expr.args[0]);
    case Op::add:
      return sum(expr);
    case Op::subtract:
      return difference(expr);
    case Op::multiply:
      return product(*expr.args[0], *expr.args[1]);
    case Op::divide:
      return quotient(*expr.args[0], *expr.args[1]);
    case Op::coalesce:
    case Op::fn_least:
      return least_of(expr, 0);
    case Op::if_else:
      return least_of(expr, 1);
    case Op::fn_greatest:
      return greatest_of(expr);
    case Op::fn_seconds:
      return scaled(expr, kSecondUs);
    case Op::fn_minutes:
      return scaled(expr, kMinuteUs);
    case Op::fn_hours:
      return scaled(expr, kHourUs);
    case Op::fn_days:
      return scaled(expr, kDayUs);
    case Op::fn_abs:
    case Op::fn_month:
    case Op::fn_day:
    case Op::fn_hour:
    case Op::fn_minute:
    case Op::fn_second:
    case Op::fn_weekday:
    case Op::fn_minute_of_day:
    case Op::fn_day_of_year:
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

std::optional<double> KnownOrder::least_of(const Expr& expr, std::size_t first) const {
  std::optional<double> least = lower_bound(*expr.args[first]);
  for (std::size_t i = first + 1; least && i < expr.args.size(); ++i) {
    const auto bound = lower_bound(*expr.args[i]);
    least = bound ? std::optional(std::min(*least, *bound)) : std::nullopt;
  }
  return least;
}

std::optional<double> KnownOrder::greatest_of(const Expr& expr) const {
  std::optional<double> greatest;
  for (const auto& argument : expr.args) {
    const auto bound = lower_bound(*argument);
    if (bound && (!greatest || *bound > *greatest)) greatest = bound;
  }
  return greatest;
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
  return *low_a >= 0 && *low_b >= 0 ? std::optional(0.0) : std::nullopt;
}

// Rows below a declared minimum never become rows: they are in quarantine.
std::optional<double> KnownOrder::declared_minimum(const Expr& column) const {
  const auto& min = source_.columns[static_cast<std::size_t>(column.column)].min;
  return min && data::is_number(column.type) ? at_least(*min, column.type) : std::nullopt;
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
