#include "stats/binary.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "base/check.h"
#include "exact/exact_sum.h"
#include "exact/maths.h"
#include "exact/ratio.h"
#include "stats/ranked_scores.h"
#include "stats/score_groups.h"

namespace coeval::stats {
namespace {

constexpr double kUndefined = std::numeric_limits<double>::quiet_NaN();
constexpr double kClip = 1e-15;
constexpr int kBins = 15;

double weight_of(const BinaryRows& rows, std::size_t row) {
  return rows.weights.empty() ? 1 : rows.weights[row];
}

template <class Loss>
double mean_loss(const BinaryRows& rows, const Loss& loss) {
  if (!is_measurable(rows)) return kUndefined;
  exact::ExactSum sum, weights;
  for (std::size_t i = 0; i < rows.scores.size(); ++i) {
    const double weight = weight_of(rows, i);
    sum.add(weight * loss(static_cast<double>(rows.scores[i]), rows.labels[i] != 0));
    weights.add(weight);
  }
  return exact::ratio(sum, weights).value_or(kUndefined);
}

// Each bin's Σ w·score and Σ w·label.
struct BinSums {
  std::int64_t rows = 0;
  exact::ExactSum weight, scores, positives;

  void add(const BinaryRows& all, std::size_t row) {
    const double own = weight_of(all, row);
    ++rows;
    weight.add(own);
    scores.add(own * static_cast<double>(all.scores[row]));
    if (all.labels[row] != 0) positives.add(own);
  }
};

bool tied(const BinaryRows& rows, std::size_t a, std::size_t b) {
  return rows.scores[a] == rows.scores[b];
}

std::vector<BinSums> bin_sums(const BinaryRows& rows, int bins) {
  COEVAL_CHECK(bins > 0);
  exact::ExactSum all, through;
  for (std::size_t i = 0; i < rows.scores.size(); ++i) all.add(weight_of(rows, i));
  const double total = all.round();
  std::vector<BinSums> sums(static_cast<std::size_t>(bins));
  const std::vector<std::uint32_t> order = order_of_scores(rows.scores);
  std::size_t bin = 0;
  for (std::size_t begin = 0, end = 0; begin < order.size(); begin = end) {
    for (end = begin; end < order.size() && tied(rows, order[begin], order[end]); ++end)
      through.add(weight_of(rows, order[end]));
    const double place = through.round() * bins;
    while (bin + 1 < sums.size() && place > static_cast<double>(bin + 1) * total) ++bin;
    for (std::size_t i = begin; i < end; ++i) sums[bin].add(rows, order[i]);
  }
  return sums;
}

bool has_weight(const BinaryRows& rows) {
  for (std::size_t i = 0; i < rows.scores.size(); ++i)
    if (weight_of(rows, i) > 0) return true;
  return false;
}

}  // namespace

double auc(const BinaryRows& rows) {
  if (!is_measurable(rows)) return kUndefined;
  exact::ExactSum sum, positives, negatives_below;
  for (const ScoreGroup& group : score_groups(rows)) {
    if (group.positives > 0)
      sum.add(group.positives * (negatives_below.round() + group.negatives / 2));
    positives.add(group.positives);
    negatives_below.add(group.negatives);
  }
  const double pairs = positives.round() * negatives_below.round();
  return pairs > 0 ? std::min(1.0, sum.round() / pairs) : kUndefined;
}

double average_precision(const BinaryRows& rows) {
  if (!is_measurable(rows)) return kUndefined;
  exact::ExactSum sum;
  const std::vector<Cut> all = cuts(rows);
  for (std::size_t i = 1; i < all.size(); ++i) {
    const double gained = all[i].true_positives - all[i - 1].true_positives;
    if (gained > 0)
      sum.add(gained * (all[i].true_positives / (all[i].true_positives + all[i].false_positives)));
  }
  const double positives = all.back().true_positives;
  return positives > 0 ? std::min(1.0, sum.round() / positives) : kUndefined;
}

double log_loss(const BinaryRows& rows) {
  return mean_loss(rows, [](double score, bool positive) {
    const double clipped = std::clamp(score, kClip, 1 - kClip);
    return -exact::log(positive ? clipped : 1 - clipped);
  });
}

double brier(const BinaryRows& rows) {
  return mean_loss(rows, [](double score, bool positive) {
    const double distance = score - (positive ? 1 : 0);
    return distance * distance;
  });
}

std::vector<CalibrationPoint> calibration_curve(const BinaryRows& rows, int bins) {
  std::vector<CalibrationPoint> points;
  if (!is_measurable(rows) || !has_weight(rows)) return points;
  for (const BinSums& sums : bin_sums(rows, bins))
    points.push_back({sums.rows, sums.weight.round(),
                      exact::ratio(sums.scores, sums.weight).value_or(0),
                      exact::ratio(sums.positives, sums.weight).value_or(0)});
  return points;
}

RankedCalibration::RankedCalibration(std::span<const float> scores,
                                     std::span<const std::uint8_t> labels)
    : order_(order_of_scores(scores)) {
  COEVAL_CHECK(scores.size() == labels.size());
  for (std::size_t i = 0; i < order_.size(); ++i) {
    const double score = static_cast<double>(scores[order_[i]]);
    if (std::isnan(score)) undefined_ = true;
    too_high_.push_back(score - (labels[order_[i]] != 0 ? 1 : 0));
    ends_ties_.push_back(i + 1 == order_.size() || scores[order_[i]] != scores[order_[i + 1]]);
  }
}

double RankedCalibration::error(std::span<const double> weights) const {
  COEVAL_CHECK(weights.size() == order_.size());
  double total = 0;
  for (const double weight : weights) total += weight;
  if (undefined_ || !(total > 0)) return kUndefined;
  std::array<double, kBins> sums{};
  std::size_t bin = 0;
  double through = 0, tied_sum = 0;
  for (std::size_t i = 0; i < order_.size(); ++i) {
    const double weight = weights[order_[i]];
    through += weight;
    tied_sum += weight * too_high_[i];
    if (!ends_ties_[i]) continue;
    while (bin + 1 < kBins && through * kBins > static_cast<double>(bin + 1) * total) ++bin;
    sums[bin] += tied_sum;
    tied_sum = 0;
  }
  double error = 0;
  for (const double sum : sums) error += std::abs(sum);
  return error / total;
}

double calibration_error(const BinaryRows& rows) {
  if (!is_measurable(rows)) return kUndefined;
  exact::ExactSum total, weight;
  for (BinSums& sums : bin_sums(rows, kBins)) {
    sums.scores.unmerge(sums.positives);
    total.add(std::abs(sums.scores.round()));
    weight.merge(sums.weight);
  }
  return exact::ratio(total, weight).value_or(kUndefined);
}

}  // namespace coeval::stats
