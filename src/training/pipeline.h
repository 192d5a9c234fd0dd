#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "data/json.h"
#include "define/project.h"
#include "models/runtime.h"
#include "replay/past.h"
#include "stores/event_log.h"
#include "stores/meta_store.h"
#include "stores/run_store.h"
#include "training/gates.h"
#include "training/split.h"

namespace coeval::training {

struct GivenModel;

/// What a build needs from outside: where things are, and whom to tell.
struct Workshop {
  std::shared_ptr<const define::Project> project;
  std::string definition;    ///< text of coeval.toml, kept with each model
  std::string state_folder;  ///< <project>/.coeval
  std::string program;       ///< this executable: training runs in a child of it
  std::string engine;        ///< "coeval 0.1.0"
  replay::OpenFormat formats;
  models::Openers openers;            ///< of models that another library runs
  const GivenModel* given = nullptr;  ///< taken instead of training (given_model.h)
  stores::MetaStore* meta = nullptr;
  stores::RunStore* runs = nullptr;       ///< null: runs are not tracked
  std::vector<std::string> tags;          ///< of the runs
  const stores::EventLog* log = nullptr;  ///< null when there is none yet
  Clock* clock = nullptr;
  int threads = 1;
  std::function<void(const std::string&)> say;  ///< a line of the build's story
  std::function<void(const std::string&, std::int64_t done, std::int64_t all)> progress;

  /// A folder for files that are gone when the build ends. It is this process's own: several builds
  /// may run at once.
  std::string work_folder(const std::string& name) const;
  /// What a model's rows are made from, up to the log's cut. Errors: those of replay::load_past.
  Result<replay::Past> load_past(const define::Project& of, const define::Model& model) const;
};

/// Whether a step's result was there already, and why (not).
struct StepPlan {
  std::string step;  ///< "dataset" or "train"
  bool hit = false;
  std::string why;     ///< "inputs unchanged", "first build", "changed: view:origin, split"
  std::string key;     ///< content hash of the inputs
  data::Json inputs;   ///< the named inputs behind the key
  std::string output;  ///< of a hit, relative to the state folder
};

/// Looks both steps of a model up without running them. The train step's key depends on the
/// dataset's key only, so it is known before the dataset is made.
struct BuildPlan {
  StepPlan dataset, train;
  bool pending() const { return !dataset.hit || !train.hit; }
};
Result<BuildPlan> plan_build(const Workshop& shop, const define::Model& model);

/// What a build made or found.
struct BuildOutcome {
  int version = 0;
  bool fresh = false;  ///< a new version was registered
  stores::ModelVersion registered;
  std::vector<Verdict> verdicts;
  BuildPlan plan;
  double dataset_seconds = 0, train_seconds = 0;
};
/// dataset → train → evaluate → gates → register. A version that fails its gates is registered too,
/// as not passed, and is never promoted. Errors: those of each step.
Result<BuildOutcome> build_model(const Workshop& shop, const define::Model& model);

}  // namespace coeval::training
