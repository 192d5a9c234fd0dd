#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "define/expr.h"

namespace coeval::define {

/// A figure of the business over answered questions: [metric.NAME], defined once in the project and
/// computed by quality/business_metrics.h wherever it is asked for.
struct Metric {
  /// sum: Σ value. mean: Σ value / rows with a value; booleans count as 0 or 1. proportion: the
  /// mean of a condition. ratio: Σ value / Σ divisor.
  enum class Kind : std::uint8_t { sum, mean, proportion, ratio };

  std::string name;
  Kind kind = Kind::mean;
  bool higher_is_better = true;
  ExprPtr value;    ///< numeric or boolean, over `schema`; null is skipped
  ExprPtr divisor;  ///< of a ratio, the same
  /// What a row of an answered question has: `score` float64, `decision` and `label` booleans (of a
  /// regression `score` and `label`, both float64; of a multiclass model the decided class's
  /// `score` and the classes `decision` and `label`, strings), then the columns of the question's
  /// row that the expressions read.
  data::Schema schema;
  std::size_t answer_columns = 3;  ///< leading columns of `schema` that the model's answer fills
};

/// "sum", "mean", "proportion", "ratio".
std::string_view name(Metric::Kind kind);
/// The line of a model's canonical text.
std::string metric_ir(const Metric& metric);
/// The columns of the question's row that the metrics read, each once, by name.
std::vector<data::Field> columns_of(const std::vector<Metric>& metrics);

}  // namespace coeval::define
