#include "ingest/decide.h"

#include <doctest/doctest.h>

namespace coeval::ingest {

namespace {

using quality::BatchFinding;
using quality::Outcome;

BatchFinding finding(Outcome outcome, define::Severity severity) {
  BatchFinding finding;
  finding.rule = "checks.size";
  finding.severity = severity;
  finding.outcome = outcome;
  finding.observed = "3 rows";
  finding.expected = "at least 1000";
  return finding;
}

}  // namespace

TEST_CASE("a batch within its budgets whose checks passed is published") {
  const BatchFinding passed[] = {finding(Outcome::passed, define::Severity::error)};
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
  const BatchFinding failed[] = {finding(Outcome::failed, define::Severity::error)};
  const Decision held = decide({3, 3, 0, 0}, failed, {});
  CHECK(held.reasons == std::vector<std::string>{"checks.size: 3 rows; expected at least 1000"});
  const BatchFinding warned[] = {finding(Outcome::failed, define::Severity::warn)};
  const Decision published = decide({3, 3, 0, 0}, warned, {});
  CHECK(published.publish());
  CHECK(published.warnings.size() == 1);
}

TEST_CASE("a check that could not run holds, and a budget of the source is asked once") {
  const BatchFinding blind[] = {finding(Outcome::not_evaluated, define::Severity::error)};
  CHECK(decide({3, 3, 0, 0}, blind, {}).reasons ==
        std::vector<std::string>{
            "checks.size: 3 rows (could not be judged); expected at least 1000"});
  BatchFinding budget = finding(Outcome::failed, define::Severity::error);
  budget.rule = "max_bad_rows";
  CHECK(decide({100, 89, 11, 0}, {&budget, 1}, {10, std::nullopt}).reasons.size() == 1);
}

}  // namespace coeval::ingest
