#pragma once

#include <map>
#include <span>
#include <string>
#include <vector>

#include "quality/business_metrics.h"
#include "training/evidence.h"
#include "training/training_rows.h"

namespace coeval::training {

/// How scores decide: by a threshold, or by the costs of a multiclass model.
struct DecisionRule {
  double threshold = 0.5;
  std::span<const double> cost_matrix = {};
};

/// The metrics of the project that a model names, on the rows of one part and one model's answers.
class ProjectMetrics {
 public:
  struct Of {
    const define::Metric* metric = nullptr;
    quality::MetricTerms terms;
  };

  /// `scores`: one a row of the part, or one of each class. Whoever made the model and the rows
  /// keeps them.
  ProjectMetrics(const define::Model& model, const TrainingRows& rows, TrainingRows::Range part,
                 std::span<const float> scores, const DecisionRule& rule);

  /// Puts those that are defined beside the others, by name.
  void add_to(Metrics& metrics) const;
  /// The same answers for some of the rows.
  ProjectMetrics take(std::span<const std::size_t> rows) const;
  const std::vector<Of>& all() const { return all_; }

 private:
  ProjectMetrics() = default;
  std::vector<Of> all_;
};

}  // namespace coeval::training
