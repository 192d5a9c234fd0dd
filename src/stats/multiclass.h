#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace coeval::stats {

/// Scored rows of a model with K classes. Exact sums and NaN as for BinaryRows (binary.h); NaN also
/// where a label is not in [0, K) or K < 2.
struct MulticlassRows {
  std::span<const float> probabilities;  ///< rows × classes, row by row
  std::span<const std::int32_t> labels;  ///< in [0, classes)
  int classes = 0;
  std::span<const double> weights = {};  ///< as many as labels, or none: 1 each
  /// What it costs to decide a class: classes × classes, a row for each label; or none: the
  /// likeliest class is decided.
  std::span<const double> costs = {};
};

/// The class that is decided: of least expected cost Σ p(label) · cost(label, class), summed in
/// float64 in the order of the labels; without costs the likeliest. Of equal ones the lowest.
/// Shape: a probability for each class, `costs` as in MulticlassRows.
std::size_t decided_class(std::span<const float> probabilities, std::span<const double> costs);
/// That of each row.
std::vector<std::int32_t> decided_classes(const MulticlassRows& rows);

/// Σ w·−ln(p of the label) / Σ w, p clipped to [1e-15, 1 − 1e-15], not renormalised; nats.
/// Source: scikit-learn log_loss, whose clip is 2.2e-16.
double log_loss(const MulticlassRows& rows);
/// Share of weight whose decided class is the label.
/// Source: accuracy_score, of argmax where there are no costs.
double accuracy(const MulticlassRows& rows);
/// Mean cost of the decisions; NaN without costs.
double mean_cost(const MulticlassRows& rows);

/// Of one class against the others; the predicted class is the decided one.
struct ClassMetrics {
  double support = 0;                        ///< weight of its rows
  double predicted = 0;                      ///< weight of the rows predicted to be of it
  double precision = 0, recall = 0, f1 = 0;  ///< NaN where 0/0
  double auc = 0;                            ///< of its probability; NaN where undefined
};
struct MulticlassMetrics {
  std::vector<ClassMetrics> classes;
  /// Mean over the classes with support or predictions. Source: f1_score(average="macro").
  double macro_f1 = 0;
  /// The same weighted by support. Source: f1_score(average="weighted").
  double weighted_f1 = 0;
  /// Mean of the classes' AUC, of those that have one; and how many have.
  /// Source: roc_auc_score(multi_class="ovr", average="macro").
  double macro_auc = 0;
  int classes_with_auc = 0;
};
/// All that is per class. Undefined rows: NaN, and no classes.
MulticlassMetrics multiclass_metrics(const MulticlassRows& rows);

/// The metrics of multiclass_metrics() that are no ratio of sums over rows, of the same rows under
/// many weights: replicates of a bootstrap. What does not depend on weights is worked out once.
/// Memory: 4 bytes a row and class for the AUC, else 8 a row.
class RankedClasses {
 public:
  /// `with_auc`: macro_auc() will be asked. The rows must outlive this. Of undefined rows every
  /// metric is NaN.
  RankedClasses(const MulticlassRows& rows, bool with_auc);
  /// Of rows that weigh so much: whole numbers, as often as a replicate drew them.
  double macro_f1(std::span<const double> weights) const;
  double weighted_f1(std::span<const double> weights) const;
  double macro_auc(std::span<const double> weights) const;

 private:
  struct Counts {
    std::vector<double> hits, support, predicted;  // of each class
  };
  Counts count(std::span<const double> weights) const;
  float probability(std::uint32_t row, int of) const;

  MulticlassRows rows_;
  std::vector<std::int32_t> decided_;
  std::vector<std::vector<std::uint32_t>> order_;  // of each class the rows, by its probability
};

}  // namespace coeval::stats
