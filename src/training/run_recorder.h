#pragma once

#include <string>

#include "base/error.h"
#include "data/json.h"
#include "define/project.h"
#include "stores/run_store.h"
#include "training/evidence.h"
#include "training/fit_model.h"

namespace coeval::training {

struct Workshop;
struct BuildOutcome;

/// Tracks one training run: what is known before it begins, what it finds, how it ends. Does
/// nothing where the workshop has no store of runs. A run whose process is killed keeps what its
/// start said.
class RunRecorder {
 public:
  /// Both must outlive it. `parent`: the run of the search that a trial is of.
  RunRecorder(const Workshop& shop, const define::Model& model,
              stores::RunKind kind = stores::RunKind::build, std::string parent = {});

  /// Records that the run began: model, parameters, split, dataset id, environment. Errors: those
  /// of the store.
  Status start(const std::string& dataset_id);
  /// Its id; empty when nothing was recorded.
  const std::string& id() const { return id_; }

  /// Each notes what the end will record.
  /// `by`: the model with the parameters that a search chose; "chosen.NAME" are those that differ.
  void trained(const FittedModel& fitted, const define::Model& by);
  /// Every number of the report, under its path ("test.auc", "test.confusion.true_positives").
  void measured(const data::Json& metrics);
  void judged(const Evidence& evidence, bool gates_passed);
  /// Numbers and a word that are neither metrics of a part nor evidence: those of a trial.
  void noted(const Metrics& numbers, const std::string& tag);

  /// Records how it ended: with the version that was made, or with the error. Nothing where it did
  /// not begin. Errors: those of the store.
  Status end(const Status& status, const BuildOutcome& outcome);

 private:
  const Workshop& shop_;
  const define::Model& model_;
  stores::Run run_;
  std::string id_;
};

/// The parameters of a model's training as a run keeps them, by name: those of the trainer, rounds,
/// seed, dates of the split, and whatever else differs from what it is unless given.
std::map<std::string, std::string> training_parameters(const define::Model& model);

}  // namespace coeval::training
