#include "stats/thresholds.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <string>
#include <vector>

#include "base/check.h"
#include "exact/exact_sum.h"
#include "stats/score_groups.h"

namespace coeval::stats {
namespace {

constexpr double kUndefined = std::numeric_limits<double>::quiet_NaN();

double share(double part, double whole) { return whole > 0 ? part / whole : kUndefined; }

// What a cut flags, and what it leaves.
Confusion confusion_of(const Cut& cut, const Cut& all) {
  return {cut.true_positives, cut.false_positives, all.true_positives - cut.true_positives,
          all.false_positives - cut.false_positives};
}

double quality_of(const Confusion& counts, const LeastCost& rule) {
  return -total_cost(counts, rule.costs);
}
double quality_of(const Confusion& counts, const MostRecall& rule) {
  const double reached = precision(counts);
  return reached >= rule.least_precision ? recall(counts) : kUndefined;
}
double quality_of(const Confusion& counts, const MostPrecision& rule) {
  return recall(counts) >= rule.least_recall ? precision(counts) : kUndefined;
}

// Whether a lower threshold of the same quality is the better one.
bool prefers_lower(const LeastCost&) { return false; }
bool prefers_lower(const MostRecall&) { return false; }
bool prefers_lower(const MostPrecision&) { return true; }

Status check_floor(double floor, std::string_view what) {
  if (floor > 0 && floor <= 1) return {};
  return fail(Code::bad_toml_value,
              "the least " + std::string(what) +
                  " of a threshold is not in (0, 1]: " + std::to_string(floor),
              "state a share such as 0.8");
}

Status check_rule(const LeastCost& rule) {
  const CostMatrix& costs = rule.costs;
  if (std::isfinite(costs.true_positive) && std::isfinite(costs.false_positive) &&
      std::isfinite(costs.false_negative) && std::isfinite(costs.true_negative))
    return {};
  return fail(Code::bad_toml_value, "a cost of the threshold's cost matrix is not a finite number",
              "state four amounts of money");
}
Status check_rule(const MostRecall& rule) { return check_floor(rule.least_precision, "precision"); }
Status check_rule(const MostPrecision& rule) { return check_floor(rule.least_recall, "recall"); }

bool needs_positives(const LeastCost&) { return false; }
bool needs_positives(const auto&) { return true; }

std::string floor_text(const LeastCost&) { return {}; }
std::string floor_text(const MostRecall& rule) {
  return "precision " + std::to_string(rule.least_precision);
}
std::string floor_text(const MostPrecision& rule) {
  return "recall " + std::to_string(rule.least_recall);
}

template <class Rule>
Result<ThresholdChoice> choose(const BinaryRows& rows, const Rule& rule) {
  COEVAL_TRY(check_rule(rule));
  const std::vector<Cut> all = cuts(rows);
  const Cut& lowest = all.back();
  if (lowest.true_positives + lowest.false_positives <= 0)
    return fail(Code::no_rows, "there are no rows with weight to choose a threshold on",
                "give the calibration slice of the split some rows");
  if (needs_positives(rule) && lowest.true_positives <= 0)
    return fail(Code::no_rows,
                "there are no positives among the rows to choose a threshold on, so no recall",
                "choose dates with labels of both kinds, or choose by cost");
  const Cut* best = nullptr;
  double best_quality = kUndefined;
  for (const Cut& cut : all) {
    const double quality = quality_of(confusion_of(cut, lowest), rule);
    if (std::isnan(quality)) continue;
    if (best != nullptr && quality < best_quality) continue;
    if (best != nullptr && quality == best_quality && !prefers_lower(rule)) continue;
    best = &cut;
    best_quality = quality;
  }
  if (best == nullptr)
    return fail(Code::bad_toml_value, "no threshold reaches " + floor_text(rule) + " on these rows",
                "lower the floor, or train a better model");
  const double objective = std::is_same_v<Rule, LeastCost> ? 0.0 - best_quality : best_quality;
  return ThresholdChoice{static_cast<double>(best->threshold), confusion_of(*best, lowest),
                         objective};
}

// Positives among the `budget` rows of highest score, ties in proportion; groups ascending.
double positives_within(const std::vector<ScoreGroup>& groups, std::int64_t budget) {
  exact::ExactSum found;
  for (auto group = groups.rbegin(); group != groups.rend() && budget > 0; ++group) {
    const std::int64_t taken = std::min(budget, group->rows);
    found.add(taken == group->rows ? group->positives
                                   : group->positives * static_cast<double>(taken) /
                                         static_cast<double>(group->rows));
    budget -= taken;
  }
  return found.round();
}

}  // namespace

Confusion confusion(const BinaryRows& rows, double threshold) {
  if (!is_measurable(rows) || std::isnan(threshold))
    return {kUndefined, kUndefined, kUndefined, kUndefined};
  exact::ExactSum cells[2][2];
  for (std::size_t i = 0; i < rows.scores.size(); ++i)
    cells[rows.labels[i] != 0][static_cast<double>(rows.scores[i]) >= threshold].add(
        rows.weights.empty() ? 1 : rows.weights[i]);
  return {cells[1][1].round(), cells[0][1].round(), cells[1][0].round(), cells[0][0].round()};
}

double accuracy(const Confusion& counts) {
  const double right = counts.true_positives + counts.true_negatives;
  return share(right, right + (counts.false_positives + counts.false_negatives));
}

double precision(const Confusion& counts) {
  return share(counts.true_positives, counts.true_positives + counts.false_positives);
}

double recall(const Confusion& counts) {
  return share(counts.true_positives, counts.true_positives + counts.false_negatives);
}

double f1(const Confusion& counts) {
  const double twice = 2 * counts.true_positives;
  return share(twice, twice + (counts.false_positives + counts.false_negatives));
}

double total_cost(const Confusion& counts, const CostMatrix& costs) {
  return counts.true_positives * costs.true_positive +
         counts.false_positives * costs.false_positive +
         counts.false_negatives * costs.false_negative +
         counts.true_negatives * costs.true_negative;
}

double recall_at_budget(const BinaryRows& rows, std::int64_t budget) {
  if (!is_measurable(rows)) return kUndefined;
  const std::vector<ScoreGroup> groups = score_groups(rows);
  exact::ExactSum positives;
  for (const ScoreGroup& group : groups) positives.add(group.positives);
  return share(positives_within(groups, budget), positives.round());
}

DailyPrecision precision_at_k_per_day(const BinaryRows& rows, std::span<const std::int64_t> days,
                                      std::int64_t k) {
  COEVAL_CHECK(days.size() == rows.scores.size() && k > 0);
  DailyPrecision found;
  found.value = kUndefined;
  if (!is_measurable({rows.scores, rows.labels, {}})) return found;
  std::vector<std::uint32_t> order(days.size());
  std::iota(order.begin(), order.end(), 0u);
  std::ranges::stable_sort(order, {}, [&](std::uint32_t row) { return days[row]; });
  exact::ExactSum sum;
  std::vector<float> scores;
  std::vector<std::uint8_t> labels;
  for (std::size_t begin = 0, end = 0; begin < order.size(); begin = end) {
    scores.clear();
    labels.clear();
    for (end = begin; end < order.size() && days[order[end]] == days[order[begin]]; ++end) {
      scores.push_back(rows.scores[order[end]]);
      labels.push_back(rows.labels[order[end]]);
    }
    const auto size = static_cast<std::int64_t>(scores.size());
    const double positives = positives_within(score_groups({scores, labels, {}}), k);
    sum.add(positives / static_cast<double>(std::min(k, size)));
    ++found.days;
    found.short_days += size < k ? 1 : 0;
  }
  if (found.days > 0) found.value = sum.mean(found.days);
  return found;
}

Result<ThresholdChoice> choose_threshold(const BinaryRows& rows, const ThresholdRule& rule) {
  if (!is_measurable(rows))
    return fail(Code::no_rows,
                "a threshold cannot be chosen: a score is NaN, or a weight is not a finite number "
                "of at least 0",
                "look for rows that the model gives no score, and at the weight column");
  return std::visit([&](const auto& stated) { return choose(rows, stated); }, rule);
}

}  // namespace coeval::stats
