#pragma once

#include <optional>
#include <span>
#include <vector>

#include "define/project.h"
#include "training/row_labels.h"

namespace coeval::training {

/// What a model answered on some rows, and what came of them: all that its metrics are made of.
struct ModelAnswers {
  std::span<const float> scores;
  LabelSpan labels;                     ///< as many as scores
  double threshold = 0.5;               ///< of a binary model: decided true where score ≥ threshold
  std::optional<double> quantile = {};  ///< of a regression by the pinball loss: which one
};

/// The quantile that a model estimates; nothing where it estimates none.
inline std::optional<double> quantile_of(const define::Model& model) {
  const bool one = model.kind == define::ModelKind::regression &&
                   model.loss.kind == define::Loss::Kind::quantile;
  return one ? std::optional(model.loss.quantile) : std::nullopt;
}

/// Scores as the doubles that they are.
inline std::vector<double> as_doubles(std::span<const float> scores) {
  return {scores.begin(), scores.end()};
}

}  // namespace coeval::training
