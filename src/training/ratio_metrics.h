#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "quality/business_metrics.h"
#include "stats/bootstrap.h"
#include "training/model_answers.h"

namespace coeval::training {

/// Metrics that are a ratio of two sums over rows, which the bootstrap resamples by sums of units:
/// log_loss, brier, accuracy, precision, recall, f1; of a regression mae, mape, rmse (whose ratio
/// is that of squares), wape, and of a quantile pinball.
std::vector<std::string_view> ratio_metrics(const ModelAnswers& answers);

/// Each row's part in one of them; nothing for another metric. Shape: as many rows as labels.
std::optional<quality::MetricTerms> ratio_terms(std::string_view metric,
                                                const ModelAnswers& answers);

/// What becomes of the ratio: `root` of rmse.
stats::RatioForm ratio_form(std::string_view metric);

inline stats::RatioRows rows_of(const quality::MetricTerms& terms) {
  return {terms.numerators, terms.denominators};
}

}  // namespace coeval::training
