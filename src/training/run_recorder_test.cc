#include "training/run_recorder.h"

#include <doctest/doctest.h>

#include <cmath>

#include "define/project.h"
#include "stores/temporary_folder.h"
#include "training/pipeline.h"

namespace coeval::training {

namespace {

// A workshop whose store and clock are in memory, and a model that is only named.
struct Shop {
  stores::TemporaryFolder folder;
  std::unique_ptr<stores::RunStore> runs = stores::make_memory_run_store().value();
  ManualClock clock{1'000'000};
  define::Model model;
  Workshop shop;

  Shop() {
    auto project = std::make_shared<define::Project>();
    project->folder = folder.path();
    shop.project = project;
    shop.engine = "coeval 1.2.3";
    shop.clock = &clock;
    shop.runs = runs.get();
    shop.threads = 3;
    shop.tags = {"nightly"};
    model.name = "late";
    model.ir_hash = "hash";
    model.params = {{"eta", "0.1"}, {"max_depth", "6"}};
    model.training.experiment = "spring";
    model.split.train_until_us = 86'400'000'000;
  }
};

FittedModel fitted() {
  FittedModel made;
  made.trained.rounds_used = 7;
  made.trained.engine = "xgboost 3.4.1";
  made.trained.validation_curve = {0.5, 0.25};
  made.threshold = 0.75;
  return made;
}

Evidence evidence() {
  Evidence found;
  found.champion_version = 4;
  found.champion = Metrics{{"auc", 0.5}};
  found.comparisons.push_back({.metric = "auc",
                               .candidate = 0.75,
                               .champion = 0.5,
                               .improvement = 0.25,
                               .lower = 0.125,
                               .upper = std::nan(""),
                               .p_value = 0.01,
                               .unit = "day"});
  for (const double auc : {0.5, 0.25, 0.75})
    found.slices.push_back({.slice = "origin", .value = "x", .metrics = {{"auc", auc}}});
  found.size_bytes = 1000;
  found.runtime_differences = 0;
  return found;
}

}  // namespace

TEST_CASE("a run has what its build knew, found and made") {
  Shop made;
  RunRecorder recorder(made.shop, made.model);
  REQUIRE(recorder.start("dataset"));
  const std::string id = recorder.id();
  CHECK(id == "19700101-000001-000000");
  CHECK(made.runs->find(id).value().state == stores::RunState::running);
  made.clock.set(3'000'000);
  define::Model chosen = made.model;
  chosen.params = {{"eta", "0.1"}, {"lambda", "2"}, {"max_depth", "8"}};
  recorder.trained(fitted(), chosen);
  recorder.measured(data::parse_json(R"({"test": {"auc": 0.75, "rows": 10, "log_loss_clip": 1e-15,
      "confusion": {"true_positives": 3}, "curves": {"recall": [0.1, 0.2]}, "note": "text"}})")
                        .value());
  recorder.judged(evidence(), true);
  BuildOutcome outcome;
  outcome.version = 5;
  outcome.train_seconds = 1.5;
  outcome.registered.recipe_id = "recipe";
  outcome.registered.bits_id = "bits";
  REQUIRE(recorder.end({}, outcome));

  const stores::Run run = made.runs->find(id).value();
  CHECK(run.state == stores::RunState::finished);
  CHECK(run.model == "late");
  CHECK(run.experiment == "spring");
  CHECK(run.kind == stores::RunKind::build);
  CHECK(run.version == 5);
  CHECK(run.started_us == 1'000'000);
  CHECK(run.ended_us == 3'000'000);
  CHECK(run.train_s == 1.5);
  CHECK(!run.dataset_s);
  CHECK(run.tags == std::vector<std::string>{"nightly"});
  CHECK(run.ids == std::map<std::string, std::string>{{"dataset_id", "dataset"},
                                                      {"ir_hash", "hash"},
                                                      {"recipe_id", "recipe"},
                                                      {"bits_id", "bits"}});
  CHECK(run.params.at("max_depth") == "6");
  CHECK(run.params.at("chosen.max_depth") == "8");
  CHECK(run.params.at("chosen.lambda") == "2");
  CHECK(!run.params.contains("chosen.eta"));
  CHECK(run.params.at("split.train_until") == "1970-01-02T00:00:00Z");
  CHECK(run.environment.at("coeval") == "coeval 1.2.3");
  CHECK(run.environment.at("trainer") == "xgboost 3.4.1");
  CHECK(run.environment.at("threads") == "3");
  CHECK(run.environment.contains("kernel"));
  CHECK(run.curves.at("validation") == std::vector<double>{0.5, 0.25});
  std::map<std::string, double> metrics = run.metrics;
  CHECK(std::isnan(metrics.at("improvement.auc.upper")));
  metrics.erase("improvement.auc.upper");
  CHECK(metrics == std::map<std::string, double>{{"rounds_used", 7},
                                                 {"threshold", 0.75},
                                                 {"test.auc", 0.75},
                                                 {"test.rows", 10},
                                                 {"test.confusion.true_positives", 3},
                                                 {"gates_passed", 1},
                                                 {"champion_version", 4},
                                                 {"champion.auc", 0.5},
                                                 {"improvement.auc", 0.25},
                                                 {"improvement.auc.lower", 0.125},
                                                 {"improvement.auc.p_value", 0.01},
                                                 {"slice.origin.auc.least", 0.25},
                                                 {"slice.origin.auc.most", 0.75},
                                                 {"size_bytes", 1000},
                                                 {"runtime_differences", 0}});
}

