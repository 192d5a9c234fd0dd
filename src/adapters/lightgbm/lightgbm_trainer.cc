#include "adapters/lightgbm/lightgbm_trainer.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <thread>

#include "adapters/lightgbm/c_api.h"
#include "adapters/lightgbm/dataset.h"
#include "adapters/lightgbm/settings.h"
#include "adapters/lightgbm/warnings.h"
#include "base/check.h"

namespace coeval::adapters {
namespace lightgbm {
namespace {

using training::TrainedModel;
using training::TrainingPlan;
using training::TrainingTable;
using Progress = void (*)(int round, int rounds);

/// The library counts rows in int32, and cells of a prediction in int64.
constexpr int kMostGrades = 32;  // gains are 2^grade - 1
constexpr std::int64_t kMaxRows = std::numeric_limits<std::int32_t>::max();

/// Scores do not depend on the number of threads, so all are used.
int scoring_threads() {
  return static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
}

Status check_values(const TrainingTable& table, const training::Objective& objective) {
  const float* const end = table.values + static_cast<std::size_t>(table.rows) * table.width;
  if (std::any_of(table.values, end, [](float value) { return std::isinf(value); })) {
    return fail(Code::training_failed, "the training rows hold an infinite value",
                "make it null, or bound it in the feature's expression");
  }
  // The library would take every number above 0 for true.
  const int most = objective.kind == training::Objective::Kind::multiclass ? objective.classes
                   : objective.kind == training::Objective::Kind::ranking  ? kMostGrades
                                                                           : 2;
  if (table.numbers == nullptr && std::any_of(table.labels, table.labels + table.rows,
                                              [most](auto label) { return label >= most; })) {
    return fail(Code::training_failed,
                "a label is not a whole number from 0 to " + std::to_string(most - 1));
  }
  return {};
}

Status check_job(const TrainingTable& table, const TrainingPlan& plan) {
  COEVAL_CHECK(table.names.size() == table.width && table.categorical.size() == table.width);
  if (table.train_rows < 1 || table.width < 1) {
    return fail(Code::training_failed,
                "there is nothing to train on: " + std::to_string(table.train_rows) + " rows of " +
                    std::to_string(table.width) + " inputs");
  }
  if (table.rows > kMaxRows) {
    return fail(Code::training_failed, "lightgbm takes at most 2^31 - 1 rows",
                "train on a shorter time");
  }
  if (plan.rounds < 1 || plan.threads < 1) {
    return fail(Code::training_failed, "rounds and threads must be positive, are " +
                                           std::to_string(plan.rounds) + " and " +
                                           std::to_string(plan.threads));
  }
  if (plan.early_stopping_rounds > 0 && table.train_rows == table.rows) {
    return fail(Code::training_failed, "early stopping needs validation rows, there are none",
                "widen the split's validation part, or remove early_stopping_rounds");
  }
  return check_values(table, plan.objective);
}

/// One training run.
class Run {
 public:
  Run(const CApi& api, const TrainingTable& table, const TrainingPlan& plan)
      : api_(api), table_(table), plan_(plan) {}

  Result<TrainedModel> train(Progress progress) && {
    const Warnings warnings(api_);
    COEVAL_TRY(prepare());
    COEVAL_TRY(warnings.check_parameters());
    TrainedModel model;
    int best = 0, finished = 0;
    for (int round = 0; round < plan_.rounds && finished == 0; ++round) {
      COEVAL_TRY(api_.check(api_.LGBM_BoosterUpdateOneIter(booster_.get(), &finished),
                            "train round " + std::to_string(round + 1)));
      if (finished != 0 && round > 0) break;  // nothing could be split: no tree was added
      model.rounds_used = round + 1;
      if (validates()) {
        COEVAL_ASSIGN(const double value, validate(round));
        model.validation_curve.push_back(value);
        if (round == 0 || is_better(value, model.validation_curve[static_cast<std::size_t>(best)]))
          best = round;
      }
      if (progress != nullptr) progress(model.rounds_used, plan_.rounds);
      if (plan_.early_stopping_rounds > 0 && round - best >= plan_.early_stopping_rounds) break;
    }
    if (plan_.early_stopping_rounds > 0) model.rounds_used = best + 1;
    COEVAL_ASSIGN(model.bytes, save(model.rounds_used));
    model.engine = "lightgbm " + api_.version;
    return model;
  }

 private:
  bool validates() const { return table_.rows > table_.train_rows; }
  bool is_better(double value, double than) const {
    return settings_.higher_is_better ? value > than : value < than;
  }

