#include "kernel/evaluate.h"

#include <doctest/doctest.h>
#include <mpfr.h>

#include <array>
#include <bit>
#include <cmath>
#include <limits>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "base/time.h"
#include "define/project.h"

namespace coeval::kernel {
namespace {

using data::Type;
using data::Value;
using define::Expr;
using define::Op;

const data::Schema kSchema = {{{"ts", Type::timestamp, true},
                               {"n", Type::int64, true},
                               {"i", Type::int32, true},
                               {"x", Type::float64, true},
                               {"g", Type::float32, true},
                               {"b", Type::boolean, true},
                               {"s", Type::string, true},
                               {"d", Type::date, true}}};

define::ExprPtr compiled(const std::string& text) {
  auto expr = define::compile_expression(text, kSchema, true, "test");
  if (!expr) FAIL(text << ": " << one_line(expr.error()));
  return *expr;
}

// One row at a time and by the book: what the blocks must agree with.
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
      case Op::if_else: {
        const Value condition = (*this)(*e.args[0]);
        const bool* yes = std::get_if<bool>(&condition);
        return (*this)(*e.args[yes != nullptr && *yes ? 1 : 2]);
      }
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
      default:
        return strict(e);
    }
  }

 private:
  static bool is_null(const Value& v) { return data::is_null(v); }

  Value strict(const Expr& e) {
    std::vector<Value> a;
    for (const auto& arg : e.args) a.push_back((*this)(*arg));
    for (const auto& v : a)
      if (is_null(v)) return {};
    if (e.op == Op::logical_not) return !std::get<bool>(a[0]);
    if (e.op == Op::cast) return cast(a[0], e.type);
    if (e.op == Op::fn_least || e.op == Op::fn_greatest) {
      Value best = a[0];
      for (const auto& v : a)
        if (e.op == Op::fn_least ? before(v, best) : before(best, v)) best = v;
      return best;
    }
    if (const auto* x = std::get_if<std::int64_t>(&a[0])) return integer(e, *x, a);
    if (const auto* x = std::get_if<double>(&a[0])) return real(e, *x, a);
    if (const auto* x = std::get_if<bool>(&a[0])) return compare(e.op, *x, std::get<bool>(a[1]));
    return compare(e.op, std::get<std::string>(a[0]), std::get<std::string>(a[1]));
  }

  static bool before(const Value& a, const Value& b) {
    if (const auto* x = std::get_if<std::int64_t>(&a)) return *x < std::get<std::int64_t>(b);
    const double x = std::get<double>(a), y = std::get<double>(b);
    if (std::isnan(x) || std::isnan(y)) return !std::isnan(x) && std::isnan(y);
    return x == y ? std::signbit(x) && !std::signbit(y) : x < y;
  }

  static Value cast(const Value& v, Type to) {
    if (const auto* b = std::get_if<bool>(&v))
      return data::is_float(to) ? Value{*b ? 1.0 : 0.0} : Value{std::int64_t{*b}};
    if (const auto* i = std::get_if<std::int64_t>(&v); i && data::is_float(to))
      return static_cast<double>(*i);
    return v;
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
    const CivilTime t = civil_time(e.args[0]->type == Type::timestamp ? x : 0);
    switch (e.op) {
      case Op::negate:
        return fitting(-wide);
      case Op::fn_abs:
        return fitting(wide < 0 ? -wide : wide);
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
      case Op::fn_year:
        return t.year;
      case Op::fn_month:
        return std::int64_t{t.month};
      case Op::fn_day:
        return std::int64_t{t.day};
      case Op::fn_hour:
        return std::int64_t{t.hour};
      case Op::fn_minute:
        return std::int64_t{t.minute};
      case Op::fn_second:
        return std::int64_t{t.second};
      case Op::fn_weekday:
        return std::int64_t{t.weekday};
      case Op::fn_minute_of_day:
        return std::int64_t{t.hour * 60 + t.minute};
      case Op::fn_day_of_year:
        return std::int64_t{t.day_of_year};
      default:
        return compare(e.op, x, y);
    }
  }

  Value real(const Expr& e, double x, const std::vector<Value>& a) {
    const double y = a.size() > 1 ? std::get<double>(a[1]) : 0;
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
        if (y == 0 && e.args[1]->op == Op::cast && data::is_integer(e.args[1]->args[0]->type)) {
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
      default:
        return compare(e.op, x, y);
    }
  }

  // The product by MPFR, exact, then rounded half to even.
  Value rounded(double x, std::int64_t unit) {
    mpfr_t product;
    mpfr_init2(product, 200);
    mpfr_set_d(product, x, MPFR_RNDN);
    mpfr_mul_si(product, product, unit, MPFR_RNDN);
    const bool number = mpfr_number_p(product) != 0;
    if (number) mpfr_rint(product, product, MPFR_RNDN);
    const bool fits = number && mpfr_fits_intmax_p(product, MPFR_RNDN) != 0;
    const std::int64_t value = fits ? mpfr_get_sj(product, MPFR_RNDN) : 0;
    mpfr_clear(product);
    if (fits) return value;
    ++counts.integer_overflows;
    return {};
  }

  const data::Batch& batch_;
  std::int64_t row_, at_;
};

