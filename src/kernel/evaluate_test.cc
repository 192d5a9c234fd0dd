#include "kernel/evaluate.h"
#include "base/rounds_for_tests.h"

#include <doctest/doctest.h>

#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "kernel/block_loops.h"
#include "kernel/random_expressions_for_tests.h"
#include "kernel/scalar_for_tests.h"

namespace coeval::kernel {
namespace {

using testing::kSchema;
using testing::Op;
using testing::random_batch;
using testing::RandomText;
using testing::Scalar;
using testing::Type;
using testing::Value;

define::ExprPtr compiled(const std::string& text) {
  auto expr = define::compile_expression(text, kSchema, true, "test");
  if (!expr) FAIL(text << ": " << one_line(expr.error()));
  return *expr;
}

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
    INFO(data::to_text(value, found.type()) << " | " << data::to_text(expected, found.type()));
    REQUIRE(value == expected);
  }
}

TEST_CASE("blocks give what each row gives by the book, and one row the bits of many") {
  std::mt19937_64 random(5);
  RandomText text(random);
  int compiled_count = 0;
  for (int round = 0; round < test_rounds(6000); ++round) {
    const int depth = static_cast<int>(random() % 4);
    const std::string source = text.any(depth, static_cast<unsigned>(round % 6));
    INFO(source);
    const auto checked = define::compile_expression(source, kSchema, true, "test");
    if (!checked) {  // a constant that can only be null, does not fit or makes no sense is refused
      const bool bounds = checked.error().message == "the upper bound is below the lower one";
      REQUIRE((checked.error().code == Code::type_error || bounds));
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
      if (found.is_null(row)) continue;
      if (data::is_float(found.type()))
        REQUIRE(std::bit_cast<std::uint64_t>(single.real(0)) ==
                std::bit_cast<std::uint64_t>(found.real(row)));
      else
        REQUIRE(single.value(0) == found.value(row));
    }
    if (expr->op == Op::column) continue;
    CHECK(single_counts == counts);
    CHECK(expected_counts == counts);
  }
  CHECK(compiled_count > test_rounds(5000));
}

// The same rows in memory that begins where no vector would like it to.
data::Batch moved(const data::Batch& batch, std::size_t values) {
  data::Batch out = batch;
  for (data::Column& column : out.columns) {
    const std::size_t width = data::width(column.type());
    if (width == 0) continue;
    const std::size_t bytes = static_cast<std::size_t>(batch.rows) * width;
    auto memory = std::make_shared<std::vector<std::byte>>(values * width + bytes);
    std::memcpy(memory->data() + values * width, column.values_data(), bytes);
    auto owner = std::make_shared<std::pair<std::shared_ptr<void>, data::Column>>(memory, column);
    column =
        data::Column::borrowed(column.type(), batch.rows, column.validity_data(),
                               memory->data() + values * width, nullptr, nullptr, nullptr, owner);
  }
  return out;
}

void check_same(const data::Column& found, const data::Column& expected) {
  REQUIRE(found.has_nulls() == expected.has_nulls());
  for (std::int64_t row = 0; row < expected.size(); ++row) {
    REQUIRE(found.is_null(row) == expected.is_null(row));
    if (found.is_null(row)) continue;
    if (data::is_float(found.type()))
      REQUIRE(std::bit_cast<std::uint64_t>(found.real(row)) ==
              std::bit_cast<std::uint64_t>(expected.real(row)));
    else
      REQUIRE(found.value(row) == expected.value(row));
  }
}