  Status prepare() {
    COEVAL_ASSIGN(settings_, settings_of(table_, plan_));
    COEVAL_TRY(api_.check(api_.LGBM_SetMaxThreads(plan_.threads), "set the number of threads"));
    COEVAL_ASSIGN(training_, make_training_data(api_, table_, settings_.text));
    Handle booster = nullptr;
    COEVAL_TRY(
        api_.check(api_.LGBM_BoosterCreate(training_.get(), settings_.text.c_str(), &booster),
                   "start a model"));
    booster_ = BoosterHandle(api_, booster);
    if (!validates()) return {};
    COEVAL_ASSIGN(validation_, make_validation_data(api_, table_, settings_.text, training_.get()));
    COEVAL_TRY(api_.check(api_.LGBM_BoosterAddValidData(booster_.get(), validation_.get()),
                          "read the validation rows"));
    int metrics = 0;
    COEVAL_TRY(
        api_.check(api_.LGBM_BoosterGetEvalCounts(booster_.get(), &metrics), "count the metrics"));
    COEVAL_CHECK(metrics == 1);  // settings_of lets one through
    return {};
  }

  Result<double> validate(int round) {
    constexpr int kValidation = 1;
    double value = 0;
    int count = 0;
    COEVAL_TRY(api_.check(api_.LGBM_BoosterGetEval(booster_.get(), kValidation, &count, &value),
                          "evaluate round " + std::to_string(round + 1)));
    return value;
  }

  Result<std::string> save(int rounds) {
    std::string text;
    std::int64_t size = 0;
    const auto write = [&] {
      return api_.check(api_.LGBM_BoosterSaveModelToString(booster_.get(), 0, rounds, 0,
                                                           static_cast<std::int64_t>(text.size()),
                                                           &size, text.data()),
                        "save the model");
    };
    COEVAL_TRY(write());
    text.resize(static_cast<std::size_t>(size));
    COEVAL_TRY(write());
    text.pop_back();  // the NUL
    return text;
  }

  const CApi& api_;
  const TrainingTable& table_;
  const TrainingPlan& plan_;
  Settings settings_;
  DatasetHandle training_, validation_;
  BoosterHandle booster_;  // After the datasets: it must go first.
};

class LightgbmTrainer final : public training::Trainer {
 public:
  explicit LightgbmTrainer(CApi api) : api_(std::move(api)) {}

  Result<TrainedModel> train(const TrainingTable& table, const TrainingPlan& plan,
                             Progress progress) override {
    COEVAL_TRY(check_job(table, plan));
    return Run(api_, table, plan).train(progress);
  }

  Result<std::vector<float>> predict_margins(const std::string& model_bytes, const float* rows,
                                             std::int64_t count, std::size_t width) override {
    return score(model_bytes, rows, count, width, kMargins);
  }

  Result<std::vector<float>> predict(const std::string& model_bytes, const float* rows,
                                     std::int64_t count, std::size_t width) override {
    return score(model_bytes, rows, count, width, kScores);
  }

 private:
  Result<std::vector<float>> score(const std::string& model_bytes, const float* rows,
                                   std::int64_t count, std::size_t width, int kind) {
    if (count > kMaxRows) {
      return fail(Code::training_failed, "lightgbm scores at most 2^31 - 1 rows at once");
    }
    COEVAL_TRY(api_.check(api_.LGBM_SetMaxThreads(scoring_threads()), "set the number of threads"));
    int iterations = 0;
    Handle handle = nullptr;
    COEVAL_TRY(
        api_.check(api_.LGBM_BoosterLoadModelFromString(model_bytes.c_str(), &iterations, &handle),
                   "read the model"));
    const BoosterHandle booster(api_, handle);
    if (count == 0) return std::vector<float>();
    std::int64_t size = 0;
    COEVAL_TRY(api_.check(
        api_.LGBM_BoosterCalcNumPredict(handle, static_cast<int>(count), kind, 0, -1, &size),
        "count the scores"));
    std::vector<double> out(static_cast<std::size_t>(size));
    COEVAL_TRY(api_.check(
        api_.LGBM_BoosterPredictForMat(handle, rows, kFloat32, static_cast<std::int32_t>(count),
                                       static_cast<std::int32_t>(width), 1, kind, 0, -1, "", &size,
                                       out.data()),
        "score the rows"));
    return std::vector<float>(out.begin(), out.end());
  }

  CApi api_;
};

}  // namespace
}  // namespace lightgbm

Result<std::unique_ptr<training::Trainer>> open_lightgbm(const std::string& library_folder) {
  COEVAL_ASSIGN(lightgbm::CApi api, lightgbm::load_c_api(library_folder));
  return std::make_unique<lightgbm::LightgbmTrainer>(std::move(api));
}

}  // namespace coeval::adapters
