#include <doctest/doctest.h>

#include "define/definition_for_tests.h"
#include "define/inputs.h"

namespace coeval::define {
namespace {

std::vector<std::string> columns(const FeatureSet& set) {
  std::vector<std::string> names;
  for (const auto& field : set.row.schema.fields) names.push_back(field.name);
  return names;
}

TEST_CASE("a model's name gives its inputs") {
  const Project project = testing::project_of(testing::kFlights);
  const auto set = feature_set(project, "late");
  REQUIRE(set);
  CHECK(set->inputs.size() == project.models[0].inputs.size());
  CHECK(set->row.question_columns.empty());
}

TEST_CASE("a view's name gives all its features and asks for its keys") {
  const Project project = testing::project_of(testing::kFlights);
  const auto set = feature_set(project, "origin");
  REQUIRE(set);
  CHECK(set->inputs.size() == 6);
  CHECK(columns(*set).front() == "origin");
  CHECK(set->row.view_features.size() == 6);
}

TEST_CASE("a list gives what it names, expressions too") {
  const Project project = testing::project_of(testing::kFlights);
  const auto set = feature_set(project, "pressure, weekday,if(distance > 5, 1, 2) , origin.late_*");
  REQUIRE(set);
  CHECK(set->inputs.size() == 5);
  CHECK(set->inputs[2].name == "if((cast(distance as int64) > 5), 1, 2)");
  CHECK(columns(*set) ==
        std::vector<std::string>{"distance", "origin", "origin.late_3h", "origin.late_14d"});
}

TEST_CASE("what is not there is named with a suggestion") {
  const Project project = testing::project_of(testing::kFlights);
  const auto set = feature_set(project, "presure");
  REQUIRE_FALSE(set);
  CHECK(set.error().code == Code::unknown_name);
  CHECK(set.error().advice == "did you mean 'pressure'?");
}

TEST_CASE("an error is where the name stands in the text, whatever is before it") {
  const Project project = testing::project_of(testing::kFlights);
  const auto place = [&](const std::string& text) {
    const auto set = feature_set(project, text, "--features");
    REQUIRE_FALSE(set);
    CHECK(set.error().position.file == "--features");
    CHECK(set.error().position.line == 1);
    return std::pair{set.error().position.column, set.error().position.length};
  };
  CHECK(place("nope") == std::pair{1, 4});
  CHECK(place("weekday,  presure ") == std::pair{11, 7});
  CHECK(place("origin.*, if(distance > 5, 1, distnce)") == std::pair{31, 7});
  CHECK(place("weekday, nowhere.*") == std::pair{10, 9});
  // Characters are counted, not bytes.
  CHECK(place("if(origin = 'Zürich', 1, 2), presure") == std::pair{30, 7});
}

TEST_CASE("a misspelt model or view is recognised, and for a strange name the sets are listed") {
  const Project project = testing::project_of(testing::kFlights);
  const auto view = feature_set(project, "orgins");
  REQUIRE_FALSE(view);
  CHECK(view.error().advice.starts_with("did you mean 'origin"));
  const auto strange = feature_set(project, "nope");
  REQUIRE_FALSE(strange);
  CHECK(strange.error().advice.find("late") != std::string::npos);
  CHECK(strange.error().advice.find("origin") != std::string::npos);
}

TEST_CASE("globs match as in a shell") {
  CHECK(matches_glob("origin.late_3h", "origin.*"));
  CHECK(matches_glob("origin.late_3h", "*.late_*h"));
  CHECK_FALSE(matches_glob("origin.late_3h", "origin.late"));
  CHECK_FALSE(matches_glob("origin.late_3h", "*.early_*"));
  CHECK(matches_glob("aaaa", "*a*a*"));
}

}  // namespace
}  // namespace coeval::define
