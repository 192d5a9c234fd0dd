#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/worker_pool.h"
#include "define/project.h"
#include "stats/bootstrap.h"
#include "training/evidence.h"
#include "training/model_answers.h"
#include "training/project_metrics.h"

namespace coeval::training {

/// Two models on the same rows, as they would be served.
struct ModelPair {
  std::span<const float> candidate, champion;  ///< scores: one a row, or one of each class
  double candidate_threshold = 0.5, champion_threshold = 0.5;
  LabelSpan labels;
  std::optional<double> quantile = {};  ///< of the candidate, which both are judged by
  /// What is drawn together, of a ranking its queries; none: each row.
  std::span<const std::int64_t> units;
  std::int64_t rank_k = 10;  ///< of a ranking
  std::string unit;          ///< its name, for the report
  /// Of multiclass models, each one's own.
  std::span<const double> candidate_costs = {}, champion_costs = {};
  /// What the two answers are worth by the project's metrics; null: the model names none.
  const ProjectMetrics* candidate_worth = nullptr;
  const ProjectMetrics* champion_worth = nullptr;

  ModelAnswers candidate_answers() const {
    return {candidate, labels, candidate_threshold, quantile, {}, candidate_costs, units, rank_k};
  }
  ModelAnswers champion_answers() const {
    return {champion, labels, champion_threshold, quantile, {}, champion_costs, units, rank_k};
  }
  std::size_t width() const { return values_a_row(candidate.size(), labels.size()); }
};

/// 2,000 replicates (200 of calibration_error and macro_auc, which take long for each), one seed.
stats::BootstrapOptions bootstrap_options(const std::string& metric);

/// The paired bootstrap of one metric that gates name. Of the AUC also DeLong's p-value. The same
/// bits for any number of threads. Errors: those of stats::compare_….
Result<Comparison> compare_models(const std::string& metric, const ModelPair& pair,
                                  WorkerPool& pool);

/// How the decisions of two models that decide differ, by McNemar's exact test. (statistics)
DecisionComparison compare_decisions(const ModelPair& pair);

/// Fewer units than these say too little of how a difference varies: such a slice is not compared.
inline constexpr std::int64_t kLeastUnits = 20;

/// The same for the rows of each slice value, named by their places in the pair, in the order
/// given. p-values are those of the normal law (stats::normal_p_value), adjusted by Holm over all
/// slices that were compared. Slices with fewer than kLeastUnits units are left out.
struct SliceRows {
  std::string slice, value;
  std::vector<std::size_t> rows;
};
Result<std::vector<SliceComparison>> compare_slices(const std::string& metric,
                                                    const ModelPair& pair,
                                                    std::span<const SliceRows> slices,
                                                    WorkerPool& pool);

/// The intervals of one model's metrics on the same replicates: auc, average_precision,
/// calibration_error, or r_squared of a regression, or macro_auc, macro_f1 and weighted_f1 of a
/// multiclass model; those of ratio_metrics() and those of the
/// project. `few` leaves out those that take long on many slices, average_precision,
/// calibration_error, r_squared and those of a multiclass model, unless `also` names them. What is
/// undefined is not there. `champion` of the pair is not read.
Result<Intervals> metric_intervals(const ModelPair& pair, bool few,
                                   std::span<const std::string> also, WorkerPool& pool);

}  // namespace coeval::training
