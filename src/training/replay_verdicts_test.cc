#include "training/replay_verdicts.h"

#include <doctest/doctest.h>

namespace coeval::training {
namespace {

Evidence evidence() {
  Evidence evidence;
  evidence.test = Metrics{{"auc", 0.75}};
  evidence.first_model = true;
  evidence.runtime_differences = 0;
  evidence.golden_differences = 0;
  evidence.skew_differences = 0;
  evidence.data_faults = "";
  evidence.leak_auc = 0.5;
  return evidence;
}

define::Model model_with(double bound) {
  define::Model model;
  define::Gate gate;
  gate.metric = "auc";
  gate.kind = define::Gate::Kind::at_least;
  gate.bound = bound;
  model.gates = {gate};
  return model;
}

// A version as it is registered with its verdicts and evidence.
struct Registered {
  stores::ModelVersion version;
  models::ServedModel served;
};

Registered registered(const define::Model& model) {
  Registered made;
  const auto verdicts = judge(model.gates, evidence());
  made.version.model = "late";
  made.version.version = 7;
  made.version.gates_json = to_json(verdicts).dump();
  made.version.gates_passed = all_passed(verdicts);
  made.served.card.details.set("gates", to_json(verdicts));
  made.served.card.details.set("evidence", to_json(evidence()));
  return made;
}

}  // namespace

TEST_CASE("verdicts are the same again, passed or not") {
  for (const double bound : {0.7, 0.9}) {
    const define::Model model = model_with(bound);
    const Registered made = registered(model);
    const auto replayed = replay_verdicts(made.version, made.served, model);
    REQUIRE(replayed);
    CHECK(replayed->differences.empty());
    CHECK(replayed->verdicts.front().passed == (bound < 0.75));
    CHECK(replayed->evidence.test->at("auc") == 0.75);
  }
}

TEST_CASE("what was stored otherwise is named, wherever it lies") {
  const define::Model model = model_with(0.9);
  Registered made = registered(model);
  made.version.gates_json.replace(made.version.gates_json.find("false"), 5, "true");
  auto replayed = replay_verdicts(made.version, made.served, model);
  REQUIRE(replayed);
  CHECK(replayed->differences ==
        std::vector<std::string>{"gate auc >= 0.9: passed (0.7500) is stored in the metadata, "
                                 "FAILED (0.7500) now"});
  made = registered(model);
  made.served.card.details.set("gates", data::Json(data::Json::Array{}));
  made.version.gates_passed = true;
  replayed = replay_verdicts(made.version, made.served, model);
  REQUIRE(replayed);
  CHECK(replayed->differences.size() == replayed->verdicts.size() + 1);
  CHECK(replayed->differences.front() ==
        "gate auc >= 0.9 is judged now but not stored in model.json");
  CHECK(replayed->differences.back() == "the version is registered as passed");
}

TEST_CASE("without evidence nothing is replayed, and it is said") {
  const define::Model model = model_with(0.7);
  Registered made = registered(model);
  made.served.card.details = {};
  auto replayed = replay_verdicts(made.version, made.served, model);
  REQUIRE(!replayed);
  CHECK(replayed.error().code == Code::unsupported);
  made.served.card.details.set("evidence", "none");
  replayed = replay_verdicts(made.version, made.served, model);
  REQUIRE(!replayed);
  CHECK(replayed.error().code == Code::bad_model);
}

}  // namespace coeval::training
