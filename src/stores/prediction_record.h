#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/ids.h"
#include "data/column.h"

namespace coeval::stores {

/// Everything that was true when a prediction was served. (semantics: P1)
struct PredictionRecord {
  std::string id;     ///< 26 characters, sorts by time
  std::string model;  ///< name
  int version = 0;
  std::string ir_hash;     ///< 64 hex digits
  std::string bits_id;     ///< 64 hex digits
  Position position;       ///< the log position the state was at: events before it were visible
  std::int64_t at_us = 0;  ///< T
  std::string variant = "champion";
  double propensity = 1.0;
  float raw_score = 0;           ///< margin; of a multiclass model that of the decided class
  float score = 0;               ///< what was answered: a probability, or a regression's number
  bool decision = false;         ///< of a binary model
  std::uint32_t latency_us = 0;  ///< from parsed request to score
  std::string question;          ///< data::encode_row of the question's columns
  std::string features;          ///< data::encode_row of the model's input columns, in input order
  std::string approximate;       ///< view features that a sketch answered, by name with commas (A4)
  /// Of a multiclass model the decided class's place, and margin and probability of each class;
  /// none of others.
  std::uint8_t decided_class = 0;
  std::vector<float> class_margins = {}, class_scores = {};
};
/// Binary form, versioned by its first byte.
std::string encode(const PredictionRecord& record);
/// Errors: bad_file.
Result<PredictionRecord> decode_prediction(std::string_view bytes);

}  // namespace coeval::stores