data::Batch random_batch(std::mt19937_64& random, std::int64_t rows) {
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
        builder.append_string(std::string(random() % 3, static_cast<char>('a' + random() % 3)));
      else if (data::is_float(field.type))
        builder.append_real(random() % 3 == 0 ? kReals[random() % kReals.size()]
                                              : static_cast<double>(small) / 8);
      else if (field.type == Type::int64)
        builder.append_integer(random() % 3 == 0 ? kIntegers[random() % kIntegers.size()] : small);
      else if (field.type == Type::timestamp)
        builder.append_integer(static_cast<std::int64_t>(random() >> 8) - (std::int64_t{1} << 55));
      else
        builder.append_integer(small);
    }
    batch.columns.push_back(builder.finish());
  }
  return batch;
}

// Random text of an expression of the type wanted.
class RandomText {
 public:
  explicit RandomText(std::mt19937_64& random) : random_(random) {}
  std::string number(int depth) { return pick(2) ? integer(depth) : real(depth); }
  std::string integer(int depth) {
    if (depth == 0) return one({"n", "i", "3", "0", "-7"});
    switch (pick(6)) {
      case 0:
        return "(" + integer(depth - 1) + one({" + ", " - ", " * ", " % "}) + integer(depth - 1) +
               ")";
      case 1:
        return "abs(" + integer(depth - 1) + ")";
      case 2:
        return "(-" + integer(depth - 1) + ")";
      case 3:
        return one({"year", "month", "day", "hour", "minute", "second", "weekday", "minute_of_day",
                    "day_of_year"}) +
               "(" + one({"ts", "at"}) + ")";
      case 4:
        return branch(depth, integer(depth - 1), integer(depth - 1));
      default:
        return one({"least(", "greatest("}) + integer(depth - 1) + ", " + integer(depth - 1) + ")";
    }
  }
  std::string real(int depth) {
    if (depth == 0) return one({"x", "g", "0.5", "0.0", "1e-3"});
    switch (pick(5)) {
      case 0:
        return "(" + number(depth - 1) + " / " + number(depth - 1) + ")";
      case 1:
        return "(" + real(depth - 1) + one({" + ", " - ", " * "}) + number(depth - 1) + ")";
      case 2:
        return "abs(" + real(depth - 1) + ")";
      case 3:
        return branch(depth, real(depth - 1), real(depth - 1));
      default:
        return one({"least(", "greatest("}) + real(depth - 1) + ", " + number(depth - 1) + ")";
    }
  }
  std::string time(int depth) {
    if (depth == 0) return one({"ts", "at"});
    return "(" + time(depth - 1) + one({" + ", " - "}) +
           one({"seconds(", "minutes(", "hours(", "days("}) + number(depth - 1) + "))";
  }
  std::string condition(int depth) {
    if (depth == 0)
      return one({"b", "(n > 3)", "(s = 'a')", "(x is null)", "(s is not null)", "(b = true)"});
    switch (pick(5)) {
      case 0:
        return "(" + condition(depth - 1) + one({" and ", " or "}) + condition(depth - 1) + ")";
      case 1:
        return "(not " + condition(depth - 1) + ")";
      case 2:
        return "(" + number(depth - 1) + comparison() + number(depth - 1) + ")";
      case 3:
        return "(" + time(depth - 1) + comparison() + time(depth - 1) + ")";
      default:
        return "(s" + comparison() + one({"'b'", "s", "'aa'"}) + ")";
    }
  }