TEST_CASE("a trial that fails keeps its error, its parent and its own threads") {
  Shop made;
  made.model.training.limits.threads = 1;
  RunRecorder recorder(made.shop, made.model, stores::RunKind::trial, "19700101-000000-000000");
  REQUIRE(recorder.start("dataset"));
  const Error error{Code::training_failed, "it stopped", "look at it", {}, {}};
  REQUIRE(recorder.end(std::unexpected(error), {}));
  const stores::Run run = made.runs->find(recorder.id()).value();
  CHECK(run.state == stores::RunState::failed);
  CHECK(run.error == one_line(error));
  CHECK(run.kind == stores::RunKind::trial);
  CHECK(run.parent == "19700101-000000-000000");
  CHECK(run.environment.at("threads") == "1");
  CHECK(!run.ids.contains("bits_id"));
  CHECK(!recorder.end({}, {}).has_value());  // a run ends once
}

TEST_CASE("without a store, and before a start, nothing is recorded") {
  Shop made;
  RunRecorder unbegun(made.shop, made.model);
  CHECK(unbegun.end({}, {}).has_value());
  made.shop.runs = nullptr;
  RunRecorder recorder(made.shop, made.model);
  CHECK(recorder.start("dataset").has_value());
  CHECK(recorder.id().empty());
  CHECK(recorder.end({}, {}).has_value());
  CHECK(made.runs->query({}).value().matched == 0);
}

TEST_CASE("parameters are those that were given, and what always decides") {
  define::Model model;
  model.seed = 18'446'744'073'709'551'615u;
  CHECK(training_parameters(model) ==
        std::map<std::string, std::string>{{"trainer", "xgboost"},
                                           {"rounds", "150"},
                                           {"early_stopping_rounds", "0"},
                                           {"seed", "18446744073709551615"},
                                           {"inputs_count", "0"},
                                           {"threshold", "0.5"}});
  define::TrainingOptions& options = model.training;
  options.calibration = define::Calibration::isotonic;
  options.class_weights.positive = 2.5;
  options.monotone = {{"distance", 1}, {"hour", -1}};
  options.threshold_rule = {.kind = define::ThresholdRule::Kind::recall, .floor = 0.9};
  model.split.gap_us = 86'400'000'000;
  const auto params = training_parameters(model);
  CHECK(params.at("calibration") == "isotonic");
  CHECK(params.at("class_weights") == "1.0, 2.5");
  CHECK(params.at("monotone") == "+distance, -hour");
  CHECK(params.at("threshold") == "recall >= 0.9");
  CHECK(params.at("split.gap") == "1d");
  options.class_weights.balanced = true;
  CHECK(training_parameters(model).at("class_weights") == "balanced");
}

}  // namespace coeval::training
