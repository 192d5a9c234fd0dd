#include "ingest/decide.h"

#include <doctest/doctest.h>

namespace coeval::ingest {

namespace {

Finding finding(bool passed, define::Severity severity) {
  return {"checks.size", severity, passed, "3 rows", "at least 1000"};
}

}  // namespace

TEST_CASE("a batch within its budgets whose checks passed is published") {
  const Finding passed[] = {finding(true, define::Severity::error)};
  CHECK(decide({100, 90, 10, 0}, passed, {10, 0.1}).publish());
  CHECK(decide({100, 0, 100, 0}, {}, {}).publish());
  CHECK(decide({0, 0, 0, 0}, {}, {0, 0.0}).publish());
}

TEST_CASE("a budget holds from one row above it on, and says the numbers") {
  CHECK(decide({100, 89, 11, 0}, {}, {10, std::nullopt}).reasons ==
        std::vector<std::string>{"max_bad_rows: 11 bad rows of 100, at most 10 may be"});
  CHECK(decide({1000, 899, 101, 0}, {}, {std::nullopt, 0.1}).reasons ==
        std::vector<std::string>{
            "max_bad_ratio: 101 bad rows of 1000 are 10.1 %, at most 10 % may be"});
  CHECK(decide({2, 1, 1, 0}, {}, {0, 0.0}).reasons.size() == 2);
}

TEST_CASE("a failed check holds where it is an error, and warns where it is a warning") {
  const Finding failed[] = {finding(false, define::Severity::error)};
  const Decision held = decide({3, 3, 0, 0}, failed, {});
  CHECK(held.reasons ==
        std::vector<std::string>{"checks.size: found 3 rows, expected at least 1000"});
  const Finding warned[] = {finding(false, define::Severity::warn)};
  const Decision published = decide({3, 3, 0, 0}, warned, {});
  CHECK(published.publish());
  CHECK(published.warnings.size() == 1);
}

}  // namespace coeval::ingest
