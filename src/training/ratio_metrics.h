#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "quality/business_metrics.h"
#include "stats/bootstrap.h"

namespace coeval::training {

/// Metrics that are a ratio of two sums over rows, which the bootstrap resamples by sums of units:
/// log_loss, brier, accuracy, precision, recall, f1.
std::span<const std::string_view> ratio_metrics();

/// Each row's part in one of them; nothing for another metric. Shape: labels.size() rows.
std::optional<quality::MetricTerms> ratio_terms(std::string_view metric,
                                                std::span<const float> scores, double threshold,
                                                std::span<const std::uint8_t> labels);

inline stats::RatioRows rows_of(const quality::MetricTerms& terms) {
  return {terms.numerators, terms.denominators};
}

}  // namespace coeval::training
