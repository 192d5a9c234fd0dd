#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "base/error.h"

namespace coeval::models {

struct ForestModel;
struct SourceForest;

/// Boosted trees as XGBoost or LightGBM saves them, in a layout made for serving.
///
/// Margins and scores equal the library's own prediction bit for bit. XGBoost: base margin first,
/// then trees in order, all in float32; NaN takes the default child; numeric goes left if x <
/// threshold; categorical goes left if the code is negative, ≥ 2^24, beyond the bitset or not in
/// the set. LightGBM: trees in order in float64, from 0; |x| ≤ 1e-35 is 0; numeric goes left if x ≤
/// threshold; categorical goes left if the code, cut towards zero, is in the set; what is missing
/// follows each split's missing type.
/// A model has outputs() margins a row (one for each class, quantile or target) and scores() scores
/// a row, which are the margins after the objective's link.
/// Threading: const, safe from any thread; copies share the trees. Determinism: one row alone or
/// inside any block, same bits. The link of a LightGBM model uses the system's float64 exp, as that
/// library does; all else is the same on every machine.
class Forest {
 public:
  Forest();  ///< no columns, no trees, margin 0
  /// Reads a model file of either library, by what it contains. Errors as below; bad_model for
  /// bytes that are neither's.
  static Result<Forest> read(std::string_view bytes);
  /// XGBoost's UBJSON or JSON (versions 1 to 3): gbtree or DART, one tree an output; the objectives
  /// of regression, binary and multi-class classification, counts, quantiles and ranking. Where
  /// early stopping noted `best_iteration`, the trees after it are left out. Errors: bad_model when
  /// malformed, truncated, or an index is out of range (every child, column and category slice is
  /// checked, trees must be trees); unsupported for other objectives, linear boosters, vector
  /// leaves, newer versions, naming it.
  static Result<Forest> from_xgboost(std::string_view bytes);
  static Result<Forest> from_xgboost_ubj(std::string_view bytes) { return from_xgboost(bytes); }
  /// LightGBM's text (v3, v4). Errors as above; unsupported for linear trees, dictionaries of
  /// pandas, other objectives and versions.
  static Result<Forest> from_lightgbm(std::string_view text);

  std::size_t width() const;    ///< columns of a row
  std::size_t outputs() const;  ///< margins of a row
  std::size_t scores() const;   ///< scores of a row: outputs(), or 1 for multi:softmax
  std::size_t trees() const;
  std::size_t memory_bytes() const;

  /// `row` has width() floats, the model one output. Complexity: a few ns per tree and no
  /// allocation up to some 2,000 columns.
  float margin(std::span<const float> row) const;
  /// The margin of a model with one output through the objective's link. For LightGBM's models,
  /// whose margins are float64, predict() is closer: it does not round in between.
  float transform(float margin) const;
  /// rows × width() floats in, rows × outputs() margins out. Cheaper per row than margin(). Sums in
  /// float64 are rounded once.
  void margins(std::span<const float> rows, std::span<float> out) const;
  void margins(std::span<const float> rows, std::span<double> out) const;
  /// Margins and scores at once: rows × outputs() and rows × scores(). In float64 for LightGBM's
  /// models until the end, where each number is rounded once.
  void predict(std::span<const float> rows, std::span<float> margins,
               std::span<float> scores) const;
  void predict(std::span<const float> rows, std::span<double> margins,
               std::span<double> scores) const;

 private:
  static Result<Forest> make(const SourceForest& source);
  std::shared_ptr<const ForestModel> model_;
};

}  // namespace coeval::models
