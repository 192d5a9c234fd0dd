#include <doctest/doctest.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "define/definition_for_tests.h"

namespace coeval::define {
namespace {

using testing::changed;
using testing::error_of;
using testing::errors_of;
using testing::kFlights;
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
  CHECK(begins(error_of("{ type = \"int32\", min = -120", "{ type = \"decimal(9,2)\", min = -120"),
               "11:21 C0105"));
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
  CHECK(begins(error_of("[\"3h\", \"14d\"]", "[\"3h\", \"14d\", \"today\"]"),
               "15:25 C0105 calendar window"));
  CHECK(begins(error_of("[\"3h\", \"14d\"]", "[\"3h\", \"14d\", 7]"), "15:25 C0305"));
  CHECK(begins(
      error_of("\"sum(delay) where distance > 1000\"", "\"sum(origin) where distance > 1000\""),
      "18:16 C0414 'sum' does not take such a value"));
  CHECK(begins(
      error_of("\"sum(delay) where distance > 1000\"", "\"last(origin) where distance > 1000\""),
      "18:17 C0105 'last' over strings"));
  CHECK(begins(error_of("\"sum(delay) where distance > 1000\"", "\"sum(delay) where distance\""),
               "18:29 C0413 the condition after 'where' must be bool, not int32"));
  CHECK(begins(error_of("\"sum(delay) where distance > 1000\"", "\"smu(delay)\""),
               "18:12 C0414 no aggregate 'smu' | did you mean 'sum'?"));
  CHECK(begins(error_of("\"sum(delay) where distance > 1000\"", "\"delay + 1\""),
               "18:12 C0414 not an aggregate"));
  CHECK(begins(error_of("\"sum(delay) where distance > 1000\"", "\"quantile(delay, 0.5)\""),
               "18:12 C0105 aggregate 'quantile'"));
  CHECK(begins(error_of("\"sum(delay) where distance > 1000\"", "\"sum(delay, 1)\""),
               "18:12 C0414 'sum' is called with 2 arguments"));
  CHECK(begins(error_of("\"sum(delay) where distance > 1000\"", "\"sum(hour(at))\""),
               "18:21 C0411 'at' is the question's time"));
  CHECK(begins(error_of("far     = \"sum(delay) where distance > 1000\"", "widows = [\"3h\"]"),
               "18:1 C0305 aggregate 'widows' of view 'origin' must be a string, not an array | "
               "did you mean 'windows'?"));
  CHECK(begins(error_of("far  ", "2far "), "18:1 C0305 bad name for an aggregate"));
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
  CHECK(begins(error_of("inputs   = [", "trainer = \"lightgbm\"\ninputs   = ["), "24:11 C0105"));
  CHECK(begins(error_of("inputs   = [", "params = { etaa = 1 }\ninputs   = ["),
               "24:12 C0303 unknown key 'etaa' in params of model 'late' | did you mean 'eta'?"));
  CHECK(begins(error_of("inputs   = [", "params = { eta = 7 }\ninputs   = ["),
               "24:18 C0305 'eta' of params of model 'late' is out of range: 7"));
  CHECK(begins(error_of("inputs   = [", "params = { max_depth = 1.5 }\ninputs   = ["),
               "24:24 C0305"));
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
               "20:13 C0417 feature 'pressure' is defined by itself"));
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
    const auto before = std::chrono::steady_clock::now();
    CHECK(project_of(text).models[0].inputs.size() == 1'010);
    const std::chrono::duration<double, std::milli> took =
        std::chrono::steady_clock::now() - before;
    best = std::min(best, took.count());
  }
  MESSAGE("check of 1,000 features: " << best << " ms");
  CHECK(best < 1'000);  // generous: sanitizers and busy machines run this too
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
