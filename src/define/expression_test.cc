#include <doctest/doctest.h>

#include <string>

#include "define/checker.h"
#include "define/definition_for_tests.h"
#include "define/expr.h"
#include "define/functions.h"
#include "define/scope.h"

namespace coeval::define {
namespace {

using testing::changed;
using testing::kFlights;
using testing::project_of;

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

TEST_CASE("an expression of the command line knows the project's zone and constants") {
  const Project project = project_of(
      changed(kFlights, "name = \"flights\"\n",
              "name = \"flights\"\nzone = \"America/Chicago\"\n[constants]\ngrace = 15\n"));
  const data::Schema schema = row();
  const auto expr =
      compile_expression("date_trunc('day', ts) + minutes(grace)", schema, false, "here", &project);
  REQUIRE(expr);
  CHECK((*expr)->args[0]->zone == project.zone);
  CHECK(project.zone != nullptr);
  CHECK(canonical(**expr).find("15") != std::string::npos);
  CHECK_FALSE(compile_expression("ts + minutes(grace)", schema, false, "here"));
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
  CHECK(text_of("-9223372036854775808") == "-9223372036854775808");
  CHECK(text_of("1 - -9223372036854775808") == "(1 - -9223372036854775808)");
  CHECK(text_of("- -9223372036854775808") == "(- -9223372036854775808)");
  CHECK(failure("9223372036854775808").starts_with("1 C0302: an integer does not fit 64 bits"));
  CHECK(failure("-(9223372036854775808)").find("C0302") != std::string::npos);
  CHECK(failure("1e999").starts_with("1 C0302: a number does not fit float64"));
}

TEST_CASE("each function's example compiles, and the table is whole") {
  for (const auto& function : functions()) {
    const std::string example(function.example);
    CAPTURE(example);
    CHECK(type_of(example) != Type::null);
    CHECK(example.find(std::string(function.name) + "(") != std::string::npos);
    CHECK_FALSE(function.doc.empty());
    CHECK_FALSE(function.expected.empty());
    CHECK(function.signature.starts_with(function.name));
    CHECK(find_function(function.name) == &function);
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
  for (const char* text :
       {"null", "if(b, null, null)", "coalesce(null, null)", "nullif(null, null)"})
    CHECK(failure(text) == "1 C0413: the expression is always null");
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
  CHECK(failure("x not") == "6 C0302: 'not' after a value needs 'between', 'in' or 'like'");
  CHECK(failure("x in ()") == "7 C0302: 'in' needs at least one value");
  CHECK(failure("x is true") == "6 C0302: 'is' tests for null only");
  CHECK(failure("x between 1") == "12 C0302: 'between' needs 'and'");
  CHECK(failure("15mins + ts") == "1 C0302: not a duration: '15mins'");
  CHECK(failure("ts + 99999999999999d") ==
        "6 C0302: a duration does not fit 64 bits of µs: '99999999999999d'");
  CHECK(failure("1.5h") == "1 C0302: not a number: '1.5h'");
  CHECK(failure("x where b") == "3 C0302: 'where' belongs to an aggregate of a view");
}

TEST_CASE("case is a chain of conditions, and needs no else") {
  CHECK(text_of("case when b then 1 end") == "if(b, 1, null)");
  CHECK(text_of("CASE WHEN b THEN n ELSE 0.5 END") == "if(b, cast(n as float64), 0.5)");
  CHECK(text_of("case when x > 1 then 'a' when b then s else 'c' end") ==
        "(case when (x > 1.0) then 'a' when b then s else 'c' end)");
  CHECK(text_of("case n when 1 then 'a' when 2 then 'b' end") ==
        "(case when (cast(n as int64) = 1) then 'a' when (cast(n as int64) = 2) then 'b' "
        "else null end)");
  CHECK(text_of("case when b then 1 end + 1") == "(if(b, 1, null) + 1)");
  CHECK(text_of("case when b then case when b then 1 end end") == "if(b, if(b, 1, null), null)");
  CHECK(type_of("case when b then 1 when b then 2.5 end") == Type::float64);
  CHECK(failure("case when b then 1 when b then s end") ==
        "32 C0413: 'case' mixes int64 and string");
  CHECK(failure("case when b then 1 else s end") == "25 C0413: 'case' mixes int64 and string");
  CHECK(failure("case when x then 1 end") ==
        "11 C0413: a condition of 'case' must be bool, not float64");
  CHECK(failure("case n when 'a' then 1 end") == "13 C0413: cannot compare int32 with string");
  CHECK(failure("case when b then null end") == "1 C0413: the expression is always null");
  CHECK(failure("case when b 1 end") == "13 C0302: 'when' needs 'then'");
  CHECK(failure("case x else 1 end") == "8 C0302: 'case' needs 'when'");
  CHECK(failure("case when b then 1") == "1 C0302: 'case' needs 'end'");
  CHECK(failure("case") == "5 C0302: the expression ends too early");
}

TEST_CASE("words of case and cast are names everywhere else") {
  const data::Schema odd = {{{"when", Type::int64, true},
                             {"end", Type::int64, true},
                             {"date", Type::date, true},
                             {"from", Type::boolean, true}}};
  const auto text = [&](const std::string& expression) {
    const auto expr = compile_expression(expression, odd, false, "here");
    return expr ? canonical(**expr) : "error: " + expr.error().message;
  };
  CHECK(text("when + end") == "(when + end)");
  CHECK(text("case when from then when else end end") == "if(from, when, end)");
  CHECK(text("date = date '2001-06-01'") == "(date = 2001-06-01)");
}

TEST_CASE("like takes a constant pattern, and escapes") {
  CHECK(text_of("s like 'a%'") == "(s like 'a%')");
  CHECK(text_of("s not like 'a!%' escape '!'") == "(not (s like 'a!%' escape '!'))");
  CHECK(failure("s like s") == "8 C0414: the pattern of 'like' must be a constant text");
  CHECK(failure("s like 1") == "8 C0413: the pattern of 'like' must be string, not int64");
  CHECK(failure("n like 'a'") == "1 C0413: what 'like' compares must be string, not int32");
  CHECK(failure("s like 'a' escape '!!'") == "8 C0414: 'escape' takes one character");
  CHECK(failure("s like 'a!' escape '!'") ==
        "8 C0414: an escape character stands before nothing that needs it");
  CHECK(failure("s like '" + std::string(1001, 'a') + "'") ==
        "8 C0414: a pattern has 1001 characters");
  CHECK(text_of("s like '" + repeated("é", 1000) + "'").starts_with("(s like"));
}

TEST_CASE("a regular expression is compiled where it stands") {
  CHECK(text_of("regexp_like(s, '^a+$')") == "regexp_like(s, '^a+$')");
  CHECK(failure("b and regexp_like(s, 'a(')")
            .starts_with("22 C0414: not a regular expression: missing )"));
  CHECK(failure("regexp_like(s, s)") == "16 C0414: 'regexp_like' needs a constant here");
  CHECK(failure("regexp_like(s, '((a{100}){100}){100}')").starts_with("16 C0414: not a regular"));
  CHECK(failure("regexp_like(s, '" + std::string(1001, 'a') + "')") ==
        "16 C0414: a pattern has 1001 characters");
}

TEST_CASE("a cast of a constant is settled, and refused where it fails") {
  CHECK(text_of("cast('12' as int64)") == "12");
  CHECK(text_of("cast(2.5 as int64)") == "2");
  CHECK(text_of("cast(0.1 as float32)") == "cast(0.10000000149011612 as float32)");
  CHECK(text_of("cast(1 as int32)") == "cast(1 as int32)");
  CHECK(text_of("cast(true as float64)") == "1.0");
  CHECK(text_of("timestamp '2001-06-01 12:30'") == "2001-06-01T12:30:00Z");
  CHECK(text_of("timestamp '2001-06-01T12:30:00+02:00'") == "2001-06-01T10:30:00Z");
  CHECK(text_of("date '2001-06-01'") == "2001-06-01");
  // Two nulls of different types are two expressions.
  CHECK(text_of("try_cast('x' as int64) + 1") == "(try_cast('x' as int64) + 1)");
  CHECK(text_of("cast(null as string)") == "cast(null as string)");
  CHECK(type_of("try_cast('x' as int32)") == Type::int32);
  CHECK(type_of("cast(null as date)") == Type::date);
  CHECK(failure("cast('x' as int64)") == "6 C0413: 'x' is no int64");
  CHECK(failure("cast(3000000000 as int32)") == "6 C0413: '3000000000' is no int32");
  CHECK(failure("date '2001-02-29'") == "6 C0413: '2001-02-29' is no date");
  CHECK(failure("timestamp '12'") == "11 C0413: '12' is no timestamp");
}

TEST_CASE("a cast is written out, unless nothing changes or it could have been left out") {
  CHECK(text_of("cast(x as int64)") == "cast(x as int64)");
  CHECK(text_of("cast(x as float64)") == "x");
  CHECK(text_of("cast(n as float64) + x") == text_of("n + x"));
  CHECK(text_of("cast(n as int32)") == "n");
  CHECK(text_of("try_cast(s as date)") == "try_cast(s as date)");
  CHECK(text_of("cast(ts as date)") == "cast(ts as date)");
  CHECK(type_of("cast(n as float32)") == Type::float32);
  CHECK(failure("cast(ts as int64)") == "1 C0413: no cast from timestamp to int64");
  CHECK(failure("cast(n as timestamp)") == "1 C0413: no cast from int32 to timestamp");
  CHECK(failure("cast(ts - ts as float64)") == "1 C0413: no cast from duration to float64");
  CHECK(failure("cast(x as int)").starts_with("11 C0413: unknown type 'int'"));
  CHECK(failure("cast(x, 1)") == "7 C0302: 'cast' needs 'as' and a type");
  CHECK(failure("cast(x as )") == "11 C0302: a type is missing after 'as'");
  CHECK(failure("cast(x as int64") == "5 C0302: a parenthesis is not closed");
}

TEST_CASE("distinctness compares what could be compared") {
  CHECK(text_of("n is distinct from 1") == "(cast(n as int64) is distinct from 1)");
  CHECK(text_of("x is not distinct from null") == "(not (x is distinct from null))");
  CHECK(failure("x is distinct from s") == "1 C0413: cannot compare float64 with string");
  CHECK(failure("x is distinct 1") == "15 C0302: 'is distinct' needs 'from'");
}

TEST_CASE("durations divide to a number") {
  CHECK(type_of("(ts - at) / 1min") == Type::float64);
  CHECK(type_of("age(ts, at)") == Type::duration);
  CHECK(text_of("age(ts, at)") == text_of("ts - at"));
  CHECK(failure("(ts - at) / 0s") == "13 C0413: division by zero");
  CHECK(failure("1h / 2") == "1 C0413: no '/' for duration and int64");
}

TEST_CASE("arguments have types of their own") {
  CHECK(text_of("substr(s, n)") == "substr(s, cast(n as int64))");
  CHECK(text_of("round(n, -2)") == "round(cast(n as int64), -2)");
  CHECK(text_of("log(n)") == "log(cast(n as float64))");
  CHECK(text_of("date_diff('day', d, d)") == "date_diff('day', d, d)");
  CHECK(text_of("bucketize(n, 1, 2.5)") == "bucketize(cast(n as float64), 1.0, 2.5)");
  CHECK(text_of("hash_bucket(n, 8)") == "hash_bucket(n, 8)");
  CHECK(type_of("date_trunc('week', d)") == Type::date);
  CHECK(type_of("date_trunc('week', ts)") == Type::timestamp);
  CHECK(type_of("nullif(n, 1)") == Type::int64);
  CHECK(type_of("is_weekend(d)") == Type::boolean);
  CHECK(type_of("floor(x)") == Type::float64);
  CHECK(type_of("floor(n)") == Type::int64);
  CHECK(type_of("sqrt(null)") == Type::float64);
  CHECK(failure("lower(n)") == "7 C0414: 'lower' does not take int32");
  CHECK(failure("substr(s, x)") == "11 C0414: 'substr' does not take float64");
  CHECK(failure("concat(s, n)") == "11 C0414: 'concat' does not take int32");
  CHECK(failure("hour(d)") == "6 C0414: 'hour' does not take date");
  CHECK(failure("date_diff('day', d, ts)") == "21 C0413: 'date_diff' mixes date and timestamp");
  CHECK(failure("cross(s, ts - ts)") == "10 C0414: 'cross' does not take duration");
  CHECK(failure("round(x, n)") == "10 C0414: 'round' needs a constant here");
  CHECK(failure("bucketize(1, x)") == "14 C0414: 'bucketize' needs a constant here");
}

TEST_CASE("constants are looked at") {
  CHECK(failure("date_trunc('days', ts)") == "12 C0414: no unit 'days'");
  CHECK(failure("date_trunc('hour', d)") == "12 C0414: a date has no hour");
  CHECK(failure("bucketize(x, 1, 1)") == "17 C0414: the boundaries do not ascend");
  CHECK(failure("bucketize(x, 2.5, 1)") == "19 C0414: the boundaries do not ascend");
  CHECK(failure("bucketize(x, cast('nan' as float64))") == "14 C0414: a boundary is not a number");
  CHECK(failure("width_bucket(x, 1, 1, 4)") == "20 C0414: the range is empty or has no end");
  CHECK(failure("width_bucket(x, 0, 1, 0)") == "23 C0414: the number of parts cannot be 0");
  CHECK(failure("hash_bucket(s, 0)") == "16 C0414: the number of buckets cannot be 0");
  CHECK(failure("hash_bucket(s, -1)") == "16 C0414: the number of buckets cannot be -1");
  CHECK(failure("round(x, 16)") == "10 C0414: the number of digits cannot be 16");
  CHECK(failure("clamp(x, 1, 0.5)") == "13 C0414: the upper bound is below the lower one");
  CHECK(text_of("clamp(x, 0, n)").starts_with("clamp("));
}

TEST_CASE("a zone is part of what reads clocks, and of nothing else") {
  class Zoned final : public Scope {
   public:
    explicit Zoned(const data::Schema& schema) : rows_(schema, "the row") {}
    Binding find(std::string_view name) override { return rows_.find(name); }
    std::vector<std::string> names() const override { return rows_.names(); }
    std::string description() const override { return "the row"; }
    bool has_question_time() const override { return false; }
    const TimeZone* zone() const override { return *TimeZone::find("Europe/Berlin"); }

   private:
    RowScope rows_;
  };
  const data::Schema schema = row();
  const auto text = [&](const std::string& expression) {
    Zoned scope(schema);
    Diagnostics errors;
    const ExprPtr expr = check_expression({expression, {"here", 1, 1, 1}, true}, scope, errors);
    return expr ? canonical(*expr) : "error";
  };
  CHECK(text("hour(ts)") == "hour(ts; 'Europe/Berlin')");
  CHECK(text("cast(ts as date)") == "cast(ts as date; 'Europe/Berlin')");
  CHECK(text("try_cast(d as timestamp)") == "try_cast(d as timestamp; 'Europe/Berlin')");
  CHECK(text("date_trunc('day', ts)") == "date_trunc('day', ts; 'Europe/Berlin')");
  CHECK(text("date_diff('day', ts, ts)") == "date_diff('day', ts, ts; 'Europe/Berlin')");
  CHECK(text("year(d)") == "year(d)");
  CHECK(text("date_trunc('month', d)") == "date_trunc('month', d)");
  CHECK(text("cast(s as timestamp)") == "cast(s as timestamp)");
  CHECK(text("ts + 1h") == "(ts + 1h)");
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

TEST_CASE("nesting is bounded, whatever nests, and refused in under a second") {
  const double before = testing::cpu_seconds();
  for (const auto& text :
       {repeated("(", 10'000) + "x" + repeated(")", 10'000), repeated("not ", 10'000) + "b",
        repeated("- ", 10'000) + "x", repeated("abs(", 10'000) + "x", repeated("if(b,1,", 5'000),
        "x" + repeated(" + 1", 10'000), "b" + repeated(" is null", 5'000),
        "n" + repeated(" in (1", 8'000), repeated("case ", 10'000),
        repeated("case when b then ", 3'500) + "1", repeated("cast(", 10'000) + "x",
        "s" + repeated(" like 'a'", 6'000), "b" + repeated(" is distinct from b", 3'000),
        repeated("lower(", 10'000) + "s"}) {
    CAPTURE(text.substr(0, 20));
    CHECK(failure(text).find("C0307") != std::string::npos);
  }
  CHECK(text_of(repeated("(", 150) + "x" + repeated(")", 150)) == "x");
  CHECK(testing::cpu_seconds() - before < 1 * testing::kPatience);
}

TEST_CASE("a case of a thousand branches stays shallow") {
  const auto expr =
      compile_expression("case" + repeated(" when b then 1", 1'000) + " end", row(), false, "here");
  REQUIRE(expr);
  CHECK((*expr)->depth == 2);
  CHECK((*expr)->args.size() == 2'001);
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
