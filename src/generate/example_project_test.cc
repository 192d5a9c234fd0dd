#include "generate/example_project.h"

#include <doctest/doctest.h>

namespace coeval::generate {
namespace {

// That definitions check, build and audit is the business of tests/program/test_gen.py.
TEST_CASE("a definition says what was asked, and nothing is left to fill in") {
  ExampleProject project{"coeval gen it --seed 1", "a \"b\\c.parquet", 100, 6, true, true};
  for (const std::string_view kind : {"fraud", "clicks", "recsys", "churn", "series"}) {
    CAPTURE(kind);
    const std::string text = example_definition(kind, project);
    CHECK(text.find('$') == std::string::npos);
    CHECK(text.find("Made by: coeval gen it --seed 1\n") != std::string::npos);
    CHECK(text.find(R"(path  = "a \"b\\c.parquet")") != std::string::npos);
    CHECK(text.find("train_until = 2018-05-31T00:00:00Z, validate_until = 2018-06-20T00:00:00Z, "
                    "test_until = 2018-07-10T00:00:00Z") != std::string::npos);
  }
}

TEST_CASE("of fraud the delay, identity and the new column follow the data") {
  ExampleProject project{"it", "x.parquet", 100, 6, true, true};
  const std::string with = example_definition("fraud", project);
  CHECK(with.find("\"7d offset 6d\"") != std::string::npos);
  CHECK(with.find("dedup = ") != std::string::npos);
  CHECK(with.find("entry_mode ") != std::string::npos);
  project = {"it", "x.parquet", 100, 1.5, false, false};
  const std::string without = example_definition("fraud", project);
  CHECK(without.find("\"7d offset 36h\"") != std::string::npos);
  CHECK(without.find("dedup = ") == std::string::npos);
  CHECK(without.find("entry_mode ") == std::string::npos);
}

}  // namespace
}  // namespace coeval::generate
