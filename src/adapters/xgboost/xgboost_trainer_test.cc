#include "adapters/xgboost/xgboost_trainer.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdlib>
#include <cstring>

#include "data/hash.h"
#include "models/forest.h"
#include "training/table_for_tests.h"

namespace coeval::adapters::xgboost {
namespace {

using training::TestTable;
using training::TrainedModel;
using training::TrainingPlan;
using training::TrainingTable;

std::unique_ptr<training::Trainer> trainer() {
  auto opened = open_xgboost(COEVAL_SOURCE_DIR "/third_party/xgboost");
  REQUIRE_MESSAGE(opened.has_value(), (opened ? "" : one_line(opened.error())));
  return std::move(*opened);
}

TrainingPlan plan(const std::string& eta = "0.3", int rounds = 10) {
  return {.params = {{"eta", eta}, {"max_depth", "3"}}, .rounds = rounds, .seed = 7, .threads = 1};
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
  REQUIRE(values.has_value());
  return std::move(*values);
}

}  // namespace

// Expected: XGBoost 3.4.1's Python package, same rows and parameters, QuantileDMatrix,
// save_raw("ubj"). This is also the test of our prototypes: a wrong one would not give these bytes.
TEST_CASE("a model has the bytes that XGBoost's own Python package gives it") {
  const TestTable rows;
  const TrainedModel model = train(rows.table(), plan());
  CHECK(model.engine == "xgboost 3.4.1");
  CHECK(model.rounds_used == 10);
  CHECK(model.bytes.size() == 13073);
  CHECK(data::sha256_hex(model.bytes) ==
        "c3e614a5505a9568a065eceab075569a5ab48149ad673626782b88955f713a62");
}

// The list of define/trainer_params.cc: a definition without parameters still passes all of these.
TEST_CASE("XGBoost's defaults spelled out give the same bytes as left out") {
  const TestTable rows;
  TrainingPlan spelled = plan();
  for (const char* one : {"colsample_bylevel", "colsample_bynode", "colsample_bytree", "lambda",
                          "min_child_weight", "scale_pos_weight", "subsample"}) {
    spelled.params.emplace_back(one, "1");
  }
  for (const char* zero : {"alpha", "gamma", "max_delta_step"}) {
    spelled.params.emplace_back(zero, "0");
  }
  spelled.params.emplace_back("max_bin", "256");
  spelled.params.emplace_back("tree_method", "hist");
  CHECK(train(rows.table(), spelled).bytes == train(rows.table(), plan()).bytes);
}

TEST_CASE("the validation curve is XGBoost's log loss on the rows after the training rows") {
  const TestTable rows;
  const auto curve = train(rows.table(), plan()).validation_curve;
  REQUIRE(curve.size() == 10);
  CHECK(curve[0] == doctest::Approx(0.6138474151492119).epsilon(1e-12));
  CHECK(curve[9] == doctest::Approx(0.5377514054626227).epsilon(1e-12));
}

TEST_CASE("margins and probabilities are the Python package's bits") {
  const TestTable rows;
  const TrainedModel model = train(rows.table(), plan());
  const auto found = margins(model, rows.validation(), 100);
  REQUIRE(found.size() == 100);
  CHECK(found[0] == 0x1.8faadcp+1F);
  CHECK(hash_of(found) == "99bd23a16aad45e366ca92484d3341f5a4651b744ef07be851ac5d46c34356c5");
  CHECK(hash_of(scores(model, rows.validation(), 100)) ==
        "92a6ba689ca1b8ddf215361bf71324bbad909b890b7447a2f949753e4ed2d76f");
}

TEST_CASE("one row alone scores as inside a block, and infinities are values") {
  TestTable rows;
  const TrainedModel model = train(rows.table(), plan());
  const float infinity = std::numeric_limits<float>::infinity();
  rows.values()[0] = infinity;
  rows.values()[4] = -infinity;
  const auto block = margins(model, rows.values().data(), TestTable::kRows);
  for (std::int64_t row = 0; row < TestTable::kRows; row += 37) {
    const float* one = rows.values().data() + row * TestTable::kWidth;
    const auto index = static_cast<std::size_t>(row);
    CHECK(std::bit_cast<std::uint32_t>(margins(model, one, 1)[0]) ==
          std::bit_cast<std::uint32_t>(block[index]));
  }
  CHECK(margins(model, rows.validation(), 0).empty());
}

TEST_CASE("the number of threads changes no byte, sampling or not") {
  const TestTable rows;
  TrainingPlan wanted = plan();
  wanted.params.emplace_back("subsample", "0.8");
  wanted.params.emplace_back("colsample_bytree", "0.7");
  for (const TrainingPlan& base : {plan(), wanted}) {
    TrainingPlan two = base;
    two.threads = 2;
    CHECK(train(rows.table(), base).bytes == train(rows.table(), two).bytes);
  }
}

TEST_CASE("the seed changes a model that samples") {
  const TestTable rows;
  TrainingPlan wanted = plan();
  wanted.params.emplace_back("subsample", "0.5");
  TrainingPlan other = wanted;
  other.seed = 8;
  CHECK(train(rows.table(), wanted).bytes != train(rows.table(), other).bytes);
}

// Expected: xgb.train(early_stopping_rounds=4) stops after 7 rounds with best_iteration 2.
TEST_CASE("early stopping leaves the trees of the best round only") {
  const TestTable rows;
  TrainingPlan wanted = plan("1.0", 60);
  wanted.early_stopping_rounds = 4;
  const TrainedModel model = train(rows.table(), wanted);
  CHECK(model.rounds_used == 3);
  CHECK(model.validation_curve.size() == 7);
  CHECK(hash_of(margins(model, rows.validation(), 100)) ==
        "bb8592312d5513078e0cce0057c884a54d36a26992e74c7fb95f11297bce4f9a");
}

TEST_CASE("early stopping on a metric where more is better maximises it") {
  const TestTable rows;
  TrainingPlan wanted = plan("1.0", 60);
  wanted.early_stopping_rounds = 4;
  wanted.params.emplace_back("eval_metric", "auc");
  const TrainedModel model = train(rows.table(), wanted);
  const auto& curve = model.validation_curve;
  const auto best = std::max_element(curve.begin(), curve.end()) - curve.begin();
  CHECK(model.rounds_used == best + 1);
  CHECK(curve.front() > 0.5);
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

TEST_CASE("the saved model knows its inputs by name and kind") {
  const TestTable rows;
  const std::string bytes = train(rows.table(), plan()).bytes;
  for (const char* text : {"amount", "age", "shop", "float"}) {
    CHECK(bytes.find(text) != std::string::npos);
  }
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

TEST_CASE("a parameter that XGBoost does not know is an error, not a warning") {
  const Error error = failure_with("max_dept", "3");
  CHECK(error.code == Code::training_failed);
  CHECK(error.message == "xgboost does not use the parameters \"max_dept\"");
}

TEST_CASE("a parameter's bad value is told in XGBoost's words") {
  const Error error = failure_with("max_depth", "deep");
  CHECK(error.code == Code::training_failed);
  CHECK(error.message ==
        "xgboost failed to train round 1: Invalid Parameter format for max_depth expect int but "
        "value='deep'");
}

TEST_CASE("what the definition says elsewhere cannot be said among the parameters") {
  CHECK(failure_with("nthread", "2").message == "the parameter 'nthread' cannot be set here");
  CHECK(failure_with("seed", "2").advice == "set `seed` of the model");
  CHECK(failure_with("objective", "reg:squarederror").code == Code::unsupported);
  CHECK(failure_with("eval_metric", "ndcg").code == Code::unsupported);
  CHECK(failure_with("max_bin", "many").code == Code::training_failed);
}

TEST_CASE("an infinite training value and a label beyond one are refused") {
  TestTable rows;
  rows.values()[0] = std::numeric_limits<float>::infinity();
  CHECK(failure(rows.table(), plan()).code == Code::training_failed);
  TestTable labels;
  labels.labels()[0] = 2;
  CHECK(failure(labels.table(), plan()).code == Code::training_failed);
}

TEST_CASE("an empty table is refused") {
  const TestTable rows;
  TrainingTable table = rows.table();
  table.rows = table.train_rows = 0;
  CHECK(failure(table, plan()).code == Code::training_failed);
}

// A model that is cut off in the middle can crash the library: that is what the child process is
// for.
TEST_CASE("bytes that are no model and rows of another width are refused") {
  const TestTable rows;
  const auto nonsense = trainer()->predict("{ no model", rows.validation(), 10, TestTable::kWidth);
  REQUIRE_FALSE(nonsense.has_value());
  CHECK(nonsense.error().code == Code::training_failed);
  CHECK(nonsense.error().message.starts_with("xgboost failed to read the model: Expecting"));
  const TrainedModel model = train(rows.table(), plan());
  const auto narrow = trainer()->predict(model.bytes, rows.validation(), 10, 2);
  REQUIRE_FALSE(narrow.has_value());
  CHECK(narrow.error().message.find("(2 vs. 3)") != std::string::npos);
}

TEST_CASE("an absent library is a missing component with advice") {
  const auto opened = open_xgboost("/nowhere");
  REQUIRE_FALSE(opened.has_value());
  CHECK(opened.error().code == Code::missing_component);
  CHECK(opened.error().message ==
        "XGBoost is not installed: no file /nowhere/xgboost/lib/libxgboost.so");
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
       {std::pair("objective", "binary:logistic"), std::pair("eval_metric", "auc")}) {
    TrainingPlan wanted = plan();
    wanted.objective = training::kRegressionObjectives[0];
    wanted.params.emplace_back(param, value);
    CHECK(failure(rows.numbers_table(), wanted).code == Code::unsupported);
  }
}

}  // namespace coeval::adapters::xgboost
