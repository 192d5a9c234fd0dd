#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "define/project.h"
#include "models/model_folder.h"
#include "stores/meta_store.h"
#include "training/pipeline.h"

namespace coeval::training {

/// What training again, from the recorded definition and the data that it names, gave.
struct Reproduction {
  struct Id {
    std::string name;              ///< "dataset", "recipe", "bits", "golden rows", "threshold"
    std::string registered, made;  ///< ids, or the threshold as text
    bool same() const { return registered == made; }
  };
  std::vector<Id> ids;
  /// Inputs that are not what they were, as they were recorded: "file:orders", "engine",
  /// "trainer library: xgboost 3.4.1, now xgboost 3.5.0". They may differ and give the same bits.
  std::vector<std::string> changed;
  /// Whether the inputs were recorded, so that `changed` can tell.
  bool inputs_recorded = false;

  bool same() const;       ///< every id
  bool same_bits() const;  ///< "bits" alone
};

/// Trains a registered version again and compares. `shop` has the project that the version's own
/// definition says, `model` is the version's in it, `served` the version as loaded. The log is read
/// as far as it went when the version was built, and not at all when there was none then. Nothing
/// is registered, and no file outlives the call: they are in a folder of their own below `work`.
/// Errors: those of a build's dataset and training, with the changed inputs named; io; metadata.
Result<Reproduction> reproduce(const Workshop& shop, const stores::ModelVersion& version,
                               const models::ServedModel& served, const define::Model& model);

}  // namespace coeval::training
