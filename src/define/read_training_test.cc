#include <doctest/doctest.h>

#include <string>

#include "define/definition_for_tests.h"
#include "define/training_options.h"

namespace coeval::define {
namespace {

using testing::changed;
using testing::errors_of;
using testing::kFlights;
using testing::project_of;

const std::string kSplit =
    "split    = { train_until = 2001-05-01, validate_until = 2001-06-01, test_until = 2001-07-01 }";
const std::string kFiveParts =
    "split    = { train_until = 2001-04-01, validate_until = 2001-05-01, calibrate_until = "
    "2001-05-20, threshold_until = 2001-06-01, test_until = 2001-07-01, gap = \"1d\" }";

Model with(const std::string& lines, const std::string& split = kFiveParts) {
  return project_of(changed(kFlights, kSplit, split + "\n" + lines)).models.at(0);
}

std::string error_of(const std::string& lines, const std::string& split = kFiveParts) {
  const auto errors = errors_of(changed(kFlights, kSplit, split + "\n" + lines));
  REQUIRE(errors.size() == 1);
  return errors[0];
}

bool says(const std::string& error, const std::string& text) {
  const bool found = error.find(text) != std::string::npos;
  if (!found) MESSAGE(error);
  return found;
}

}  // namespace

TEST_CASE("without options nothing is weighed, calibrated or searched, and no hash changes") {
  const Model model = project_of(kFlights).models.at(0);
  CHECK(model.training.experiment == "flights");
  CHECK(model.training.calibration == Calibration::none);
  CHECK(model.training.search.trials == 0);
  CHECK(training_options_ir(model.training).empty());
}

TEST_CASE("every option is read, and is a part of the hash") {
  const Model model = with(R"toml(experiment = "spring"
weights = "if(distance > 1000, 2.0, 1.0)"
class_weights = { positive = 4 }
monotone = { distance = "increasing" }
calibration = "isotonic"
threshold = { cost = { false_positive = 1, false_negative = 10 } }
slices = ["origin", "distance > 1000"]
resample = "origin"
limits = { time_budget = "5min", memory_limit = "2GB", threads = 1 }
search = { trials = 12, time_budget = "1min", metric = "auc", max_latency = "5us", space = { max_depth = [3, 8] } })toml");
  const TrainingOptions& options = model.training;
  CHECK(options.experiment == "spring");
  CHECK(options.weight != nullptr);
  CHECK(options.class_weights.positive == 4);
  REQUIRE(options.monotone.size() == 1);
  CHECK(options.monotone[0].direction == 1);
  CHECK(options.calibration == Calibration::isotonic);
  CHECK(options.threshold_rule.kind == ThresholdRule::Kind::least_cost);
  CHECK(options.threshold_rule.false_negative == 10);
  REQUIRE(options.slices.size() == 2);
  CHECK(options.slices[1].name == "distance > 1000");
  CHECK(options.resampling.unit == Resampling::Unit::value);
  CHECK(options.limits.time_budget_us == 300'000'000);
  CHECK(options.limits.memory_bytes == 2'000'000'000);
  CHECK(options.limits.threads == 1);
  CHECK(options.search.trials == 12);
  CHECK(options.search.max_latency_ns == 5'000);
  REQUIRE(options.search.space.size() == 1);
  CHECK(model.split.gap_us == 86'400'000'000);
  const std::string text = training_options_ir(options);
  for (const char* word : {"weights", "class_weights", "monotone", "calibration isotonic",
                           "threshold_rule cost 1 10", "slice", "resample by", "search 12"})
    CHECK(text.find(word) != std::string::npos);
  CHECK(text.find("time_budget") == std::string::npos);
  CHECK(model.ir_hash != with("").ir_hash);
}

TEST_CASE("what training may take changes no hash") {
  CHECK(with("limits = { threads = 1 }").ir_hash == with("").ir_hash);
  CHECK(with("experiment = \"other\"").ir_hash == with("").ir_hash);
}

TEST_CASE("what is fitted needs rows of its own") {
  CHECK(says(error_of("calibration = \"auto\"", kSplit),
             "the calibration of model 'late' has no part of the split to be fitted on"));
  CHECK(says(error_of("threshold = { recall = 0.9 }", kSplit),
             "the threshold of model 'late' has no part of the split to be fitted on"));
  CHECK(says(error_of("class_weights = \"balanced\"", kSplit),
             "the calibration of model 'late' has no part"));
}

TEST_CASE("class weights have a calibration, asked for or not") {
  CHECK(with("class_weights = \"balanced\"").training.calibration == Calibration::automatic);
  CHECK(with("class_weights = \"balanced\"\ncalibration = \"platt\"").training.calibration ==
        Calibration::platt);
  CHECK(says(error_of("class_weights = \"balanced\"\ncalibration = \"none\""),
             "whose scores are no probabilities without a calibration"));
}

TEST_CASE("scale_pos_weight weighs classes too, and so has a calibration") {
  const std::string weighed = "params = { scale_pos_weight = 8 }";
  CHECK(with(weighed).training.calibration == Calibration::automatic);
  CHECK(with("params = { scale_pos_weight = 1 }").training.calibration == Calibration::none);
  CHECK(
      with("search = { trials = 3, space = { scale_pos_weight = [1, 9] } }").training.calibration ==
      Calibration::automatic);
  CHECK(says(error_of(weighed + "\ncalibration = \"none\""),
             "has scale_pos_weight, whose scores are no probabilities without a calibration"));
  CHECK(says(error_of(weighed,
                      "split = { train_until = 2001-04-01, validate_until = 2001-05-01, "
                      "test_until = 2001-07-01 }"),
             "has no part of the split to be fitted on"));
}

TEST_CASE("the dates of all parts increase") {
  CHECK(says(error_of("",
                      "split = { train_until = 2001-04-01, validate_until = 2001-05-01, "
                      "calibrate_until = 2001-04-20, test_until = 2001-07-01 }"),
             "do not increase"));
}

TEST_CASE("options that make no sense are refused where they stand") {
  CHECK(says(error_of("weights = \"origin\""), "must be a number"));
  CHECK(says(error_of("weights = \"nothing\""), "nothing"));
  CHECK(says(error_of("class_weights = \"heavy\""), "class_weights"));
  CHECK(says(error_of("monotone = { distance = \"up\" }"), "monotone 'distance'"));
  CHECK(says(error_of("monotone = { distanc = \"increasing\" }"), "did you mean 'distance'?"));
  CHECK(says(error_of("monotone = { origin = \"increasing\" }"), "has no order"));
  CHECK(says(error_of("calibration = \"plat\""), "unknown calibration 'plat'"));
  CHECK(says(error_of("threshold = { precision = 0.5, recall = 0.5 }"), "needs one rule"));
  CHECK(says(error_of("threshold = { cost = {} }"), "are all 0"));
  CHECK(says(error_of("slices = [\"origin.late_3h\"]"), "origin"));
  CHECK(says(error_of("slices = [\"distance / 2.0\"]"), "too many values"));
  CHECK(says(error_of("slices = [\"origin\", \"origin\"]"), "stands twice"));
  CHECK(says(error_of("limits = { memory_limit = \"1MB\" }"), "less than 64MB"));
  CHECK(says(error_of("search = { trials = 0 }"), "trials"));
  CHECK(says(error_of("search = { trials = 3, metric = \"gini\" }"), "unknown metric 'gini'"));
  CHECK(says(error_of("search = { trials = 3, space = { depth = [1, 2] } }"),
             "unknown parameter 'depth'"));
  CHECK(says(error_of("search = { trials = 3, space = { max_depth = [9, 2] } }"), "is none"));
}

TEST_CASE("gates may be about slices, limits and the champion") {
  const auto gated = [](const std::string& gates) {
    return changed(changed(kFlights, kSplit, kFiveParts + "\nslices = [\"origin\"]"),
                   "gate     = { auc = \">= 0.77\" }", "gate = { " + gates + " }");
  };
  const auto gates =
      project_of(gated("accuracy = \">= 0.5\", latency = \"<= 500ns\", size = \"<= 2MB\", "
                       "cost_per_million = \"<= 0.1\", worst_slice = { auc = \">= 0.6\" }, "
                       "better_than = \"champion\", not_worse_than = \"champion\", on = "
                       "\"log_loss\", margin = 0.01"))
          .models.at(0)
          .gates;
  REQUIRE(gates.size() == 7);
  CHECK(gates[0].metric == "accuracy");
  CHECK(gates[1].metric == "latency");
  CHECK(gates[1].bound == 0.5);
  CHECK(gates[2].bound == 2e6);
  CHECK(gates[4].worst_slice);
  CHECK(gates[5].kind == Gate::Kind::better_than_champion);
  CHECK(gates[5].metric == "log_loss");
  CHECK(gates[6].kind == Gate::Kind::not_worse_than_champion);
  CHECK(gates[6].bound == 0.01);
  const auto refused = [&](const std::string& gate, const std::string& text) {
    const auto errors = errors_of(gated(gate));
    REQUIRE(errors.size() == 1);
    CHECK(says(errors[0], text));
  };
  refused("latency = \">= 5us\"", "a gate on latency cannot be '>= 5us'");
  refused("latency = \"<= 5\"", "a gate on latency cannot be '<= 5'");
  refused("size = \"<= big\"", "a gate on size cannot be '<= big'");
  refused("better_than = \"champion\", margin = 0.1", "belong to a gate against the champion");
  refused("on = \"log_loss\", auc = \">= 0.5\"", "belong to a gate against the champion");
  refused("better_than = \"champion\", on = \"gini\"", "unknown metric 'gini'");
  CHECK(errors_of(changed(kFlights, "gate     = { auc = \">= 0.77\" }",
                          "gate = { worst_slice = { auc = \">= 0.6\" } }"))
            .size() == 1);
}

TEST_CASE("parameters of a linear model are its own") {
  const auto refused = [](const std::string& params) {
    const auto errors = errors_of(changed(
        kFlights, "inputs   = [", "trainer = \"linear\"\nparams = " + params + "\ninputs   = ["));
    REQUIRE(errors.size() == 1);
    return errors[0];
  };
  CHECK(says(refused("{ eta = 1 }"), "25:12 C0303 unknown key 'eta' in params of model 'late'"));
  CHECK(says(refused("{ rounds = 9 }"),
             "25:12 C0305 'rounds' of params of model 'late': a linear model has no rounds | write "
             "max_iterations"));
  CHECK(says(refused("{ l2 = -1 }"), "25:17 C0305"));
}

}  // namespace coeval::define
