#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "adapters/xgboost/handles.h"
#include "training/trainer.h"

namespace coeval::adapters::xgboost {

/// The columns' names and types as XGBoost wants them: arrays of C strings. Borrows the table.
class FeatureInfo {
 public:
  explicit FeatureInfo(const training::TrainingTable& table);
  Status set_on_matrix(const CApi& api, Handle matrix) const;
  /// Through the C interface a matrix's names do not reach the saved model: the booster needs them
  /// too.
  Status set_on_booster(const CApi& api, Handle booster) const;

 private:
  mutable std::vector<const char*> names_, types_;  // The C interface takes them without const.
};

/// Some rows of a table, in place.
struct RowRange {
  const float* values = nullptr;
  const std::uint8_t* labels = nullptr;  ///< of a binary label; else null
  const double* numbers = nullptr;       ///< of a regression; else null
  const float* weights = nullptr;        ///< null: each row counts 1
  std::int64_t rows = 0;
  std::size_t width = 0;
  std::span<const std::uint32_t> groups = {};  ///< of a ranking: rows of each query
};
RowRange training_rows(const training::TrainingTable& table);
RowRange validation_rows(const training::TrainingTable& table);

/// NumPy's array interface of row-major floats, as JSON.
std::string array_json(const float* values, std::int64_t rows, std::size_t width);

/// The rows as histogram bins: a third of the memory of the plain form, and the same trees.
Result<MatrixHandle> make_binned_matrix(const CApi& api, const RowRange& rows,
                                        const FeatureInfo& features, int bins, int threads);
/// The rows as they are. Validation needs it: binning would take a category that training has not
/// seen for the last one it has.
Result<MatrixHandle> make_plain_matrix(const CApi& api, const RowRange& rows,
                                       const FeatureInfo& features, int threads);

}  // namespace coeval::adapters::xgboost