 private:
  bool pick_bool() { return random_() % 2 == 0; }
  unsigned pick(unsigned count) { return static_cast<unsigned>(random_() % count); }
  std::string one(std::vector<std::string> from) { return from[random_() % from.size()]; }
  std::string comparison() { return one({" = ", " != ", " < ", " <= ", " > ", " >= "}); }
  std::string branch(int depth, const std::string& a, const std::string& b) {
    return pick_bool() ? "if(" + condition(depth - 1) + ", " + a + ", " + b + ")"
                       : "coalesce(" + a + ", " + b + ")";
  }
  std::mt19937_64& random_;
};

void check_cell(const data::Column& found, std::int64_t row, const Value& expected) {
  REQUIRE(found.is_null(row) == data::is_null(expected));
  if (data::is_null(expected)) return;
  const Value value = found.value(row);
  if (const auto* x = std::get_if<double>(&expected)) {
    const double y = std::get<double>(value);
    if (std::isnan(*x))
      REQUIRE(std::isnan(y));
    else
      REQUIRE(std::bit_cast<std::uint64_t>(*x) == std::bit_cast<std::uint64_t>(y));
  } else {
    REQUIRE(value == expected);
  }
}

TEST_CASE("blocks give what each row gives by the book, and one row the bits of many") {
  std::mt19937_64 random(5);
  RandomText text(random);
  int compiled_count = 0;
  for (int round = 0; round < 1500; ++round) {
    const int depth = static_cast<int>(random() % 4);
    const std::string source =
        std::array{text.integer(depth), text.real(depth), text.condition(depth),
                   text.time(depth)}[static_cast<std::size_t>(round % 4)];
    INFO(source);
    const auto checked = define::compile_expression(source, kSchema, true, "test");
    if (!checked) {  // a constant that can only be null or does not fit is refused
      REQUIRE(checked.error().code == Code::type_error);
      continue;
    }
    const auto& expr = *checked;
    ++compiled_count;
    const std::int64_t rows = round % 50 == 0 ? 2500 : 1 + static_cast<std::int64_t>(random() % 20);
    const data::Batch batch = random_batch(random, rows);
    std::vector<std::int64_t> at;
    for (std::int64_t row = 0; row < rows; ++row)
      at.push_back(static_cast<std::int64_t>(random() >> 16));
    EvaluationCounts counts, expected_counts, single_counts;
    const data::Column found = evaluate(*expr, batch, at, counts);
    REQUIRE(found.size() == rows);
    REQUIRE(found.type() == expr->type);
    for (std::int64_t row = 0; row < rows; ++row) {
      Scalar scalar(batch, row, at[static_cast<std::size_t>(row)]);
      check_cell(found, row, scalar(*expr));
      expected_counts += scalar.counts;
      const std::array one = {row};
      const std::array one_at = {at[static_cast<std::size_t>(row)]};
      const data::Column single = evaluate(*expr, data::take(batch, one), one_at, single_counts);
      REQUIRE(single.is_null(0) == found.is_null(row));
      if (!found.is_null(row) && data::is_float(found.type()))
        REQUIRE(std::bit_cast<std::uint64_t>(single.real(0)) ==
                std::bit_cast<std::uint64_t>(found.real(row)));
    }
    if (expr->op == Op::column) continue;
    CHECK(single_counts.integer_overflows == counts.integer_overflows);
    CHECK(single_counts.integer_zero_divisions == counts.integer_zero_divisions);
    CHECK(expected_counts.integer_overflows == counts.integer_overflows);
    CHECK(expected_counts.integer_zero_divisions == counts.integer_zero_divisions);
  }
  CHECK(compiled_count > 1000);
}

