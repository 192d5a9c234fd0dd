#include <doctest/doctest.h>

#include <algorithm>
#include <fstream>

#include "define/aggregates.h"
#include "define/definition_for_tests.h"
#include "define/functions.h"

namespace coeval::define {
namespace {

std::vector<std::string> lines_of(const std::string& example) {
  std::ifstream file(std::string(COEVAL_SOURCE_DIR) + "/examples/" + example + "/coeval.toml");
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) lines.push_back(line);
  return lines;
}

Project example(const std::string& name) {
  const Checked checked =
      check_file(std::string(COEVAL_SOURCE_DIR) + "/examples/" + name + "/coeval.toml");
  for (const auto& error : checked.errors) FAIL_CHECK(render(error, "", false));
  REQUIRE(checked.project);
  return *checked.project;
}

TEST_CASE("the flights example has 5 columns of the question and 36 features of views") {
  const Project project = example("flights");
  const Model* late = project.find_model("late");
  REQUIRE(late);
  CHECK(late->inputs.size() == 41);
  CHECK(late->row.view_features.size() == 36);
  CHECK(late->row.question_columns.size() == 3);  // distance, origin, destination
  const Model* basic = project.find_model("late_basic");
  REQUIRE(basic);
  CHECK(basic->inputs.size() == 5);
  CHECK(basic->row.view_features.empty());
}

TEST_CASE("the leaky example differs from the honest one in one line") {
  const auto honest = lines_of("flights"), leaky = lines_of("flights-leaky");
  REQUIRE(honest.size() > 50);
  REQUIRE(honest.size() == leaky.size());
  int different = 0;
  for (std::size_t i = 0; i < honest.size(); ++i) different += honest[i] != leaky[i] ? 1 : 0;
  CHECK(different == 1);
}

TEST_CASE("the false claim passes the check: only the audit can see that it is false") {
  const Project project = example("flights-leaky");
  CHECK(project.sources[0].known_is_event_time);
  CHECK(project.ir_hash != example("flights").ir_hash);
}

TEST_CASE("the language's reference names every function and aggregate") {
  std::ifstream file(std::string(COEVAL_SOURCE_DIR) + "/docs/language.md");
  const std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  for (const auto& names : {function_names(), aggregate_names()}) {
    for (const auto& name : names) {
      CAPTURE(name);
      CHECK(text.find("`" + name + "(") != std::string::npos);
    }
  }
}

TEST_CASE("a check of the flights example takes a few milliseconds") {
  double best = 1e9;
  for (int i = 0; i < 5; ++i) {
    const double before = testing::cpu_seconds();
    example("flights");
    best = std::min(best, 1000 * (testing::cpu_seconds() - before));
  }
  MESSAGE("check of flights: " << best << " ms");
  CHECK(best < 50);
}

}  // namespace
}  // namespace coeval::define
