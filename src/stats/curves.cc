#include "stats/curves.h"

#include <algorithm>
#include <cmath>

#include "base/check.h"
#include "exact/exact_sum.h"
#include "stats/score_groups.h"

namespace coeval::stats {
namespace {

// The points to keep; progress(point) ascends from 0 to 2.
template <class Point, class Progress>
std::vector<Point> bounded(std::vector<Point> points, std::size_t most, const Progress& progress) {
  COEVAL_CHECK(most >= 2);
  if (points.size() <= most) return points;
  const auto steps = static_cast<double>(most - 2);
  std::vector<Point> kept = {points.front()};
  double step = -1;
  for (std::size_t i = 1; i + 1 < points.size(); ++i) {
    const double here = std::min(std::floor(progress(points[i]) / 2 * steps), steps - 1);
    if (here <= step) continue;
    step = here;
    kept.push_back(points[i]);
  }
  kept.push_back(points.back());
  return kept;
}

}  // namespace

std::vector<RocPoint> roc_curve(const BinaryRows& rows, std::size_t most_points) {
  if (!is_measurable(rows)) return {};
  const std::vector<Cut> all = cuts(rows);
  const double positives = all.back().true_positives, negatives = all.back().false_positives;
  if (!(positives > 0) || !(negatives > 0)) return {};
  std::vector<RocPoint> points;
  for (const Cut& cut : all)
    points.push_back(
        {cut.threshold, cut.false_positives / negatives, cut.true_positives / positives});
  return bounded(std::move(points), most_points, [](const RocPoint& point) {
    return point.false_positive_rate + point.true_positive_rate;
  });
}

std::vector<PrecisionRecallPoint> precision_recall_curve(const BinaryRows& rows,
                                                         std::size_t most_points) {
  if (!is_measurable(rows)) return {};
  const std::vector<Cut> all = cuts(rows);
  const double positives = all.back().true_positives;
  if (!(positives > 0)) return {};
  struct Point {
    PrecisionRecallPoint at;
    double progress;
  };
  const double total = positives + all.back().false_positives;
  std::vector<Point> points;
  for (const Cut& cut : all) {
    const double flagged = cut.true_positives + cut.false_positives;
    if (!(flagged > 0)) continue;
    const double recall = cut.true_positives / positives;
    points.push_back(
        {{cut.threshold, recall, cut.true_positives / flagged}, recall + flagged / total});
  }
  std::vector<PrecisionRecallPoint> kept;
  for (const Point& point :
       bounded(std::move(points), most_points, [](const Point& p) { return p.progress; }))
    kept.push_back(point.at);
  return kept;
}

std::vector<HistogramBin> score_histogram(const BinaryRows& rows, int bins) {
  COEVAL_CHECK(bins >= 1 && bins <= 10'000);
  if (!is_measurable(rows)) return {};
  const double width = bins;
  std::vector<exact::ExactSum> sums[2];
  sums[0].resize(static_cast<std::size_t>(bins));
  sums[1].resize(static_cast<std::size_t>(bins));
  for (std::size_t i = 0; i < rows.scores.size(); ++i) {
    // A float times a short integer is exact in double.
    const double place = std::floor(static_cast<double>(rows.scores[i]) * width);
    const auto bin = static_cast<std::size_t>(std::clamp(place, 0.0, width - 1));
    sums[rows.labels[i] != 0 ? 1 : 0][bin].add(rows.weights.empty() ? 1 : rows.weights[i]);
  }
  std::vector<HistogramBin> histogram;
  for (std::size_t bin = 0; bin < sums[0].size(); ++bin)
    histogram.push_back({static_cast<double>(bin) / width, static_cast<double>(bin + 1) / width,
                         sums[1][bin].round(), sums[0][bin].round()});
  return histogram;
}

}  // namespace coeval::stats
