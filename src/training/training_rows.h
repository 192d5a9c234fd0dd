#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/error.h"
#include "define/project.h"
#include "models/encoder.h"
#include "replay/history.h"
#include "training/split.h"

namespace coeval::training {

/// A model's dataset file, encoded: first the training rows, then the validation rows, then the
/// test rows, each in the file's order. Row-major float32.
struct TrainingRows {
  models::Encoder encoder;  ///< dictionaries frozen over the training rows
  std::size_t width = 0;
  std::int64_t train = 0, validate = 0, test = 0;
  std::vector<float> values;         ///< (train + validate + test) × width
  std::vector<std::uint8_t> labels;  ///< train + validate + test

  const float* row(std::int64_t index) const {
    return values.data() + static_cast<std::size_t>(index) * width;
  }
};

/// Reads the file in two passes: one over the columns that need a dictionary, one over all.
/// With `encoder` given, that one is used instead of a fresh one (to score a champion on these
/// rows). Errors: the format's; no_rows; type_mismatch.
Result<TrainingRows> read_training_rows(const replay::OpenFormat& formats, const std::string& path,
                                        const define::Model& model, const models::Encoder* encoder);

}  // namespace coeval::training
