#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "data/column.h"

namespace coeval::kernel::testing {

inline const data::Schema kSchema = {{{"ts", data::Type::timestamp, true},
                                      {"n", data::Type::int64, true},
                                      {"i", data::Type::int32, true},
                                      {"x", data::Type::float64, true},
                                      {"g", data::Type::float32, true},
                                      {"b", data::Type::boolean, true},
                                      {"s", data::Type::string, true},
                                      {"d", data::Type::date, true}}};

/// Texts with letters of several sizes, spaces, separators, and spellings of other types.
inline std::string random_string(std::mt19937_64& random) {
  static const std::vector<std::string> kWhole = {
      "12",         " -7 ",       "+3",          "1e3",        "0.5",
      "-.5",        "nan",        "-inf",        "1e999",      "true",
      "F",          "2001-06-01", " 1999-12-31", "2001-02-29", "9223372036854775808",
      "4294967296", "1e-999",     "a|b",         "\\",         "%"};
  static const std::vector<std::string> kPieces = {"a", "b", "c",  "A", "é", "É",
                                                   "ж", "ß", "日", " ", ",", "_"};
  if (random() % 3 == 0) return kWhole[random() % kWhole.size()];
  std::string text;
  for (std::uint64_t left = random() % 5; left > 0; --left)
    text += kPieces[random() % kPieces.size()];
  return text;
}

inline data::Batch random_batch(std::mt19937_64& random, std::int64_t rows) {
  using data::Type;
  data::Batch batch;
  batch.schema = kSchema;
  batch.rows = rows;
  constexpr std::array<double, 9> kReals = {0.0,
                                            -0.0,
                                            0.5,
                                            -1.5,
                                            1e300,
                                            3e-310,
                                            std::numeric_limits<double>::infinity(),
                                            std::numeric_limits<double>::quiet_NaN(),
                                            7.25e-7};
  constexpr std::array<std::int64_t, 8> kIntegers = {0,         1,         -1,         5,
                                                     INT64_MAX, INT64_MIN, 1000000007, -40};
  for (const auto& field : kSchema.fields) {
    data::ColumnBuilder builder(field.type);
    const bool nulls = random() % 3 != 0;
    for (std::int64_t row = 0; row < rows; ++row) {
      const auto small = static_cast<std::int64_t>(random() % 200) - 100;
      if (nulls && random() % 4 == 0)
        builder.append_null();
      else if (field.type == Type::boolean)
        builder.append_boolean(random() % 2 == 0);
      else if (field.type == Type::string)
        builder.append_string(random_string(random));
      else if (data::is_float(field.type))
        builder.append_real(random() % 3 == 0 ? kReals[random() % kReals.size()]
                                              : static_cast<double>(small) / 8);
      else if (field.type == Type::int64)
        builder.append_integer(random() % 3 == 0 ? kIntegers[random() % kIntegers.size()] : small);
      else if (field.type == Type::timestamp)
        builder.append_integer(static_cast<std::int64_t>(random() >> 8) - (std::int64_t{1} << 55));
      else
        builder.append_integer(field.type == Type::date ? small * 157 : small);
    }
    batch.columns.push_back(builder.finish());
  }
  return batch;
}

/// Random text of an expression of the type wanted, over kSchema.
class RandomText {
 public:
  explicit RandomText(std::mt19937_64& random) : random_(random) {}

  std::string any(int depth, unsigned kind) {
    switch (kind) {
      case 0:
        return integer(depth);
      case 1:
        return real(depth);
      case 2:
        return condition(depth);
      case 3:
        return time(depth);
      case 4:
        return text(depth);
      default:
        return date(depth);
    }
  }
  std::string number(int depth) { return pick(2) ? integer(depth) : real(depth); }

