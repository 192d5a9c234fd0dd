#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <regex>
#include <string>
#include <vector>

#include "base/time.h"
#include "data/hash.h"
#include "define/expr.h"
#include "exact/maths.h"
#include "kernel/calendar_by_the_book_for_tests.h"
#include "kernel/evaluate.h"
#include "kernel/maths_functions.h"
#include "kernel/rounding_by_mpfr_for_tests.h"
#include "kernel/text_by_the_book_for_tests.h"

namespace coeval::kernel::testing {

using data::Type;
using data::Value;
using define::Expr;
using define::Op;

inline bool is_null(const Value& v) { return data::is_null(v); }
inline bool is_nan(const Value& v) {
  const auto* x = std::get_if<double>(&v);
  return x != nullptr && std::isnan(*x);
}

/// One row at a time and by the book: what the blocks must agree with.
class Scalar {
 public:
  Scalar(const data::Batch& batch, std::int64_t row, std::int64_t at)
      : batch_(batch), row_(row), at_(at) {}
  EvaluationCounts counts;

  Value operator()(const Expr& e) {
    switch (e.op) {
      case Op::literal:
        if (data::is_float(e.type) && std::holds_alternative<std::int64_t>(e.literal))
          return static_cast<double>(std::get<std::int64_t>(e.literal));
        return e.literal;
      case Op::column:
        return batch_.columns[static_cast<std::size_t>(e.column)].value(row_);
      case Op::question_time:
        return at_;
      case Op::if_else:
      case Op::case_when:
        for (std::size_t i = 0; i + 1 < e.args.size(); i += 2) {
          const Value condition = (*this)(*e.args[i]);
          if (const bool* yes = std::get_if<bool>(&condition); yes != nullptr && *yes)
            return (*this)(*e.args[i + 1]);
        }
        return (*this)(*e.args.back());
      case Op::coalesce:
        for (const auto& arg : e.args)
          if (Value v = (*this)(*arg); !is_null(v)) return v;
        return {};
      case Op::logical_and:
      case Op::logical_or: {
        const Value a = (*this)(*e.args[0]), b = (*this)(*e.args[1]);
        const bool deciding = e.op == Op::logical_or;
        for (const Value* v : {&a, &b})
          if (!is_null(*v) && std::get<bool>(*v) == deciding) return deciding;
        return is_null(a) || is_null(b) ? Value{} : Value{!deciding};
      }
      case Op::is_null:
        return is_null((*this)(*e.args[0]));
      case Op::is_not_null:
        return !is_null((*this)(*e.args[0]));
      case Op::is_distinct: {
        const Value a = (*this)(*e.args[0]), b = (*this)(*e.args[1]);
        return !(a == b || (is_nan(a) && is_nan(b)));
      }
      case Op::nullif: {
        const Value a = (*this)(*e.args[0]), b = (*this)(*e.args[1]);
        return a == b ? Value{} : a;
      }
      default:
        return strict(e);
    }
  }

 private:
  Value strict(const Expr& e) {
    std::vector<Value> a;
    for (const auto& arg : e.args) a.push_back((*this)(*arg));
    for (const auto& v : a)
      if (is_null(v)) return {};
    if (e.op == Op::logical_not) return !std::get<bool>(a[0]);
    if (e.op == Op::cast) return widen(a[0], e.type);
    if (e.op == Op::convert || e.op == Op::try_convert) return converted(e, a[0]);
    if (e.op == Op::fn_least || e.op == Op::fn_greatest) {
      Value best = a[0];
      for (const auto& v : a)
        if (e.op == Op::fn_least ? before(v, best) : before(best, v)) best = v;
      return best;
    }
    if (e.op == Op::fn_clamp) {
      const Value& above = less(a[0], a[1]) ? a[1] : a[0];
      return less(a[2], above) ? a[2] : above;
    }
    if (e.op >= Op::fn_hash_bucket) return bucket(e, a);
    if (e.op >= Op::fn_lower || e.op == Op::like) return text(e, a);
    if (e.op >= Op::fn_year && e.op <= Op::fn_date_diff) return calendar(e, a);
    if (const auto* x = std::get_if<std::int64_t>(&a[0])) return integer(e, *x, a);
    if (const auto* x = std::get_if<double>(&a[0])) return real(e, *x, a);
    if (const auto* x = std::get_if<bool>(&a[0])) return compare(e.op, *x, std::get<bool>(a[1]));
    return compare(e.op, std::get<std::string>(a[0]), std::get<std::string>(a[1]));
  }

