#pragma once

#include <cstdint>
#include <span>
#include <variant>

#include "base/error.h"
#include "stats/binary.h"

namespace coeval::stats {

/// Weights of the rows by label and by whether score ≥ threshold flags them, compared as doubles
/// (so 0.35f is below 0.35); counts where weights are 1. All NaN where the rows are undefined
/// (binary.h).
struct Confusion {
  double true_positives = 0, false_positives = 0, false_negatives = 0, true_negatives = 0;
};
/// Source: scikit-learn confusion_matrix(sample_weight) of score >= threshold.
Confusion confusion(const BinaryRows& rows, double threshold);

/// (TP + TN) / all. NaN without weight. Source: accuracy_score.
double accuracy(const Confusion& counts);
/// TP / (TP + FP). NaN when nothing is flagged. Source: precision_score(zero_division=nan).
double precision(const Confusion& counts);
/// TP / (TP + FN). NaN without positives. Source: recall_score(zero_division=nan).
double recall(const Confusion& counts);
/// 2·TP / (2·TP + FP + FN). NaN when there are no positives and nothing is flagged. Source:
/// f1_score.
double f1(const Confusion& counts);

/// What one row of each cell costs, in money; gains are negative.
struct CostMatrix {
  double true_positive = 0, false_positive = 0, false_negative = 0, true_negative = 0;
};
/// Σ over the cells of weight · cost, in the order of the struct; money.
double total_cost(const Confusion& counts, const CostMatrix& costs);

/// Share of the positives' weight among the `budget` rows of highest score: what a team that can
/// review so many rows finds. A group of ties that the budget ends in counts in proportion, its
/// expectation in random order. NaN without positives.
double recall_at_budget(const BinaryRows& rows, std::int64_t budget);

struct DailyPrecision {
  double value = 0;  ///< mean over days; NaN without rows or with a NaN score
  std::int64_t days = 0;
  std::int64_t short_days = 0;  ///< days with fewer than k rows
};
/// Mean over days of (positives among the k rows of highest score) / min(k, rows of the day); ties
/// at the edge in proportion. Each day counts alike; weights are not used. `days` names each row's
/// day, by any numbers; k > 0.
DailyPrecision precision_at_k_per_day(const BinaryRows& rows, std::span<const std::int64_t> days,
                                      std::int64_t k);

/// Rules by which a threshold is chosen, among the distinct scores and +∞ (flag none).
struct LeastCost {
  CostMatrix costs;  ///< ties: the highest threshold, which flags the fewest
};
struct MostRecall {
  double least_precision = 0;  ///< in (0, 1]; ties: the highest threshold, so the best precision
};
struct MostPrecision {
  double least_recall = 0;  ///< in (0, 1]; ties: the lowest threshold, so the best recall
};
using ThresholdRule = std::variant<LeastCost, MostRecall, MostPrecision>;

struct ThresholdChoice {
  double threshold = 0;  ///< flags score ≥ threshold, compared as doubles
  Confusion counts;
  double objective = 0;  ///< total cost, recall or precision
};
/// The best threshold by the rule, on the rows given: the validation part. Precision and recall are
/// compared as doubles, rounded once from exact counts.
/// Errors: no_rows: no weight, or no positives where the rule asks for precision or recall, or rows
/// that are undefined; bad_toml_value: a floor outside (0, 1] or one that no threshold reaches.
Result<ThresholdChoice> choose_threshold(const BinaryRows& rows, const ThresholdRule& rule);

}  // namespace coeval::stats
