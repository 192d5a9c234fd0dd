#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "data/column.h"
#include "define/project.h"
#include "replay/feature_history.h"
#include "replay/past.h"
#include "replay/question_keys.h"
#include "stores/prediction_record.h"

namespace coeval::replay {

/// An event that a window holds.
struct WindowEvent {
  std::string place;     ///< "data/flights-3m.parquet row 12" or "log position 7"
  std::string content;   ///< the row as JSON
  std::int64_t row = 0;  ///< in the history's rows
  std::int64_t event_time_us = 0, known_us = 0;
};

/// One view feature of one question, with the events it was made from.
struct FeatureExplanation {
  std::string feature;
  std::int64_t from_us = 0, to_us = 0;  ///< [from, to) by event time; from = INT64_MIN for "all"
  std::string key;                      ///< "origin=ORD"
  std::string arithmetic;               ///< "mean of 12 events: 3 / 12, rounded once = 0.25"
  std::vector<WindowEvent> events;      ///< in order of event time
};

/// Finds the events of a feature's window by a plain scan: the slow, obvious way, independent of
/// the kernel's state. `question` has one row with the view's key columns by name.
Result<FeatureExplanation> explain_feature(const define::Project& project, const Past& past,
                                           define::ViewFeature feature, const data::Batch& question,
                                           Visibility seen);

/// All view features of a logged prediction. Errors: unknown_model when the definition has no such
/// model.
Result<std::vector<FeatureExplanation>> explain_prediction(const define::Project& project,
                                                           const define::Model& model,
                                                           const Past& past,
                                                           const stores::PredictionRecord& record);

/// Decodes rows of one schema from bytes.
Result<data::Batch> decode_rows(const data::Schema& schema, std::span<const std::string> rows);

}  // namespace coeval::replay
