#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "base/error.h"
#include "models/linear_model.h"

namespace coeval::models {

/// What each column of a row contributes to its margin: Shapley values of the trees, where a column
/// that is not known follows both children of a split, weighted by how many training rows went
/// there (path-dependent TreeSHAP; covers are XGBoost's sums of hessians, LightGBM's counts of
/// rows).
///
/// It keeps the trees and their covers beside the Forest that serves, whose memory stays small, and
/// is made from the model file when somebody asks why.
/// Method: a leaf's share of a column is an integral over [0, 1] of a polynomial, which
/// Gauss-Legendre points give exactly; there is no subtraction, so it stays accurate in deep trees.
/// A linear model's are exact without any of that: LinearModel::contributions.
/// In float64. Threading: const, safe from any thread.
class Contributions {
 public:
  /// Reads a model file of XGBoost, LightGBM or our linear models. Errors: those of Forest::read
  /// and LinearModel::read; bad_model when the covers are absent, negative or not finite;
  /// unsupported when a tree is deeper than 512, and for ONNX models, which do not tell.
  static Result<Contributions> read(std::string_view model_bytes);

  std::size_t width() const;    ///< columns of a row
  std::size_t outputs() const;  ///< margins of a row
  std::size_t memory_bytes() const;

  /// `row` has width() floats; `out` outputs() × (width() + 1) places: for each output one number a
  /// column, then the bias, which is what the margin would be without knowing the row. They add up
  /// to the margin (before the average of a random forest's trees, as margins are).
  /// Complexity: nodes × half the columns on the way to a leaf.
  void of(std::span<const float> row, std::span<double> out) const;

 private:
  struct Model;
  std::shared_ptr<const Model> model_;
  std::optional<LinearModel> linear_ = {};
};

}  // namespace coeval::models
