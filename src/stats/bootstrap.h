#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "base/error.h"
#include "base/worker_pool.h"

namespace coeval::stats {

/// Is the challenger better than the champion on the same rows? The paired bootstrap of the
/// difference of a metric: in each replicate every unit (an entity or a day that rows repeat, or
/// each row by itself) has one weight, drawn from Poisson(1), for all its rows and for both models.
/// Source: docs/statistics.md; Efron & Tibshirani 1993, ch. 13 (percentile interval); Hanley &
/// MacGibbon 2006 (Poisson weights).
///
/// Determinism: a weight is a function of (seed, replicate, unit) alone, so neither the number of
/// threads nor the other rows change a bit. How it is drawn: bootstrap_draws.h.
/// Threading: `pool` may be null; then the calling thread does all.
struct BootstrapOptions {
  std::uint64_t seed = 1;
  int replicates = 2000;  ///< in [1, 1,000,000]
  double level = 0.95;    ///< in (0, 1)
};

enum class Better : std::uint8_t { higher, lower };

struct Interval {
  double lower = 0, upper = 0;
};

/// How much better the challenger is: above 0 is better, whichever way the metric points.
struct Improvement {
  double challenger = 0, champion = 0;  ///< the metric on the rows as they are
  double value = 0;                     ///< their difference
  /// The (1 ± level)/2 quantiles of the replicates, linear between order statistics (numpy's
  /// default). NaN where the metric is undefined, or where it is in more than a tenth of the
  /// replicates.
  Interval interval;
  /// Two-sided: 2·(1 + min(replicates ≤ 0, replicates ≥ 0)) / (1 + replicates), at most 1; for
  /// Holm.
  double p_value = 0;
  /// The improvement in each replicate, in their order; NaN where one of the models has no metric.
  std::vector<double> replicates;
  std::int64_t units = 0;
};

/// A unit for each row, by any numbers; empty: each row is its own, numbered by its place from 0.
using Units = std::span<const std::int64_t>;

/// The difference of two models' AUC (ties ½). Rows have no weight but the replicate's.
/// Shape: scores and labels of n < 2^27 rows. Undefined: a NaN score, one class.
/// Complexity: one sort by score, then n·replicates additions of bytes; 64 bytes a unit and thread.
/// Errors: bad_toml_value: options out of range; unsupported: more rows.
Result<Improvement> compare_auc(std::span<const float> challenger, std::span<const float> champion,
                                std::span<const std::uint8_t> labels, Units units,
                                const BootstrapOptions& options, WorkerPool* pool);

/// The same of average precision (metrics.h). A replicate adds up doubles from the highest score
/// down: the order of rows does not matter. Undefined: a NaN score, no positives.
/// Complexity: as above, and a division for each distinct score with a positive.
Result<Improvement> compare_average_precision(std::span<const float> challenger,
                                              std::span<const float> champion,
                                              std::span<const std::uint8_t> labels, Units units,
                                              const BootstrapOptions& options, WorkerPool* pool);

/// Metrics that are a ratio of two sums over rows: Σ numerators / Σ denominators, or its square
/// root. A mean has the rows' weights as denominators and weight · loss as numerators; RMSE is the
/// root of a mean of squares; precision has flagged positives over flagged; WAPE has |error| over
/// |target|.
struct RatioRows {
  std::span<const double> numerators;
  std::span<const double> denominators;  ///< none: 1 each
};
enum class RatioForm : std::uint8_t { plain, root };

/// The difference of two such metrics. Sums per unit come first, in the order of the rows, and a
/// replicate goes over the units in ascending order: the order of rows within a unit may matter in
/// the last bits, nothing else does. Undefined: terms that are not finite, denominators that add up
/// to 0. Complexity: units · replicates; 64 bytes a thread and 32 a unit.
/// Errors: as above.
Result<Improvement> compare_ratios(const RatioRows& challenger, const RatioRows& champion,
                                   Better better, RatioForm form, Units units,
                                   const BootstrapOptions& options, WorkerPool* pool);

/// R² = 1 − Σ e² / Σ (y − ȳ)² (regression.h), where ȳ is the replicate's own mean. Sums per unit
/// come first, in the order of the rows; a replicate adds those of the units in ascending order.
/// Shape: predictions and targets of one length. Undefined: a value that is not finite, constant
/// targets. Complexity: units · replicates. Errors: as above.
Result<Improvement> compare_r_squared(std::span<const double> challenger,
                                      std::span<const double> champion,
                                      std::span<const double> targets, Units units,
                                      const BootstrapOptions& options, WorkerPool* pool);

/// Any other metric: `metric(weights)` gives the challenger's and the champion's value where row i
/// counts weights[i] times (0, 1, 2 …). Called from several threads at once.
/// Complexity: replicates + 1 calls.
struct MetricPair {
  double challenger = 0, champion = 0;
};
Result<Improvement> compare_by(std::size_t rows,
                               const std::function<MetricPair(std::span<const double>)>& metric,
                               Better better, Units units, const BootstrapOptions& options,
                               WorkerPool* pool);

/// Two-sided p-value of the normal law for value / (the replicates' standard deviation). Replicates
/// by themselves know no p below 2/(1 + replicates), with which nothing among many comparisons
/// could survive Holm. 1 where the value is 0; NaN where the interval is undefined. Source: Efron &
/// Tibshirani 1993, ch. 13 (standard normal interval).
double normal_p_value(const Improvement& improvement);

/// One model's metric with its interval, of the same replicates as above. Undefined as there.
struct Estimate {
  double value = 0;
  Interval interval;
  std::int64_t units = 0;
};
/// Shape, complexity, errors: those of compare_auc, for one model.
Result<Estimate> estimate_auc(std::span<const float> scores, std::span<const std::uint8_t> labels,
                              Units units, const BootstrapOptions& options, WorkerPool* pool);
Result<Estimate> estimate_average_precision(std::span<const float> scores,
                                            std::span<const std::uint8_t> labels, Units units,
                                            const BootstrapOptions& options, WorkerPool* pool);
/// Several metrics on the same rows, whose weights are drawn once for all. Those whose terms are
/// not finite, or whose denominators add up to 0, are NaN. Shape: rows ≥ 1 terms each, the same
/// number. Complexity: units · replicates · metrics; 16 bytes a unit and metric.
Result<std::vector<Estimate>> estimate_ratios(std::span<const RatioRows> metrics, std::size_t rows,
                                              Units units, const BootstrapOptions& options,
                                              WorkerPool* pool);
/// One model's R². Shape, complexity, errors: those of compare_r_squared.
Result<Estimate> estimate_r_squared(std::span<const double> predictions,
                                    std::span<const double> targets, Units units,
                                    const BootstrapOptions& options, WorkerPool* pool);
/// Any other: `value` is the metric of the rows as they are, metric(weights) of a replicate.
Result<Estimate> estimate_by(std::size_t rows, double value,
                             const std::function<double(std::span<const double>)>& metric,
                             Units units, const BootstrapOptions& options, WorkerPool* pool);

/// What follows for the challenger.
enum class Outcome : std::uint8_t { block, not_shown_better, promote };

/// Block if the lower end of the primary metric or of a protected slice lies below −margin, or is
/// NaN: what could not be compared has failed. Promote if the primary's lower end is above 0. Else
/// it is not shown better, and the champion stays. margin ≥ 0, in the metric's unit.
Outcome outcome_of(const Interval& primary, std::span<const Interval> protected_slices,
                   double margin);

}  // namespace coeval::stats