TEST_CASE("three-valued logic follows SQL's tables") {
  const data::Batch one = [] {
    std::mt19937_64 random(1);
    return random_batch(random, 1);
  }();
  EvaluationCounts counts;
  const auto value = [&](const std::string& text) {
    return evaluate(*compiled(text), one, std::array{std::int64_t{0}}, counts).value(0);
  };
  CHECK(value("(1 = 2) and (1 = null)") == Value{false});
  CHECK(value("(1 = 1) and (1 = null)") == Value{});
  CHECK(value("(1 = 1) or (1 = null)") == Value{true});
  CHECK(value("(1 = 2) or (1 = null)") == Value{});
  CHECK(value("not (1 = null)") == Value{});
  CHECK(value("if(1 = null, 1, 2)") == Value{std::int64_t{2}});
}

TEST_CASE("an overflow in a branch that is not taken is not counted") {
  data::Batch batch;
  batch.schema = {{{"n", Type::int64, false}}};
  data::ColumnBuilder builder(Type::int64);
  builder.append_integer(INT64_MAX);
  builder.append_integer(1);
  batch.columns.push_back(builder.finish());
  batch.rows = 2;
  const auto expr = define::compile_expression("if(n > 5, 0, n + 9223372036854775807)",
                                               batch.schema, false, "test");
  REQUIRE(expr);
  EvaluationCounts counts;
  const data::Column found = evaluate(**expr, batch, {}, counts);
  CHECK(found.value(0) == Value{std::int64_t{0}});
  CHECK(found.is_null(1));
  CHECK(counts.integer_overflows == 1);
}

TEST_CASE("durations round half to even, by the exact product") {
  std::mt19937_64 random(9);
  data::Batch batch;
  batch.schema = {{{"x", Type::float64, false}, {"ts", Type::timestamp, false}}};
  data::ColumnBuilder builder(Type::float64), times(Type::timestamp);
  for (int i = 0; i < 20000; ++i) {
    times.append_integer(0);
    const double micros =
        static_cast<double>(static_cast<std::int64_t>(random() % 2000001) - 1000000) + 0.5;
    double x = micros / 6e7;
    for (std::uint64_t step = random() % 3; step > 0; --step)
      x = std::nextafter(x, i % 2 == 0 ? 1e9 : -1e9);
    builder.append_real(i % 3 == 0 ? static_cast<double>(i) * 0x1p-9 : x);
  }
  batch.columns.push_back(builder.finish());
  batch.columns.push_back(times.finish());
  batch.rows = 20000;
  for (const char* text : {"minutes(x)", "seconds(x)", "days(x)"}) {
    const auto expr =
        define::compile_expression(std::string("ts + ") + text, batch.schema, false, "test");
    REQUIRE(expr);
    EvaluationCounts counts;
    const data::Column found = evaluate(*(*expr)->args[1], batch, {}, counts);
    for (std::int64_t row = 0; row < batch.rows; ++row) {
      Scalar scalar(batch, row, 0);
      check_cell(found, row, scalar(*(*expr)->args[1]));
    }
  }
}

TEST_CASE("a bare column is returned as it is") {
  std::mt19937_64 random(3);
  const data::Batch batch = random_batch(random, 10);
  EvaluationCounts counts;
  CHECK(evaluate(*compiled("n"), batch, {}, counts).values_data() ==
        batch.columns[1].values_data());
}

}  // namespace
}  // namespace coeval::kernel
