#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "define/project.h"
#include "replay/audit.h"
#include "stores/event_log.h"

namespace coeval::replay {

struct PlanReplayOptions {
  std::optional<std::int64_t> since_us;  ///< only predictions with T at or after it
  std::size_t max_examples = 5;
  int threads = 2;
  std::function<void(std::int64_t done)> progress;
};

/// One logged prediction that would have been another.
struct PlanExample {
  std::string prediction_id;
  std::int64_t at_us = 0;
  float score_before = 0, score_after = 0;
  /// True or false; of a multiclass model the class; null of a regression.
  data::Json decision_before, decision_after;
  std::string feature;  ///< the first input that differs; empty when only the decision does
  std::string before, after;
};

/// What a new definition would have made of the predictions of one served version.
struct PlanReplayVersion {
  std::string model;
  int version = 0;
  std::int64_t predictions = 0;
  /// Why they cannot be computed under the new definition, one reason a line; empty = they were.
  std::vector<std::string> obstacles;
  /// Predictions that could see events which retention has removed: not computed anew.
  std::int64_t beyond_retention = 0;
  std::int64_t refused = 0;  ///< predictions for which there would be no answer: a stale feature
  std::int64_t features_differ = 0;  ///< predictions with an input of other bits
  std::int64_t scores_differ = 0;
  /// Score ≥ threshold, each with its own definition's; of several classes the version's.
  std::int64_t decisions_differ = 0;
  std::vector<PlanExample> examples;  ///< the first of those that differ, decisions before scores
};

struct PlanReplay {
  std::vector<PlanReplayVersion> versions;  ///< by model and version
  std::int64_t predictions = 0;
};

/// Computes the inputs of every logged prediction anew, at its own time and place in the log, by
/// the definition of `project`, and scores them with the version that served it. A version whose
/// inputs are not all there any more, by name and type, is said to be not comparable. The log's
/// events must still be readable by the new definition's sources.
/// Errors: those of reading and of find_model; unsupported when a source's columns changed since.
Result<PlanReplay> plan_replay(std::shared_ptr<const define::Project> project,
                               const OpenFormat& formats, const stores::EventLog& log,
                               const FindModel& find_model, const PlanReplayOptions& options);

/// Why inputs that a version was built with cannot be computed by another definition's model.
/// Empty when they can.
std::vector<std::string> obstacles_between(const define::Model& served, const define::Model& now);

}  // namespace coeval::replay
