#include "stats/binary.h"

#include <algorithm>
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
};

std::vector<BinSums> bin_sums(const BinaryRows& rows, int bins) {
  COEVAL_CHECK(bins > 0);
  exact::ExactSum all, through;
  for (std::size_t i = 0; i < rows.scores.size(); ++i) all.add(weight_of(rows, i));
  const double total = all.round();
  std::vector<BinSums> sums(static_cast<std::size_t>(bins));
  std::size_t bin = 0;
  for (const std::uint32_t row : order_of_scores(rows.scores)) {
    const double weight = weight_of(rows, row);
    through.add(weight);
    const double place = through.round() * bins;
    while (bin + 1 < sums.size() && place > static_cast<double>(bin + 1) * total) ++bin;
    BinSums& here = sums[bin];
    ++here.rows;
    here.weight.add(weight);
    here.scores.add(weight * static_cast<double>(rows.scores[row]));
    if (rows.labels[row] != 0) here.positives.add(weight);
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
