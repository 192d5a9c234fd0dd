#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "define/project.h"
#include "models/model_folder.h"
#include "stores/meta_store.h"
#include "training/evidence.h"
#include "training/gates.h"

namespace coeval::training {

/// The verdicts of a registered version, judged again from what was stored when it was built.
struct ReplayedVerdicts {
  Evidence evidence;
  std::vector<Verdict> verdicts;  ///< one per gate of the definition, then the built-in ones
  /// What is not, byte for byte, as it was stored: "gate auc >= 0.77: passed (0.7821) was stored,
  /// FAILED (0.7621) now". Empty: all is.
  std::vector<std::string> differences;
};

/// Judges by the gates of `model`, which is the version's in its own recorded definition. Pure.
/// Errors: unsupported for a version of an older coeval that kept no evidence; bad_model when what
/// was kept cannot be read.
Result<ReplayedVerdicts> replay_verdicts(const stores::ModelVersion& version,
                                         const models::ServedModel& served,
                                         const define::Model& model);

}  // namespace coeval::training
