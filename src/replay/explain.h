#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/error.h"
#include "data/column.h"
#include "define/project.h"
#include "replay/past.h"
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
  std::string arithmetic;               ///< "sum 3 over 12 events"
  std::vector<WindowEvent> events;      ///< in order of event time
};

/// Which events a question saw: known before T and, of the log, before the position.
struct Visibility {
  std::int64_t at_us = 0;
  std::uint64_t position = 0;  ///< log rows at or after it are not seen
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

/// The question's columns of a model's predictions as a schema, and the inputs' (all nullable).
data::Schema question_schema(const define::Model& model);
data::Schema input_schema(std::span<const define::Input> inputs);
/// Decodes rows of one schema from bytes.
Result<data::Batch> decode_rows(const data::Schema& schema, std::span<const std::string> rows);

/// "data/flights.parquet row 12" or "log position 7".
std::string place_of(const SourceHistory& history, std::int64_t row);

}  // namespace coeval::replay