  std::string integer(int depth) {
    if (depth == 0) return one({"n", "i", "3", "0", "-7"});
    const int d = depth - 1;
    switch (pick(16)) {
      case 0:
      case 1:
        return "(" + integer(d) + one({" + ", " - ", " * ", " % "}) + integer(d) + ")";
      case 2:
        return one({"abs(", "sign(", "floor(", "(-"}) + integer(d) + ")";
      case 3:
        return one({"hour", "minute", "second", "minute_of_day"}) + "(" + time(d) + ")";
      case 4:
        return one({"year", "month", "day", "weekday", "day_of_year", "week", "quarter"}) + "(" +
               (pick(2) ? time(d) : date(d)) + ")";
      case 5:
        return branch(depth, integer(d), integer(d));
      case 6:
        return one({"least(", "greatest("}) + integer(d) + ", " + integer(d) + ")";
      case 7:
        return "length(" + text(d) + ")";
      case 8:
        return "cast(" + real(d) + one({" as int64)", " as int32)"});
      case 9:
        return one({"cast(", "try_cast("}) + (pick(3) ? text(d) : condition(d)) +
               one({" as int64)", " as int32)"});
      case 10:
        return "date_diff('" + unit() + "', " + time(d) + ", " + time(d) + ")";
      case 11:
        return "date_diff('" + unit() + "', " + date(d) + ", " + date(d) + ")";
      case 12:
        return "hash_bucket(" + any(d, pick(6)) + one({", 7)", ", 1)", ", 1000)"});
      case 13:
        return "bucketize(" + number(d) + one({", -3, 0, 5)", ", 0.5)", ", -1.5, 0, 1e300)"});
      case 14:
        return "width_bucket(" + number(d) + one({", -10, 10, 4)", ", 0, 0.3, 3)"});
      default:
        return one({"round(", "clamp(nullif(" + integer(d) + ", 0), -5, "}) + integer(d) +
               one({")", ")"});
    }
  }

  std::string real(int depth) {
    if (depth == 0) return one({"x", "g", "0.5", "0.0", "1e-3"});
    const int d = depth - 1;
    switch (pick(12)) {
      case 0:
        return "(" + number(d) + " / " + number(d) + ")";
      case 1:
        return "((" + time(d) + " - " + time(d) + ") / " + one({"1min)", "(ts - at))"});
      case 2:
        return "(" + real(d) + one({" + ", " - ", " * "}) + number(d) + ")";
      case 3:
        return one({"abs(", "sign(", "floor(", "ceil(", "trunc(", "round("}) + real(d) + ")";
      case 4:
        return branch(depth, real(d), real(d));
      case 5:
        return one({"least(", "greatest("}) + real(d) + ", " + number(d) + ")";
      case 6:
        return "round(" + real(d) + one({", 1)", ", 2)", ", 15)", ", -1)", ", -3)"});
      case 7:
        return one({"sqrt(", "exp(", "expm1(", "log(", "log2(", "log10(", "log1p(", "sin(", "cos(",
                    "tan(", "asin(", "acos(", "atan(", "tanh("}) +
               number(d) + ")";
      case 8:
        return one({"pow(", "atan2("}) + number(d) + ", " + number(d) + ")";
      case 9:
        return "haversine_km(" + real(d) + ", x, " + number(d) + ", 7)";
      case 10:
        return one({"cast(", "try_cast("}) + (pick(2) ? text(d) : number(d)) +
               one({" as float64)", " as float32)"});
      default:
        return one({"nullif(" + real(d) + ", " + real(d) + ")",
                    "clamp(" + real(d) + ", 0, " + number(d) + ")"});
    }
  }

  std::string time(int depth) {
    if (depth == 0) return one({"ts", "at"});
    const int d = depth - 1;
    switch (pick(4)) {
      case 0:
        return "date_trunc('" + unit() + "', " + time(d) + ")";
      case 1:
        return "cast(" + date(d) + " as timestamp)";
      default:
        return "(" + time(d) + one({" + ", " - "}) +
               one({"seconds(", "minutes(", "hours(", "days("}) + number(d) + "))";
    }
  }

  std::string date(int depth) {
    if (depth == 0) return one({"d", "date '2004-02-29'", "d"});
    const int d = depth - 1;
    switch (pick(4)) {
      case 0:
        return "cast(" + time(d) + " as date)";
      case 1:
        return "date_trunc(" + one({"'day'", "'week'", "'month'", "'quarter'", "'year'"}) + ", " +
               date(d) + ")";
      case 2:
        return one({"cast(", "try_cast("}) + text(d) + " as date)";
      default:
        return branch(depth, date(d), date(d));
    }
  }

