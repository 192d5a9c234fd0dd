#include "define/decimal_types.h"

#include <doctest/doctest.h>

#include <string>

namespace coeval::define {
namespace {

using data::decimal_type;
using data::Type;

data::Schema row() {
  return {{{"a", decimal_type(12, 2), true},
           {"b", decimal_type(9, 4), true},
           {"w", decimal_type(18, 12), true},
           {"i", Type::int32, true},
           {"n", Type::int64, true},
           {"x", Type::float64, true},
           {"s", Type::string, true}}};
}

std::string typed(const std::string& expression) {
  const auto expr = compile_expression(expression, row(), true, "here");
  if (!expr) return code_name(expr.error().code) + ": " + expr.error().message;
  return std::string(data::name((*expr)->type)) + " " + canonical(**expr);
}

}  // namespace

TEST_CASE("sums have one digit more, products the digits of both, and 18 at most") {
  CHECK(typed("a + b") == "decimal(15,4) (a + b)");
  CHECK(typed("a - a") == "decimal(13,2) (a - a)");
  CHECK(typed("a * b") == "decimal(18,6) (a * b)");
  CHECK(typed("b * b") == "decimal(18,8) (b * b)");
  CHECK(typed("a + w") == "decimal(18,12) (a + w)");
  CHECK(typed("a * w") == "decimal(18,14) (a * w)");
  CHECK(typed("-a") == "decimal(12,2) (- a)");
  CHECK(typed("a / b") == "float64 (a / b)");
  CHECK(typed("w * w").starts_with("C0413: the product of decimal(18,12) and decimal(18,12)"));
  CHECK(typed("a % b") == "C0413: '%' needs integers, not decimal(14,4)");
  CHECK(typed("a / decimal '0.0'") == "C0413: division by zero");
}

TEST_CASE("an integer counts as a decimal without a fraction, a float makes floats") {
  CHECK(typed("a + 1") == "decimal(18,2) (a + 1)");
  CHECK(typed("i * a") == "decimal(18,2) (cast(i as int64) * a)");
  CHECK(typed("a / n") == "float64 (a / n)");
  CHECK(typed("a + 0.5") == "float64 (cast(a as float64) + 0.5)");
  CHECK(typed("a / x") == "float64 (cast(a as float64) / x)");
  CHECK(typed("a + null") == "decimal(13,2) (a + null)");
  CHECK(typed("sqrt(a)") == "float64 sqrt(cast(a as float64))");
  CHECK(typed("minutes(a)") == "duration minutes(cast(a as float64))");
  CHECK(typed("a + s").starts_with("C0413"));
}

TEST_CASE("comparisons keep both sides as they are, but for floats") {
  CHECK(typed("a = b") == "bool (a = b)");
  CHECK(typed("a < i") == "bool (a < cast(i as int64))");
  CHECK(typed("n is distinct from a") == "bool (n is distinct from a)");
  CHECK(typed("a >= 0.1") == "bool (cast(a as float64) >= 0.1)");
  CHECK(typed("a in (1, decimal '2.5')") == "bool ((a = 1) or (a = decimal '2.5'))");
  CHECK(typed("a = s").starts_with("C0413: cannot compare decimal(12,2) with string"));
  CHECK(typed("a = true").starts_with("C0413"));
}

TEST_CASE("values of one choice get one scale") {
  CHECK(typed("coalesce(a, b)") ==
        "decimal(14,4) coalesce(cast(a as decimal(14,4)), cast(b as decimal(14,4)))");
  CHECK(typed("if(true, a, 7)") ==
        "decimal(18,2) if(true, cast(a as decimal(18,2)), "
        "cast(decimal '7.00' as decimal(18,2)))");
  CHECK(typed("least(a, n)") ==
        "decimal(18,2) least(cast(a as decimal(18,2)), cast(n as decimal(18,2)))");
  CHECK(typed("greatest(a, x)") == "float64 greatest(cast(a as float64), x)");
  CHECK(typed("case when true then a when false then b end") ==
        "decimal(14,4) (case when true then cast(a as decimal(14,4)) when false then "
        "cast(b as decimal(14,4)) else null end)");
  CHECK(typed("least(w, 10000000)").find("cast(10000000 as decimal(18,12))") != std::string::npos);
  CHECK(typed("clamp(a, 1, decimal '0.5')").starts_with("C0414"));
}

TEST_CASE("functions give the digits that are left") {
  CHECK(typed("abs(a)") == "decimal(12,2) abs(a)");
  CHECK(typed("sign(a)") == "int64 sign(a)");
  CHECK(typed("floor(a)") == "decimal(11,0) floor(a)");
  CHECK(typed("trunc(w)") == "decimal(7,0) trunc(w)");
  CHECK(typed("round(b, 2)") == "decimal(8,2) round(b, 2)");
  CHECK(typed("round(b, 9)") == "decimal(9,4) round(b, 9)");
  CHECK(typed("round(a, -1)") == "decimal(11,0) round(a, -1)");
  CHECK(typed("bucketize(a, 1, decimal '2.5')") ==
        "int64 bucketize(cast(a as decimal(18,2)), cast(decimal '1.00' as decimal(18,2)), "
        "cast(decimal '2.50' as decimal(18,2)))");
  CHECK(typed("bucketize(w, 1, 10000000)").starts_with("C0414"));
  CHECK(typed("hash_bucket(a, 7)") == "int64 hash_bucket(a, 7)");
}

TEST_CASE("a constant has the digits that are written, and folds") {
  CHECK(typed("decimal '12.30'") == "decimal(4,2) decimal '12.30'");
  CHECK(typed("-decimal '0.05'") == "decimal(2,2) decimal '-0.05'");
  CHECK(typed("cast('1.5' as decimal(12,2))") ==
        "decimal(12,2) cast(decimal '1.50' as decimal(12,2))");
  CHECK(typed("cast(decimal '2.675' as decimal( 18 , 2 ))") ==
        "decimal(18,2) cast(decimal '2.68' as decimal(18,2))");
  CHECK(typed("cast(0.5 as decimal(1,0))") == "decimal(1,0) decimal '0'");
  CHECK(typed("cast(decimal '2.5' as int64)") == "int64 2");
  CHECK(typed("cast(decimal '0.1' as string)") == "string '0.1'");
  CHECK(typed("cast('1.555' as decimal(12,2))").starts_with("C0413: '1.555' is no decimal(12,2)"));
  CHECK(typed("try_cast('1.555' as decimal(12,2))").starts_with("decimal(12,2) try_cast("));
  CHECK(typed("decimal '1e3'").starts_with("C0413"));
  CHECK(typed("decimal '0.1234567890123456789'").starts_with("C0413"));
  CHECK(typed("cast(a as decimal)").starts_with("C0413: unknown type 'decimal'"));
  CHECK(typed("cast(a as decimal(19,2))").starts_with("C0413: unknown type 'decimal(19,2)'"));
  CHECK(typed("cast(a as decimal(12,2)").starts_with("C0302"));
  CHECK(typed("\"decimal\" + 1").starts_with("C0412"));
}

TEST_CASE("casts that widen need no check at evaluation, others do") {
  const auto op_of = [](const std::string& expression) {
    const auto expr = compile_expression(expression, row(), true, "here");
    REQUIRE(expr.has_value());
    return (*expr)->op;
  };
  CHECK(op_of("cast(a as decimal(14,4))") == Op::cast);
  CHECK(op_of("cast(a as decimal(13,4))") == Op::convert);
  CHECK(op_of("cast(a as decimal(18,1))") == Op::convert);
  CHECK(op_of("cast(i as decimal(12,2))") == Op::cast);
  CHECK(op_of("cast(i as decimal(11,2))") == Op::convert);
  CHECK(op_of("cast(n as decimal(18,0))") == Op::convert);
  CHECK(op_of("cast(a as float64)") == Op::cast);
  CHECK(op_of("cast(a as int64)") == Op::convert);
}

}  // namespace coeval::define
