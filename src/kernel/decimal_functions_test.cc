#include "kernel/decimal_functions.h"

#include <doctest/doctest.h>

#include <limits>
#include <string>

#include "kernel/evaluated_for_tests.h"

namespace coeval::kernel {
namespace {

using data::decimal_type;
using data::Type;
using data::Value;
using testing::batch_of;
using testing::evaluated;

// One row of a(18,2) and b(18,4), times 10^2 and 10^4, and n.
std::string of(const std::string& text, EvaluationCounts& counts, Value a, Value b = Value{},
               Value n = Value{}) {
  data::Batch batch;
  batch.rows = 1;
  batch.schema = {{{"a", decimal_type(18, 2), true},
                   {"b", decimal_type(18, 4), true},
                   {"n", Type::int64, true}}};
  batch.columns = {testing::column_of(decimal_type(18, 2), {a}),
                   testing::column_of(decimal_type(18, 4), {b}),
                   testing::column_of(Type::int64, {n})};
  const data::Column column = evaluated(text, batch, counts);
  return data::to_text(column.value(0), column.type());
}

std::string of(const std::string& text, std::int64_t a, std::int64_t b = 0, std::int64_t n = 0) {
  EvaluationCounts counts;
  return of(text, counts, Value{a}, Value{b}, Value{n});
}

constexpr std::int64_t kMost = 999'999'999'999'999'999;

TEST_CASE("what has more than 18 digits is null, and counted once") {
  EvaluationCounts counts;
  CHECK(of("a + a", counts, Value{kMost}) == "null");
  CHECK(counts.integer_overflows == 1);
  CHECK(of("a + b", counts, Value{kMost}, Value{std::int64_t{1}}) == "null");
  CHECK(of("a * n", counts, Value{kMost}, Value{}, Value{std::int64_t{2}}) == "null");
  CHECK(of("n - a", counts, Value{std::int64_t{0}}, Value{},
           Value{std::numeric_limits<std::int64_t>::min()}) == "null");
  CHECK(counts.integer_overflows == 4);
  CHECK(of("a - a", counts, Value{kMost}) == "0.00");
  CHECK(of("-a", counts, Value{kMost}) == "-9999999999999999.99");
  CHECK(of("abs(a)", counts, Value{-kMost}) == "9999999999999999.99");
  CHECK(of("round(a, -15)", counts, Value{kMost}) == "10000000000000000");
  CHECK(of("a + null", counts, Value{kMost}) == "null");
  CHECK(of("if(n = 1, a + a, a)", counts, Value{kMost}, Value{}, Value{std::int64_t{0}}) ==
        "9999999999999999.99");
  CHECK(counts.integer_overflows == 4);
}

TEST_CASE("a quotient is the exact one rounded once, and a divisor of zero is counted") {
  EvaluationCounts counts;
  CHECK(of("a / b", 30, 1000) == "3");  // 0.30 / 0.1000
  CHECK(of("a / n", 100, 0, 3) == "0.3333333333333333");
  CHECK(of("n / a", kMost, 0, std::numeric_limits<std::int64_t>::max()) == "922.3372036854776");
  CHECK(of("a / b", counts, Value{std::int64_t{1}}, Value{std::int64_t{0}}) == "null");
  CHECK(of("a / n", counts, Value{std::int64_t{1}}, Value{}, Value{std::int64_t{0}}) == "null");
  CHECK(of("1.5 / a", counts, Value{std::int64_t{0}}) == "null");
  CHECK(counts.integer_zero_divisions == 3);
  CHECK(of("a / 0.0", counts, Value{std::int64_t{1}}) == "inf");
}

TEST_CASE("values of any two scales compare exactly, beyond 64 bits too") {
  CHECK(of("a = b", 150, 15000) == "true");
  CHECK(of("a < b", 150, 15001) == "true");
  CHECK(of("a > n", kMost, 0, 9'999'999'999'999'999) == "true");
  CHECK(of("a < n", kMost, 0, std::numeric_limits<std::int64_t>::max()) == "true");
  CHECK(of("n <= b", 0, -kMost, std::numeric_limits<std::int64_t>::min()) == "true");
  CHECK(of("a is distinct from b", 150, 15000) == "false");
  EvaluationCounts counts;
  CHECK(of("a is distinct from b", counts, Value{}, Value{}) == "false");
  CHECK(of("a is distinct from b", counts, Value{}, Value{std::int64_t{1}}) == "true");
  CHECK(of("a = b", counts, Value{}, Value{std::int64_t{1}}) == "null");
}

TEST_CASE("functions leave whole numbers, halves go away from zero") {
  CHECK(of("floor(a)", -250) == "-3");
  CHECK(of("ceil(a)", -250) == "-2");
  CHECK(of("trunc(a)", -250) == "-2");
  CHECK(of("round(a)", -250) == "-3");
  CHECK(of("round(a)", 249) == "2");
  CHECK(of("round(b, 2)", 0, -50) == "-0.01");
  CHECK(of("round(b, 3)", 0, 15) == "0.002");
  CHECK(of("round(a, -1)", -1500) == "-20");
  CHECK(of("round(a, -1)", 1499) == "10");
  CHECK(of("round(b, -15)", 0, kMost) == "0");
  CHECK(of("sign(a)", -1) == "-1");
}

TEST_CASE(
    "a cast that does not fit is null and counted, a value of a branch that is not taken is not") {
  EvaluationCounts counts;
  CHECK(of("cast(a as decimal(4,1))", counts, Value{std::int64_t{12345}}) == "123.4");
  CHECK(of("cast(a as decimal(4,1))", counts, Value{std::int64_t{12355}}) == "123.6");
  CHECK(of("cast(a as decimal(4,1))", counts, Value{std::int64_t{99995}}) == "null");
  CHECK(of("cast(a as int32)", counts, Value{kMost}) == "null");
  CHECK(of("coalesce(a, n)", counts, Value{}, Value{}, Value{kMost}) == "null");
  CHECK(counts.failed_casts == 3);
  CHECK(of("coalesce(a, n)", counts, Value{std::int64_t{5}}, Value{}, Value{kMost}) == "0.05");
  CHECK(of("try_cast(a as decimal(4,1))", counts, Value{kMost}) == "null");
  CHECK(counts.failed_casts == 3);
}

}  // namespace
}  // namespace coeval::kernel
