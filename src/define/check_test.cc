#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "base/time.h"
#include "define/definition_for_tests.h"

namespace coeval::define {
namespace {

using testing::changed;
using testing::cpu_seconds;
using testing::error_of;
using testing::errors_of;
using testing::kFlights;
using testing::kPatience;
using testing::project_of;

bool begins(const std::string& text, const std::string& start) {
  CAPTURE(text);
  CHECK(text.substr(0, start.size()) == start);
  return text.starts_with(start);
}

TEST_CASE("a good definition becomes a project") {
  const Project project = project_of(kFlights);
  REQUIRE(project.sources.size() == 1);
  const Source& source = project.sources[0];
  CHECK(source.schema.fields[0].name == "date");
  CHECK(source.time_index == 0);
  CHECK(canonical(*source.known) == "(date + minutes((40.0 + (cast(distance as float64) / 7.5))))");
  const View& view = project.views[0];
  CHECK(view.feature_count() == 6);
  CHECK(view.feature_name(0) == "origin.far_3h");
  CHECK(view.feature_name(5) == "origin.late_14d");
  CHECK(view.feature_type(0) == data::Type::int64);
  CHECK(view.feature_type(2) == data::Type::int64);
  CHECK(view.feature_type(4) == data::Type::float64);
  CHECK(view.longest_window_us() == 14 * 86'400'000'000);
  CHECK(canonical(*view.aggregates[0].where) == "(cast(distance as int64) > 1000)");
}

TEST_CASE("a model's row holds what its inputs and keys read, and nothing else") {
  const Project project =
      project_of(changed(kFlights, R"(["weekday", "distance", "origin", "origin.*", "pressure"])",
                         R"(["weekday", "pressure", "distance * 2"])"));
  const Model& model = project.models[0];
  std::vector<std::string> names;
  for (const auto& field : model.row.schema.fields) names.push_back(field.name);
  CHECK(names ==
        std::vector<std::string>{"distance", "origin", "origin.late_3h", "origin.late_14d"});
  CHECK(model.row.question_columns.size() == 2);
  CHECK(model.row.view_features.size() == 2);
  CHECK(canonical(*model.inputs[1].expr) == "(origin.late_3h / origin.late_14d)");
  CHECK(columns_read(*model.inputs[1].expr) == std::vector<int>{2, 3});
  CHECK(model.inputs[2].name == "(cast(distance as int64) * 2)");
}

TEST_CASE("the question's time column is the question's time") {
  const Project project = project_of(changed(kFlights, "\"pressure\"]", "\"hour(date)\"]"));
  CHECK(canonical(*project.models[0].inputs.back().expr) == "hour(at)");
  CHECK(project.models[0].row.schema.index_of("date") < 0);
}

TEST_CASE("strings are categorical inputs, numbers are not") {
  const Project project = project_of(kFlights);
  for (const auto& input : project.models[0].inputs)
    CHECK(input.categorical == (input.name == "origin"));
}

TEST_CASE("a count is never null, another aggregate may be") {
  const Project project = project_of(kFlights);
  const auto& schema = project.models[0].row.schema;
  CHECK_FALSE(
      schema.fields[static_cast<std::size_t>(schema.index_of("origin.flights_3h"))].nullable);
  CHECK(schema.fields[static_cast<std::size_t>(schema.index_of("origin.late_3h"))].nullable);
}

TEST_CASE("errors of a source") {
  CHECK(begins(error_of("distance / 7.5)\"", "distnce / 7.5)\""),
               "6:30 C0412 unknown column 'distnce' | did you mean 'distance'?"));
  CHECK(begins(error_of("time  = \"date\"", "time  = \"dat\""),
               "5:9 C0412 unknown column 'dat' | did you mean 'date'?"));
  CHECK(begins(error_of("path ", "pth "),
               "4:1 C0303 unknown key 'pth' in source 'flights' | did you mean 'path'?"));
  CHECK(begins(error_of("min = 0, max = 6000", "min = 0, max = -1"),
               "10:1 C0305 min of column 'distance'"));
  CHECK(begins(error_of("min = 0, max = 6000", "min = 0, max = 3000000000"),
               "10:61 C0305 'max' of column 'distance'"));
  CHECK(begins(error_of("\"[A-Z]{3}\"", "\"[A-Z{3}\""),
               "9:57 C0305 the pattern is not a regular expression"));
  CHECK(
      begins(error_of("min = -120", "pattern = \"x\""), "11:30 C0305 'pattern' of column 'delay'"));
  CHECK(begins(error_of("{ type = \"int32\", min = -120", "{ type = \"int23\", min = -120"),
               "11:21 C0305 unknown type 'int23' | did you mean 'int32'?"));
  CHECK(begins(error_of("{ type = \"int32\", min = -120", "{ type = \"decimal(9,12)\", min = -120"),
               "11:21 C0305 unknown type 'decimal(9,12)' | write decimal(p,s)"));
  CHECK(begins(error_of("{ type = \"int32\", min = -120", "{ type = \"decimal(9,2)\", min = 0.005"),
               "11:43 C0305 'min' of column 'delay' of source 'flights' does not fit its type "
               "decimal(9,2)"));
  const auto nullable = errors_of(
      changed(kFlights, "{ type = \"timestamp\" }", "{ type = \"timestamp\", nullable = true }"));
  REQUIRE(nullable.size() == 2);
  CHECK(begins(nullable[0], "5:9 C0305 the event time of source 'flights' may not be null"));
  CHECK(begins(nullable[1], "22:37 C0413 the question's time must be timestamp and never null"));
  CHECK(begins(error_of("{ type = \"timestamp\" }", "{ type = \"timestamp\", nulable = true }"),
               "8:34 C0303 unknown key 'nulable' in column 'date' of source 'flights' | did you "
               "mean 'nullable'?"));
}

TEST_CASE("a source must say when its rows become known") {
  const auto without = error_of("known = \"date + minutes(40 + distance / 7.5)\"\n", "");
  CHECK(begins(without, "3:9 C0503 source 'flights' does not say"));
  CHECK(without.find("known = \"<expression>\"") != std::string::npos);
  CHECK(without.find("known = \"event time\"") != std::string::npos);
  CHECK(begins(error_of("\"date + minutes(40 + distance / 7.5)\"", "\"date\""), "6:9 C0503"));
  CHECK(begins(error_of("\"date + minutes(40 + distance / 7.5)\"", "\"distance\""),
               "6:10 C0413 the known time of source 'flights' must be timestamp, not int32"));
  const Project claimed =
      project_of(changed(kFlights, "\"date + minutes(40 + distance / 7.5)\"", "\"event time\""));
  CHECK(claimed.sources[0].known_is_event_time);
  CHECK(canonical(*claimed.sources[0].known) == "date");
}

TEST_CASE("a known time that is null for every row is refused") {
  const std::string known = "date + minutes(40 + distance / 7.5)";
  for (const std::string null :
       {"null", "date + minutes(null)", "date - minutes(40 + null)", "if(true, null, date + 1h)",
        "if(null, date + 1h, null)", "if(distance > 3, date + minutes(null), null)",
        "coalesce(date + minutes(null), null)",
        "case when distance > 3 then date + minutes(null) else null end",
        "nullif(date + minutes(null), date)"}) {
    CAPTURE(null);
    CHECK(begins(error_of(known, null),
                 "6:9 C0503 the known time of source 'flights' is null for every row"));
  }
  CHECK(begins(error_of("\"int32\", min = -120", "\"int32\", known = \"null\", min = -120"),
               "11:38 C0503 the known time of column 'delay' of source 'flights' is null"));
  for (const std::string sometimes :
       {"if(distance > 3, null, date + 1h)", "coalesce(null, date + 1h)",
        "if(false, null, date + 1h)", "case when distance > 3 then null else date + 1h end",
        "if(distance is distinct from null, date + 1h, null)", "nullif(date + 1h, null)"}) {
    CAPTURE(sometimes);
    CHECK(errors_of(changed(kFlights, known, sometimes)).empty());
  }
}

TEST_CASE("errors of a view") {
  CHECK(begins(error_of("from    = \"flights\"", "from    = \"flihgts\""),
               "13:11 C0411 unknown source 'flihgts' | did you mean 'flights'?"));
  CHECK(begins(error_of("by      = [\"origin\"]", "by      = [\"orign\"]"),
               "14:12 C0412 unknown column 'orign' | did you mean 'origin'?"));
  CHECK(begins(error_of("by      = [\"origin\"]\n", ""), "12:7 C0304 view 'origin' has no 'by'"));
  CHECK(begins(error_of("[\"3h\", \"14d\"]", "[\"3h\", \"14d\", \"0h\"]"),
               "15:25 C0416 a window cannot be '0h'"));
  CHECK(begins(error_of("[\"3h\", \"14d\"]", "[\"3h\", \"14d\", \"-3h\"]"), "15:25 C0416"));
  CHECK(begins(error_of("[\"3h\", \"14d\"]", "[\"3h\", \"14d\", \"3 hours\"]"), "15:25 C0416"));
  CHECK(begins(error_of("[\"3h\", \"14d\"]", "[\"3h\", \"14d\", \"180min\"]"),
               "15:25 C0416 two windows have one length"));
  CHECK(begins(error_of("[\"3h\", \"14d\"]", "[\"3h\", \"14d\", 7]"), "15:25 C0305"));
  CHECK(begins(
      error_of("\"sum(delay) where distance > 1000\"", "\"sum(origin) where distance > 1000\""),
      "18:16 C0414 'sum' does not take such a value"));
  CHECK(begins(error_of("\"sum(delay) where distance > 1000\"", "\"sum(delay) where distance\""),
               "18:29 C0413 the condition after 'where' must be bool, not int32"));
  CHECK(begins(error_of("\"sum(delay) where distance > 1000\"", "\"smu(delay)\""),
               "18:12 C0414 no aggregate 'smu' | did you mean 'sum'?"));
  CHECK(begins(error_of("\"sum(delay) where distance > 1000\"", "\"delay + 1\""),
               "18:12 C0414 not an aggregate"));
  CHECK(begins(error_of("\"sum(delay) where distance > 1000\"", "\"sum(delay, 1)\""),
               "18:12 C0414 'sum' is called with 2 arguments"));
  CHECK(begins(error_of("\"sum(delay) where distance > 1000\"", "\"sum(hour(at))\""),
               "18:21 C0411 'at' is the question's time"));
  CHECK(begins(
      error_of("far     = \"sum(delay) where distance > 1000\"", "widows = [\"3h\"]"),
      "18:1 C0305 aggregate 'widows' of view 'origin' must be a string or a table, not an array | "
      "did you mean 'windows'?"));
  CHECK(begins(error_of("far  ", "2far "), "18:1 C0305 bad name for an aggregate"));
}

TEST_CASE("windows have offsets and calendar periods, sorted by meaning") {
  const Project project = project_of(changed(
      kFlights, "[\"3h\", \"14d\"]",
      R"(["this_month", "7d  offset 14d", "14d", "today", "3h", "7d offset 7d", "all", "this_week"])"));
  std::vector<std::string> texts;
  for (const auto& window : project.views[0].windows) texts.push_back(window.text);
  CHECK(texts == std::vector<std::string>{"today", "this_week", "this_month", "3h", "7d_offset_7d",
                                          "7d_offset_14d", "14d", "all"});
  const Window& offset = project.views[0].windows[5];
  CHECK(offset.us == 7 * kDayUs);
  CHECK(offset.offset_us == 14 * kDayUs);
  CHECK(offset.reach_us() == 21 * kDayUs);
  CHECK(project.views[0].longest_window_us() == kAllTime);
  CHECK(project.views[0].feature_name(5) == "origin.far_7d_offset_14d");
  CHECK(project.views[0].windows[0].period == Period::day);
}

TEST_CASE("the reach of a view is that of the window that begins first") {
  const auto view = [](const std::string& windows) {
    return project_of(kFlights + "[view.all]\nfrom = \"flights\"\nby = []\nwindows = [" + windows +
                      "]\nn = \"count()\"\n")
        .views[0];
  };
  CHECK(view("\"30d\", \"7d offset 28d\"").longest_window_us() == 35 * kDayUs);
  CHECK(view("\"30d\", \"7d offset 28d\"").longest_window() == 0);
  CHECK(view("\"30d\", \"7d offset 7d\"").longest_window_us() == 30 * kDayUs);
  CHECK(view("\"3h\", \"today\"").longest_window_us() >= kDayUs + kHourUs);
  CHECK(view("\"20d\", \"this_month\"").longest_window_us() >= 31 * kDayUs + kHourUs);
}

TEST_CASE("errors of windows") {
  const auto window = [](const std::string& text) {
    return error_of("[\"3h\", \"14d\"]", "[\"3h\", \"14d\", \"" + text + "\"]");
  };
  CHECK(begins(window("7d offset -7d"),
               "15:25 C0501 view 'origin': window '7d offset -7d' ends 7d after the question's "
               "time: it would count what has not happened yet"));
  CHECK(begins(window("7d offset 0d"), "15:25 C0416 an offset cannot be '0d'"));
  CHECK(begins(window("0d offset 7d"), "15:25 C0416 a window cannot be '0d'"));
  CHECK(begins(window("7d offset soon"), "15:25 C0416 an offset cannot be 'soon'"));
  CHECK(begins(window("7d ofset 7d"), "15:25 C0416 a window cannot be '7d ofset 7d'"));
  CHECK(begins(window("today offset 1d"), "15:25 C0416 window 'today' has no offset"));
  CHECK(begins(window("all offset 1d"), "15:25 C0416 window 'all' has no offset"));
  CHECK(begins(window("this_year"), "15:25 C0416 a window cannot be 'this_year'"));
  CHECK(begins(window("20000d offset 20000d"), "15:25 C0416 window '20000d offset 20000d' begins"));
  CHECK(begins(window("99999999999999d"), "15:25 C0416"));
  CHECK(begins(
      error_of("[\"3h\", \"14d\"]", "[\"3h\", \"14d\", \"1d offset 48h\", \"24h offset 2d\"]"),
      "15:42 C0416 two windows have one length: '24h offset 2d'"));
  CHECK(begins(error_of("[\"3h\", \"14d\"]", "[\"3h\", \"14d\", \"today\", \"today\"]"),
               "15:34 C0416 two windows"));
  const auto clash = errors_of(
      changed(changed(kFlights, "[\"3h\", \"14d\"]", "[\"3h\", \"14d\", \"3h offset 14d\"]"),
              "far     = ", "late_3h_offset = \"count()\"\nfar     = "));
  REQUIRE(clash.size() == 1);
  CHECK(begins(clash[0], "18:18 C0415 two features are called 'origin.late_3h_offset_14d'"));
}

TEST_CASE("a project has a zone, and its calendar functions follow it") {
  const auto in = [](const std::string& zone) {
    return changed(
        changed(kFlights, "name = \"flights\"\n", "name = \"flights\"\nzone = \"" + zone + "\"\n"),
        "\"delay >= 15\"\ninputs", "\"delay >= 15 and hour(date) > 6\"\ninputs");
  };
  const Project berlin = project_of(in("Europe/Berlin"));
  REQUIRE(berlin.zone != nullptr);
  CHECK(berlin.zone->name() == "Europe/Berlin");
  CHECK(canonical(*berlin.models[0].inputs[0].expr) == "weekday(at; 'Europe/Berlin')");
  CHECK(canonical(*berlin.models[0].label).find("hour(date; 'Europe/Berlin')") !=
        std::string::npos);
  const auto set = feature_set(berlin, "hour");
  REQUIRE(set);
  CHECK(canonical(*set->inputs[0].expr) == "hour(at; 'Europe/Berlin')");
  CHECK(project_of(in("UTC")).zone == nullptr);
  const auto named = [](const std::string& zone) {
    return error_of("name = \"flights\"\n", "name = \"flights\"\nzone = \"" + zone + "\"\n");
  };
  CHECK(begins(named("Europe/Berln"),
               "3:8 C0418 unknown time zone 'Europe/Berln' | did you mean 'Europe/Berlin'?"));
  CHECK(begins(named("nowhere at all"), "3:8 C0418 unknown time zone 'nowhere at all' | write an"));
}

TEST_CASE("constants stand for their values everywhere") {
  const std::string constants = R"([constants]
limit = 15
far_km = 1e3
nights = false
home = "ORD"
grace = "2h"
opened = 2001-02-03
dawn = 2001-02-03T04:05:06Z
[view.origin])";
  auto text = changed(kFlights, "[view.origin]", constants);
  text = changed(text, "mean(delay >= 15)", "mean(delay >= limit)");
  text = changed(text, "where distance > 1000", "where distance > far_km or nights");
  text = changed(text, "label    = \"delay >= 15\"", "label    = \"delay >= limit\"");
  text = changed(text, "\"pressure\"]",
                 "\"pressure\", \"origin = home\", \"cast(at as date) >= opened\", "
                 "\"(at - dawn) / 1d\", \"length(grace)\"]");
  text = changed(text, "minutes(40 + distance", "minutes(limit + distance");
  const Project project = project_of(text);
  CHECK(canonical(*project.sources[0].known) ==
        "(date + minutes((15.0 + (cast(distance as float64) / 7.5))))");
  CHECK(canonical(*project.views[0].aggregates[2].argument).find(">= 15)") != std::string::npos);
  CHECK(canonical(*project.views[0].aggregates[0].where) ==
        "((cast(distance as float64) > 1000.0) or false)");
  CHECK(canonical(*project.models[0].label) == "(cast(delay as int64) >= 15)");
  const auto& inputs = project.models[0].inputs;
  const auto end = inputs.size();
  CHECK(canonical(*inputs[end - 4].expr) == "(origin = 'ORD')");
  CHECK(canonical(*inputs[end - 3].expr).find("2001-02-03") != std::string::npos);
  CHECK(canonical(*inputs[end - 2].expr).find("2001-02-03T04:05:06Z") != std::string::npos);
  CHECK(canonical(*inputs[end - 1].expr) == "length('2h')");
  const auto set = feature_set(project, "distance * limit");
  REQUIRE(set);
  CHECK(set->inputs[0].name == "(cast(distance as int64) * 15)");
}

TEST_CASE("errors of constants") {
  const auto constant = [](const std::string& line) {
    return error_of("[view.origin]", "[constants]\n" + line + "\n[view.origin]");
  };
  CHECK(begins(constant("distance = 1"),
               "13:1 C0415 constant 'distance' has the name of a column of source 'flights'"));
  CHECK(
      begins(constant("pressure = 1"), "13:1 C0415 constant 'pressure' has the name of a feature"));
  CHECK(begins(constant("hour = 1"), "13:1 C0415 constant 'hour' has the name of a function"));
  CHECK(begins(constant("x = [1]"), "13:5 C0305 constant 'x' cannot be an array"));
  CHECK(begins(constant("x = inf"), "13:5 C0305 constant 'x' cannot be infinite or NaN"));
  CHECK(begins(constant("x = 07:30:00"), "13:5 C0305 constant 'x' cannot be a time of day"));
  CHECK(begins(constant("2x = 1"), "13:1 C0305 bad name for a constant"));
  const auto broken = errors_of(
      changed(changed(kFlights, "[view.origin]", "[constants]\nlimit = {}\n[view.origin]"),
              "mean(delay >= 15)", "mean(delay >= limit)"));
  CHECK(broken.size() == 1);  // who uses it is not blamed
  const auto misspelt =
      errors_of(changed(changed(kFlights, "[view.origin]", "[constants]\nlimit = 3\n[view.origin]"),
                        "mean(delay >= 15)", "mean(delay >= limt)"));
  REQUIRE(misspelt.size() == 1);
  CHECK(misspelt[0].ends_with("did you mean 'limit'?"));
}

std::string input_text(const std::vector<Input>& inputs, const std::string& name) {
  for (const auto& input : inputs)
    if (input.name == name) return canonical(*input.expr);
  return "no input " + name;
}

TEST_CASE("a default takes the place of null wherever the feature is read") {
  const Project project = project_of(
      changed(kFlights, "\"mean(delay >= 15)\"", "{ value = \"mean(delay >= 15)\", default = 1 }"));
  const std::string read = "coalesce(origin.late_3h, 1.0)";
  const auto& inputs = project.models[0].inputs;
  CHECK(input_text(inputs, "origin.late_3h") == read);
  CHECK(input_text(inputs, "origin.far_3h") == "origin.far_3h");
  CHECK(input_text(inputs, "pressure") == "(" + read + " / coalesce(origin.late_14d, 1.0))");
  for (const std::string name : {"origin", "origin.late_3h", "weekday, *.late_*"}) {
    CAPTURE(name);
    const auto set = feature_set(project, name);
    REQUIRE(set);
    CHECK(input_text(set->inputs, "origin.late_3h") == read);
  }
}

TEST_CASE("a feature is stale by the age of the newest event that it counts") {
  const auto text = changed(kFlights, "\"sum(delay) where distance > 1000\"",
                            "{ value = \"sum(delay) where distance > 1000\", max_age = \"7d\" }");
  const Project project = project_of(text);
  const View& view = project.views[0];
  REQUIRE(view.aggregates.size() == 4);
  const Aggregate& age = view.aggregates[1];
  CHECK(age.name == "far.age");
  CHECK(age.kind == Aggregation::since_last);
  CHECK(canonical(*age.where) == canonical(*view.aggregates[0].where));
  const Model& model = project.models[0];
  for (const auto& input : model.inputs) CHECK(input.name.find(".age") == std::string::npos);
  CHECK(input_text(model.inputs, "origin.far_3h") ==
        "if((\"origin.far.age_14d\" <= 604800.0), origin.far_3h, null)");
  CHECK(model.row.schema.index_of("origin.far.age_14d") >= 0);
  CHECK(model.row.schema.index_of("origin.far.age_3h") < 0);

  const auto read = [&](const std::string& keys) {
    const auto set =
        feature_set(project_of(changed(text, "max_age = \"7d\"", keys)), "origin.far_14d");
    REQUIRE(set);
    return input_text(set->inputs, "origin.far_14d");
  };
  const std::string fresh =
      "if((\"origin.far.age_14d\" <= 604800.0), coalesce(origin.far_14d, -1), ";
  CHECK(read("max_age = \"7d\", default = -1") == fresh + "-1)");
  CHECK(read("max_age = \"7d\", default = -1, on_stale = \"default\"") == fresh + "-1)");
  CHECK(read("max_age = \"7d\", default = -1, on_stale = \"null\"") == fresh + "null)");
}

TEST_CASE("errors of defaults and ages") {
  const auto late = [](const std::string& keys) {
    return error_of("\"mean(delay >= 15)\"", "{ value = \"mean(delay >= 15)\", " + keys + " }");
  };
  CHECK(begins(late("default = \"x\""),
               "17:52 C0305 the default of aggregate 'late' of view "
               "'origin' does not fit its type float64"));
  CHECK(begins(late("defalt = 1"),
               "17:42 C0303 unknown key 'defalt' in aggregate 'late' of view "
               "'origin' | did you mean 'default'?"));
  CHECK(begins(late("max_age = \"0d\""), "17:52 C0416 max_age cannot be '0d'"));
  CHECK(begins(late("max_age = 7"), "17:52 C0305 'max_age' of aggregate 'late'"));
  CHECK(begins(late("on_stale = \"null\""),
               "17:42 C0304 aggregate 'late' of view 'origin' has "
               "on_stale but no max_age"));
  CHECK(begins(late("max_age = \"1d\", on_stale = \"default\""),
               "17:69 C0304 aggregate 'late' of view 'origin' has on_stale = \"default\" but no "
               "default"));
  CHECK(begins(late("max_age = \"1d\", on_stale = \"drop\""), "17:69 C0305 on_stale of aggregate"));
  CHECK(begins(error_of("\"mean(delay >= 15)\"", "{ default = 1 }"),
               "17:1 C0304 aggregate 'late' of view 'origin' has no 'value'"));
  CHECK(begins(error_of("\"count()\"", "{ value = \"count()\", default = 0.5 }"),
               "16:42 C0305 the default of aggregate 'flights' of view 'origin' does not fit its "
               "type int64"));
}

TEST_CASE("errors of lookups") {
  const std::string lookup =
      "[lookup.place]\nfrom = \"flights\"\nby = [\"origin\"]\ncolumns = [\"distance\"]\n";
  const auto error = [&](const std::string& from, const std::string& to) {
    const auto errors = errors_of(kFlights + changed(lookup, from, to));
    for (const auto& each : errors) INFO(each);
    REQUIRE(errors.size() == 1);
    return errors[0];
  };
  CHECK(errors_of(kFlights + lookup).empty());
  CHECK(begins(error("lookup.place", "lookup.origin"),
               "27:9 C0415 lookup 'origin' has the name of a view"));
  CHECK(begins(error("\"flights\"", "\"flight\""), "28:8 C0411 unknown source 'flight' | did you"));
  CHECK(begins(error("[\"origin\"]", "[\"orign\"]"), "29:7 C0412 unknown column 'orign'"));
  CHECK(begins(error("[\"origin\"]", "[]"), "29:6 C0305 lookup 'place' has no key"));
  CHECK(begins(error("[\"distance\"]", "[\"distanc\"]"), "30:12 C0412 unknown column 'distanc'"));
  CHECK(begins(error("[\"distance\"]", "[\"distance\", \"distance\"]"), "30:24 C0415"));
  CHECK(begins(error("[\"distance\"]", "[]"), "30:11 C0305 lookup 'place' has no columns"));
  CHECK(begins(error("columns =", "colums = 1\ncolumns ="),
               "30:1 C0303 unknown key 'colums' in lookup 'place' | did you mean 'columns'?"));
}

TEST_CASE("views over views, and so cycles of them, are refused") {
  const std::string circle =
      "[view.a]\nfrom = \"b\"\nby = []\nwindows = [\"1h\"]\nn = \"count()\"\n"
      "[view.b]\nfrom = \"a\"\nby = []\nwindows = [\"1h\"]\nn = \"count()\"\n";
  const auto errors = errors_of(kFlights + circle);
  REQUIRE(errors.size() == 2);
  CHECK(begins(errors[0], "28:8 C0105 view 'a' reads view 'b', but only the events of a source"));
  CHECK(begins(errors[1], "33:8 C0105 view 'b' reads view 'a'"));
}

TEST_CASE("hostile definitions are refused at once, with a place") {
  const auto repeated = [](const std::string& text, int times) {
    std::string out;
    for (int i = 0; i < times; ++i) out += text;
    return out;
  };
  const auto with = [](const std::string& expression) {
    return changed(kFlights, "origin.late_3h / origin.late_14d", expression);
  };
  std::string chain;
  for (int i = 0; i < 10'000; ++i)
    chain += "f" + std::to_string(i) + " = \"f" + std::to_string(i + 1) + " + 1\"\n";
  std::string ring = chain + "f10000 = \"f0\"\n";
  std::string unknown, misspelt;
  for (int i = 0; i < 20'000; ++i)
    unknown += "g" + std::to_string(i) + " = \"y + " + std::to_string(i) + "\"\n";
  for (int i = 0; i < 9'000; ++i)
    misspelt += "g" + std::to_string(i) + " = \"origin.lat_3h + " + std::to_string(i) + "\"\n";
  std::string one_line, long_enum;
  for (int i = 0; i < 20'000; ++i) {
    one_line +=
        (i == 0 ? "" : ", ") + ("h" + std::to_string(i)) + " = 'y + " + std::to_string(i) + "'";
    long_enum += (i == 0 ? "'" : ", '") + std::to_string(i) + "'";
  }
  const std::vector<std::pair<std::string, std::string>> hostile = {
      {"parentheses", with(repeated("(", 10'000) + "1" + repeated(")", 10'000))},
      {"minus", with(repeated("- ", 10'000) + "1")},
      {"not", with(repeated("not ", 10'000) + "true")},
      {"sums", with("1" + repeated(" + 1", 10'000))},
      {"calls", with(repeated("abs(", 10'000) + "1" + repeated(")", 10'000))},
      {"arrays", kFlights + "x = " + repeated("[", 10'000) + repeated("]", 10'000) + "\n"},
      {"tables", kFlights + "x = " + repeated("{a=", 10'000) + "1" + repeated("}", 10'000) + "\n"},
      {"keys", kFlights + "[x" + repeated(".x", 10'000) + "]\n"},
      {"ring of features", changed(kFlights, "[features]\n", "[features]\n" + ring)},
      {"one long line", kFlights + "[keys]\n" + "x = { " + one_line + " }\n"},
      {"one long enum",
       changed(changed(kFlights, "\"14d\"", "\"14 days\""), "delay    = {",
               "carrier = { type = 'string', enum = [" + long_enum + "] }\ndelay    = {")},
      {"unknown columns", changed(kFlights, "[features]\n", "[features]\n" + unknown)},
      {"misspelt features", changed(kFlights, "[features]\n", "[features]\n" + misspelt)},
      {"integer literal", with("distance + 99999999999999999999")},
      {"duration literal", with("at + 9223372036854775807d > at")},
      {"integer in TOML", kFlights + "x = 99999999999999999999\n"},
      {"window", changed(kFlights, "\"14d\"", "\"9223372036854775807w\"")},
      {"large", kFlights + "# " + std::string(10 << 20, 'x')},
      {"many errors", kFlights + repeated("[view.x]\nfrom = 1\n", 50'000)},
  };
  for (const auto& [name, text] : hostile) {
    CAPTURE(name);
    const double before = cpu_seconds();
    const Checked checked = check_text(text, "coeval.toml");
    CHECK(cpu_seconds() - before < 1 * kPatience);
    CHECK_FALSE(checked.project);
    REQUIRE_FALSE(checked.errors.empty());
    CHECK(checked.errors[0].position.line > 0);
    CHECK(checked.errors[0].position.column > 0);
    CHECK(checked.errors[0].code != Code::internal);
    CHECK_FALSE(render(checked.errors[0], text, false).empty());
  }
}

TEST_CASE("a broken aggregate is not blamed on those who read it") {
  CHECK(begins(error_of("mean(delay >= 15)", "mean(dely >= 15)"),
               "17:17 C0412 unknown column 'dely'"));
}

TEST_CASE("errors of a model") {
  CHECK(begins(error_of("at = \"date\"", "at = \"dat\""),
               "22:37 C0412 unknown column 'dat' | did you mean 'date'?"));
  CHECK(begins(error_of("at = \"date\"", "at = \"origin\""),
               "22:37 C0413 the question's time must be timestamp"));
  CHECK(begins(
      error_of("{ from = \"flights\", at = \"date\" }", "{ from = \"flight\", at = \"date\" }"),
      "22:21 C0411 unknown source 'flight' | did you mean 'flights'?"));
  CHECK(begins(error_of("label    = \"delay >= 15\"", "label    = \"delay\""),
               "23:13 C0413 the label of model 'late' must be bool, not int32"));
  CHECK(begins(error_of("label    = \"delay >= 15\"", "label    = \"true\""),
               "23:12 C0413 the label of model 'late' reads no column"));
  CHECK(begins(error_of("\"weekday\", ", "\"wekday\", "),
               "24:14 C0411 unknown input 'wekday' | did you mean 'weekday'?"));
  CHECK(begins(error_of("\"origin.*\"", "\"orign.*\""),
               "24:46 C0411 no view feature matches 'orign.*'"));
  CHECK(begins(error_of("\"origin.*\"", "\"distance\""),
               "24:46 C0415 input 'distance' stands twice"));
  CHECK(begins(error_of("\"origin.*\"", "\"date\""), "24:46 C0413 input 'date' is timestamp"));
  CHECK(begins(error_of("\"origin.*\"", "\"origin.late_4h\""),
               "24:47 C0411 unknown input 'origin.late_4h' | did you mean 'origin.late_3h'?"));
  CHECK(begins(error_of("inputs   = [", "trainer = \"xgbost\"\ninputs   = ["),
               "24:11 C0411 unknown trainer 'xgbost'"));
  CHECK(begins(error_of("inputs   = [", "params = { etaa = 1 }\ninputs   = ["),
               "24:12 C0303 unknown key 'etaa' in params of model 'late' | did you mean 'eta'?"));
  CHECK(begins(error_of("inputs   = [", "params = { eta = 7 }\ninputs   = ["),
               "24:18 C0305 'eta' of params of model 'late' is out of range: 7"));
  CHECK(begins(error_of("inputs   = [", "params = { max_depth = 1.5 }\ninputs   = ["),
               "24:24 C0305"));
  CHECK(begins(
      error_of("inputs   = [",
               "trainer = \"lightgbm\"\nparams = { max_depth = -1, gamma = 1 }\ninputs   = ["),
      "25:28 C0303 unknown key 'gamma' in params of model 'late'"));
  CHECK(begins(error_of("inputs   = [", "params = { num_leaves = 31 }\ninputs   = ["),
               "24:12 C0303 unknown key 'num_leaves' in params of model 'late'"));
  CHECK(begins(error_of("inputs   = [",
                        "trainer = \"lightgbm\"\nparams = { linear_tree = true }\ninputs   = ["),
               "25:12 C0105"));
  CHECK(begins(error_of("\">= 0.77\"", "\"> 0.77\""),
               "26:20 C0305 a gate on auc cannot be '> 0.77'"));
  CHECK(begins(error_of("\">= 0.77\"", "0.77"),
               "26:20 C0305 'auc' of gate of model 'late' must be a string"));
  CHECK(begins(error_of("auc = ", "acu = "),
               "26:14 C0303 unknown key 'acu' in gate of model 'late' | did you mean 'auc'?"));
}

TEST_CASE("rows with a time are split by time only") {
  const std::string split =
      "{ train_until = 2001-05-01, validate_until = 2001-06-01, test_until = 2001-07-01 }";
  for (const auto* random :
       {"\"random\"", "0.8", "{ train = 0.8, test = 0.2 }", "{ method = \"random\" }",
        "{ train_until = 0.8, validate_until = 0.1, test_until = 0.1 }", "{ shuffle = true }"})
    CHECK(begins(error_of(split, random), "25:12 C0502 split of model 'late' is not by time"));
  CHECK(begins(error_of("2001-06-01", "2001-05-01"), "25:12 C0505"));
  CHECK(begins(error_of("2001-06-01", "\"2001-06-01\""), "25:57 C0305"));
  const auto misspelt = errors_of(changed(kFlights, "validate_until", "valid_until"));
  REQUIRE(misspelt.size() == 2);
  CHECK(begins(misspelt[0], "25:1 C0304 split of model 'late' has no 'validate_until'"));
  CHECK(begins(misspelt[1],
               "25:40 C0303 unknown key 'valid_until' in split of model 'late' | did you mean "
               "'validate_until'?"));
}

TEST_CASE("split times are UTC unless they say otherwise") {
  const Project project = project_of(changed(kFlights, "2001-05-01", "2001-05-01T02:00:00+02:00"));
  CHECK(project.models[0].split.train_until_us == 988'675'200'000'000);
}

TEST_CASE("features are checked, cycles and clashes refused") {
  CHECK(begins(error_of("\"origin.late_3h / origin.late_14d\"", "\"pressure + 1\""),
               "20:13 C0417 feature 'pressure' is defined by itself: pressure → pressure"));
  const auto ring = errors_of(
      changed(kFlights, "[features]\n", "[features]\na = \"b + 1\"\nb = \"c * 2\"\nc = \"b\"\n"));
  REQUIRE(ring.size() == 1);
  CHECK(begins(ring[0], "21:6 C0417 feature 'b' is defined by itself: b → c → b"));
  CHECK(begins(
      error_of("[features]\n", "[features]\nloop = \"pressure\"\nunused = \"nothing + 1\"\n"),
      "21:11 C0412 unknown column 'nothing'"));
  CHECK(begins(error_of("[features]\n", "[features]\ndistance = \"1 + 1\"\n"),
               "20:13 C0415 feature 'distance' has the name of a column"));
}

TEST_CASE("all errors are found at once, by position") {
  auto text = changed(kFlights, "distance / 7.5)\"", "distnce / 7.5)\"");
  text = changed(text, "\"mean(delay >= 15)\"", "\"maen(delay)\"");
  text = changed(text, "\">= 0.77\"", "\"good\"");
  const auto errors = errors_of(text);
  REQUIRE(errors.size() == 3);
  CHECK(begins(errors[0], "6:30 C0412"));
  CHECK(begins(errors[1], "17:12 C0414"));
  CHECK(begins(errors[2], "26:20 C0305"));
}

TEST_CASE("top-level keys are known or an error") {
  const auto misspelt = errors_of(changed(kFlights, "[features]", "[feature]"));
  REQUIRE(misspelt.size() == 2);
  CHECK(begins(misspelt[0],
               "19:2 C0303 unknown key 'feature' in the definition | did you mean 'features'?"));
  CHECK(begins(misspelt[1], "24:59 C0411 unknown input 'pressure'"));
  const auto empty = errors_of("");
  REQUIRE(empty.size() == 2);
  CHECK(begins(empty[0], "1:1 C0304 the definition has no 'project'"));
  CHECK(begins(empty[1], "1:1 C0304 the definition has no 'source'"));
}

TEST_CASE("many errors are cut off, not collected without end") {
  std::string text = "[project]\nname = \"p\"\n";
  for (int i = 0; i < 20'000; ++i) text += "k" + std::to_string(i) + " = 1\n";
  CHECK(check_text(text, "coeval.toml").errors.size() <= 1000);
}

TEST_CASE("counts are bounded") {
  const auto numbered = [](int count, const std::string& before, const std::string& after) {
    std::string text;
    for (int i = 1; i <= count; ++i) text += before + std::to_string(i) + after;
    return text;
  };
  CHECK(begins(
      error_of("[\"3h\", \"14d\"]", "[\"3h\", \"14d\", " + numbered(101, "\"", "s\", ") + "]"),
      "15:11 C0307"));
  CHECK(
      begins(error_of("by      = [\"origin\"]", "by      = [" + numbered(17, "\"k", "\", ") + "]"),
             "14:11 C0307"));
  const std::string wide = "[view.wide]\nfrom = \"flights\"\nby = []\nwindows = [" +
                           numbered(100, "\"", "s\", ") + "]\n" +
                           numbered(1'000, "a", " = \"count()\"\n");
  const auto errors = errors_of(kFlights + wide);
  REQUIRE(errors.size() == 1);
  CHECK(begins(errors[0], "27:7 C0307 view 'wide' brings the features of all views to 100006"));
}

TEST_CASE("a thousand features are checked in a tenth of a second") {
  std::string text = kFlights;
  std::string features, inputs;
  for (int i = 0; i < 1'000; ++i) {
    features +=
        "f" + std::to_string(i) + " = \"origin.late_3h * " + std::to_string(i) + " + distance\"\n";
    inputs += "\"f" + std::to_string(i) + "\", ";
  }
  text = changed(changed(text, "[features]\n", "[features]\n" + features), "inputs   = [",
                 "inputs   = [" + inputs);
  double best = 1e9;
  for (int i = 0; i < 3; ++i) {
    const double before = cpu_seconds();
    CHECK(project_of(text).models[0].inputs.size() == 1'010);
    best = std::min(best, 1000 * (cpu_seconds() - before));
  }
  MESSAGE("check of 1,000 features: " << best << " ms");
  CHECK(best < 100 * kPatience);
}

TEST_CASE("a view is asked only where the question has its keys") {
  const std::string other = R"(
[source.trips]
time  = "start"
known = "start + 1h"
columns = { start = { type = "timestamp" }, origin = { type = "int64", known = "start" }, late = "bool" }
[model.trip]
question = { from = "trips", at = "start" }
label = "late"
inputs = ["origin.late_3h"]
split = { train_until = 2001-05-01, validate_until = 2001-06-01, test_until = 2001-07-01 }
)";
  const auto errors = errors_of(kFlights + other);
  REQUIRE(errors.size() == 1);
  CHECK(begins(errors[0],
               "35:11 C0413 model 'trip' asks view 'origin', whose key origin is string, but int64 "
               "in source 'trips'"));
}

TEST_CASE("a file that is missing, a folder or too large is said so") {
  CHECK(check_file("/nonexistent/coeval.toml").errors.at(0).code == Code::no_such_file);
  CHECK(check_file("/tmp").errors.at(0).code == Code::io);
  CHECK(check_text(std::string(10 << 20, '#'), "coeval.toml").errors.at(0).code == Code::too_deep);
}

TEST_CASE("the project's file is found from a folder inside it") {
  std::string pattern = (std::filesystem::temp_directory_path() / "coeval-define-XXXXXX").string();
  REQUIRE(mkdtemp(pattern.data()) != nullptr);
  const std::filesystem::path root = pattern;
  std::filesystem::create_directories(root / "a" / "b");
  CHECK_FALSE(find_project_file((root / "a" / "b").string()));
  std::ofstream(root / "coeval.toml") << kFlights;
  const auto found = find_project_file((root / "a" / "b").string());
  REQUIRE(found);
  CHECK(*found == (root / "coeval.toml").string());
  const Checked checked = check_file(*found);
  REQUIRE(checked.project);
  CHECK(checked.project->folder == root.string());
  std::filesystem::remove_all(root);
}

}  // namespace
}  // namespace coeval::define
