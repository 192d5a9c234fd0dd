#include "stats/score_groups.h"

#include <cmath>
#include <limits>

#include "base/check.h"
#include "exact/exact_sum.h"
#include "stats/ranked_scores.h"

namespace coeval::stats {

bool is_measurable(const BinaryRows& rows) {
  COEVAL_CHECK(rows.scores.size() == rows.labels.size());
  COEVAL_CHECK(rows.weights.empty() || rows.weights.size() == rows.labels.size());
  for (const float score : rows.scores)
    if (std::isnan(score)) return false;
  for (const double weight : rows.weights)
    if (!std::isfinite(weight) || weight < 0) return false;
  return true;
}

namespace {

// Calls visit(score, rows, positives, negatives) for each group of ties, in ascending order.
template <class Visit>
void each_group(const BinaryRows& rows, const Visit& visit) {
  const std::vector<std::uint32_t> order = order_of_scores(rows.scores);
  for (std::size_t begin = 0, end = 0; begin < order.size(); begin = end) {
    const float score = rows.scores[order[begin]];
    exact::ExactSum positives, negatives;
    for (end = begin; end < order.size() && rows.scores[order[end]] == score; ++end) {
      const double weight = rows.weights.empty() ? 1 : rows.weights[order[end]];
      (rows.labels[order[end]] != 0 ? positives : negatives).add(weight);
    }
    visit(score + 0.0f, static_cast<std::int64_t>(end - begin), positives, negatives);
  }
}

}  // namespace

std::vector<ScoreGroup> score_groups(const BinaryRows& rows) {
  std::vector<ScoreGroup> groups;
  each_group(rows, [&](float score, std::int64_t count, const exact::ExactSum& positives,
                       const exact::ExactSum& negatives) {
    groups.push_back({score, count, positives.round(), negatives.round()});
  });
  return groups;
}

std::vector<Cut> cuts(const BinaryRows& rows) {
  exact::ExactSum true_positives, false_positives;
  for (std::size_t i = 0; i < rows.labels.size(); ++i)
    (rows.labels[i] != 0 ? true_positives : false_positives)
        .add(rows.weights.empty() ? 1 : rows.weights[i]);
  std::vector<Cut> ascending;
  each_group(rows, [&](float score, std::int64_t, const exact::ExactSum& positives,
                       const exact::ExactSum& negatives) {
    if (positives.round() == 0 && negatives.round() == 0) return;
    ascending.push_back({score, true_positives.round(), false_positives.round()});
    true_positives.unmerge(positives);
    false_positives.unmerge(negatives);
  });
  ascending.push_back({std::numeric_limits<float>::infinity(), 0, 0});
  return {ascending.rbegin(), ascending.rend()};
}

}  // namespace coeval::stats
