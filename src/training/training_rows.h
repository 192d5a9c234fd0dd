#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "define/project.h"
#include "models/encoder.h"
#include "replay/history.h"
#include "training/row_labels.h"
#include "training/shared_memory.h"
#include "training/split.h"

namespace coeval::training {

/// A column by which rows are cut into slices. A row without a value has the word "null".
struct SliceColumn {
  std::string name;                 ///< the expression as written
  std::vector<std::int32_t> codes;  ///< places in words
  std::vector<std::string> words;
};

/// A model's dataset, encoded: the rows of the parts from training to test, one part after the
/// other as SplitPart lists them, each in the dataset's order. Row-major float32.
struct TrainingRows {
  struct Range {
    std::size_t from = 0, count = 0;
  };

  models::Encoder encoder;  ///< dictionaries frozen over the training rows
  std::size_t width = 0;
  std::array<std::int64_t, kSplitParts> counts{};
  SharedFloats values;              ///< rows() × width, as a trainer's child is given them
  RowLabels labels;                 ///< rows()
  std::vector<std::int64_t> at_us;  ///< rows(): the question's time
  std::vector<std::int64_t>
      known_us;                ///< rows(): when the label was, of models with rolling origins
  std::vector<float> weights;  ///< rows(), or none: 1 each
  /// rows(), or none; equal values have equal numbers. Of a ranking the queries, whose rows then
  /// are neighbours in their part, in the order in which queries begin.
  std::vector<std::int64_t> units;
  std::vector<SliceColumn> slices;
  std::vector<std::string> null_inputs;  ///< those without a value in any training row
  data::Batch metric_columns;  ///< rows(): the columns that metrics of the project read, by name

  std::size_t rows() const { return labels.size(); }
  Range part(SplitPart part) const;
  const float* row(std::size_t index) const { return values.data() + index * width; }
  std::span<const std::int64_t> units_of(Range range) const {
    return units.empty() ? std::span<const std::int64_t>()
                         : std::span(units).subspan(range.from, range.count);
  }
  std::span<const float> values_of(Range range) const {
    return std::span(values).subspan(range.from * width, range.count * width);
  }
};

/// Reads a dataset (dataset_reader.h) in two passes: one over the columns that need a dictionary,
/// one over all.
/// With `encoder` given, that one is used instead of a fresh one (to score a champion on these
/// rows). Errors: the format's; no_rows; type_mismatch; training_failed for inputs that are
/// infinite, all null in all training rows, or texts of which no two training rows share one, for
/// weights that are none, for labels of a regression that are all the same in the training rows
/// or beyond float32, in which scores are, and for labels that are none of a multiclass model's
/// classes, classes of which there is no training row, and grades of a ranking that are not from 0
/// to 31, or of which no training query has two.
Result<TrainingRows> read_training_rows(const replay::OpenFormat& formats, const std::string& path,
                                        const define::Model& model, const models::Encoder* encoder);

}  // namespace coeval::training