  static bool less(const Value& a, const Value& b) {
    if (const auto* x = std::get_if<std::int64_t>(&a)) return *x < std::get<std::int64_t>(b);
    return std::get<double>(a) < std::get<double>(b);
  }

  static bool before(const Value& a, const Value& b) {
    if (std::holds_alternative<std::int64_t>(a)) return less(a, b);
    const double x = std::get<double>(a), y = std::get<double>(b);
    if (std::isnan(x) || std::isnan(y)) return !std::isnan(x) && std::isnan(y);
    return x == y ? std::signbit(x) && !std::signbit(y) : x < y;
  }

  static Value widen(const Value& v, Type to) {
    if (const auto* b = std::get_if<bool>(&v))
      return data::is_float(to) ? Value{*b ? 1.0 : 0.0} : Value{std::int64_t{*b}};
    if (const auto* i = std::get_if<std::int64_t>(&v); i && data::is_float(to))
      return static_cast<double>(*i);
    return v;
  }

  Value failed(const Expr& e) {
    if (e.op == Op::convert) ++counts.failed_casts;
    return {};
  }

  Value narrowed(const Expr& e, std::optional<std::int64_t> v) {
    const bool fits = v && (e.type != Type::int32 || *v == static_cast<std::int32_t>(*v));
    return fits ? Value{*v} : failed(e);
  }

  Value converted(const Expr& e, const Value& v) {
    const Type from = e.args[0]->type;
    if (e.type == Type::string) return spelled(v, from);
    if (const auto* text = std::get_if<std::string>(&v)) return read(e, *text);
    if (e.type == Type::date) return floor_of_quotient(std::get<std::int64_t>(v), kDayUs);
    if (e.type == Type::timestamp) {
      const __int128 us = __int128{std::get<std::int64_t>(v)} * kDayUs;
      return us == static_cast<std::int64_t>(us) ? Value{static_cast<std::int64_t>(us)} : failed(e);
    }
    const auto* integer = std::get_if<std::int64_t>(&v);
    const auto* real = std::get_if<double>(&v);
    const auto* flag = std::get_if<bool>(&v);
    if (e.type == Type::boolean) return integer != nullptr ? *integer != 0 : *real != 0;
    if (e.type == Type::float32)
      return static_cast<double>(integer != nullptr ? static_cast<float>(*integer)
                                 : real != nullptr  ? static_cast<float>(*real)
                                                    : static_cast<float>(*flag));
    if (real != nullptr) return narrowed(e, nearest_product(*real, 1));
    return narrowed(e, integer != nullptr ? *integer : std::int64_t{*flag});
  }

  static Value spelled(const Value& v, Type from) {
    if (const auto* flag = std::get_if<bool>(&v)) return std::string(*flag ? "true" : "false");
    if (const auto* real = std::get_if<double>(&v))
      return shortest_by_the_book(*real, from == Type::float32);
    const std::int64_t integer = std::get<std::int64_t>(v);
    if (from == Type::timestamp) return format_time(integer);
    if (from != Type::date) return std::to_string(integer);
    const Day day = day_of(integer);
    char buffer[40];
    std::snprintf(buffer, sizeof buffer, "%04lld-%02u-%02u", static_cast<long long>(day.year),
                  day.month, day.day);
    return std::string(buffer);
  }

  Value read(const Expr& e, const std::string& written) {
    static const std::regex kInteger("[+-]?[0-9]+");
    static const std::regex kReal(
        "[+-]?([0-9]+\\.?[0-9]*|\\.[0-9]+)([eE][+-]?[0-9]+)?|[+-]?(inf|infinity|nan)",
        std::regex::icase);
    static const std::regex kDate("([0-9]{4})-([0-9]{2})-([0-9]{2})");
    static const std::regex kTrue("true|t|yes|y|1", std::regex::icase);
    static const std::regex kFalse("false|f|no|n|0", std::regex::icase);
    const std::string text = std::regex_replace(written, std::regex("^[ \t\r\n]+|[ \t\r\n]+$"), "");
    std::smatch match;
    switch (e.type) {
      case Type::boolean:
        if (std::regex_match(text, kTrue)) return true;
        return std::regex_match(text, kFalse) ? Value{false} : failed(e);
      case Type::int32:
      case Type::int64:
        if (!std::regex_match(text, kInteger)) return failed(e);
        return narrowed(e, integer_of(text));
      case Type::float32:
      case Type::float64:
        if (!std::regex_match(text, kReal)) return failed(e);
        return e.type == Type::float64 ? std::strtod(text.c_str(), nullptr)
                                       : static_cast<double>(std::strtof(text.c_str(), nullptr));
      default:
        if (!std::regex_match(text, match, kDate)) return failed(e);
        return date(e, std::stoi(match[1]), static_cast<unsigned>(std::stoi(match[2])),
                    static_cast<unsigned>(std::stoi(match[3])));
    }
  }

