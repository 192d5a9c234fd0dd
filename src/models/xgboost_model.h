#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace coeval::models {

/// One tree as XGBoost writes it: parallel arrays of equal length, node 0 the root. A node without
/// children (left = right = -1) is a leaf with its value in `conditions`.
struct XgboostTree {
  std::vector<std::int32_t> left, right, columns;
  std::vector<float> conditions;
  std::vector<std::uint8_t> default_left, categorical;
  /// For categorical node `category_nodes[k]`: the codes that go right are
  /// `categories[category_begins[k] .. category_begins[k] + category_sizes[k])`.
  std::vector<std::int32_t> category_nodes, categories;
  std::vector<std::int64_t> category_begins, category_sizes;

  std::size_t size() const { return left.size(); }
};

enum class XgboostObjective : std::uint8_t { identity, logistic };

/// What prediction needs of a model file.
struct XgboostModel {
  std::size_t width = 0;  ///< columns of a row
  XgboostObjective objective = XgboostObjective::identity;
  float base_score = 0;            ///< on the scale of the output: a probability for logistic
  std::vector<XgboostTree> trees;  ///< those that predict: early stopping's surplus is left out
};

/// Reads the model from UBJSON. Checked here: kinds and lengths of every part, and that this
/// version predicts such models. Not checked here: the trees' indexes (see lay_out). Errors:
/// bad_model; unsupported for other objectives, boosters, vector leaves, several outputs,
/// dictionaries inside the model.
Result<XgboostModel> read_xgboost_ubj(std::string_view bytes);

}  // namespace coeval::models
