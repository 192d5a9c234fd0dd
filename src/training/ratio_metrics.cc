#include "training/ratio_metrics.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "exact/maths.h"

namespace coeval::training {
namespace {

constexpr double kClip = 1e-15;

// One row's part of a metric that is a ratio of two sums.
struct Terms {
  double numerator = 0, denominator = 1;
};
using TermsOf = Terms (*)(double score, bool flagged, bool positive);

Terms log_loss(double score, bool, bool positive) {
  const double likelihood = std::clamp(positive ? score : 1 - score, kClip, 1 - kClip);
  return {-exact::log(likelihood), 1};
}
Terms brier(double score, bool, bool positive) {
  const double error = score - (positive ? 1 : 0);
  return {error * error, 1};
}
Terms accuracy(double, bool flagged, bool positive) { return {flagged == positive ? 1.0 : 0.0, 1}; }
Terms precision(double, bool flagged, bool positive) {
  return {flagged && positive ? 1.0 : 0.0, flagged ? 1.0 : 0.0};
}
Terms recall(double, bool flagged, bool positive) {
  return {flagged && positive ? 1.0 : 0.0, positive ? 1.0 : 0.0};
}
Terms f1(double, bool flagged, bool positive) {
  return {flagged && positive ? 2.0 : 0.0, (flagged ? 1.0 : 0.0) + (positive ? 1.0 : 0.0)};
}

constexpr std::array<std::string_view, 6> kNames = {"log_loss",  "brier",  "accuracy",
                                                    "precision", "recall", "f1"};
constexpr std::array<TermsOf, 6> kTerms = {log_loss, brier, accuracy, precision, recall, f1};

}  // namespace

std::span<const std::string_view> ratio_metrics() { return kNames; }

std::optional<quality::MetricTerms> ratio_terms(std::string_view metric,
                                                std::span<const float> scores, double threshold,
                                                std::span<const std::uint8_t> labels) {
  const auto found = std::ranges::find(kNames, metric);
  if (found == kNames.end()) return std::nullopt;
  const TermsOf terms_of = kTerms[static_cast<std::size_t>(found - kNames.begin())];
  quality::MetricTerms terms;
  terms.numerators.reserve(scores.size());
  terms.denominators.reserve(scores.size());
  for (std::size_t i = 0; i < scores.size(); ++i) {
    const auto score = static_cast<double>(scores[i]);
    const Terms row = terms_of(score, score >= threshold, labels[i] != 0);
    terms.numerators.push_back(row.numerator);
    terms.denominators.push_back(row.denominator);
  }
  return terms;
}

}  // namespace coeval::training
