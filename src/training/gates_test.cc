#include "training/gates.h"

#include <doctest/doctest.h>

#include <limits>

namespace coeval::training {
namespace {

using Kind = define::Gate::Kind;

stats::BinaryMetrics metrics(double auc) {
  return {.rows = 100,
          .positives = 20,
          .auc = auc,
          .average_precision = 0.5,
          .log_loss = 0.4,
          .brier = 0.125,
          .calibration_error = 0.02};
}

Evidence first(double auc) {
  return {.test = metrics(auc), .champion = {}, .runtime_differences = 0, .first_model = true};
}

Evidence against(double mine, double theirs) {
  return {.test = metrics(mine),
          .champion = metrics(theirs),
          .runtime_differences = 0,
          .first_model = false};
}

Verdict only(const define::Gate& gate, const Evidence& evidence) {
  const auto verdicts = judge({gate}, evidence);
  REQUIRE(verdicts.size() == 2);
  return verdicts.front();
}

const define::Gate kBetter{"champion", Kind::better_than_champion, 0};

}  // namespace

TEST_CASE("a bound is inclusive and its verdict shows the number") {
  const Verdict passed = only({"auc", Kind::at_least, 0.77}, first(0.78213));
  CHECK(passed.gate == "auc >= 0.77");
  CHECK(passed.passed);
  CHECK(passed.measured == "0.7821");
  CHECK(only({"auc", Kind::at_least, 0.77}, first(0.77)).passed);
  CHECK_FALSE(only({"auc", Kind::at_least, 0.77}, first(0.7)).passed);
  CHECK(only({"brier", Kind::at_most, 0.125}, first(0.8)).passed);
  CHECK_FALSE(only({"brier", Kind::at_most, 0.124}, first(0.8)).passed);
}

TEST_CASE("a number that misses its bound by a hair is shown with all digits") {
  const Verdict verdict = only({"auc", Kind::at_least, 0.77}, first(0.769999));
  CHECK_FALSE(verdict.passed);
  CHECK(verdict.measured == "0.769999");
}

TEST_CASE("every metric can be bounded") {
  CHECK(only({"average_precision", Kind::at_least, 0.5}, first(0.8)).passed);
  CHECK(only({"log_loss", Kind::at_most, 0.4}, first(0.8)).passed);
  CHECK(only({"calibration_error", Kind::at_most, 0.03}, first(0.8)).measured == "0.0200");
}

TEST_CASE("a gate that could not be evaluated has failed and says why") {
  Evidence nothing = first(0.9);
  nothing.test.reset();
  const Verdict missing = only({"auc", Kind::at_least, 0.1}, nothing);
  CHECK_FALSE(missing.passed);
  CHECK(missing.measured == "not evaluated: no test metrics of the candidate");

  const Verdict undefined =
      only({"auc", Kind::at_least, 0.1}, first(std::numeric_limits<double>::quiet_NaN()));
  CHECK_FALSE(undefined.passed);
  CHECK(undefined.measured == "not evaluated: auc of the candidate is undefined on the test part");

  const Verdict unknown = only({"accuracy", Kind::at_least, 0.1}, first(0.9));
  CHECK_FALSE(unknown.passed);
  CHECK(unknown.measured == "not evaluated: unknown metric 'accuracy'");

  const Verdict unbounded =
      only({"auc", Kind::at_least, std::numeric_limits<double>::quiet_NaN()}, first(0.9));
  CHECK_FALSE(unbounded.passed);
}

TEST_CASE("the first model passes a comparison only with a remark") {
  const Verdict verdict = only(kBetter, first(0.6));
  CHECK(verdict.gate == "better_than champion");
  CHECK(verdict.passed);
  CHECK(verdict.measured == "no champion yet: absolute limits only");
}

TEST_CASE("a challenger must be strictly better than the champion") {
  CHECK(only(kBetter, against(0.78, 0.77)).passed);
  CHECK(only(kBetter, against(0.78, 0.77)).measured == "auc 0.7800, champion 0.7700");
  CHECK_FALSE(only(kBetter, against(0.77, 0.77)).passed);
  CHECK_FALSE(only(kBetter, against(0.76, 0.77)).passed);
  const Verdict close = only(kBetter, against(0.770001, 0.77));
  CHECK(close.passed);
  CHECK(close.measured == "auc 0.770001, champion 0.77");
}

TEST_CASE("a metric where less is better is compared the other way round") {
  Evidence evidence = against(0.5, 0.9);
  evidence.test->log_loss = 0.3;
  CHECK(only({"log_loss", Kind::better_than_champion, 0}, evidence).passed);
}

TEST_CASE("a champion that could not be scored on these rows fails the comparison") {
  Evidence evidence = against(0.9, 0.1);
  evidence.champion.reset();
  const Verdict verdict = only(kBetter, evidence);
  CHECK_FALSE(verdict.passed);
  CHECK(verdict.measured == "not evaluated: no test metrics of the champion");
}

TEST_CASE("the runtime gate is always there and wants no difference at all") {
  const auto clean = judge({}, first(0.9));
  REQUIRE(clean.size() == 1);
  CHECK(clean[0].gate == "runtime equals trainer");
  CHECK(all_passed(clean));

  Evidence differing = first(0.9);
  differing.runtime_differences = 1;
  CHECK_FALSE(all_passed(judge({}, differing)));
  CHECK(judge({}, differing)[0].measured == "1 scores differ");

  differing.runtime_differences.reset();
  CHECK_FALSE(all_passed(judge({}, differing)));
}

TEST_CASE("verdicts become JSON in the order of the gates") {
  const auto verdicts = judge({{"auc", Kind::at_least, 0.5}}, first(0.75));
  CHECK(to_json(verdicts).dump() ==
        R"([{"gate":"auc >= 0.5","passed":true,"measured":"0.7500"},)"
        R"({"gate":"runtime equals trainer","passed":true,"measured":"0 scores differ"}])");
}

}  // namespace coeval::training
