#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "define/project.h"
#include "stats/multiclass.h"
#include "stats/ranking.h"
#include "training/row_labels.h"

namespace coeval::training {

/// What a model answered on some rows, and what came of them: all that its metrics are made of.
struct ModelAnswers {
  std::span<const float> scores;        ///< one a row; of a multiclass model one of each class
  LabelSpan labels;                     ///< rows
  double threshold = 0.5;               ///< of a binary model: decided true where score ≥ threshold
  std::optional<double> quantile = {};  ///< of a regression by the pinball loss: which one
  std::span<const std::string> class_names = {};  ///< of a multiclass model
  std::span<const double> cost_matrix = {};       ///< likewise, as in define::Model
  std::span<const std::int64_t> queries = {};     ///< of a ranking: rows
  std::int64_t rank_k = 10;                       ///< likewise
};

/// Rows of a multiclass model, as statistics take them; the answers' scores stay where they are.
struct ClassRows {
  explicit ClassRows(const ModelAnswers& answers)
      : labels(answers.labels.classes.begin(), answers.labels.classes.end()),
        probabilities(answers.scores),
        costs(answers.cost_matrix),
        classes(static_cast<int>(values_a_row(answers.scores.size(), answers.labels.size()))) {}
  stats::MulticlassRows rows() const { return {probabilities, labels, classes, {}, costs}; }

  std::vector<std::int32_t> labels;
  std::span<const float> probabilities;
  std::span<const double> costs;
  int classes;
};

/// The quantile that a model estimates; nothing where it estimates none.
inline std::optional<double> quantile_of(const define::Model& model) {
  const bool one = model.kind == define::ModelKind::regression &&
                   model.loss.kind == define::Loss::Kind::quantile;
  return one ? std::optional(model.loss.quantile) : std::nullopt;
}

/// Of a ranking: what its rows are to statistics.
struct QueryRows {
  explicit QueryRows(const ModelAnswers& answers)
      : grades(answers.labels.classes.begin(), answers.labels.classes.end()),
        queries(answers.queries),
        scores(answers.scores) {}
  stats::RankingRows rows() const { return {queries, scores, grades}; }

  std::vector<std::int32_t> grades;
  std::span<const std::int64_t> queries;
  std::span<const float> scores;
};

/// Scores as the doubles that they are.
inline std::vector<double> as_doubles(std::span<const float> scores) {
  return {scores.begin(), scores.end()};
}

}  // namespace coeval::training
