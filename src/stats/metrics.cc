#include "stats/metrics.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "base/check.h"
#include "exact/exact_sum.h"
#include "exact/maths.h"
#include "stats/ranked_scores.h"

namespace coeval::stats {
namespace {

constexpr double kUndefined = std::numeric_limits<double>::quiet_NaN();
constexpr double kClip = 1e-15;
constexpr std::size_t kBins = 15;

/// One past the last rank of the group of ties that begins at `rank`.
std::int64_t end_of_ties(const RankedScores& ranked, std::int64_t rank) {
  ++rank;
  while (rank < ranked.size() && ranked.ties_with_previous(rank)) ++rank;
  return rank;
}

std::int64_t count_positives(const RankedScores& ranked, std::int64_t begin, std::int64_t end) {
  std::int64_t count = 0;
  for (std::int64_t rank = begin; rank < end; ++rank) count += ranked.label(rank);
  return count;
}

/// AUC = U / (P·N), with U = Σ over positives of (negatives below + half of the negatives tied).
double auc_of(const RankedScores& ranked) {
  if (ranked.has_nan() || ranked.positives() == 0 || ranked.negatives() == 0) return kUndefined;
  // Twice U is a whole number, at most n²/2: it fits for any table that fits memory.
  std::uint64_t twice_u = 0, negatives_below = 0;
  for (std::int64_t begin = 0, end = 0; begin < ranked.size(); begin = end) {
    end = end_of_ties(ranked, begin);
    const auto positives = static_cast<std::uint64_t>(count_positives(ranked, begin, end));
    const std::uint64_t negatives = static_cast<std::uint64_t>(end - begin) - positives;
    twice_u += positives * (2 * negatives_below + negatives);
    negatives_below += negatives;
  }
  const auto pairs = static_cast<std::uint64_t>(ranked.positives()) * negatives_below;
  return static_cast<double>(twice_u) / static_cast<double>(2 * pairs);
}

/// Σ over distinct scores, from the highest, of (recall gained) · precision.
double average_precision_of(const RankedScores& ranked) {
  if (ranked.has_nan() || ranked.positives() == 0) return kUndefined;
  exact::ExactSum sum;
  std::int64_t positives_above = 0, positives_here = 0;
  for (std::int64_t rank = ranked.size() - 1; rank >= 0; --rank) {
    positives_here += ranked.label(rank);
    if (ranked.ties_with_previous(rank)) continue;
    positives_above += positives_here;
    const auto flagged = static_cast<double>(ranked.size() - rank);
    sum.add(static_cast<double>(positives_here) * static_cast<double>(positives_above) / flagged);
    positives_here = 0;
  }
  return sum.mean(ranked.positives());
}

CalibrationError calibration_error_of(const RankedScores& ranked) {
  const std::int64_t rows = ranked.size();
  CalibrationError error;
  error.value = kUndefined;
  if (rows == 0 || ranked.has_nan()) return error;
  error.bins.resize(kBins);
  std::array<exact::ExactSum, kBins> sums;
  std::array<std::int64_t, kBins> positives{};
  std::size_t bin = 0;
  for (std::int64_t begin = 0, end = 0; begin < rows; begin = end) {
    end = end_of_ties(ranked, begin);
    while (bin + 1 < kBins && end > static_cast<std::int64_t>(bin + 1) * rows / std::int64_t{kBins})
      ++bin;
    error.bins[bin].count += end - begin;
    positives[bin] += count_positives(ranked, begin, end);
    for (std::int64_t rank = begin; rank < end; ++rank)
      sums[bin].add(static_cast<double>(ranked.score(rank)));
  }
  exact::ExactSum total;
  for (bin = 0; bin < kBins; ++bin) {
    CalibrationBin& stated = error.bins[bin];
    if (stated.count == 0) continue;
    stated.mean_score = sums[bin].mean(stated.count);
    stated.positive_share = static_cast<double>(positives[bin]) / static_cast<double>(stated.count);
    // |share − score| · count is |positives − sum|, which needs no division.
    sums[bin].subtract(static_cast<double>(positives[bin]));
    total.add(std::abs(sums[bin].round()));
  }
  error.value = total.mean(rows);
  return error;
}

template <class Loss>
double mean_loss(std::span<const float> scores, std::span<const std::uint8_t> labels, Loss loss) {
  COEVAL_CHECK(scores.size() == labels.size());
  if (scores.empty()) return kUndefined;
  exact::ExactSum sum;
  for (std::size_t i = 0; i < scores.size(); ++i) {
    sum.add(loss(static_cast<double>(scores[i]), labels[i] != 0));
  }
  return sum.mean(static_cast<std::int64_t>(scores.size()));
}

}  // namespace

double auc(std::span<const float> scores, std::span<const std::uint8_t> labels) {
  return auc_of(RankedScores(scores, labels));
}

double average_precision(std::span<const float> scores, std::span<const std::uint8_t> labels) {
  return average_precision_of(RankedScores(scores, labels));
}

double log_loss(std::span<const float> scores, std::span<const std::uint8_t> labels) {
  return mean_loss(scores, labels, [](double score, bool positive) {
    const double clipped = std::clamp(score, kClip, 1 - kClip);
    return -exact::log(positive ? clipped : 1 - clipped);
  });
}

double brier(std::span<const float> scores, std::span<const std::uint8_t> labels) {
  return mean_loss(scores, labels, [](double score, bool positive) {
    const double distance = score - (positive ? 1 : 0);
    return distance * distance;
  });
}

CalibrationError calibration_error(std::span<const float> scores,
                                   std::span<const std::uint8_t> labels) {
  return calibration_error_of(RankedScores(scores, labels));
}

BinaryMetrics binary_metrics(std::span<const float> scores, std::span<const std::uint8_t> labels) {
  const RankedScores ranked(scores, labels);
  BinaryMetrics metrics;
  metrics.rows = ranked.size();
  metrics.positives = ranked.positives();
  metrics.auc = auc_of(ranked);
  metrics.average_precision = average_precision_of(ranked);
  metrics.log_loss = log_loss(scores, labels);
  metrics.brier = brier(scores, labels);
  metrics.calibration_error = calibration_error_of(ranked).value;
  return metrics;
}

}  // namespace coeval::stats
