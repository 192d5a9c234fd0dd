#include "adapters/lightgbm/lightgbm_trainer.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "adapters/lightgbm/warnings.h"
#include "data/hash.h"
#include "models/forest.h"
#include "training/table_for_tests.h"

namespace coeval::adapters::lightgbm {
namespace {

using training::TestTable;
using training::TrainedModel;
using training::TrainingPlan;
using training::TrainingTable;

std::unique_ptr<training::Trainer> trainer() {
  auto opened = open_lightgbm(COEVAL_SOURCE_DIR "/third_party/lightgbm");
  REQUIRE_MESSAGE(opened.has_value(), (opened ? "" : one_line(opened.error())));
  return std::move(*opened);
}

TrainingPlan plan(int rounds = 10) {
  return {.params = {{"learning_rate", "0.3"}, {"num_leaves", "7"}},
          .rounds = rounds,
          .seed = 7,
          .threads = 1};
}

TrainedModel train(const TrainingTable& table, const TrainingPlan& wanted) {
  auto model = trainer()->train(table, wanted, nullptr);
  REQUIRE_MESSAGE(model.has_value(), (model ? "" : one_line(model.error())));
  return std::move(*model);
}

Error failure(const TrainingTable& table, const TrainingPlan& wanted) {
  const auto model = trainer()->train(table, wanted, nullptr);
  REQUIRE_FALSE(model.has_value());
  return model.error();
}

Error failure_with(const std::string& name, const std::string& value) {
  TrainingPlan wanted = plan();
  wanted.params.emplace_back(name, value);
  const TestTable rows;
  return failure(rows.table(), wanted);
}

std::string hash_of(const std::vector<float>& values) {
  return data::sha256_hex(
      {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float)});
}

std::vector<float> margins(const TrainedModel& model, const float* rows, std::int64_t count) {
  auto values = trainer()->predict_margins(model.bytes, rows, count, TestTable::kWidth);
  REQUIRE_MESSAGE(values.has_value(), (values ? "" : one_line(values.error())));
  return std::move(*values);
}

std::vector<float> scores(const TrainedModel& model, const float* rows, std::int64_t count) {
  auto values = trainer()->predict(model.bytes, rows, count, TestTable::kWidth);
  REQUIRE_MESSAGE(values.has_value(), (values ? "" : one_line(values.error())));
  return std::move(*values);
}

}  // namespace

// Expected: LightGBM 4.7.0's C interface called from Python's ctypes, same rows and parameters.
// This is also the test of our prototypes: a wrong one would not give these bytes.
TEST_CASE("a model has the bytes that LightGBM gives another program") {
  const TestTable rows;
  const TrainedModel model = train(rows.table(), plan());
  CHECK(model.engine == "lightgbm 4.7.0");
  CHECK(model.rounds_used == 10);
  CHECK(model.bytes.size() == 11610);
  CHECK(data::sha256_hex(model.bytes) ==
        "6245612f76f585e514f86ae8258fa637dfc4c7b10f44925be946e7179dbe5cfc");
  const auto found = margins(model, rows.validation(), 100);
  REQUIRE(found.size() == 100);
  CHECK(found[0] == 0x1.68f228p+1F);
  CHECK(hash_of(found) == "9c76274503a8249d98eeeee5e672f436af088d5c776df1086988e7a7a47e667f");
  CHECK(hash_of(scores(model, rows.validation(), 100)) ==
        "3d4f33a5cbdb290305ede9ca1887bc7400218fa08b7d57fd756c50102acae6cd");
}

// Expected: the log loss of LightGBM's probabilities, summed by Python's math.fsum.
TEST_CASE("the validation curve is the log loss on the rows after the training rows") {
  const TestTable rows;
  const auto curve = train(rows.table(), plan()).validation_curve;
  REQUIRE(curve.size() == 10);
  CHECK(curve[9] == doctest::Approx(0.5419932444117012).epsilon(1e-12));
}

TEST_CASE("the runtime's margins and scores are the library's, bit for bit") {
  TestTable rows;
  const TrainedModel model = train(rows.table(), plan());
  const float infinity = std::numeric_limits<float>::infinity();
  rows.values()[0] = infinity;
  rows.values()[4] = -infinity;
  const auto forest = models::Forest::read(model.bytes);
  REQUIRE_MESSAGE(forest.has_value(), (forest ? "" : one_line(forest.error())));
  std::vector<float> our_margins(TestTable::kRows), our_scores(TestTable::kRows);
  forest->predict(rows.values(), our_margins, our_scores);
  const auto bits = [](float value) { return std::bit_cast<std::uint32_t>(value); };
  CHECK(std::ranges::equal(margins(model, rows.values().data(), TestTable::kRows), our_margins, {},
                           bits, bits));
  CHECK(std::ranges::equal(scores(model, rows.values().data(), TestTable::kRows), our_scores, {},
                           bits, bits));
  CHECK(margins(model, rows.validation(), 0).empty());
}

