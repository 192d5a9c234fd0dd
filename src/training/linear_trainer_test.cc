#include "training/linear_trainer.h"

#include <doctest/doctest.h>

#include <bit>
#include <cstdint>
#include <vector>

#include "models/linear_model.h"
#include "training/table_for_tests.h"

namespace coeval::training {
namespace {

TrainingPlan plan_with(std::vector<std::pair<std::string, std::string>> params) {
  return {.params = std::move(params),
          .rounds = 100,
          .early_stopping_rounds = 0,
          .seed = 0,
          .threads = 1};
}

TrainedModel train(const TrainingTable& table, const TrainingPlan& plan) {
  auto trained = make_linear_trainer()->train(table, plan, nullptr);
  REQUIRE_MESSAGE(trained.has_value(), (trained ? "" : one_line(trained.error())));
  return *trained;
}

bool same_bits(const std::vector<float>& a, const std::vector<float>& b) {
  for (std::size_t i = 0; i < a.size(); ++i)
    if (std::bit_cast<std::uint32_t>(a[i]) != std::bit_cast<std::uint32_t>(b[i])) return false;
  return a.size() == b.size();
}

}  // namespace

TEST_CASE("the runtime answers what the trainer's own reading of the file answers") {
  const TestTable data;
  const auto trained = train(data.table(), plan_with({{"l2", "1"}}));
  CHECK(trained.engine == "coeval linear 1");
  CHECK(trained.notes.empty());
  const auto model = models::LinearModel::read(trained.bytes);
  REQUIRE(model.has_value());
  CHECK(model->parts().fit.converged);
  REQUIRE(model->width() == TestTable::kWidth);
  CHECK(model->parts().terms[2].coefficients.size() == 8);
  CHECK(model->parts().terms[1].missing != 0);
  const std::size_t rows = TestTable::kRows - TestTable::kTrainRows;
  std::vector<float> margins(rows), scores(rows);
  model->predict({data.validation(), rows * TestTable::kWidth}, margins, scores);
  const auto trainer = make_linear_trainer();
  CHECK(same_bits(margins, *trainer->predict_margins(trained.bytes, data.validation(),
                                                     static_cast<std::int64_t>(rows), 3)));
  CHECK(same_bits(scores, *trainer->predict(trained.bytes, data.validation(),
                                            static_cast<std::int64_t>(rows), 3)));
}

TEST_CASE("a ridge regression answers its margin, and its second reading has the same bits") {
  const TestTable data;
  TrainingPlan plan = plan_with({{"l2", "1"}});
  plan.objective.kind = Objective::Kind::squared;
  const auto trained = train(data.numbers_table(), plan);
  const auto model = models::LinearModel::read(trained.bytes);
  REQUIRE(model.has_value());
  CHECK(model->parts().link == models::LinearLink::identity);
  CHECK(model->parts().terms[0].coefficient == doctest::Approx(3).epsilon(0.05));  // per amount
  constexpr std::size_t kRows = TestTable::kRows - TestTable::kTrainRows;
  std::vector<float> margins(kRows), scores(kRows);
  model->predict({data.validation(), kRows * TestTable::kWidth}, margins, scores);
  CHECK(same_bits(margins, scores));
  CHECK(same_bits(scores, *make_linear_trainer()->predict(trained.bytes, data.validation(),
                                                          static_cast<std::int64_t>(kRows), 3)));
}

TEST_CASE("labels keep the digits that float32 does not have") {
  const TestTable data;
  std::vector<double> far = data.numbers();
  for (double& label : far) label += 1e9;
  TrainingTable table = data.numbers_table();
  table.numbers = far.data();
  TrainingPlan plan = plan_with({{"l2", "1"}});
  plan.objective.kind = Objective::Kind::squared;
  const auto near = models::LinearModel::read(train(data.numbers_table(), plan).bytes);
  const auto model = models::LinearModel::read(train(table, plan).bytes);
  REQUIRE(near.has_value());
  REQUIRE(model.has_value());
  CHECK(model->parts().terms[0].coefficient ==
        doctest::Approx(near->parts().terms[0].coefficient).epsilon(1e-6));
}

TEST_CASE("a loss that a linear model does not have is refused") {
  const TestTable data;
  TrainingPlan plan = plan_with({});
  plan.objective.kind = Objective::Kind::absolute;
  const auto refused = make_linear_trainer()->train(data.numbers_table(), plan, nullptr);
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().code == Code::unsupported);
}

TEST_CASE("the same table gives the same bytes on any number of threads, whatever the seed") {
  const TestTable data;
  TrainingPlan plan = plan_with({{"l1", "2"}, {"l2", "1"}});
  const auto one = train(data.table(), plan);
  plan.threads = 3;
  plan.seed = 9;
  CHECK(train(data.table(), plan).bytes == one.bytes);
  plan.params = {{"l1", "3"}, {"l2", "1"}};
  CHECK(train(data.table(), plan).bytes != one.bytes);
}

TEST_CASE("averages of the terms are those of the training rows") {
  const TestTable data;
  const auto model = models::LinearModel::read(train(data.table(), plan_with({})).bytes);
  REQUIRE(model.has_value());
  std::vector<double> sums(TestTable::kWidth);
  for (std::int64_t row = 0; row < TestTable::kTrainRows; ++row)
    for (std::size_t i = 0; i < sums.size(); ++i)
      sums[i] += models::add_of(model->parts().terms[i],
                                data.table().values[static_cast<std::size_t>(row) * 3 + i]);
  for (std::size_t i = 0; i < sums.size(); ++i)
    CHECK(model->parts().terms[i].average ==
          doctest::Approx(sums[i] / TestTable::kTrainRows).epsilon(1e-9).scale(1));
}

TEST_CASE("a direction bounds its input's coefficient") {
  const TestTable data;
  TrainingTable table = data.table();
  table.monotone = {-1, 0, 0};  // but scores rise with the amount
  const auto model = models::LinearModel::read(train(table, plan_with({})).bytes);
  REQUIRE(model.has_value());
  CHECK(model->parts().terms[0].coefficient == 0);
}

TEST_CASE("no convergence is noted, and what is no parameter refused") {
  const TestTable data;
  const auto trained = train(data.table(), plan_with({{"max_iterations", "1"}}));
  REQUIRE(trained.notes.size() == 1);
  CHECK(trained.notes[0].find("has not converged after 1 iterations") != std::string::npos);
  CHECK(trained.rounds_used == 1);
  const auto code_of = [&](const TrainingPlan& plan) {
    const auto failed = make_linear_trainer()->train(data.table(), plan, nullptr);
    REQUIRE(!failed.has_value());
    return failed.error().code;
  };
  CHECK(code_of(plan_with({{"eta", "0.1"}})) == Code::unsupported);
  CHECK(code_of(plan_with({{"l2", "-1"}})) == Code::training_failed);
  TrainingPlan stopping = plan_with({});
  stopping.early_stopping_rounds = 5;
  CHECK(code_of(stopping) == Code::unsupported);
}

}  // namespace coeval::training