  static std::optional<std::int64_t> integer_of(const std::string& digits) {
    errno = 0;
    const std::int64_t value = std::strtoll(digits.c_str(), nullptr, 10);
    return errno == 0 ? std::optional(value) : std::nullopt;
  }

  Value date(const Expr& e, int year, unsigned month, unsigned day) {
    const std::chrono::year_month_day ymd(std::chrono::year(year) / std::chrono::month(month) /
                                          std::chrono::day(day));
    if (!ymd.ok()) return failed(e);
    const std::int64_t number = day_number(year, month, day);
    return e.type == Type::date ? number : number * kDayUs;
  }

  static Value text(const Expr& e, const std::vector<Value>& a) {
    if (e.op == Op::fn_cross) return crossed(e, a);
    const auto s = [&](std::size_t i) { return std::get<std::string>(a[i]); };
    const auto n = [&](std::size_t i) { return std::get<std::int64_t>(a[i]); };
    switch (e.op) {
      case Op::like:
        return like_by_the_book(characters_of(s(0)), characters_of(s(1)),
                                a.size() > 2 ? characters_of(s(2))[0] : 0);
      case Op::fn_lower:
      case Op::fn_upper:
        return in_case(s(0), e.op == Op::fn_upper);
      case Op::fn_trim:
      case Op::fn_ltrim:
      case Op::fn_rtrim: {
        const std::string pattern = e.op == Op::fn_trim    ? "^ +| +$"
                                    : e.op == Op::fn_ltrim ? "^ +"
                                                           : " +$";
        return std::regex_replace(s(0), std::regex(pattern), "");
      }
      case Op::fn_substr:
        return substr_by_the_book(s(0), n(1), a.size() > 2 ? std::optional(n(2)) : std::nullopt);
      case Op::fn_split_part: {
        const auto parts = split_by_the_book(s(0), s(1));
        const __int128 count = static_cast<__int128>(parts.size());
        const __int128 place = n(2) < 0 ? count + n(2) : __int128{n(2)} - 1;
        return place >= 0 && place < count && n(2) != 0 ? parts[static_cast<std::size_t>(place)]
                                                        : std::string();
      }
      case Op::fn_replace:
        return replace_by_the_book(s(0), s(1), s(2));
      case Op::fn_concat: {
        std::string all;
        for (std::size_t i = 0; i < a.size(); ++i) all += s(i);
        return all;
      }
      case Op::fn_length:
        return static_cast<std::int64_t>(characters_of(s(0)).size());
      case Op::fn_contains:
        return s(0).find(s(1)) != std::string::npos;
      case Op::fn_starts_with:
        return s(0).substr(0, s(1).size()) == s(1);
      case Op::fn_ends_with:
        return s(0).size() >= s(1).size() && s(0).substr(s(0).size() - s(1).size()) == s(1);
      default:
        REQUIRE(e.op == Op::fn_regexp_like);
        return std::regex_search(s(0), std::regex(s(1)));
    }
  }

  static Value crossed(const Expr& e, const std::vector<Value>& a) {
    std::string out;
    for (std::size_t i = 0; i < a.size(); ++i) {
      const auto* text = std::get_if<std::string>(&a[i]);
      const std::string part =
          text != nullptr ? *text : std::get<std::string>(spelled(a[i], e.args[i]->type));
      out += (i > 0 ? "|" : "") + std::regex_replace(part, std::regex("[\\\\|]"), "\\$&");
    }
    return out;
  }

