#include <doctest/doctest.h>

#include <string>

#include "define/checker.h"
#include "define/expr.h"
#include "define/functions.h"
#include "define/scope.h"

namespace coeval::define {
namespace {

using data::Type;

data::Schema row() {
  return {{{"ts", Type::timestamp, false},
           {"n", Type::int32, true},
           {"x", Type::float64, true},
           {"f", Type::float32, true},
           {"s", Type::string, true},
           {"b", Type::boolean, true},
           {"d", Type::date, true},
           {"odd name", Type::int64, true}}};
}

std::string text_of(const std::string& expression) {
  const auto expr = compile_expression(expression, row(), true, "here");
  return expr ? canonical(**expr) : "error: " + expr.error().message;
}

// "3 C0413: message"; columns are 1-based.
std::string failure(const std::string& expression) {
  const auto expr = compile_expression(expression, row(), true, "here");
  if (expr) return "no error: " + canonical(**expr);
  return std::to_string(expr.error().position.column) + " " + code_name(expr.error().code) + ": " +
         expr.error().message;
}

Type type_of(const std::string& expression) {
  const auto expr = compile_expression(expression, row(), true, "here");
  return expr ? (*expr)->type : Type::null;
}

std::string repeated(const std::string& piece, int times) {
  std::string text;
  for (int i = 0; i < times; ++i) text += piece;
  return text;
}

TEST_CASE("operators bind as in SQL") {
  CHECK(text_of("1 + 2 * 3 - 4") == "((1 + (2 * 3)) - 4)");
  CHECK(text_of("-x * 2") == "((- x) * 2.0)");
  CHECK(text_of("not b and b or b") == "(((not b) and b) or b)");
  CHECK(text_of("not n = 1") == "(not (cast(n as int64) = 1))");
  CHECK(text_of("n + 1 is null") == "((cast(n as int64) + 1) is null)");
  CHECK(text_of("(n > 1) = b") == "((cast(n as int64) > 1) = b)");
  CHECK(text_of("x - 1 - 2") == "((x - 1.0) - 2.0)");
}

TEST_CASE("between and in are comparisons, spelled out") {
  CHECK(text_of("x between 1 and 2 and b") == "(((x >= 1.0) and (x <= 2.0)) and b)");
  CHECK(text_of("s not in ('a', 'b', 'c')") == "(not ((s = 'a') or ((s = 'b') or (s = 'c'))))");
  CHECK(text_of("n not between 1 and 2") ==
        "(not ((cast(n as int64) >= 1) and (cast(n as int64) <= 2)))");
}

TEST_CASE("other spellings of an operator give the same text") {
  CHECK(text_of("n == 1 AND s != 'it''s'") == text_of("n=1 and s<>'it''s'"));
  CHECK(text_of("( ( n ) )=1") == text_of("n = 1"));
  CHECK(text_of("\"odd name\" + 1") == "(\"odd name\" + 1)");
  CHECK(text_of("1h + ts") == "(ts + 1h)");
  CHECK(text_of("60min") == text_of("1h"));
}

TEST_CASE("casts are inserted so that both sides have one type") {
  CHECK(text_of("n / 2") == "(cast(n as float64) / 2.0)");
  CHECK(text_of("f < 1") == "(cast(f as float64) < 1.0)");
  CHECK(text_of("n + f") == "(cast(n as float64) + cast(f as float64))");
  CHECK(text_of("coalesce(n, 0.5)") == "coalesce(cast(n as float64), 0.5)");
  CHECK(text_of("if(b, n, 0)") == "if(b, cast(n as int64), 0)");
  CHECK(text_of("abs(n)") == "abs(cast(n as int64))");
  CHECK(text_of("x + null") == "(x + null)");
  CHECK(type_of("x + null") == Type::float64);
  CHECK(type_of("if(b, null, s)") == Type::string);
  CHECK(text_of("minutes(40 + n / 7.5)") == "minutes((40.0 + (cast(n as float64) / 7.5)))");
}

TEST_CASE("times and durations have their own arithmetic") {
  CHECK(type_of("ts + 15min") == Type::timestamp);
  CHECK(type_of("ts - ts") == Type::duration);
  CHECK(type_of("1h - 15min") == Type::duration);
  CHECK(type_of("at - minutes(n)") == Type::timestamp);
  CHECK(text_of("-(ts - at)") == "(0d - (ts - at))");
  CHECK(text_of("-15min") == "-15min");
  CHECK(failure("ts + 1") == "1 C0413: no '+' for timestamp and int64");
  CHECK(failure("2 * 1h") == "1 C0413: no '*' for int64 and duration");
  CHECK(failure("d + 1h") == "1 C0413: no '+' for date and duration");
  CHECK(failure("ts > 15min") == "1 C0413: cannot compare timestamp with duration");
}

TEST_CASE("literals keep their type in the text") {
  CHECK(text_of("1e3") == "1000.0");
  CHECK(text_of("1.50") == "1.5");
  CHECK(text_of("-0.0") == "-0.0");
  CHECK(text_of("- 7") == "-7");
  CHECK(text_of("9223372036854775807") == "9223372036854775807");
  CHECK(failure("9223372036854775808").starts_with("1 C0302: an integer does not fit 64 bits"));
  CHECK(failure("1e999").starts_with("1 C0302: a number does not fit float64"));
}

TEST_CASE("each function's example compiles, and its text names the function") {
  for (const auto& function : functions()) {
    const std::string text = text_of(std::string(function.example));
    CAPTURE(function.example);
    CHECK(text.find(std::string(function.name) + "(") != std::string::npos);
    CHECK_FALSE(function.doc.empty());
    CHECK(function.signature.starts_with(function.name));
    CHECK_FALSE(is_future_function(function.name));
  }
}

TEST_CASE("errors point at the offending part") {
  CHECK(failure("x + amout") == "5 C0412: unknown column 'amout'");
  CHECK(failure("x + s") == "1 C0413: '+' needs numbers, not string");
  CHECK(failure("x > s") == "1 C0413: cannot compare float64 with string");
  CHECK(failure("b < b") == "1 C0413: booleans have no order");
  CHECK(failure("b and x") == "7 C0413: an operand of 'and' must be bool, not float64");
  CHECK(failure("hours(s)") == "7 C0414: 'hours' does not take string");
  CHECK(failure("hour(x)") == "6 C0414: 'hour' does not take float64");
  CHECK(failure("abs(1, 2)") == "1 C0414: 'abs' is called with 2 arguments");
  CHECK(failure("nope(1)") == "1 C0414: no function 'nope'");
  CHECK(failure("mean(x)") == "1 C0414: 'mean' is an aggregate and belongs in a view");
  CHECK(failure("if(x, 1, 2)") == "4 C0414: 'if' does not take float64");
  CHECK(failure("coalesce(x, s)") == "13 C0413: 'coalesce' mixes float64 and string");
  CHECK(failure("n / 0") == "5 C0413: division by zero");
  CHECK(failure("x % 2") == "1 C0413: '%' needs integers, not float64");
  CHECK(failure("null") == "1 C0413: the expression is always null");
  CHECK(failure("x.y + 1") == "1 C0411: unknown feature 'x.y'");
}

TEST_CASE("what cannot be parsed is said once, where it is") {
  CHECK(failure("") == "1 C0302: the expression ends too early");
  CHECK(failure("x +") == "4 C0302: the expression ends too early");
  CHECK(failure("(x + 1") == "1 C0302: a parenthesis is not closed");
  CHECK(failure("x + 1)") == "6 C0302: unexpected ')'");
  CHECK(failure("x 1") == "3 C0302: unexpected '1'");
  CHECK(failure("'abc") == "1 C0302: a quote is not closed");
  CHECK(failure("x # 1") == "3 C0302: unexpected character '#'");
  CHECK(failure("b && b") == "3 C0302: no operator '&&'");
  CHECK(failure("1 < x < 2") == "7 C0302: comparisons do not chain");
  CHECK(failure("x not") == "6 C0302: 'not' after a value needs 'between' or 'in'");
  CHECK(failure("x in ()") == "7 C0302: 'in' needs at least one value");
  CHECK(failure("x is true") == "6 C0302: 'is' tests for null only");
  CHECK(failure("x between 1") == "12 C0302: 'between' needs 'and'");
  CHECK(failure("15mins + ts") == "1 C0302: not a duration: '15mins'");
  CHECK(failure("1.5h") == "1 C0302: not a number: '1.5h'");
  CHECK(failure("x where b") == "3 C0302: 'where' belongs to an aggregate of a view");
}

TEST_CASE("the wider language is named as such") {
  CHECK(failure("case when b then 1 end") == "1 C0105: 'case' is not in this version");
  CHECK(failure("s like 'a%'") == "3 C0105: 'like' is not in this version");
  CHECK(failure("log1p(x)") == "1 C0105: function 'log1p' is not in this version");
}

TEST_CASE("columns count characters, not bytes") {
  CHECK(failure("s = 'größe' or zz = 1") == "16 C0412: unknown column 'zz'");
}

TEST_CASE("errors of all parts are found at once") {
  const ExpressionText text{"aa + bb > hours(s)", {"here", 3, 10, 1}, true};
  Diagnostics errors;
  const data::Schema schema = row();
  RowScope scope(schema, "the row");
  CHECK(check_expression(text, scope, errors) == nullptr);
  const auto found = errors.take();
  REQUIRE(found.size() == 3);
  CHECK(found[0].position.column == 10);
  CHECK(found[1].position.column == 15);
  CHECK(found[2].position.column == 26);
  CHECK(found[2].position.line == 3);
}

TEST_CASE("nesting is bounded, whatever nests") {
  for (const auto& text :
       {repeated("(", 10'000) + "x" + repeated(")", 10'000), repeated("not ", 10'000) + "b",
        repeated("- ", 10'000) + "x", repeated("abs(", 10'000) + "x", repeated("if(b,1,", 5'000),
        "x" + repeated(" + 1", 10'000), "b" + repeated(" is null", 5'000),
        "n" + repeated(" in (1", 8'000)}) {
    CAPTURE(text.substr(0, 20));
    CHECK(failure(text).find("C0307") != std::string::npos);
  }
  CHECK(text_of(repeated("(", 150) + "x" + repeated(")", 150)) == "x");
}

TEST_CASE("an expression that doubles itself is refused before it fills memory") {
  std::string text = "n";
  for (int i = 0; i < 60; ++i) text = "if(" + text + " between 1 and 2, 1, 2)";
  CHECK(failure(text).find("C0307: the expression grows too large") != std::string::npos);
}

TEST_CASE("a long list stays shallow") {
  std::string text = "n in (0";
  for (int i = 1; i < 5'000; ++i) text += "," + std::to_string(i);
  const auto expr = compile_expression(text + ")", row(), false, "here");
  REQUIRE(expr);
  CHECK((*expr)->depth < 20);
}

TEST_CASE("an expression longer than 64 kB is refused") {
  CHECK(failure("x + " + std::string(70'000, ' ') + "1")
            .starts_with("1 C0307: an expression is longer"));
}

TEST_CASE("columns read are listed once, ascending") {
  const auto expr = compile_expression("x + n > n * 2 or s = 'a'", row(), false, "here");
  REQUIRE(expr);
  CHECK(columns_read(**expr) == std::vector<int>{1, 2, 4});
}

TEST_CASE("the question's time is there only where there is a question") {
  CHECK(compile_expression("hour(at)", row(), true, "here").has_value());
  const auto refused = compile_expression("hour(at)", row(), false, "here");
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == Code::unknown_name);
}

}  // namespace
}  // namespace coeval::define
