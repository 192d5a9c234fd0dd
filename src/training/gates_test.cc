#include "training/gates.h"

#include <doctest/doctest.h>

#include <limits>

namespace coeval::training {
namespace {

using Kind = define::Gate::Kind;
using define::Gate;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

Metrics metrics(double auc) {
  return {{"auc", auc},     {"average_precision", 0.5},  {"log_loss", 0.4},
          {"brier", 0.125}, {"calibration_error", 0.02}, {"accuracy", 0.9}};
}

Evidence first(double auc) {
  Evidence evidence;
  evidence.test = metrics(auc);
  evidence.first_model = true;
  evidence.runtime_differences = 0;
  evidence.golden_differences = 0;
  evidence.skew_differences = 0;
  evidence.skew_rows = 512;
  evidence.data_faults = "";
  evidence.leak_input = "distance";
  evidence.leak_auc = 0.6;
  return evidence;
}

Evidence against(double lower, double upper) {
  Evidence evidence = first(0.8);
  evidence.first_model = false;
  evidence.champion_version = 3;
  evidence.champion = metrics(0.79);
  evidence.comparisons = {{.metric = "auc",
                           .candidate = 0.8,
                           .champion = 0.79,
                           .improvement = 0.01,
                           .lower = lower,
                           .upper = upper,
                           .p_value = 0.01,
                           .units = 30,
                           .replicates = 2000,
                           .unit = "day"}};
  return evidence;
}

Gate gate(std::string metric, Kind kind, double bound) {
  Gate made;
  made.metric = std::move(metric);
  made.kind = kind;
  made.bound = bound;
  return made;
}

Verdict only(const Gate& asked, const Evidence& evidence) {
  const auto verdicts = judge({asked}, evidence);
  REQUIRE(verdicts.size() == 6);
  return verdicts.front();
}

Verdict built_in(const std::string& name, const Evidence& evidence) {
  for (const Verdict& verdict : judge({}, evidence))
    if (verdict.gate == name) return verdict;
  FAIL("no verdict " << name);
  return {};
}

const Gate kBetter = gate("auc", Kind::better_than_champion, 0);

}  // namespace

TEST_CASE("a bound is inclusive and its verdict shows the number") {
  const Verdict passed = only(gate("auc", Kind::at_least, 0.77), first(0.78213));
  CHECK(passed.gate == "auc >= 0.77");
  CHECK(passed.passed);
  CHECK(passed.measured == "0.7821");
  CHECK(only(gate("auc", Kind::at_least, 0.77), first(0.77)).passed);
  CHECK_FALSE(only(gate("auc", Kind::at_least, 0.77), first(0.7)).passed);
  CHECK(only(gate("brier", Kind::at_most, 0.125), first(0.8)).passed);
  CHECK_FALSE(only(gate("brier", Kind::at_most, 0.124), first(0.8)).passed);
  CHECK(only(gate("accuracy", Kind::at_least, 0.9), first(0.8)).passed);
}

TEST_CASE("a number that misses its bound by a hair is shown with all digits") {
  const Verdict verdict = only(gate("auc", Kind::at_least, 0.77), first(0.769999));
  CHECK_FALSE(verdict.passed);
  CHECK(verdict.measured == "0.769999");
}

TEST_CASE("a gate that could not be evaluated has failed and says why") {
  Evidence nothing = first(0.9);
  nothing.test.reset();
  const Verdict missing = only(gate("auc", Kind::at_least, 0.1), nothing);
  CHECK_FALSE(missing.passed);
  CHECK(missing.measured == "not evaluated: test was not measured");

  Evidence undefined = first(0.9);
  undefined.test->erase("auc");
  const Verdict without = only(gate("auc", Kind::at_least, 0.1), undefined);
  CHECK_FALSE(without.passed);
  CHECK(without.measured == "not evaluated: auc is undefined on the test part");
  CHECK_FALSE(only(gate("auc", Kind::at_least, 0.1), first(kNan)).passed);

  const Verdict unknown = only(gate("gini", Kind::at_least, 0.1), first(0.9));
  CHECK_FALSE(unknown.passed);
  CHECK(unknown.measured == "not evaluated: unknown metric 'gini'");
  CHECK_FALSE(only(gate("auc", Kind::at_least, kNan), first(0.9)).passed);
}

TEST_CASE("the first model passes a comparison only with a remark") {
  const Verdict verdict = only(kBetter, first(0.6));
  CHECK(verdict.gate == "auc better_than champion");
  CHECK(verdict.passed);
  CHECK(verdict.measured == "no champion yet: absolute limits only");
}

// statistics: promote if the lower end is above 0; else "not shown better", and the champion stays.
TEST_CASE("a challenger must be shown better than the champion, not only look so") {
  const Verdict shown = only(kBetter, against(0.002, 0.018));
  CHECK(shown.passed);
  CHECK(shown.measured == "+0.0100 [+0.0020, +0.0180] by day over 30");
  const Verdict looks = only(kBetter, against(-0.002, 0.022));
  CHECK_FALSE(looks.passed);
  CHECK(looks.measured == "+0.0100 [-0.0020, +0.0220] by day over 30: not shown better");
  CHECK_FALSE(only(kBetter, against(0, 0.022)).passed);
}

TEST_CASE("not worse means that the interval does not reach below the margin") {
  const Gate within = gate("auc", Kind::not_worse_than_champion, 0.005);
  CHECK(only(within, against(-0.005, 0.02)).passed);
  CHECK_FALSE(only(within, against(-0.0051, 0.02)).passed);
  CHECK(only(within, against(-0.005, 0.02)).gate == "auc not_worse_than champion by 0.005");
}

TEST_CASE("a champion that could not be scored on these rows fails the comparison") {
  Evidence evidence = against(0.1, 0.2);
  evidence.champion.reset();
  evidence.comparisons.clear();
  evidence.missing["champion"] = "the champion, version 3, cannot be loaded";
  const Verdict verdict = only(kBetter, evidence);
  CHECK_FALSE(verdict.passed);
  CHECK(verdict.measured == "not evaluated: the champion, version 3, cannot be loaded");
}

TEST_CASE("an interval that does not exist fails the comparison") {
  const Verdict verdict = only(kBetter, against(kNan, kNan));
  CHECK_FALSE(verdict.passed);
  CHECK(verdict.measured ==
        "not evaluated: the interval of the difference does not exist, over 30 units");
}

TEST_CASE("a gate on every slice is about the worst of them, and names it") {
  Gate every = gate("auc", Kind::at_least, 0.7);
  every.worst_slice = true;
  Evidence evidence = first(0.8);
  CHECK_FALSE(only(every, evidence).passed);
  CHECK(only(every, evidence).measured ==
        "not evaluated: no slice has enough rows of both classes");
  evidence.slices = {{"origin", "JFK", 900, 100, {{"auc", 0.75}}},
                     {"origin", "EWR", 800, 90, {{"auc", 0.69}}},
                     {"origin", "LGA", 700, 80, {{"auc", 0.9}}}};
  const Verdict verdict = only(every, evidence);
  CHECK_FALSE(verdict.passed);
  CHECK(verdict.gate == "auc >= 0.7 on every slice");
  CHECK(verdict.measured == "0.6900 where origin is EWR (800 rows)");
  every.bound = 0.69;
  CHECK(only(every, evidence).passed);
  evidence.slices[2].metrics.clear();
  CHECK_FALSE(only(every, evidence).passed);
}

TEST_CASE("an upper limit on every slice is about the highest") {
  Gate every = gate("calibration_error", Kind::at_most, 0.05);
  every.worst_slice = true;
  Evidence evidence = first(0.8);
  evidence.slices = {{"far", "true", 900, 100, {{"calibration_error", 0.01}}},
                     {"far", "false", 800, 90, {{"calibration_error", 0.06}}}};
  CHECK_FALSE(only(every, evidence).passed);
  CHECK(only(every, evidence).measured == "0.0600 where far is false (800 rows)");
}

SliceComparison on_slice(std::string value, double improvement, double lower, double adjusted_p) {
  return {.slice = "origin",
          .value = std::move(value),
          .comparison = {.metric = "auc",
                         .improvement = improvement,
                         .lower = lower,
                         .upper = improvement + 0.01,
                         .units = 25,
                         .unit = "day"},
          .adjusted_p = adjusted_p};
}

TEST_CASE("a candidate that is shown worse on one slice fails, whatever the others say") {
  const Gate slices = gate("auc", Kind::no_slice_worse, 0);
  Evidence evidence = against(0.01, 0.02);
  evidence.slice_comparisons = {on_slice("JFK", 0.02, 0.01, 0.001),
                                on_slice("ORD", -0.03, -0.05, 0.06)};
  CHECK(only(slices, evidence).gate == "auc no_slice_worse_than champion");
  CHECK(only(slices, evidence).passed);  // worse, but that may be luck
  CHECK(only(slices, evidence).measured ==
        "0 of 2 slices worse; -0.0300 [-0.0500, -0.0200] by day over 25 where origin is ORD (p "
        "0.0600 by Holm)");
  evidence.slice_comparisons.push_back(on_slice("LAX", -0.01, -0.02, 0.04));
  CHECK_FALSE(only(slices, evidence).passed);
  CHECK(only(slices, evidence).measured.starts_with("1 of 3 slices worse; -0.0100"));
  CHECK(only(slices, evidence).measured.find("LAX") != std::string::npos);
  evidence.slice_comparisons.push_back(on_slice("SFO", 0.01, kNan, 1));
  CHECK(only(slices, evidence).measured.starts_with("not evaluated: the interval"));
}

TEST_CASE("with a margin the lower end of each slice is held against it") {
  const Gate slices = gate("auc", Kind::no_slice_worse_by, 0.05);
  Evidence evidence = against(0.01, 0.02);
  evidence.slice_comparisons = {on_slice("JFK", 0.02, -0.05, 0.3)};
  CHECK(only(slices, evidence).passed);
  evidence.slice_comparisons.push_back(on_slice("ORD", 0.01, -0.051, 0.9));
  CHECK_FALSE(only(slices, evidence).passed);
  CHECK(only(slices, evidence).gate == "auc no_slice_worse_than champion by 0.05");
}

TEST_CASE("slices that could not be compared with the champion fail, a first model passes") {
  const Gate slices = gate("auc", Kind::no_slice_worse, 0);
  CHECK(only(slices, first(0.8)).passed);
  CHECK(only(slices, against(0.01, 0.02)).measured.starts_with("not evaluated: no slice"));
  Evidence other = against(0.01, 0.02);
  other.slice_comparisons = {on_slice("JFK", 0.02, 0.01, 0.001)};
  Gate f1 = slices;
  f1.metric = "f1";
  CHECK_FALSE(only(f1, other).passed);
  other.champion.reset();
  other.missing["champion"] = "it cannot be loaded";
  CHECK(only(slices, other).measured == "not evaluated: it cannot be loaded");
}

TEST_CASE("a metric of the project is judged as any other, one that nobody knows fails") {
  Gate saved = gate("saved_cost", Kind::at_least, 0);
  Evidence evidence = first(0.8);
  evidence.test->emplace("saved_cost", 12.5);
  CHECK(only(saved, evidence).measured == "not evaluated: unknown metric 'saved_cost'");
  saved.of_project = true;
  CHECK(only(saved, evidence).passed);
  evidence.test->at("saved_cost") = -1;
  CHECK_FALSE(only(saved, evidence).passed);
  evidence.test->erase("saved_cost");
  CHECK(only(saved, evidence).measured.starts_with("not evaluated: saved_cost is undefined"));
}

TEST_CASE("what a model costs is held against its limit") {
  Evidence evidence = first(0.8);
  CHECK(only(gate("latency", Kind::at_most, 5), evidence).measured ==
        "not evaluated: latency_us was not measured");
  evidence.latency_us = 2.5;
  evidence.size_bytes = 1.5e6;
  evidence.cost_per_million = 0.2;
  const Verdict latency = only(gate("latency", Kind::at_most, 5), evidence);
  CHECK(latency.passed);
  CHECK(latency.gate == "latency <= 5us");
  CHECK(latency.measured == "2.5000us");
  CHECK_FALSE(only(gate("latency", Kind::at_most, 2), evidence).passed);
  CHECK(only(gate("size", Kind::at_most, 1.5e6), evidence).passed);
  CHECK(only(gate("size", Kind::at_most, 1e6), evidence).measured == "1.5000MB");
  CHECK_FALSE(only(gate("cost_per_million", Kind::at_most, 0.1), evidence).passed);
}

TEST_CASE(
    "every model is held to its runtime, its golden rows, its server, its data and its leaks") {
  const auto clean = judge({}, first(0.9));
  REQUIRE(clean.size() == 5);
  CHECK(all_passed(clean));

  Evidence evidence = first(0.9);
  evidence.runtime_differences = 1;
  CHECK(built_in("runtime equals trainer", evidence).measured == "1 scores differ");
  CHECK_FALSE(built_in("runtime equals trainer", evidence).passed);
  evidence.golden_differences = 2;
  CHECK_FALSE(built_in("golden rows", evidence).passed);
  evidence.skew_differences = 3;
  CHECK_FALSE(built_in("serving equals dataset", evidence).passed);
  CHECK(built_in("serving equals dataset", evidence).measured ==
        "3 of the inputs of 512 rows differ");
  evidence.data_faults = "source flights: max_bad_rows: 12 rows";
  CHECK_FALSE(built_in("data checks", evidence).passed);
  CHECK(built_in("data checks", evidence).measured == "source flights: max_bad_rows: 12 rows");
  evidence.leak_auc = 0.995;
  CHECK_FALSE(built_in("leak analysis", evidence).passed);
  CHECK(built_in("leak analysis", evidence).measured ==
        "'distance' alone has AUC 0.9950: is it known before the label?");
}

TEST_CASE("a new input that alone beats the champion is taken for a leak") {
  Evidence evidence = against(0.01, 0.02);  // whose champion has AUC 0.79
  evidence.leak_auc = 0.85;
  CHECK(built_in("leak analysis", evidence).passed);
  evidence.new_input = "distance";
  evidence.new_input_auc = 0.85;  // much, but there are such inputs
  CHECK(built_in("leak analysis", evidence).passed);
  evidence.leak_auc = evidence.new_input_auc = 0.95;
  CHECK_FALSE(built_in("leak analysis", evidence).passed);
  CHECK(built_in("leak analysis", evidence).measured ==
        "'distance' alone has AUC 0.9500, more than the champion's 0.7900: is it known before the "
        "label?");
  evidence.champion->at("auc") = 0.96;
  CHECK(built_in("leak analysis", evidence).passed);
}

TEST_CASE("of a regression an input's concordance is told, and held against the champion's") {
  Evidence evidence = against(0.01, 0.02);
  evidence.kind = define::ModelKind::regression;
  evidence.champion = Metrics{{"rmse", 12}};
  evidence.champion_concordance = 0.8;
  evidence.leak_auc = evidence.new_input_auc = 0.95;
  evidence.new_input = "distance";
  CHECK_FALSE(built_in("leak analysis", evidence).passed);
  CHECK(built_in("leak analysis", evidence).measured ==
        "'distance' alone has concordance 0.9500, more than the champion's 0.8000: is it known "
        "before the label?");
  evidence.champion_concordance = 0.96;
  CHECK(built_in("leak analysis", evidence).passed);
  evidence.leak_auc = 0.98;
  CHECK_FALSE(built_in("leak analysis", evidence).passed);
}

TEST_CASE("errors are ceilings, also on slices, and better means smaller") {
  Evidence evidence = first(0.8);
  evidence.kind = define::ModelKind::regression;
  evidence.test = Metrics{{"rmse", 12.5}, {"r_squared", 0.25}};
  CHECK(only(gate("rmse", Kind::at_most, 12.5), evidence).passed);
  CHECK_FALSE(only(gate("rmse", Kind::at_most, 12.4), evidence).passed);
  CHECK(only(gate("r_squared", Kind::at_least, 0.25), evidence).passed);
  Gate each = gate("rmse", Kind::at_most, 20);
  each.worst_slice = true;
  CHECK(only(each, evidence).measured == "not evaluated: no slice has enough rows");
  for (const char* metric : {"mae", "mape", "pinball", "rmse", "wape"})
    CHECK_FALSE(higher_is_better(metric));
  CHECK(higher_is_better("r_squared"));
}

TEST_CASE("evidence of a regression reads back, and says nothing of positive rows") {
  Evidence evidence = first(0.8);
  evidence.kind = define::ModelKind::regression;
  evidence.champion_concordance = 0.75;
  evidence.slices = {{.slice = "origin", .value = "ATL", .rows = 60, .metrics = {{"rmse", 3.5}}}};
  const data::Json json = to_json(evidence);
  CHECK(json.dump().find("positives") == std::string::npos);
  const auto read = evidence_from_json(json);
  REQUIRE_MESSAGE(read.has_value(), (read ? "" : one_line(read.error())));
  CHECK(read->kind == define::ModelKind::regression);
  CHECK(read->champion_concordance == 0.75);
  CHECK(to_json(*read).dump() == json.dump());
  CHECK(to_json(first(0.8)).find("kind") == nullptr);
}

TEST_CASE("a gate on leaks says how much one input may tell") {
  Evidence evidence = against(0.01, 0.02);
  evidence.new_input = "distance";
  evidence.leak_auc = 0.95;
  evidence.new_input_auc = 0.95;
  const auto leaks = [&](double bound) {
    return judge({gate("leak", Kind::at_most, bound)}, evidence).back();
  };
  CHECK(leaks(0.97).passed);
  CHECK(leaks(0.95).passed);
  CHECK_FALSE(leaks(0.94).passed);
  CHECK(judge({gate("leak", Kind::at_most, 0.97)}, evidence).size() == 5);
}

TEST_CASE("what every model is held to fails when it was not measured") {
  for (const Verdict& verdict : judge({}, Evidence{})) {
    CHECK_FALSE(verdict.passed);
    CHECK(verdict.measured.starts_with("not evaluated: "));
  }
}

TEST_CASE("a snapshot of evidence reads back to the same verdicts") {
  Evidence evidence = against(0.0123456789012345, 0.2);
  evidence.slices = {{"origin", "JFK", 900, 100, {{"auc", 0.1 + 0.2}}}};
  evidence.small_slices = 4;
  evidence.latency_us = 1.0 / 3;
  evidence.size_bytes = 1000;
  evidence.missing["cost_per_million"] = "no price";
  evidence.comparisons.push_back({.metric = "f1", .lower = kNan, .upper = kNan, .unit = "row"});
  evidence.comparisons[0].delong_p = 1.0 / 7;
  evidence.intervals = {{"auc", {1.0 / 3, 2.0 / 3}}, {"saved_cost", {-5, 1e6}}};
  evidence.interval_unit = "day";
  evidence.interval_units = 30;
  evidence.auc_delong = DeLongInterval{0.1, 1.0 / 9, 0.5};
  evidence.slices[0].intervals = {{"auc", {0.25, 0.5}}};
  evidence.slice_comparisons = {on_slice("JFK", -0.02, -0.04, 1.0 / 70),
                                on_slice("ORD", 0.02, kNan, 1)};
  evidence.slice_comparisons[1].comparison.p_value = kNan;
  evidence.decisions = DecisionComparison{17, 4, 1.0 / 300};
  const auto again = evidence_from_json(*data::parse_json(to_json(evidence).dump()));
  REQUIRE(again);
  CHECK(to_json(*again).dump() == to_json(evidence).dump());
  CHECK(again->slices[0].metrics.at("auc") == 0.1 + 0.2);
  CHECK(again->intervals == evidence.intervals);
  REQUIRE(again->decisions);
  CHECK(again->decisions->candidate_only == 17);
  CHECK(again->slice_comparisons[0].adjusted_p == 1.0 / 70);
  Gate every = gate("auc", Kind::at_least, 0.7);
  every.worst_slice = true;
  const std::vector<Gate> gates = {kBetter,
                                   every,
                                   gate("latency", Kind::at_most, 1),
                                   gate("cost_per_million", Kind::at_most, 1),
                                   gate("f1", Kind::better_than_champion, 0),
                                   gate("auc", Kind::no_slice_worse, 0),
                                   gate("auc", Kind::no_slice_worse_by, 0.1)};
  CHECK(to_json(judge(gates, *again)).dump() == to_json(judge(gates, evidence)).dump());
}

TEST_CASE("evidence that is damaged is refused, and the member named") {
  const auto damaged = evidence_from_json(*data::parse_json(R"({"test": {"auc": "high"}})"));
  REQUIRE_FALSE(damaged);
  CHECK(damaged.error().message == "'auc' must be a number, is a string");
  CHECK_FALSE(evidence_from_json(data::Json{data::Json::Object{}}));
}

TEST_CASE("verdicts become JSON in the order of the gates") {
  const auto verdicts = judge({gate("auc", Kind::at_least, 0.5)}, first(0.75));
  CHECK(to_json(verdicts).dump().starts_with(
      R"([{"gate":"auc >= 0.5","passed":true,"measured":"0.7500"},)"
      R"({"gate":"runtime equals trainer","passed":true,"measured":"0 scores differ"},)"));
}

}  // namespace coeval::training