  Value calendar(const Expr& e, const std::vector<Value>& a) {
    const bool has_unit = e.op == Op::fn_date_trunc || e.op == Op::fn_date_diff;
    const bool is_date = e.args[has_unit ? 1 : 0]->type == Type::date;
    const std::int64_t value = std::get<std::int64_t>(a[has_unit ? 1 : 0]);
    const std::int64_t number = is_date ? value : floor_of_quotient(value, kDayUs);
    if (e.op == Op::fn_date_trunc) return truncated(std::get<std::string>(a[0]), value, is_date);
    if (e.op == Op::fn_date_diff) {
      const std::string unit = std::get<std::string>(a[0]);
      const auto until = [&](std::size_t i) {
        return __int128{starts_until(unit, std::get<std::int64_t>(a[i]) * (is_date ? kDayUs : 1))};
      };
      return fitting(until(2) - until(1));
    }
    const Day day = day_of(number);
    const std::int64_t in_day = value - number * (is_date ? 1 : kDayUs);
    switch (e.op) {
      case Op::fn_year:
        return day.year;
      case Op::fn_quarter:
        return std::int64_t{(day.month - 1) / 3 + 1};
      case Op::fn_month:
        return std::int64_t{day.month};
      case Op::fn_week:
        return day.week;
      case Op::fn_day:
        return std::int64_t{day.day};
      case Op::fn_day_of_year:
        return day.of_year;
      case Op::fn_weekday:
        return day.weekday;
      case Op::fn_is_weekend:
        return day.weekday > 4;
      case Op::fn_hour:
        return in_day / kHourUs;
      case Op::fn_minute:
        return in_day / kMinuteUs % 60;
      case Op::fn_second:
        return in_day / kSecondUs % 60;
      default:
        REQUIRE(e.op == Op::fn_minute_of_day);
        return in_day / kMinuteUs;
    }
  }

  Value truncated(const std::string& unit, std::int64_t value, bool is_date) {
    if (const std::int64_t length = length_of(unit); length > 0)
      return fitting(__int128{floor_of_quotient(value, length)} * length);
    if (!is_date)
      return fitting(__int128{start_of(unit, floor_of_quotient(value, kDayUs))} * kDayUs);
    return start_of(unit, value);
  }

  static Value bucket(const Expr& e, const std::vector<Value>& a) {
    if (e.op == Op::fn_hash_bucket) {
      std::string bytes(8, '\0');
      if (const auto* text = std::get_if<std::string>(&a[0])) {
        bytes = *text;
      } else if (const auto* real = std::get_if<double>(&a[0])) {
        const double one = *real == 0 ? 0.0 : std::isnan(*real) ? std::nan("") : *real;
        std::memcpy(bytes.data(), &one, 8);
      } else {
        const auto* integer = std::get_if<std::int64_t>(&a[0]);
        const std::int64_t wide = integer != nullptr ? *integer : std::get<bool>(a[0]);
        std::memcpy(bytes.data(), &wide, 8);
      }
      const auto buckets = static_cast<std::uint64_t>(std::get<std::int64_t>(a[1]));
      return static_cast<std::int64_t>(data::xxh3_64(bytes) % buckets);
    }
    if (e.op == Op::fn_bucketize) {
      std::int64_t count = 0;
      for (std::size_t i = 1; i < a.size(); ++i) count += less(a[0], a[i]) ? 0 : 1;
      return count;
    }
    const double x = std::get<double>(a[0]), low = std::get<double>(a[1]),
                 high = std::get<double>(a[2]);
    const std::int64_t parts = std::get<std::int64_t>(a[3]);
    if (x < low) return std::int64_t{0};
    if (std::isnan(x) || x >= high) return parts + 1;
    for (std::int64_t part = 1; part < parts; ++part)
      if ((x - low) / (high - low) * static_cast<double>(parts) < static_cast<double>(part))
        return part;
    return parts;
  }

  template <class T>
  static Value compare(Op op, const T& x, const T& y) {
    switch (op) {
      case Op::equal:
        return x == y;
      case Op::not_equal:
        return x != y;
      case Op::less:
        return x < y;
      case Op::less_equal:
        return x <= y;
      case Op::greater:
        return x > y;
      default:
        REQUIRE(op == Op::greater_equal);
        return x >= y;
    }
  }

  Value fitting(__int128 v) {
    if (v == static_cast<std::int64_t>(v)) return static_cast<std::int64_t>(v);
    ++counts.integer_overflows;
    return {};
  }

