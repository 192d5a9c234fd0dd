#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/error.h"
#include "case_world.h"
#include "data/column.h"
#include "serving/engine.h"

namespace coeval::cases {

/// What a path answered to one question: the features, a row of `features` whose columns are those
/// of World::expected.
struct PathAnswer {
  std::int64_t question = 0;  ///< row of World::questions
  data::Batch features;
  std::int64_t row = 0;
  bool refused = false;  ///< no answer: a feature was stale
};
using TakeAnswer = std::function<void(const PathAnswer&)>;

/// One way that events and questions can take through the system. A path answers every question at
/// least once, or says that it does not apply to the case.
struct Path {
  std::string name;
  /// Returns false where the path does not apply. Errors: whatever the system says.
  std::function<Result<bool>(const World&, const TakeAnswer&)> play;
};

/// backfill (threads × chunk sizes), stream, hindsight, shuffled, partitions, server, restarts with
/// and without snapshots.
std::vector<Path> all_paths();

// By the file that has them.
std::vector<Path> offline_paths();
std::vector<Path> server_paths();

/// A model that answers the case's features, whatever it then makes of them.
Result<serving::LoadedModel> case_model(const World& world);

}  // namespace coeval::cases