TEST_CASE("the number of threads changes no byte, sampling or not") {
  const TestTable rows;
  TrainingPlan wanted = plan();
  wanted.params.emplace_back("bagging_fraction", "0.7");
  wanted.params.emplace_back("bagging_freq", "1");
  wanted.params.emplace_back("feature_fraction", "0.6");
  for (const TrainingPlan& base : {plan(), wanted}) {
    TrainingPlan two = base;
    two.threads = 2;
    CHECK(train(rows.table(), base).bytes == train(rows.table(), two).bytes);
    CHECK(train(rows.table(), base).bytes == train(rows.table(), base).bytes);
  }
  TrainingPlan other = wanted;
  other.seed = 8;
  CHECK(train(rows.table(), wanted).bytes != train(rows.table(), other).bytes);
}

TEST_CASE("early stopping leaves the trees of the best round only") {
  const TestTable rows;
  TrainingPlan wanted = plan(60);
  wanted.early_stopping_rounds = 4;
  for (const char* metric : {"binary_logloss", "auc"}) {
    TrainingPlan one = wanted;
    one.params.emplace_back("metric", metric);
    const TrainedModel model = train(rows.table(), one);
    const auto& curve = model.validation_curve;
    const auto best = std::string(metric) == "auc" ? std::ranges::max_element(curve)
                                                   : std::ranges::min_element(curve);
    CHECK(model.rounds_used == best - curve.begin() + 1);
    CHECK(static_cast<int>(curve.size()) == model.rounds_used + 4);
    TrainingPlan shorter = plan(model.rounds_used);
    shorter.params.emplace_back("metric", metric);
    CHECK(margins(train(rows.table(), shorter), rows.validation(), 100) ==
          margins(model, rows.validation(), 100));
  }
}

TEST_CASE("without validation rows there is no curve, and no early stopping") {
  const TestTable rows;
  TrainingTable table = rows.table();
  table.rows = table.train_rows;
  CHECK(train(table, plan()).validation_curve.empty());
  TrainingPlan wanted = plan();
  wanted.early_stopping_rounds = 4;
  CHECK(failure(table, wanted).message == "early stopping needs validation rows, there are none");
}

TEST_CASE("training that cannot split any more ends, with a model") {
  const TestTable rows;
  TrainingPlan wanted = plan(20);
  wanted.params.emplace_back("min_data_in_leaf", "400");
  const TrainedModel model = train(rows.table(), wanted);
  CHECK(model.rounds_used == 1);
  const auto forest = models::Forest::read(model.bytes);
  REQUIRE_MESSAGE(forest.has_value(), (forest ? "" : one_line(forest.error())));
  CHECK(forest->trees() == 1);
}

TEST_CASE("names with spaces and quotes do not break the model's text") {
  const TestTable rows;
  TrainingTable table = rows.table();
  table.names = {"an amount", "\"age\"", "shop"};
  const std::string bytes = train(table, plan()).bytes;
  CHECK(bytes.contains("feature_names=an_amount _age_ shop\n"));
  CHECK(models::Forest::read(bytes).has_value());
}

TEST_CASE("progress is told after every round") {
  static int last_round = 0;
  last_round = 0;
  const TestTable rows;
  const auto model = trainer()->train(rows.table(), plan(), [](int round, int all) {
    CHECK(all == 10);
    CHECK(round == last_round + 1);
    last_round = round;
  });
  CHECK(model.has_value());
  CHECK(last_round == 10);
}

TEST_CASE("a parameter that LightGBM does not know is an error, not a warning") {
  const Error error = failure_with("num_leafs", "3");
  CHECK(error.code == Code::training_failed);
  CHECK(error.message == "lightgbm does not know the parameters \"num_leafs\"");
  CHECK(unknown_parameters("[Warning] Unknown parameter: a\n[Warning] Unknown parameter: b\n") ==
        "\"a\", \"b\"");
  CHECK(unknown_parameters("").empty());
}

TEST_CASE("a parameter's bad value is told in LightGBM's words") {
  const Error error = failure_with("max_depth", "deep");
  CHECK(error.code == Code::training_failed);
  CHECK_MESSAGE(error.message.contains("max_depth"), error.message);
}

TEST_CASE("what the definition says elsewhere, or the runtime does not serve, cannot be said") {
  CHECK(failure_with("num_threads", "2").message ==
        "the parameter 'num_threads' cannot be set here");
  CHECK(failure_with("seed", "2").advice == "set `seed` of the model");
  CHECK(failure_with("max_bin", "3 objective=regression").code == Code::training_failed);
  CHECK(failure_with("objective", "regression").code == Code::unsupported);
  CHECK(failure_with("metric", "ndcg").code == Code::unsupported);
  CHECK(failure_with("linear_tree", "true").code == Code::unsupported);
  CHECK(failure_with("use_quantized_grad", "true").code == Code::unsupported);
}