  std::string text(int depth) {
    if (depth == 0) return one({"s", "'ab'", "'é|'", "''", "s"});
    const int d = depth - 1;
    switch (pick(9)) {
      case 0:
        return one({"lower(", "upper(", "trim(", "ltrim(", "rtrim("}) + text(d) + ")";
      case 1:
        return "substr(" + text(d) + ", " + integer(d) + (pick(2) ? ", " + integer(d) : "") + ")";
      case 2:
        return "split_part(" + text(d) + ", " + one({"'a'", "','", "''", "s"}) + ", " + integer(d) +
               ")";
      case 3:
        return "replace(" + text(d) + ", " + one({"'a'", "'é'", "''", "s"}) + ", " + text(d) + ")";
      case 4:
        return "concat(" + text(d) + ", " + text(d) + ")";
      case 5:
        return "cast(" + any(d, pick(6)) + " as string)";
      case 6:
        return "cross(" + any(d, pick(6)) + ", " + text(d) + ")";
      case 7:
        return "nullif(" + text(d) + ", " + text(d) + ")";
      default:
        return branch(depth, text(d), text(d));
    }
  }

  std::string condition(int depth) {
    if (depth == 0)
      return one({"b", "(n > 3)", "(s = 'a')", "(x is null)", "(s is not null)", "(b = true)"});
    const int d = depth - 1;
    switch (pick(11)) {
      case 0:
        return "(" + condition(d) + one({" and ", " or "}) + condition(d) + ")";
      case 1:
        return "(not " + condition(d) + ")";
      case 2:
        return "(" + number(d) + comparison() + number(d) + ")";
      case 3:
        return "(" + time(d) + comparison() + time(d) + ")";
      case 4:
        return "(" + text(d) + comparison() + text(d) + ")";
      case 5:
        return "(" + text(d) + one({" like ", " not like "}) +
               one({"'%a%'", "'a_'", "'%'", "''", "'_é%'", "'%b_c%_'", "'!%' escape '!'"}) + ")";
      case 6:
        return "regexp_like(" + text(d) +
               one({", '^a')", ", 'b+c?$')", ", '[0-9]+')", ", 'é|ab')"});
      case 7:
        return one({"contains(", "starts_with(", "ends_with("}) + text(d) + ", " + text(d) + ")";
      case 8: {
        const unsigned kind = pick(6);
        return "(" + any(d, kind) + one({" is distinct from ", " is not distinct from "}) +
               any(d, kind) + ")";
      }
      case 9:
        return "is_weekend(" + (pick(2) ? time(d) : date(d)) + ")";
      default:
        return one({"cast(", "try_cast("}) + (pick(2) ? number(d) : text(d)) + " as bool)";
    }
  }

 private:
  unsigned pick(unsigned count) { return static_cast<unsigned>(random_() % count); }
  std::string one(std::vector<std::string> from) { return from[random_() % from.size()]; }
  std::string comparison() { return one({" = ", " != ", " < ", " <= ", " > ", " >= "}); }
  std::string unit() {
    return one({"microsecond", "millisecond", "second", "minute", "hour", "day", "week", "month",
                "quarter", "year"});
  }
  std::string branch(int depth, const std::string& a, const std::string& b) {
    switch (pick(4)) {
      case 0:
        return "if(" + condition(depth - 1) + ", " + a + ", " + b + ")";
      case 1:
        return "coalesce(" + a + ", " + b + ")";
      case 2:
        return "case when " + condition(depth - 1) + " then " + a + " when " +
               condition(depth - 1) + " then " + b + " end";
      default:
        return "case " + integer(depth - 1) + " when 3 then " + a + " when " + integer(depth - 1) +
               " then " + b + " else " + a + " end";
    }
  }
  std::mt19937_64& random_;
};

}  // namespace coeval::kernel::testing
