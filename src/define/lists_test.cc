#include <doctest/doctest.h>

#include <set>

#include "define/definition_for_tests.h"
#include "define/expr.h"
#include "define/ir.h"

namespace coeval::define {
namespace {

using namespace testing;
using data::list_of;
using data::Type;

data::Schema row() {
  return {{{"n", Type::int32, true},
           {"v", list_of(Type::float32, 3), true},
           {"w", list_of(Type::float32, 3), true},
           {"u", list_of(Type::float32, 2), true},
           {"last", list_of(Type::float64), true},
           {"names", list_of(Type::string), true},
           {"days", list_of(Type::int32), true},
           {"s", Type::string, true}}};
}

Result<ExprPtr> compiled(const std::string& text) {
  return compile_expression(text, row(), true, "here");
}
std::string text_of(const std::string& text) {
  const auto expr = compiled(text);
  return expr ? canonical(**expr) : "error: " + expr.error().message;
}
Type type_of(const std::string& text) {
  const auto expr = compiled(text);
  return expr ? (*expr)->type : Type::null;
}
std::string failure(const std::string& text) {
  const auto expr = compiled(text);
  if (expr) return "no error: " + canonical(**expr);
  return std::to_string(expr.error().position.column) + " " + code_name(expr.error().code) + ": " +
         expr.error().message;
}

TEST_CASE("functions of lists have types") {
  CHECK(type_of("element(v, 0)") == Type::float32);
  CHECK(type_of("element(last, n)") == Type::float64);
  CHECK(type_of("element(names, 0)") == Type::string);
  CHECK(type_of("element(days, 0)") == Type::int32);
  CHECK(type_of("length(names) + length(s)") == Type::int64);
  for (const char* text : {"dot(v, w)", "cosine(v, w)", "l2(v, last)", "dot(u, [1.5, 2])"})
    CHECK(type_of(text) == Type::float64);
  CHECK(type_of("if(n > 1, v, w)") == list_of(Type::float32, 3));
  CHECK(type_of("coalesce(names, names)") == list_of(Type::string));
  CHECK(type_of("v is null") == Type::boolean);
}

TEST_CASE("lists of constants have one type and one text") {
  CHECK(type_of("[1, 2, 3]") == list_of(Type::int64, 3));
  CHECK(type_of("[1, -2.5]") == list_of(Type::float64, 2));
  CHECK(text_of("[1, -2.5]") == "[1.0, -2.5]");
  CHECK(text_of("[ 'it''s' , 'b' ]") == "['it''s', 'b']");
  CHECK(text_of("[true, false]") == "[true, false]");
  CHECK(type_of("[date '2001-06-01']") == list_of(Type::date, 1));
  CHECK(text_of("dot(v, [1.0, 2, 3])") == "dot(v, [1.0, 2.0, 3.0])");
  CHECK(text_of("[cast(1 as int32)]") == "[cast(1 as int32)]");
  CHECK(text_of("[decimal '1.50', 2]") ==
        "[cast(decimal '1.50' as decimal(18,2)), cast(decimal '2.00' as decimal(18,2))]");
  CHECK(type_of("element([decimal '1.50', 2.5], 0)") == Type::float64);
  CHECK(failure("[decimal '0.000000000000000001', 5000]").find("does not fit decimal(18,18)") !=
        std::string::npos);
  for (const char* text : {"[n]", "[1, 'a']", "[null]", "[[1], [2]]", "[15min]"})
    CHECK(failure(text).find("an element of a list must be a constant") != std::string::npos);
  CHECK(failure("[]") == "2 C0302: unexpected ']'");
  CHECK(failure("[1, 2") == "1 C0302: a parenthesis is not closed");
  std::string longest = "[0";
  for (int i = 1; i < 4096; ++i) longest += ",0";
  CHECK(type_of("length(" + longest + "])") == Type::int64);
  CHECK(failure(longest + ",0]").starts_with("1 C0307"));
}

TEST_CASE("lists go where they are taken, and nowhere else") {
  CHECK(failure("dot(v, u)") ==
        "8 C0414: lists of two lengths do not meet: list<float32>(3) and list<float32>(2)");
  CHECK(failure("l2(v, [1.0, 2.0])").starts_with("7 C0414: lists of two lengths do not meet"));
  CHECK(failure("dot(v, [1, 2, 3])") == "8 C0414: 'dot' does not take list<int64>(3)");
  CHECK(failure("cosine(v, days)") == "11 C0414: 'cosine' does not take list<int32>");
  CHECK(failure("dot(v, n)") == "8 C0414: 'dot' does not take int32");
  CHECK(failure("element(s, 0)") == "9 C0414: 'element' does not take string");
  CHECK(failure("element(v, 0.5)") == "12 C0414: 'element' does not take float64");
  CHECK(failure("length(n)") == "8 C0414: 'length' does not take int32");
  CHECK(failure("v = w") == "1 C0413: lists cannot be compared");
  CHECK(failure("v is distinct from w") == "1 C0413: lists cannot be compared");
  CHECK(failure("nullif(v, w)") == "11 C0414: lists cannot be compared");
  CHECK(failure("v in (w)").find("lists cannot be compared") != std::string::npos);
  CHECK(failure("v < w") == "1 C0413: lists cannot be compared");
  CHECK(failure("v + 1") == "1 C0413: '+' needs numbers, not list<float32>(3)");
  CHECK(failure("least(v, w)") == "7 C0414: 'least' does not take list<float32>(3)");
  CHECK(failure("lower(names)") == "7 C0414: 'lower' does not take list<string>");
  CHECK(failure("hash_bucket(v, 3)") == "13 C0414: 'hash_bucket' does not take list<float32>(3)");
  CHECK(failure("cross(v, w)") == "7 C0414: 'cross' does not take list<float32>(3)");
  CHECK(failure("cast(v as string)").starts_with("1 C0413: no cast from list<float32>(3)"));
  CHECK(failure("if(n > 1, v, u)") == "14 C0413: 'if' mixes list<float32>(3) and list<float32>(2)");
}

const std::string kFar = "\"sum(delay) where distance > 1000\"";

std::string with_columns(const std::string& text) {
  return changed(text, "[view.origin]",
                 "vector = { type = \"list<float32>(3)\", nullable = true }\n"
                 "plane = { type = \"string\", nullable = true }\n[view.origin]");
}
std::string view_with(const std::string& far) {
  return changed(with_columns(changed(kFlights, "\"origin.*\"", "\"origin.flights_3h\"")), kFar,
                 far);
}
Type far_type(const std::string& far) {
  const Project project = project_of(view_with("\"" + far + "\""));
  for (const auto& aggregate : project.views[0].aggregates)
    if (aggregate.name == "far") return aggregate.result;
  return Type::null;
}
std::string far_error(const std::string& far) {
  const auto errors = errors_of(view_with(far));
  return errors.empty() ? "no error" : errors[0];
}

TEST_CASE("last_k and top_k give lists of what they gather, up to a thousand") {
  CHECK(far_type("last_k(delay, 3)") == list_of(Type::int32));
  CHECK(far_type("last_k(plane, 1000)") == list_of(Type::string));
  CHECK(far_type("top_k(delay / 2, 1) where distance > 3") == list_of(Type::float64));
  CHECK(far_type("top_k(delay > 3, 2)") == list_of(Type::boolean));
  CHECK(far_type("last(vector)") == list_of(Type::float32, 3));
  CHECK(far_type("lag(vector, 2)") == list_of(Type::float32, 3));
  CHECK(far_type("count(vector)") == Type::int64);
  CHECK(far_type("mean(dot(vector, [1.0, 2, 3]))") == Type::float64);
  for (const std::string k : {"0", "1001", "-1", "1.5", "delay"})
    CHECK(
        far_error("\"last_k(delay, " + k + ")\"")
            .find("the last argument of 'last_k' must be a constant whole number from 1 to 1000") !=
        std::string::npos);
  for (const std::string name : {"min", "max", "distinct", "mode"})
    CHECK(far_error("\"" + name + "(vector)\"").find("does not take such a value") !=
          std::string::npos);
  for (const std::string text : {"last_k(vector, 2)", "top_k(vector, 2)", "last_k(date - date, 2)"})
    CHECK(far_error("\"" + text + "\"").find("does not take such a value") != std::string::npos);
  CHECK(far_error("{ value = \"last_k(delay, 3)\", default = 1 }").find("a list has no default") !=
        std::string::npos);
}

TEST_CASE("the number of elements is part of the canonical text") {
  std::set<std::string> texts;
  for (const std::string far : {"last_k(delay, 2)", "last_k(delay, 3)", "top_k(delay, 3)"}) {
    const Project project = project_of(view_with("\"" + far + "\""));
    texts.insert(view_ir(project, project.views[0]));
    CHECK(view_ir(project, project.views[0]).find(far + " list<int32>") != std::string::npos);
  }
  CHECK(texts.size() == 3);
}

TEST_CASE("a column may be a list of float32 of a length, without bounds, and no key") {
  const Project project = project_of(with_columns(kFlights));
  CHECK(source_ir(project.sources[0]).find("\"vector\" list<float32>(3) nullable") !=
        std::string::npos);
  const auto type_error = [](const std::string& type) {
    const auto errors = errors_of(changed(with_columns(kFlights), "list<float32>(3)", type));
    return errors.empty() ? "no error" : errors[0];
  };
  CHECK(type_error("list<float32>(4096)") == "no error");
  for (const std::string type : {"list<float32>(0)", "list<float32>(4097)", "list<float32>(x)",
                                 "list<float33>(3)", "list", "list<float32>(3) ", "list<float32>3"})
    CHECK(type_error(type).find("C0305 no type of lists") != std::string::npos);
  for (const std::string type : {"list<float32>", "list<float64>(3)", "list<string>(3)"})
    CHECK(type_error(type).find("C0105 a column cannot be") != std::string::npos);
  const auto rule_error = [](const std::string& rule) {
    const auto errors =
        errors_of(changed(with_columns(kFlights), "(3)\", nullable = true", "(3)\", " + rule));
    return errors.empty() ? "no error" : errors[0];
  };
  CHECK(rule_error("min = 0").find("C0305 'min' of column 'vector'") != std::string::npos);
  CHECK(rule_error("pattern = \"x\"").find("is for strings only") != std::string::npos);
  const auto keys = errors_of(changed(with_columns(kFlights), "[\"origin\"]", "[\"vector\"]"));
  REQUIRE_FALSE(keys.empty());
  CHECK(keys[0].find("a key cannot be list<float32>(3)") != std::string::npos);
}

TEST_CASE("a model reads no list, but what is taken out of one") {
  const std::string lists = view_with("\"last_k(delay, 3)\"");
  const auto with_input = [&](const std::string& input) {
    return changed(lists, "\"pressure\"]", "\"pressure\", \"" + input + "\"]");
  };
  const auto errors = errors_of(with_input("origin.far_3h"));
  REQUIRE(errors.size() == 1);
  CHECK(errors[0].find("C0413 input 'origin.far_3h' is list<int32>") != std::string::npos);
  CHECK(errors[0].find("element(origin.far_3h, 0)") != std::string::npos);
  CHECK(errors_of(with_input("element(origin.far_3h, 0)")).empty());
  CHECK(errors_of(with_input("length(origin.far_14d)")).empty());
  const std::string vectors = view_with("\"last(vector)\"");
  const auto advice =
      errors_of(changed(vectors, "\"pressure\"]", "\"pressure\", \"origin.far_3h\"]"));
  REQUIRE(advice.size() == 1);
  CHECK(advice[0].find("or compare it: dot(origin.far_3h, other)") != std::string::npos);
  CHECK(errors_of(changed(vectors, "\"pressure\"]",
                          "\"pressure\", \"dot(origin.far_3h, origin.far_14d)\"]"))
            .empty());
}

}  // namespace
}  // namespace coeval::define
