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

TEST_CASE("globs match as in a shell") {
  CHECK(matches_glob("origin.late_3h", "origin.*"));
  CHECK(matches_glob("origin.late_3h", "*.late_*h"));
  CHECK_FALSE(matches_glob("origin.late_3h", "origin.late"));
  CHECK_FALSE(matches_glob("origin.late_3h", "*.early_*"));
  CHECK(matches_glob("aaaa", "*a*a*"));
}

}  // namespace
}  // namespace coeval::define
