#include <doctest/doctest.h>

#include "define/definition_for_tests.h"
#include "define/known_order.h"

namespace coeval::define {
namespace {

using testing::changed;
using testing::error_of;
using testing::errors_of;
using testing::kFlights;
using testing::project_of;

constexpr auto kClaim = "\"date + minutes(40 + distance / 7.5)\"";

bool holds(const std::string& text, const std::string& part) {
  CAPTURE(text);
  CHECK(text.find(part) != std::string::npos);
  return text.find(part) != std::string::npos;
}

TEST_CASE("an own column that is known only on landing is refused, with when and where") {
  const auto error = error_of("\"origin.*\"", "\"delay\"");
  CHECK(holds(error,
              "24:46 C0501 input 'delay' reads delay, which is known at date + minutes(40 + "
              "distance / 7.5), "
              "after the question's time date; the label is computed from it"));
}

TEST_CASE("the path leads through features") {
  const auto text =
      changed(changed(kFlights, "[features]\n",
                      "[features]\ndelay_now = \"delay * 2\"\nhidden = \"delay_now + 1\"\n"),
              "\"origin.*\"", "\"hidden\"");
  const auto errors = errors_of(text);
  REQUIRE(errors.size() == 1);
  CHECK(holds(errors[0],
              "26:46 C0501 input 'hidden' → feature 'delay_now' reads delay, which is known at"));
}

TEST_CASE("an input that is an expression is looked through") {
  CHECK(holds(error_of("\"origin.*\"", "\"if(distance > 100, delay, 0)\""),
              "24:46 C0501 input 'if("));
}

TEST_CASE("with the false claim the definition passes, but a row still cannot read itself") {
  const auto claimed = changed(kFlights, kClaim, "\"event time\"");
  project_of(claimed);
  const auto errors = errors_of(changed(claimed, "\"origin.*\"", "\"delay\""));
  REQUIRE(errors.size() == 1);
  CHECK(holds(
      errors[0],
      "C0501 input 'delay' reads delay, which is known with its own row (known = \"event time\")"));
}

TEST_CASE("a column known at the question's time, or provably before it, is usable") {
  for (const auto* known :
       {"date", "date - 2h", "date - minutes(distance)", "least(date, date + 1h)",
        "if(distance > 5, date, date - 1d)", "event time"})
    project_of(changed(kFlights, "max = 3000 }",
                       std::string("max = 3000 }\ngate = { type = \"string\", known = \"") + known +
                           "\" }\n"
                           "[model.other]\nquestion = { from = \"flights\", at = \"date\" }\nlabel "
                           "= \"delay > 0\"\ninputs = [\"gate\"]\n"
                           "split = { train_until = 2001-05-01, validate_until = 2001-06-01, "
                           "test_until = 2001-07-01 }"));
}

TEST_CASE("a column that may be known later is refused, even if only perhaps") {
  for (const auto* known : {"date + 1us", "date + minutes(delay)", "date - minutes(delay)",
                            "greatest(date, date + 1h)", "coalesce(date - 1h, date + 1h)"}) {
    const auto errors = errors_of(changed(
        changed(
            kFlights, "max = 3000 }",
            std::string("max = 3000 }\ngate = { type = \"string\", known = \"") + known + "\" }"),
        "\"origin.*\"", "\"gate\""));
    REQUIRE(errors.size() == 1);
    CHECK(holds(errors[0],
                std::string("25:46 C0501 input 'gate' reads gate, which is known at ") + known));
  }
}

TEST_CASE("a view keyed by what the question does not know is refused") {
  const auto errors =
      errors_of(changed(changed(kFlights, "max = 3000 }", "max = 3000 }\ngate = \"string\""),
                        "by      = [\"origin\"]", "by      = [\"origin\", \"gate\"]"));
  REQUIRE(errors.size() == 1);
  CHECK(holds(errors[0],
              "C0501 input 'origin.far_3h' reads view 'origin', whose key gate is known at "
              "date + minutes(40 + distance / 7.5), after the question's time date"));
}

TEST_CASE("a view that reads a column before it is known is refused") {
  const auto later = changed(kFlights, "max = 3000 }", "max = 3000, known = \"date + 30h\" }");
  const auto errors = errors_of(later);
  REQUIRE(errors.size() == 2);  // far and late read delay, flights does not
  CHECK(holds(errors[0],
              "17:11 C0501 view 'origin': 'late' reads delay, which is known at date + 30h; its "
              "row counts from "
              "date + minutes(40 + distance / 7.5) on, which may be earlier"));
  project_of(
      changed(later, kClaim, "\"greatest(date + minutes(40 + distance / 7.5), date + 30h)\""));
  project_of(changed(later, kClaim, "\"date + 31h\""));
}

TEST_CASE("a declared minimum proves an order that would not hold without it") {
  const auto row = changed(kFlights, "max = 3000 }", "max = 3000, known = \"date + 10min\" }");
  project_of(row);
  CHECK(errors_of(changed(row, "min = 0, ", "")).size() == 2);
}

TEST_CASE("the label is known when the last of its columns is") {
  CHECK(canonical(*project_of(kFlights).models[0].label_known) ==
        "(date + minutes((40.0 + (cast(distance as float64) / 7.5))))");
  const auto earlier = changed(kFlights, "max = 3000 }", "max = 3000, known = \"date + 10min\" }");
  CHECK(canonical(*project_of(earlier).models[0].label_known) == "(date + 10min)");
  const auto two = changed(
      changed(kFlights, "max = 3000 }",
              "max = 3000 }\nseen = { type = \"bool\", known = \"date + hours(distance)\" }"),
      "label    = \"delay >= 15\"", "label    = \"delay >= 15 and seen\"");
  CHECK(canonical(*project_of(two).models[0].label_known) ==
        "greatest((date + minutes((40.0 + (cast(distance as float64) / 7.5)))), (date + "
        "hours(cast(distance as int64))))");
}

TEST_CASE("a label that the question can compute is no label") {
  const auto errors =
      errors_of(changed(kFlights, "label    = \"delay >= 15\"", "label    = \"distance > 1000\""));
  REQUIRE(errors.size() == 1);
  CHECK(holds(errors[0],
              "23:12 C0501 the label of model 'late' reads only what is known at the question's "
              "time date"));
}

TEST_CASE("a known column in the label may be an input when the label is not yet known") {
  project_of(changed(kFlights, "label    = \"delay >= 15\"",
                     "label    = \"delay >= 15 and distance > 100\""));
}

TEST_CASE(
    "the two published baselines that predict a departure from its own departure are refused") {
  const std::string text = R"toml([project]
name = "nycflights"
[source.flights]
time = "scheduled"
known = "arrived"
[source.flights.columns]
scheduled = "timestamp"
arrived = { type = "timestamp", known = "arrived" }
carrier = { type = "string", known = "scheduled" }
dep_time = { type = "int32", nullable = true, known = "scheduled + minutes(dep_delay)" }
dep_delay = { type = "int32", nullable = true }
air_time = { type = "int32", nullable = true, known = "arrived" }
arr_delay = { type = "int32", nullable = true }
[model.late]
question = { from = "flights", at = "scheduled" }
label = "arr_delay >= 30"
inputs = ["carrier", "dep_time", "air_time"]
split = { train_until = 2013-09-01, validate_until = 2013-10-01, test_until = 2013-11-01 }
)toml";
  const auto errors = errors_of(text);
  REQUIRE(errors.size() == 2);
  CHECK(holds(errors[0],
              "17:22 C0501 input 'dep_time' reads dep_time, which is known at scheduled + "
              "minutes(dep_delay), not provably"));
  CHECK(holds(
      errors[1],
      "17:34 C0501 input 'air_time' reads air_time, which is known at arrived, not provably"));
  project_of(changed(text, ", \"dep_time\", \"air_time\"", ""));
}

TEST_CASE("orders are proved only where they hold") {
  const Project project = project_of(kFlights);
  const Source& source = project.sources[0];
  const KnownOrder order(source);
  const auto at_most = [&](const char* a, const char* b) {
    const auto left = compile_expression(a, source.schema, false, "a");
    const auto right = compile_expression(b, source.schema, false, "b");
    REQUIRE(left);
    REQUIRE(right);
    return order.at_most(**left, **right);
  };
  CHECK(at_most("date", "date + minutes(distance)"));
  CHECK(at_most("date + 1h", "date + 2h"));
  CHECK_FALSE(at_most("date + 2h", "date + 1h"));
  CHECK(at_most("date + minutes(delay)", "date + minutes(delay) + 1h"));
  CHECK_FALSE(at_most("date + minutes(delay)", "date + 1h"));
  CHECK(at_most("date + 40min", "date + minutes(40 + distance / 7.5)"));
  CHECK_FALSE(at_most("date + 41min", "date + minutes(40 + distance / 7.5)"));
  CHECK(at_most("date + 1d", "date + days(greatest(delay, 1))"));
  CHECK(at_most("date - 2h", "date + minutes(delay)"));  // delay ≥ −120
  CHECK_FALSE(at_most("date - 119min", "date + minutes(delay)"));
  CHECK_FALSE(at_most("date", "date + minutes(delay * delay)"));
  CHECK_FALSE(at_most("date", "date + minutes(distance / delay)"));
  CHECK(at_most("date - 1h", "greatest(date - 2h, date)"));
  CHECK_FALSE(at_most("date", "least(date - 2h, date)"));
  CHECK(at_most("least(date, date + 3h)", "date"));
  CHECK(at_most("date", "date + hours(abs(delay))"));
  CHECK_FALSE(at_most("date", "date + hours(distance - 1)"));
  CHECK_FALSE(at_most("date + 9000000000000000000us", "date - 9000000000000000000us"));
}

}  // namespace
}  // namespace coeval::define
