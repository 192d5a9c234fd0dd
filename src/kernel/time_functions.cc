#include "kernel/time_functions.h"

#include "base/calendar.h"
#include "base/check.h"
#include "base/time.h"
#include "define/conversion.h"
#include "kernel/block_rows.h"

namespace coeval::kernel {

namespace {

using data::Type;
using define::Expr;
using define::Op;

std::int64_t whole_days(std::int64_t us) { return us / kDayUs - (us % kDayUs < 0 ? 1 : 0); }
std::int64_t within(std::int64_t us, std::int64_t unit) {
  const std::int64_t rest = us % unit;
  return rest < 0 ? rest + unit : rest;
}

std::int64_t local(const TimeZone* zone, std::int64_t us) {
  return zone == nullptr ? us : zone->to_local(us);
}

// Parts of what a timestamp's clock shows: the place in a day, an hour or a minute.
template <class Part>
Slice clock_parts(const Expr& expr, const Slice& a, const BlockContext& block, Part part) {
  return sure_rows<std::int64_t>(
      a.valid, block, [&](std::size_t i) { return part(local(expr.zone, a.integers[i])); });
}

// Parts of a day since 1970-01-01: of a date, or of the date that a timestamp's clock shows.
template <class T = std::int64_t, class Part>
Slice day_parts(const Expr& expr, const Slice& a, const BlockContext& block, Part part) {
  const bool is_date = expr.args[0]->type == Type::date;
  return sure_rows<T>(a.valid, block, [&](std::size_t i) {
    return part(is_date ? a.integers[i] : whole_days(local(expr.zone, a.integers[i])));
  });
}

std::int64_t weekday(std::int64_t day) {  // 1970-01-01 was a Thursday, 3
  const std::int64_t rest = (day + 3) % 7;
  return rest < 0 ? rest + 7 : rest;
}

Slice date_part(const Expr& expr, const Slice& a, const BlockContext& block) {
  using n_t = std::int64_t;
  switch (expr.op) {
    case Op::fn_hour:
      return clock_parts(expr, a, block, [](n_t us) { return within(us, kDayUs) / kHourUs; });
    case Op::fn_minute:
      return clock_parts(expr, a, block, [](n_t us) { return within(us, kHourUs) / kMinuteUs; });
    case Op::fn_second:
      return clock_parts(expr, a, block, [](n_t us) { return within(us, kMinuteUs) / kSecondUs; });
    case Op::fn_minute_of_day:
      return clock_parts(expr, a, block, [](n_t us) { return within(us, kDayUs) / kMinuteUs; });
    case Op::fn_weekday:
      return day_parts(expr, a, block, weekday);
    case Op::fn_is_weekend:
      return day_parts<std::uint8_t>(expr, a, block,
                                     [](n_t day) { return weekday(day) >= 5 ? 1 : 0; });
    case Op::fn_year:
      return day_parts(expr, a, block, [](n_t day) { return civil_date(day).year; });
    case Op::fn_quarter:
      return day_parts(expr, a, block, [](n_t day) { return (civil_date(day).month + 2) / 3; });
    case Op::fn_month:
      return day_parts(expr, a, block, [](n_t day) { return civil_date(day).month; });
    case Op::fn_week:
      return day_parts(expr, a, block, iso_week);
    case Op::fn_day:
      return day_parts(expr, a, block, [](n_t day) { return civil_date(day).day; });
    default:
      COEVAL_CHECK(expr.op == Op::fn_day_of_year);
      return day_parts(expr, a, block, [](n_t day) { return civil_date(day).day_of_year; });
  }
}

CalendarUnit unit_of(const Expr& expr) {
  const auto unit = find_calendar_unit(std::get<std::string>(expr.args[0]->literal));
  COEVAL_CHECK(unit.has_value());
  return *unit;
}

bool date_start(CalendarUnit unit, std::int64_t day, std::int64_t& start) {
  start = day_unit_start(unit, day_unit_number(unit, day));
  return define::fits_int32(start);
}

// Hours and shorter units begin where the offset of the moment puts them, so that the hour that
// clocks show twice is two hours; longer ones begin at a midnight.
bool moment_start(CalendarUnit unit, const TimeZone* zone, std::int64_t us, std::int64_t& start) {
  if (zone == nullptr) return unit_start(unit, unit_number(unit, us), start);
  std::int64_t shown = 0;
  if (!unit_start(unit, unit_number(unit, zone->to_local(us)), shown)) return false;
  if (is_clock_unit(unit)) return !__builtin_sub_overflow(shown, zone->offset_us_at(us), &start);
  start = zone->to_utc(shown);
  return true;
}

Slice date_trunc(const Expr& expr, const Slice& a, const BlockContext& block) {
  const CalendarUnit unit = unit_of(expr);
  const bool is_date = expr.type == Type::date;
  return made_rows<std::int64_t>(
      a.valid, block.counts.integer_overflows, block, [&](std::size_t i, std::int64_t& out) {
        return is_date ? date_start(unit, a.integers[i], out)
                       : moment_start(unit, expr.zone, a.integers[i], out);
      });
}

// Numbers of the units that hold a and b. What passes between two moments in hours and shorter
// units is counted by one offset, that of the first.
bool unit_numbers(const Expr& expr, CalendarUnit unit, std::int64_t a, std::int64_t b,
                  std::int64_t& from, std::int64_t& to) {
  if (expr.args[1]->type == Type::date) {
    if (__builtin_mul_overflow(a, kDayUs, &a) || __builtin_mul_overflow(b, kDayUs, &b))
      return false;
  } else if (expr.zone != nullptr && is_clock_unit(unit)) {
    const std::int64_t offset = expr.zone->offset_us_at(a);
    if (__builtin_add_overflow(a, offset, &a) || __builtin_add_overflow(b, offset, &b))
      return false;
  } else {
    a = local(expr.zone, a);
    b = local(expr.zone, b);
  }
  from = unit_number(unit, a);
  to = unit_number(unit, b);
  return true;
}

Slice date_diff(const Expr& expr, const Slice& a, const Slice& b, const BlockContext& block) {
  const CalendarUnit unit = unit_of(expr);
  return made_rows<std::int64_t>(
      both_valid(a.valid, b.valid, block), block.counts.integer_overflows, block,
      [&](std::size_t i, std::int64_t& out) {
        std::int64_t from = 0, to = 0;
        return unit_numbers(expr, unit, a.integers[i], b.integers[i], from, to) &&
               !__builtin_sub_overflow(to, from, &out);
      });
}

}  // namespace

Slice calendar_function(const Expr& expr, std::span<const Slice> args, const BlockContext& block) {
  switch (expr.op) {
    case Op::fn_date_trunc:
      return date_trunc(expr, args[1], block);
    case Op::fn_date_diff:
      return date_diff(expr, args[1], args[2], block);
    default:
      return date_part(expr, args[0], block);
  }
}

std::int64_t to_date(const TimeZone* zone, std::int64_t us) { return whole_days(local(zone, us)); }

bool to_timestamp(const TimeZone* zone, std::int64_t days, std::int64_t& us) {
  if (__builtin_mul_overflow(days, kDayUs, &us)) return false;
  if (zone != nullptr) us = zone->to_utc(us);
  return true;
}

}  // namespace coeval::kernel
