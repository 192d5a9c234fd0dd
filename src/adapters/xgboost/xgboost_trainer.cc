#include "adapters/xgboost/xgboost_trainer.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <thread>

#include "adapters/xgboost/booster.h"
#include "adapters/xgboost/c_api.h"
#include "adapters/xgboost/matrix.h"
#include "adapters/xgboost/settings.h"
#include "adapters/xgboost/warnings.h"
#include "base/check.h"

namespace coeval::adapters {
namespace xgboost {
namespace {

using training::TrainedModel;
using training::TrainingPlan;
using training::TrainingTable;
using Progress = void (*)(int round, int rounds);

/// Scores do not depend on the number of threads, so all are used.
int scoring_threads() {
  return static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
}

Status check_job(const TrainingTable& table, const TrainingPlan& plan) {
  COEVAL_CHECK(table.names.size() == table.width && table.categorical.size() == table.width);
  if (table.train_rows < 1 || table.width < 1) {
    return fail(Code::training_failed,
                "there is nothing to train on: " + std::to_string(table.train_rows) + " rows of " +
                    std::to_string(table.width) + " inputs");
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
  return {};
}

/// "(1,0,-1)".
std::string monotone_text(const std::vector<int>& directions) {
  std::string text;
  for (const int direction : directions)
    text += (text.empty() ? "(" : ",") + std::to_string(direction);
  return text + ")";
}

/// Remembers the best round of a validation curve. The earliest of equals is the best: fewer trees.
class BestRound {
 public:
  BestRound(bool higher_is_better, int patience)
      : higher_is_better_(higher_is_better), patience_(patience) {}

  /// False when patience has run out.
  bool go_on(int round, double value) {
    const bool better = higher_is_better_ ? value > best_value_ : value < best_value_;
    if (round_ < 0 || better) {
      round_ = round;
      best_value_ = value;
    }
    return patience_ == 0 || round - round_ < patience_;
  }
  int rounds() const { return round_ + 1; }

 private:
  bool higher_is_better_;
  int patience_, round_ = -1;
  double best_value_ = std::numeric_limits<double>::quiet_NaN();
};

/// One training run.
class Run {
 public:
  static Result<Run> prepare(const CApi& api, const TrainingTable& table,
                             const TrainingPlan& plan) {
    Run run(api, table, plan);
    COEVAL_ASSIGN(run.settings_, settings_of(plan));
    COEVAL_ASSIGN(run.training_, make_binned_matrix(api, training_rows(table), run.features_,
                                                    run.settings_.bins, plan.threads));
    std::vector<Handle> matrices{run.training_.get()};
    if (run.validates()) {
      COEVAL_ASSIGN(run.validation_,
                    make_plain_matrix(api, validation_rows(table), run.features_, plan.threads));
      matrices.push_back(run.validation_.get());
    }
    COEVAL_ASSIGN(run.booster_, Booster::create(api, matrices));
    for (const auto& [name, value] : run.settings_.params) {
      COEVAL_TRY(run.booster_->set(name, value));
    }
    if (!table.monotone.empty())
      COEVAL_TRY(run.booster_->set("monotone_constraints", monotone_text(table.monotone)));
    return run;
  }

  Result<TrainedModel> train(Progress progress) {
    TrainedModel model;
    BestRound best(settings_.higher_is_better, plan_.early_stopping_rounds);
    const Warnings warnings(api_);
    bool going = true;
    for (int round = 0; round < plan_.rounds && going; ++round) {
      COEVAL_TRY(booster_->update(round, training_.get()));
      if (round == 0) COEVAL_TRY(warnings.check_parameters());
      if (validates()) {
        COEVAL_ASSIGN(const double value, booster_->evaluate(round, validation_.get()));
        model.validation_curve.push_back(value);
        going = best.go_on(round, value);
      }
      model.rounds_used = round + 1;
      if (progress != nullptr) progress(model.rounds_used, plan_.rounds);
    }
    if (plan_.early_stopping_rounds > 0) COEVAL_TRY(cut_to(best.rounds(), model));
    return finish(std::move(model));
  }

 private:
  Run(const CApi& api, const TrainingTable& table, const TrainingPlan& plan)
      : api_(api), table_(table), plan_(plan), features_(table) {}

  bool validates() const { return table_.rows > table_.train_rows; }

  Status cut_to(int rounds, TrainedModel& model) {
    if (rounds == model.rounds_used) return {};
    COEVAL_ASSIGN(booster_, booster_->first_rounds(rounds));
    model.rounds_used = rounds;
    return {};
  }

  Result<TrainedModel> finish(TrainedModel model) {
    COEVAL_TRY(features_.set_on_booster(api_, booster_->get()));
    COEVAL_ASSIGN(model.bytes, booster_->save());
    model.engine = "xgboost " + api_.version;
    return model;
  }

  const CApi& api_;
  const TrainingTable& table_;
  const TrainingPlan& plan_;
  FeatureInfo features_;
  Settings settings_;
  MatrixHandle training_, validation_;
  std::optional<Booster> booster_;  // After the matrices: it must go first.
};

class XgboostTrainer final : public training::Trainer {
 public:
  explicit XgboostTrainer(CApi api) : api_(std::move(api)) {}

  Result<TrainedModel> train(const TrainingTable& table, const TrainingPlan& plan,
                             Progress progress) override {
    COEVAL_TRY(check_job(table, plan));
    COEVAL_ASSIGN(Run run, Run::prepare(api_, table, plan));
    return run.train(progress);
  }

  Result<std::vector<float>> predict_margins(const std::string& model_bytes, const float* rows,
                                             std::int64_t count, std::size_t width) override {
    return score(model_bytes, rows, count, width, true);
  }

  Result<std::vector<float>> predict(const std::string& model_bytes, const float* rows,
                                     std::int64_t count, std::size_t width) override {
    return score(model_bytes, rows, count, width, false);
  }

 private:
  Result<std::vector<float>> score(const std::string& model_bytes, const float* rows,
                                   std::int64_t count, std::size_t width, bool margin) {
    COEVAL_ASSIGN(const Booster booster, Booster::load(api_, model_bytes, scoring_threads()));
    return booster.predict(rows, count, width, margin);
  }

  CApi api_;
};

}  // namespace
}  // namespace xgboost

Result<std::unique_ptr<training::Trainer>> open_xgboost(const std::string& library_folder) {
  COEVAL_ASSIGN(xgboost::CApi api, xgboost::load_c_api(library_folder));
  return std::make_unique<xgboost::XgboostTrainer>(std::move(api));
}

}  // namespace coeval::adapters
