#include <doctest/doctest.h>

#include <algorithm>

#include "base/time.h"
#include "define/checks.h"
#include "define/definition_for_tests.h"

namespace coeval::define {
namespace {

using testing::changed;
using testing::errors_of;
using testing::project_of;

const std::string kFlown = R"toml([project]
name = "flown"
[source.aircraft]
time = "since"
known = "event time"
[source.aircraft.columns]
since = "timestamp"
tail = "string"
seats = { type = "int32", nullable = true }
[source.flown]
time = "ts"
known = "ts + 1h"
max_bad_rows = 1000
max_bad_ratio = 0.01
[source.flown.columns]
ts = { type = "timestamp", max_ahead = "1d" }
tail = { type = "string", min_length = 3, max_length = 6, pii = true }
origin = { type = "string", severity = "warn", pattern = "[A-Z]{3}", enum = ["ATL", "ORD"] }
seq = "int64"
delay = { type = "float64", finite = false, min = -120, max = 3000, severity = { max = "warn" } }
vector = "list<float32>(4)"
label = { type = "bool", environments = ["train"] }
[source.flown.checks]
route = { row = "origin <> tail", severity = "warn", warn_if = 2, error_if = 10 }
order = { increasing = "seq", by = ["tail"], strictly = true }
plane = { refers = "tail", to = "aircraft.tail" }
once = { unique = ["tail", "ts"] }
size = { rows = "", min = 1000, max = 2000000 }
usual = { volume = "4w", max_ratio = 3 }
nulls = { null_share = "delay", max = 0.02 }
kinds = { distinct = "origin", min = 5 }
level = { mean = "delay", min = -5.5, max = 60 }
tail99 = { quantile = "delay", p = 0.99, max = 300 }
ledger = { sum = "seq", equals = "aircraft.seats", tolerance = 0.01 }
fresh = { freshness = "36h", of = "both" }
late = { late_share = "1h", max = 0.1 }
mixed = { out_of_order_share = "", max = 0.05 }
gaps = { gap = "2h", by = ["tail"], max = 0 }
drift = { psi = "delay", reference = "reference/flown.profile", max = 0.2 }
news = { new_values = "origin", reference = "reference/flown.profile", max = 0 }
)toml";

// The only error after one change.
std::string error_of(const std::string& from, const std::string& to) {
  const auto errors = errors_of(changed(kFlown, from, to));
  for (const auto& error : errors) INFO(error);
  REQUIRE(errors.size() == 1);
  return errors[0];
}

void begins(const std::string& text, const std::string& with) {
  CAPTURE(text);
  CHECK(text.starts_with(with));
}
void says(const std::string& text, const std::string& part) {
  CAPTURE(text);
  CHECK(text.find(part) != std::string::npos);
}

const Check& check_of(const Project& project, std::string_view name) {
  for (const Check& check : project.sources.at(1).checks)
    if (check.name == name) return check;
  FAIL("no check " << name);
  return project.sources[1].checks[0];
}

TEST_CASE("the checks of a source are read in full, by name") {
  const Project project = project_of(kFlown);
  const Source& flown = project.sources.at(1);
  CHECK(flown.max_bad_rows == 1000);
  CHECK(flown.max_bad_ratio == 0.01);
  REQUIRE(flown.checks.size() == 17);
  CHECK(std::ranges::is_sorted(flown.checks, {}, &Check::name));

  const Check& route = check_of(project, "route");
  CHECK(route.kind == CheckKind::row);
  CHECK(route.severity == Severity::warn);
  CHECK(canonical(*route.expr) == "(origin <> tail)");
  CHECK(route.columns ==
        std::vector{flown.schema.index_of("origin"), flown.schema.index_of("tail")});
  CHECK(route.warn_if == 2);
  CHECK(route.error_if == 10);
  CHECK(route.position.line == 24);
  CHECK(route.rule_name() == "checks.route");

  const Check& order = check_of(project, "order");
  CHECK(order.kind == CheckKind::increasing);
  CHECK(order.severity == Severity::error);
  CHECK(order.strictly);
  CHECK(order.keys == std::vector{flown.schema.index_of("tail")});

  const Check& plane = check_of(project, "plane");
  CHECK(plane.kind == CheckKind::refers);
  CHECK(plane.other_source == 0);
  CHECK(plane.other_column == project.sources[0].schema.index_of("tail"));

  CHECK(check_of(project, "once").columns.size() == 2);
  CHECK(check_of(project, "size").min == 1000);
  CHECK(check_of(project, "usual").span_us == 28 * kDayUs);
  CHECK(check_of(project, "usual").max == 3);
  CHECK(check_of(project, "level").min == -5.5);
  CHECK(!check_of(project, "kinds").max);
  CHECK(check_of(project, "tail99").p == 0.99);
  CHECK(check_of(project, "ledger").tolerance == 0.01);
  CHECK(check_of(project, "fresh").freshness_of == FreshnessOf::both);
  CHECK(check_of(project, "mixed").columns.empty());
  CHECK(check_of(project, "drift").reference == "reference/flown.profile");
  CHECK(is_distribution_check(check_of(project, "news").kind));
}

TEST_CASE("further rules of columns are read") {
  const Project project = project_of(kFlown);
  const auto& columns = project.sources.at(1).columns;
  const auto column = [&](std::string_view name) {
    return *std::ranges::find(columns, name, &SourceColumn::name);
  };
  CHECK(column("ts").max_ahead_us == kDayUs);
  CHECK(column("tail").min_length == 3);
  CHECK(column("tail").max_length == 6);
  CHECK(column("tail").pii);
  CHECK_FALSE(column("origin").pii);
  CHECK(column("origin").warnings == std::vector<std::string>{"enum", "pattern"});
  CHECK(column("delay").severity_of("max") == Severity::warn);
  CHECK(column("delay").severity_of("min") == Severity::error);
  CHECK_FALSE(column("delay").finite);
  CHECK(column("label").is_in(Environment::train));
  CHECK_FALSE(column("label").is_in(Environment::serve));
  // Where it may be absent it may be null.
  const auto& fields = project.sources.at(1).schema.fields;
  CHECK(std::ranges::find(fields, "label", &data::Field::name)->nullable);
  CHECK_FALSE(column("label").nullable);
}

TEST_CASE("a broken check says where and what to write") {
  CHECK(error_of("row = \"origin <> tail\"", "row = \"orign <> tail\"") ==
        "24:18 C0412 unknown column 'orign' | did you mean 'origin'?");
  begins(error_of("row = \"origin <> tail\"", "row = \"seq + 1\""), "24:");
  says(error_of("row = \"origin <> tail\"", "row = \"seq + 1\""), "C0413");
  CHECK(error_of("row = \"origin <> tail\"", "rwo = \"origin <> tail\"") ==
        "24:11 C0303 unknown key 'rwo' in check 'route' of source 'flown' | did you mean 'row'?");
  begins(error_of("row = \"origin <> tail\"", "row = \"true\", mean = \"delay\""),
         "24:25 C0305 check 'route' of source 'flown' checks two things: 'row' and 'mean'");
  begins(
      error_of("{ increasing = \"seq\", by = [\"tail\"], strictly = true }", "{ strictly = true }"),
      "25:1 C0304 check 'order' of source 'flown' does not say what it checks");
  CHECK(error_of("increasing = \"seq\"", "increasing = \"sqe\"") ==
        "25:24 C0412 unknown column 'sqe' | did you mean 'seq'?");
  begins(error_of("increasing = \"seq\"", "increasing = \"tail\""),
         "25:24 C0413 'increasing' is not for column 'tail', which is string");
  CHECK(error_of("\"aircraft.tail\"", "\"aircraf.tail\"") ==
        "26:33 C0411 unknown source 'aircraf' | did you mean 'aircraft'?");
  CHECK(error_of("\"aircraft.tail\"", "\"aircraft.tial\"") ==
        "26:33 C0412 unknown column 'tial' | did you mean 'tail'?");
  begins(error_of("\"aircraft.tail\"", "\"aircraft.seats\""),
         "26:33 C0413 'aircraft.seats' is int32, but the column of check 'plane' of source "
         "'flown' is string");
  begins(error_of("to = \"aircraft.tail\"", "to = \"aircraft\""), "26:33 C0305");
  begins(error_of("[\"tail\", \"ts\"]", "[\"tail\", \"tail\"]"), "27:28 C0415");
  begins(error_of("[\"tail\", \"ts\"]", "[]"), "27:19 C0305");
  begins(error_of("rows = \"\", min = 1000, max = 2000000", "rows = \"\""), "28:1 C0304");
  begins(error_of("min = 1000, max = 2000000", "min = 10, max = 1"), "28:37 C0305");
  begins(error_of("rows = \"\"", "rows = \"delay\""), "28:17 C0305");
  begins(error_of("volume = \"4w\"", "volume = \"4 weeks\""), "29:20 C0416");
  begins(error_of(", max_ratio = 3", ""), "29:1 C0304");
  begins(error_of("max = 0.02", "max = 2"), "30:39 C0305");
  begins(error_of("mean = \"delay\"", "mean = \"tail\""), "32:18 C0413");
  begins(error_of("p = 0.99, ", ""), "33:1 C0304");
  begins(error_of("of = \"both\"", "of = \"neither\""), "35:35 C0305");
  begins(error_of("by = [\"tail\"], max = 0", "by = [\"vector\"], max = 0"), "38:28 C0413");
  begins(error_of("reference = \"reference/flown.profile\", max = 0.2", "max = 0.2"), "39:1 C0304");
  begins(error_of("severity = \"warn\", warn_if", "severity = \"info\", warn_if"), "24:46 C0305");
  begins(error_of("warn_if = 2", "warn_if = 20"), "24:64 C0305");
  begins(error_of("max = 0.2", "max = 0.2, warn_if = 3"), "39:76 C0303");
  begins(error_of("once =", "\"on ce\" ="), "27:1 C0305");
}

TEST_CASE("a check and a rule of a column named checks do not share a name") {
  const std::string column = "checks = { type = \"int64\", min = 0 }\nseq = \"int64\"";
  CHECK(errors_of(changed(kFlown, "seq = \"int64\"", column)).empty());
  const auto errors =
      errors_of(changed(changed(kFlown, "seq = \"int64\"", column), "route = {", "min = {"));
  REQUIRE(errors.size() == 1);
  CHECK(errors[0] ==
        "25:1 C0415 check 'min' of source 'flown' has the rule 'checks.min', as the column "
        "'checks' has | give the check another name");
  CHECK(errors_of(changed(kFlown, "route = {", "min = {")).empty());
}

TEST_CASE("a rule that is not for its column is refused") {
  begins(error_of("seq = \"int64\"", "seq = { type = \"int64\", max_length = 3 }"),
         "19:25 C0305 'max_length' of column 'seq' of source 'flown' is for strings only");
  begins(error_of("seq = \"int64\"", "seq = { type = \"int64\", finite = false }"), "19:25 C0305");
  begins(error_of("seq = \"int64\"", "seq = { type = \"int64\", max_ahead = \"1d\" }"),
         "19:25 C0305");
  begins(error_of("max_ahead = \"1d\"", "max_ahead = \"one day\""), "16:40 C0416");
  begins(error_of("min_length = 3", "min_length = 9"), "17:27 C0305");
  begins(error_of("[\"train\"]", "[]"), "22:41 C0305");
  says(error_of("[\"train\"]", "[\"trian\"]"), "did you mean 'train'?");
  begins(error_of("severity = { max = \"warn\" }", "severity = { maxi = \"warn\" }"),
         "20:82 C0305 column 'delay' of source 'flown' has no rule 'maxi' | did you mean 'max'?");
  begins(error_of("severity = { max = \"warn\" }", "severity = { null = \"warn\" }"),
         "20:82 C0305 'null' of column 'delay' of source 'flown' is always an error | declare "
         "nullable = true");
  begins(error_of("seq = \"int64\"", "seq = { type = \"int64\", severity = \"warn\" }"),
         "19:25 C0305 column 'seq' of source 'flown' has no rule that could warn");
  begins(error_of("max_bad_ratio = 0.01", "max_bad_ratio = 2"), "14:17 C0305");
}

TEST_CASE("a column that is not everywhere is read by no view and no model") {
  const std::string view = "[view.v]\nfrom = \"flown\"\nby = [\"tail\"]\nwindows = [\"1h\"]\n";
  const auto counted = errors_of(kFlown + view + "n = \"any(label)\"\n");
  REQUIRE(counted.size() == 1);
  begins(counted[0],
         "45:5 C0501 view 'v': 'n' reads label, which is not there when serving: training and "
         "serving would count different events");
  const std::string model =
      view +
      "n = \"count()\"\n[model.m]\nquestion = { from = \"flown\", at = \"ts\" }\n"
      "label = \"label\"\ninputs = [\"v.n_1h\", \"late\"]\n"
      "split = { train_until = 2001-05-01, validate_until = 2001-06-01, "
      "test_until = 2001-07-01 }\n";
  const std::string with_keys =
      changed(changed(kFlown, "tail = { type = \"string\", min",
                      "tail = { type = \"string\", known = \"ts\", min"),
              "seq = \"int64\"", "seq = \"int64\"\nlate = { type = \"bool\", known = \"ts\" }");
  CHECK(errors_of(with_keys + model).empty());
  const auto read = errors_of(changed(with_keys, "late = { type = \"bool\"",
                                      "late = { type = \"bool\", environments = [\"train\"]") +
                              model);
  REQUIRE(read.size() == 1);
  says(read[0], "C0501 input 'late' reads late, which is not there when serving");
}

TEST_CASE("only rules that keep single rows out change what a definition means") {
  const Project plain = project_of(kFlown);
  const auto same = [&](const std::string& from, const std::string& to) {
    return project_of(changed(kFlown, from, to)).ir_hash == plain.ir_hash;
  };
  // What warns, what is asked of batches, and what is only shown.
  CHECK(same("route = { row = \"origin <> tail\"", "route = { row = \"origin = tail\""));
  CHECK(same("route = {", "other = {"));
  CHECK(same("max_bad_rows = 1000\n", ""));
  CHECK(same("max_bad_ratio = 0.01\n", ""));
  CHECK(same(", pii = true", ""));
  CHECK(same("pattern = \"[A-Z]{3}\"", "pattern = \"[A-Z]{4}\""));
  CHECK(same("max = 3000, severity", "max = 4000, severity"));
  CHECK(same("size = { rows = \"\", min = 1000, max = 2000000 }\n", ""));
  CHECK(same("level = { mean = \"delay\", min = -5.5, max = 60 }\n", ""));
  CHECK(same("drift = { psi = \"delay\"", "drift = { ks = \"delay\""));
  // What depends on other rows is settled when a row is taken in.
  CHECK(same("order = { increasing = \"seq\", by = [\"tail\"], strictly = true }\n", ""));
  CHECK(same("plane = { refers = \"tail\", to = \"aircraft.tail\" }\n", ""));

  CHECK_FALSE(same("severity = \"warn\", warn_if = 2", "warn_if = 2"));
  CHECK_FALSE(same("min_length = 3", "min_length = 4"));
  CHECK_FALSE(same("max_length = 6", "max_length = 7"));
  CHECK_FALSE(same("max_ahead = \"1d\"", "max_ahead = \"2d\""));
  CHECK_FALSE(same("finite = false, ", ""));
  CHECK_FALSE(same(", environments = [\"train\"]", ""));
  CHECK_FALSE(same(", severity = { max = \"warn\" }", ""));
}

TEST_CASE("the name of a check of rows means nothing, and neither does its order") {
  const std::string first =
      changed(kFlown, "severity = \"warn\", warn_if = 2, error_if = 10", "warn_if = 2");
  const std::string more = "zz = { row = \"seq > 0\" }\n";
  const std::string other = "aa = { row = \"seq > 0\" }\n";
  CHECK(project_of(first + more).ir_hash == project_of(first + other).ir_hash);
  CHECK(project_of(first + more).ir_hash != project_of(first).ir_hash);
}

TEST_CASE("a bound that only warns proves no order of times") {
  const std::string base = testing::kFlights;
  CHECK(errors_of(base).empty());
  // The distance's minimum proves that a row is known after it happened.
  const std::string later = changed(base, "delay    = { type = \"int32\"",
                                    "delay    = { type = \"int32\", known = \"date + 40min\"");
  CHECK(errors_of(later).empty());
  CHECK_FALSE(
      errors_of(changed(later, "min = 0, max = 6000", "min = 0, max = 6000, severity = \"warn\""))
          .empty());
}

}  // namespace
}  // namespace coeval::define