TEST_CASE("every instruction set gives the bits, nulls and counts of plain code") {
  std::mt19937_64 random(17);
  RandomText text(random);
  std::int64_t counted = 0;
  for (int round = 0; round < test_rounds(1500); ++round) {
    const std::string source =
        text.any(2 + static_cast<int>(random() % 3), static_cast<unsigned>(random() % 4));
    INFO(source);
    const auto expr = define::compile_expression(source, kSchema, true, "test");
    if (!expr || (*expr)->op == Op::column) continue;
    const std::int64_t rows = round % 10 == 0 ? 1000 + static_cast<std::int64_t>(random() % 1200)
                                              : 1 + static_cast<std::int64_t>(random() % 300);
    const data::Batch batch = moved(random_batch(random, rows), random() % 8);
    std::vector<std::int64_t> at;
    for (std::int64_t row = 0; row < rows; ++row)
      at.push_back(static_cast<std::int64_t>(random() >> 16));
    EvaluationCounts counts;
    const data::Column expected = evaluate_by(plain_loops(), **expr, batch, at, counts);
    counted += counts.integer_overflows + counts.integer_zero_divisions;
    for (const BlockLoops* loops : all_loops()) {
      INFO(std::string(loops->name));
      EvaluationCounts found_counts;
      check_same(evaluate_by(*loops, **expr, batch, at, found_counts), expected);
      REQUIRE(found_counts == counts);
    }
  }
  CHECK(counted > 0);
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

TEST_CASE("a NaN that was computed is the one quiet NaN") {
  data::Batch batch;
  batch.schema = {{{"x", Type::float64, false}, {"y", Type::float64, false}}};
  for (const double value : {std::numeric_limits<double>::infinity(), -0.0}) {
    data::ColumnBuilder builder(Type::float64);
    builder.append_real(value);
    batch.columns.push_back(builder.finish());
  }
  batch.rows = 1;
  for (const char* text : {"x - x", "-(x - x)", "y / y", "x * y", "sqrt(-1 - x)", "log(-x)",
                           "-abs(x - x)", "sin(x)", "pow(-8, 0.3)"}) {
    CAPTURE(text);
    const auto expr = define::compile_expression(text, batch.schema, false, "test");
    REQUIRE(expr);
    EvaluationCounts counts;
    CHECK(std::bit_cast<std::uint64_t>(evaluate(**expr, batch, {}, counts).real(0)) ==
          0x7FF8000000000000);
  }
}

TEST_CASE("conditions after the one that holds are not looked at, nor values of the others") {
  const data::Batch one = [] {
    std::mt19937_64 random(1);
    return random_batch(random, 1);
  }();
  EvaluationCounts counts;
  const auto value = [&](const std::string& text) {
    return evaluate(*compiled(text), one, std::array{std::int64_t{0}}, counts).value(0);
  };
  const std::string overflow = "(9223372036854775807 + minute(at) + 1)";
  CHECK(value("case when 1 = 1 then 1 when " + overflow + " > 0 then 2 end") ==
        Value{std::int64_t{1}});
  CHECK(value("case when 1 = 2 then " + overflow + " when null = 1 then " + overflow +
              " when 1 = 1 then 3 else " + overflow + " end") == Value{std::int64_t{3}});
  CHECK(counts == EvaluationCounts{});
  CHECK(value("case when 1 = 2 then 1 else " + overflow + " end") == Value{});
  CHECK(counts.integer_overflows == 1);
}

TEST_CASE("distinctness knows null and NaN, equality knows neither") {
  const data::Batch one = [] {
    std::mt19937_64 random(1);
    return random_batch(random, 1);
  }();
  EvaluationCounts counts;
  const auto value = [&](const std::string& text) {
    return evaluate(*compiled(text), one, std::array{std::int64_t{0}}, counts).value(0);
  };
  const std::string nan = "cast('nan' as float64)";
  CHECK(value("null is distinct from 1") == Value{true});
  CHECK(value("1 is not distinct from 1.0") == Value{true});
  CHECK(value("try_cast('x' as int64) is distinct from null") == Value{false});
  CHECK(value(nan + " is distinct from " + nan) == Value{false});
  CHECK(value(nan + " = " + nan) == Value{false});
  CHECK(value(nan + " is distinct from 0.0") == Value{true});
  CHECK(value("nullif(" + nan + ", " + nan + ") is null") == Value{false});
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
