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
};

/// Σ w·−ln(p of the label) / Σ w, p clipped to [1e-15, 1 − 1e-15], not renormalised; nats.
/// Source: scikit-learn log_loss, whose clip is 2.2e-16.
double log_loss(const MulticlassRows& rows);
/// Share of weight whose likeliest class is the label; of equal probabilities the lowest class.
/// Source: accuracy_score of argmax.
double accuracy(const MulticlassRows& rows);

/// Of one class against the others; the predicted class is the likeliest.
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

}  // namespace coeval::stats
