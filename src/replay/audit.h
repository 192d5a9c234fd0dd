#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "define/project.h"
#include "models/model_folder.h"
#include "replay/explain.h"
#include "replay/past.h"
#include "stores/event_log.h"

namespace coeval::replay {

/// A model version that predictions in the log name, with the definition that it was served under.
struct AuditedModel {
  std::shared_ptr<const define::Project> project;
  int model = -1;  ///< index into project->models
  std::shared_ptr<const models::ServedModel> served;
};
/// Finds a version. Errors: unknown_model.
using FindModel = std::function<Result<AuditedModel>(const std::string& model, int version)>;

/// Against what a logged prediction is compared.
enum class AuditMode {
  log,      ///< history up to the cut and the log, at the position that the prediction names
  dataset,  ///< the files as the definition claims they became known: what training saw
};

struct AuditOptions {
  AuditMode mode = AuditMode::log;
  std::optional<std::int64_t> since_us;  ///< only predictions with T at or after it
  std::size_t max_explained = 3;         ///< differences explained with their events
  int threads = 2;
  std::function<void(std::int64_t done)> progress;
};

/// One prediction that is not what it should be.
struct AuditDifference {
  std::string prediction_id, model;
  int version = 0;
  std::int64_t at_us = 0;
  /// First differing input, "raw_score", "score" (of a multiclass model also of which class) or
  /// "decision".
  std::string what;
  std::string served, recomputed;        ///< as text
  std::vector<std::string> explanation;  ///< lines for people; the events behind it
};

struct AuditReport {
  std::int64_t predictions = 0, differ = 0;
  /// Predictions that could see events which retention has removed since: they were not recomputed.
  std::int64_t beyond_retention = 0;
  std::string removed;  ///< what retention has removed of the log; empty where it has not
  std::map<std::string, std::int64_t> by_input;  ///< how often an input was the first to differ
  std::vector<AuditDifference> differences;      ///< the first max_explained
  /// What casts doubt on the evidence itself: a source's file that changed since the log was
  /// started.
  std::vector<std::string> doubts;
  /// Predictions per "model@vN".
  std::map<std::string, std::int64_t> by_model;
};

/// Recomputes the features and the score of every logged prediction, all of them, and compares
/// bits. (semantics: P1) Errors: those of reading; a difference is not an error.
Result<AuditReport> audit(const OpenFormat& formats, const stores::EventLog& log,
                          const FindModel& find_model, const AuditOptions& options);

}  // namespace coeval::replay
