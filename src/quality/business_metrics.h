#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "data/column.h"
#include "define/metrics.h"

namespace coeval::quality {

/// Questions with a model's answer and what came of them. Everything that reports or judges by a
/// metric of the project asks here: builds and gates now, whoever watches a running model later.
struct AnsweredRows {
  std::span<const float> scores;  ///< one a row, or one of each class
  double threshold = 0.5;         ///< decided true: score ≥ threshold, compared as doubles
  /// Of a row 0 or 1, or the place of a multiclass model's class; none of a regression.
  std::span<const std::uint8_t> labels;
  std::span<const double> numbers = {};       ///< labels of a regression, as many as scores
  std::span<const std::string> classes = {};  ///< names of a multiclass model's; else none
  std::span<const double> cost_matrix = {};   ///< likewise; without it the likeliest is decided
  /// Columns of the question's rows by name, at least those that the metric reads; as many rows.
  const data::Batch* columns = nullptr;
};

/// Each row's part in a metric: Σ numerators / Σ denominators; of a sum, Σ numerators.
/// A value that is null has 0 in both, so it is skipped; in a ratio value and divisor are skipped
/// each by itself. (semantics: A7)
struct MetricTerms {
  std::vector<double> numerators, denominators;
};

/// Numbers are rounded to double once a row. Determinism: the same bits for one row or a million.
/// Memory: a few values a row. Undefined: a value that is NaN or infinite makes the metric so.
MetricTerms metric_terms(const define::Metric& metric, const AnsweredRows& rows);

/// The metric of those terms, or of the rows named: exact sums, rounded once. NaN where it is
/// undefined: no value, a divisor of 0 or below, a term that is not finite; a sum of nothing is 0.
double metric_value(const define::Metric& metric, const MetricTerms& terms);
MetricTerms take(const MetricTerms& terms, std::span<const std::size_t> rows);

}  // namespace coeval::quality