TEST_CASE("an infinite training value, a label beyond one and an empty table are refused") {
  TestTable rows;
  rows.values()[0] = std::numeric_limits<float>::infinity();
  CHECK(failure(rows.table(), plan()).code == Code::training_failed);
  TestTable labels;
  labels.labels()[0] = 2;
  CHECK(failure(labels.table(), plan()).code == Code::training_failed);
  const TestTable good;
  TrainingTable table = good.table();
  table.rows = table.train_rows = 0;
  CHECK(failure(table, plan()).code == Code::training_failed);
}

TEST_CASE("bytes that are no model and rows of another width are refused") {
  const TestTable rows;
  const auto nonsense = trainer()->predict("no model", rows.validation(), 10, TestTable::kWidth);
  REQUIRE_FALSE(nonsense.has_value());
  CHECK(nonsense.error().message.starts_with("lightgbm failed to read the model: "));
  const TrainedModel model = train(rows.table(), plan());
  const auto narrow = trainer()->predict(model.bytes, rows.validation(), 10, 2);
  REQUIRE_FALSE(narrow.has_value());
  CHECK(narrow.error().message.starts_with("lightgbm failed to score the rows: "));
}

TEST_CASE("an absent library is a missing component with advice") {
  const auto opened = open_lightgbm("/nowhere");
  REQUIRE_FALSE(opened.has_value());
  CHECK(opened.error().code == Code::missing_component);
  CHECK(opened.error().message ==
        "LightGBM is not installed: no file /nowhere/lightgbm/lib/lib_lightgbm.so");
  CHECK(opened.error().advice.find("./dev setup") != std::string::npos);
}

TEST_CASE(
    "a regression's scores are its margins, its curve is the loss, and the runtime's bits are the "
    "same") {
  const TestTable rows;
  for (const training::Objective& objective : training::kRegressionObjectives) {
    TrainingPlan wanted = plan();
    wanted.objective = objective;
    const TrainedModel model = train(rows.numbers_table(), wanted);
    const auto found = margins(model, rows.validation(), 100);
    CHECK(hash_of(found) == hash_of(scores(model, rows.validation(), 100)));
    REQUIRE(model.validation_curve.size() == 10);
    CHECK(model.validation_curve[9] ==
          doctest::Approx(rows.validation_loss(objective, found)).epsilon(1e-5));
    CHECK(model.validation_curve[9] < model.validation_curve[0]);
    const auto forest = models::Forest::read(model.bytes);
    REQUIRE_MESSAGE(forest.has_value(), (forest ? "" : one_line(forest.error())));
    std::vector<float> ours(100), answers(100);
    forest->predict({rows.validation(), 100 * TestTable::kWidth}, ours, answers);
    CHECK(hash_of(ours) == hash_of(found));
    CHECK(hash_of(answers) == hash_of(found));
    wanted.threads = 2;
    CHECK(train(rows.numbers_table(), wanted).bytes == model.bytes);
  }
}

TEST_CASE("of several classes each has a margin and a probability, with the runtime's bits") {
  const TestTable rows;
  TrainingPlan wanted = plan();
  wanted.objective = training::kThreeClasses;
  const TrainedModel model = train(rows.classes_table(), wanted);
  const auto found = margins(model, rows.validation(), 100);
  const auto likely = scores(model, rows.validation(), 100);
  REQUIRE(found.size() == 300);
  REQUIRE(likely.size() == 300);
  REQUIRE(model.validation_curve.size() == 10);
  CHECK(model.validation_curve[9] == doctest::Approx(rows.classes_loss(likely)).epsilon(1e-5));
  CHECK(model.validation_curve[9] < model.validation_curve[0]);
  const auto forest = models::Forest::read(model.bytes);
  REQUIRE_MESSAGE(forest.has_value(), (forest ? "" : one_line(forest.error())));
  std::vector<float> ours(300), answers(300);
  forest->predict({rows.validation(), 100 * TestTable::kWidth}, ours, answers);
  CHECK(hash_of(ours) == hash_of(found));
  CHECK(hash_of(answers) == hash_of(likely));
  wanted.threads = 2;
  CHECK(train(rows.classes_table(), wanted).bytes == model.bytes);
}

TEST_CASE("nine of ten labels lie below the quantile 0.9 of the training rows") {
  const TestTable rows;
  TrainingPlan wanted = plan();
  wanted.objective = training::kRegressionObjectives[2];
  const auto above =
      margins(train(rows.numbers_table(), wanted), rows.table().values, TestTable::kTrainRows);
  int below = 0;
  for (std::size_t i = 0; i < above.size(); ++i)
    below += rows.numbers()[i] <= static_cast<double>(above[i]) ? 1 : 0;
  CHECK(below > 420);
  CHECK(below < 480);
}

TEST_CASE("a regression's objective and metric are those of its loss") {
  const TestTable rows;
  for (const auto& [param, value] :
       {std::pair("objective", "binary"), std::pair("metric", "auc")}) {
    TrainingPlan wanted = plan();
    wanted.objective = training::kRegressionObjectives[0];
    wanted.params.emplace_back(param, value);
    CHECK(failure(rows.numbers_table(), wanted).code == Code::unsupported);
  }
}

}  // namespace coeval::adapters::lightgbm