  Value integer(const Expr& e, std::int64_t x, const std::vector<Value>& a) {
    const std::int64_t y = a.size() > 1 ? std::get<std::int64_t>(a[1]) : 0;
    const __int128 wide = x;
    switch (e.op) {
      case Op::negate:
        return fitting(-wide);
      case Op::fn_abs:
        return fitting(wide < 0 ? -wide : wide);
      case Op::fn_sign:
        return std::int64_t{x == 0 ? 0 : x < 0 ? -1 : 1};
      case Op::fn_floor:
      case Op::fn_ceil:
      case Op::fn_trunc:
        return x;
      case Op::fn_round: {
        __int128 power = 1;
        for (std::int64_t i = y; i < 0; ++i) power *= 10;
        const __int128 half = wide < 0 ? -power / 2 : power / 2;
        return fitting((wide + half) / power * power);
      }
      case Op::add:
        return fitting(wide + y);
      case Op::subtract:
        return fitting(wide - y);
      case Op::multiply:
        return fitting(wide * y);
      case Op::modulo:
        if (y == 0) ++counts.integer_zero_divisions;
        return y == 0 ? Value{} : Value{static_cast<std::int64_t>(wide % y)};
      case Op::fn_seconds:
        return fitting(wide * kSecondUs);
      case Op::fn_minutes:
        return fitting(wide * kMinuteUs);
      case Op::fn_hours:
        return fitting(wide * kHourUs);
      case Op::fn_days:
        return fitting(wide * kDayUs);
      default:
        return compare(e.op, x, y);
    }
  }

  Value real(const Expr& e, double x, const std::vector<Value>& a) {
    const double y =
        a.size() > 1 && std::holds_alternative<double>(a[1]) ? std::get<double>(a[1]) : 0;
    switch (e.op) {
      case Op::negate:
        return -x;
      case Op::fn_abs:
        return std::fabs(x);
      case Op::add:
        return x + y;
      case Op::subtract:
        return x - y;
      case Op::multiply:
        return x * y;
      case Op::divide:
        if (y == 0 && e.args[1]->op == Op::cast && !data::is_float(e.args[1]->args[0]->type)) {
          ++counts.integer_zero_divisions;
          return {};
        }
        return x / y;
      case Op::fn_seconds:
        return rounded(x, kSecondUs);
      case Op::fn_minutes:
        return rounded(x, kMinuteUs);
      case Op::fn_hours:
        return rounded(x, kHourUs);
      case Op::fn_days:
        return rounded(x, kDayUs);
      case Op::fn_sign:
        return std::isnan(x) ? x : x == 0 ? 0.0 : x < 0 ? -1.0 : 1.0;
      case Op::fn_floor:
        return std::floor(x);
      case Op::fn_ceil:
        return std::ceil(x);
      case Op::fn_trunc:
        return std::trunc(x);
      case Op::fn_round:
        return nearest_decimal(x, a.size() > 1 ? std::get<std::int64_t>(a[1]) : 0);
      default:
        return e.op >= Op::fn_sqrt ? maths(e.op, x, y, a) : compare(e.op, x, y);
    }
  }

  // How near these are to the truth is another test's question.
  static Value maths(Op op, double x, double y, const std::vector<Value>& a) {
    switch (op) {
      case Op::fn_sqrt:
        return std::sqrt(x);
      case Op::fn_exp:
        return exact::exp(x);
      case Op::fn_expm1:
        return exact::expm1(x);
      case Op::fn_log:
        return exact::log(x);
      case Op::fn_log2:
        return exact::log2(x);
      case Op::fn_log10:
        return exact::log10(x);
      case Op::fn_log1p:
        return exact::log1p(x);
      case Op::fn_sin:
        return exact::sin(x);
      case Op::fn_cos:
        return exact::cos(x);
      case Op::fn_tan:
        return exact::tan(x);
      case Op::fn_asin:
        return exact::asin(x);
      case Op::fn_acos:
        return exact::acos(x);
      case Op::fn_atan:
        return exact::atan(x);
      case Op::fn_tanh:
        return exact::tanh(x);
      case Op::fn_pow:
        return exact::pow(x, y);
      case Op::fn_atan2:
        return exact::atan2(x, y);
      default:
        REQUIRE(op == Op::fn_haversine_km);
        return haversine_km(x, y, std::get<double>(a[2]), std::get<double>(a[3]));
    }
  }

  Value rounded(double x, std::int64_t unit) {
    if (const auto value = nearest_product(x, unit)) return *value;
    ++counts.integer_overflows;
    return {};
  }

  const data::Batch& batch_;
  std::int64_t row_, at_;
};

}  // namespace coeval::kernel::testing
