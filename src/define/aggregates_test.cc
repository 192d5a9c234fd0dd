#include "define/aggregates.h"

#include <set>

#include "define/definition_for_tests.h"
#include "define/ir.h"

namespace coeval::define {
namespace {

using namespace testing;
using data::Type;

const std::string kFar = "\"sum(delay) where distance > 1000\"";

// The view's aggregates, the one called far as written; a string and a boolean column beside.
Project with(const std::string& far) {
  std::string text = changed(kFlights, kFar, "\"" + far + "\"");
  text = changed(text, "\"origin.*\"", "\"origin.flights_3h\"");  // no model reads a timestamp
  return project_of(changed(text, "[view.origin]",
                            "plane = { type = \"string\", nullable = true }\n"
                            "empty = { type = \"bool\", nullable = true }\n"
                            "speed = { type = \"float32\", nullable = true }\n[view.origin]"));
}
const Aggregate& far_of(const Project& project) {
  for (const auto& aggregate : project.views[0].aggregates)
    if (aggregate.name == "far") return aggregate;
  FAIL("no far");
  return project.views[0].aggregates[0];
}
Type type_of(const std::string& far) {
  const Project project = with(far);
  return far_of(project).result;
}
std::string far_error(const std::string& far) { return error_of(kFar, "\"" + far + "\""); }

// semantics: A7
TEST_CASE("every aggregate has the type that the semantics give it") {
  for (const std::string text :
       {"mean(delay)", "var(delay)", "std(delay)", "var_pop(empty)", "std_pop(speed)",
        "quantile(delay, 0.5)", "ratio(delay, distance)", "rate()", "slope(delay)", "since_last()",
        "since_first()", "decayed_sum(delay, 7d)", "decayed_mean(speed, 90min)"})
    CHECK_MESSAGE(type_of(text) == Type::float64, text);
  for (const std::string text : {"count()", "count(plane)", "distinct(plane)", "distinct(date)",
                                 "distinct(speed)", "sum(empty)", "sum(delay)"})
    CHECK_MESSAGE(type_of(text) == Type::int64, text);
  CHECK(type_of("sum(speed)") == Type::float64);
  CHECK(type_of("any(empty)") == Type::boolean);
  CHECK(type_of("all(delay > 3) where empty") == Type::boolean);
  for (const std::string name : {"min", "max", "first", "last", "latest", "mode"}) {
    CHECK(type_of(name + "(delay)") == Type::int32);
    CHECK(type_of(name + "(plane)") == Type::string);
    CHECK(type_of(name + "(date)") == Type::timestamp);
    CHECK(type_of(name + "(empty)") == Type::boolean);
    CHECK(type_of(name + "(speed)") == Type::float32);
  }
  CHECK(type_of("lag(plane, 3)") == Type::string);
}

TEST_CASE("constants of aggregates are read, and limits hold") {
  CHECK(far_of(with("lag(delay, 1000)")).k == 1000);
  CHECK(far_of(with("quantile(delay, 1)")).p == 1);
  CHECK(far_of(with("quantile(delay, 0.25)")).p == 0.25);
  CHECK(far_of(with("decayed_sum(delay, 7d)")).half_life_us == 7 * 86'400'000'000);
  const Project ratio = with("ratio(delay, distance) where distance > 3");
  CHECK(canonical(*far_of(ratio).divisor) != canonical(*far_of(ratio).argument));

  const std::string place = "the last argument of 'lag' must be a constant whole number from 0 to";
  CHECK(far_error("lag(delay, 1001)") == "18:23 C0414 " + place + " 1000 | write lag(x, k) → as x");
  CHECK(far_error("lag(delay, -1)").starts_with("18:23 C0414 " + place));
  CHECK(far_error("lag(delay, 1.0)").starts_with("18:23 C0414 " + place));
  CHECK(far_error("lag(delay, distance)").starts_with("18:23 C0414 " + place));
  const std::string fraction =
      "18:28 C0414 the last argument of 'quantile' must be a constant from";
  for (const std::string p : {"1.01", "-0.1", "'0.5'", "delay", "7d", "true"})
    CHECK_MESSAGE(far_error("quantile(delay, " + p + ")").starts_with(fraction), p);
  const std::string life =
      "18:31 C0414 the last argument of 'decayed_sum' must be a constant duration above 0";
  for (const std::string h : {"0d", "-7d", "7", "'7d'", "date - date", "36526d"})
    CHECK_MESSAGE(far_error("decayed_sum(delay, " + h + ")").starts_with(life), h);
}

TEST_CASE("arguments that an aggregate does not take are refused with its form") {
  CHECK(far_error("std(origin)") ==
        "18:16 C0414 'std' does not take such a value | write std(x) → float64");
  CHECK(far_error("any(delay)") ==
        "18:16 C0414 'any' does not take such a value | write any(c) → bool");
  CHECK(far_error("ratio(delay, origin)").starts_with("18:25 C0414 'ratio' does not take"));
  CHECK(far_error("slope(date)").starts_with("18:18 C0414 'slope' does not take"));
  CHECK(far_error("ratio(delay)") ==
        "18:12 C0414 'ratio' is called with 1 arguments | write ratio(a, b) → float64");
  CHECK(far_error("lag(delay)").starts_with("18:12 C0414 'lag' is called with 1"));
  CHECK(far_error("rate(delay)").starts_with("18:12 C0414 'rate' is called with 1"));
  CHECK(far_error("since_last(delay)").starts_with("18:12 C0414"));
}

// semantics: D1
TEST_CASE("whatever an aggregate takes is part of the canonical text") {
  std::set<std::string> texts;
  std::size_t count = 0;
  for (const std::string text :
       {"lag(delay, 0)", "lag(delay, 1)", "quantile(delay, 0.5)", "quantile(delay, 0.25)",
        "decayed_sum(delay, 7d)", "decayed_sum(delay, 8d)", "decayed_mean(delay, 7d)",
        "ratio(delay, distance)", "ratio(delay, delay)", "latest(delay)", "last(delay)"}) {
    const Project project = with(text);
    texts.insert(view_ir(project, project.views[0]));
    ++count;
  }
  CHECK(texts.size() == count);
  const Project days = with("decayed_sum(delay, 7d)"), hours = with("decayed_sum(delay, 168h)");
  CHECK(view_ir(days, days.views[0]) == view_ir(hours, hours.views[0]));
  const Project zero = with("quantile(delay, 0)"), minus = with("quantile(delay, -0.0)");
  CHECK(view_ir(zero, zero.views[0]) == view_ir(minus, minus.views[0]));
}

TEST_CASE("a column that only the divisor of a ratio reads is checked for leaks") {
  const auto leak =
      changed(changed(kFlights, "min = -120", "known = \"date + days(1)\", min = -120"), kFar,
              "\"ratio(distance, delay)\"");
  std::size_t found = 0;
  for (const auto& error : errors_of(leak)) found += error.find("'far'") != std::string::npos;
  CHECK(found == 1);
}

TEST_CASE("each aggregate of the table is found by its name") {
  for (const auto& function : aggregate_functions()) {
    CHECK(find_aggregate(function.name) == &function);
    CHECK(name(function.kind) == function.name);
  }
}

}  // namespace
}  // namespace coeval::define
