// The bootstrap of a difference of AUCs or of average precisions. Rows are sorted once by each
// model's score. A replicate then needs, of each group of ties, the sums of its positives' and of
// its negatives' small integer weights: 64 replicates go over the rows together, and a row costs
// each of them one addition of a byte.

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/check.h"
#include "base/large_allocator.h"
#include "stats/bootstrap.h"
#include "stats/bootstrap_draws.h"
#include "stats/metrics.h"
#include "stats/ranked_scores.h"

namespace coeval::stats {
namespace {

constexpr double kUndefined = std::numeric_limits<double>::quiet_NaN();

/// Rows that a metric takes together, negatives first.
struct Step {
  std::uint32_t negatives = 0, positives = 0;
  bool tied = false;  ///< whether they have one score
};

/// One model's rows, step by step: their units.
struct Order {
  std::vector<Step> steps;
  LargeVector<std::uint32_t> units;
};

using Labels = std::span<const std::uint8_t>;

/// How a metric goes over the groups of ties.
struct Direction {
  bool ascending;
  /// Adds a group to the last step where the metric stays the same, or else as a new one.
  void (*add_group)(std::vector<Step>& steps, std::uint32_t negatives, std::uint32_t positives);
};

Order order_of(std::span<const float> scores, Labels labels,
               const std::vector<std::uint32_t>& unit_of_row, const Direction& direction) {
  std::vector<std::uint32_t> rows = order_of_scores(scores);
  if (!direction.ascending) std::ranges::reverse(rows);
  Order order;
  order.units.resize(rows.size());
  std::size_t place = 0;
  for (std::size_t begin = 0, end = 0; begin < rows.size(); begin = end) {
    for (end = begin + 1; end < rows.size() && scores[rows[end]] == scores[rows[begin]];) ++end;
    for (std::size_t i = begin; i < end; ++i)
      if (labels[rows[i]] == 0) order.units[place++] = unit_of_row[rows[i]];
    const auto negatives = static_cast<std::uint32_t>(place - begin);
    for (std::size_t i = begin; i < end; ++i)
      if (labels[rows[i]] != 0) order.units[place++] = unit_of_row[rows[i]];
    direction.add_group(order.steps, negatives,
                        static_cast<std::uint32_t>(end - begin) - negatives);
  }
  return order;
}

using Counts = std::array<std::uint32_t, kLanes>;
using Weights = LargeVector<Lanes>;

/// Walks an order, and adds up the weights of its rows.
class Walk {
 public:
  Walk(const Order& order, const Weights& weights) : units_(order.units), weights_(weights) {}

  // The weights of the next `rows` rows, in each lane.
  void take(std::uint32_t rows, Counts& sums) {
    sums.fill(0);
    while (rows > 0) {
      const std::uint32_t piece = std::min(rows, kMostShort);
      std::array<std::uint16_t, kLanes> shorts{};
      for (std::uint32_t i = 0; i < piece; ++i) add_row(shorts);
      for (std::size_t lane = 0; lane < kLanes; ++lane) sums[lane] += shorts[lane];
      rows -= piece;
    }
  }

 private:
  // So many weights fit 16 bits.
  static constexpr std::uint32_t kMostShort = UINT16_MAX / kMostWeight;
  static constexpr std::size_t kAhead = 16;

  void add_row(std::array<std::uint16_t, kLanes>& sums) {
    if (next_ + kAhead < units_.size()) __builtin_prefetch(&weights_[units_[next_ + kAhead]]);
    const Lanes& row = weights_[units_[next_++]];
    for (std::size_t lane = 0; lane < kLanes; ++lane)
      sums[lane] = static_cast<std::uint16_t>(sums[lane] + row[lane]);
  }

  const LargeVector<std::uint32_t>& units_;
  const Weights& weights_;
  std::size_t next_ = 0;
};

using LaneValues = std::array<double, kLanes>;

// AUC: Σ over groups P_g·(2·N_below + N_g) / (2·P·N), ascending. A step is negatives, then
// positives that lie above them all, or tie with them all.
void add_ascending(std::vector<Step>& steps, std::uint32_t negatives, std::uint32_t positives) {
  const bool mixed = negatives > 0 && positives > 0;
  if (!steps.empty() && !mixed) {
    Step& last = steps.back();
    if (positives == 0 && last.positives == 0) {
      last.negatives += negatives;
      return;
    }
    if (negatives == 0 && !last.tied) {
      last.positives += positives;
      return;
    }
  }
  steps.push_back({negatives, positives, mixed});
}

LaneValues auc_of(const Order& order, const Weights& weights) {
  // Less than 2^27 rows of weight 8 at most: twice the negatives fit 32 bits, twice U fits 64.
  alignas(64) std::array<std::uint64_t, kLanes> twice_u{};
  alignas(64) Counts negatives_below{}, all_positives{}, negatives, positives;
  Walk walk(order, weights);
  for (const Step& step : order.steps) {
    walk.take(step.negatives, negatives);
    walk.take(step.positives, positives);
    const std::uint32_t tied = step.tied ? UINT32_MAX : 0;
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
      negatives_below[lane] += negatives[lane];
      const std::uint32_t twice_below = 2 * negatives_below[lane] - (negatives[lane] & tied);
      twice_u[lane] += std::uint64_t{positives[lane]} * twice_below;
      all_positives[lane] += positives[lane];
    }
  }
  LaneValues found;
  for (std::size_t lane = 0; lane < kLanes; ++lane) {
    const std::uint64_t pairs = std::uint64_t{all_positives[lane]} * negatives_below[lane];
    found[lane] = pairs == 0 ? kUndefined
                             : static_cast<double>(twice_u[lane]) / static_cast<double>(2 * pairs);
  }
  return found;
}

// Average precision: Σ over groups P_g·(positives through it / rows through it) / P, descending. A
// step ends with a group that has positives.
void add_descending(std::vector<Step>& steps, std::uint32_t negatives, std::uint32_t positives) {
  if (!steps.empty() && steps.back().positives == 0) {
    steps.back().negatives += negatives;
    steps.back().positives = positives;
    return;
  }
  steps.push_back({negatives, positives, false});
}

LaneValues average_precision_of(const Order& order, const Weights& weights) {
  alignas(64) LaneValues sums{};
  alignas(64) Counts positives_through{}, through{}, negatives, positives;
  Walk walk(order, weights);
  for (const Step& step : order.steps) {
    walk.take(step.negatives, negatives);
    walk.take(step.positives, positives);
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
      positives_through[lane] += positives[lane];
      through[lane] += negatives[lane] + positives[lane];
    }
    if (step.positives == 0) continue;
    // Below 2^31 each; signed numbers become doubles in one instruction.
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
      const auto here = static_cast<double>(static_cast<std::int32_t>(positives[lane]));
      const auto found = static_cast<double>(static_cast<std::int32_t>(positives_through[lane]));
      const auto flagged = static_cast<double>(static_cast<std::int32_t>(through[lane]));
      sums[lane] += here * found / (flagged > 0 ? flagged : 1.0);
    }
  }
  for (std::size_t lane = 0; lane < kLanes; ++lane)
    sums[lane] = positives_through[lane] == 0
                     ? kUndefined
                     : std::min(1.0, sums[lane] / static_cast<double>(positives_through[lane]));
  return sums;
}

bool has_nan(std::span<const float> scores) {
  return std::ranges::any_of(scores, [](float score) { return std::isnan(score); });
}

/// A metric of scores and labels, and how a block of replicates computes it.
struct RankedMetric {
  double (*whole)(std::span<const float>, Labels);
  Direction direction;
  LaneValues (*of_lanes)(const Order&, const Weights&);
};

Weights weights_of(const UnitIndex& index, std::uint64_t seed, std::size_t block) {
  Weights weights(index.ids.size());
  for (std::size_t unit = 0; unit < weights.size(); ++unit)
    draw_weights(seed, index.ids[unit], block, weights[unit].data());
  return weights;
}

Result<Estimate> estimate(const RankedMetric& metric, std::span<const float> scores, Labels labels,
                          Units units, const BootstrapOptions& options, WorkerPool* pool) {
  COEVAL_CHECK(scores.size() == labels.size());
  COEVAL_TRY(check_options(options, labels.size()));
  const UnitIndex index = index_units(units, labels.size());
  Estimate found{.value = metric.whole(scores, labels), .interval = {}, .units = 0};
  found.units = std::ssize(index.ids);
  std::vector<double> replicates(static_cast<std::size_t>(options.replicates), kUndefined);
  if (!has_nan(scores)) {
    const Order order = order_of(scores, labels, index.of_row, metric.direction);
    for_each_block(options, pool, [&](std::size_t block) {
      const auto values = metric.of_lanes(order, weights_of(index, options.seed, block));
      const std::size_t lanes = std::min(kLanes, replicates.size() - block * kLanes);
      std::copy_n(values.begin(), lanes,
                  replicates.begin() + static_cast<std::ptrdiff_t>(block * kLanes));
    });
  }
  found.interval = interval_of(defined_replicates(found.value, replicates), options.level);
  return found;
}

Result<Improvement> compare(const RankedMetric& metric, std::span<const float> challenger,
                            std::span<const float> champion, Labels labels, Units units,
                            const BootstrapOptions& options, WorkerPool* pool) {
  COEVAL_CHECK(challenger.size() == labels.size() && champion.size() == labels.size());
  COEVAL_TRY(check_options(options, labels.size()));
  const UnitIndex index = index_units(units, labels.size());
  Improvement found;
  found.units = std::ssize(index.ids);
  found.challenger = metric.whole(challenger, labels);
  found.champion = metric.whole(champion, labels);
  found.value = found.challenger - found.champion;
  found.replicates.assign(static_cast<std::size_t>(options.replicates), kUndefined);
  if (!has_nan(challenger) && !has_nan(champion)) {
    const Order first = order_of(challenger, labels, index.of_row, metric.direction),
                second = order_of(champion, labels, index.of_row, metric.direction);
    for_each_block(options, pool, [&](std::size_t block) {
      const Weights weights = weights_of(index, options.seed, block);
      const auto of_challenger = metric.of_lanes(first, weights),
                 of_champion = metric.of_lanes(second, weights);
      const std::size_t lanes = std::min(kLanes, found.replicates.size() - block * kLanes);
      for (std::size_t lane = 0; lane < lanes; ++lane)
        found.replicates[block * kLanes + lane] = of_challenger[lane] - of_champion[lane];
    });
  }
  summarise(found, options.level);
  return found;
}

constexpr RankedMetric kAuc = {auc, {true, add_ascending}, auc_of};
constexpr RankedMetric kAveragePrecision = {
    average_precision, {false, add_descending}, average_precision_of};

}  // namespace

Result<Improvement> compare_auc(std::span<const float> challenger, std::span<const float> champion,
                                Labels labels, Units units, const BootstrapOptions& options,
                                WorkerPool* pool) {
  return compare(kAuc, challenger, champion, labels, units, options, pool);
}

Result<Improvement> compare_average_precision(std::span<const float> challenger,
                                              std::span<const float> champion, Labels labels,
                                              Units units, const BootstrapOptions& options,
                                              WorkerPool* pool) {
  return compare(kAveragePrecision, challenger, champion, labels, units, options, pool);
}

Result<Estimate> estimate_auc(std::span<const float> scores, Labels labels, Units units,
                              const BootstrapOptions& options, WorkerPool* pool) {
  return estimate(kAuc, scores, labels, units, options, pool);
}

Result<Estimate> estimate_average_precision(std::span<const float> scores, Labels labels,
                                            Units units, const BootstrapOptions& options,
                                            WorkerPool* pool) {
  return estimate(kAveragePrecision, scores, labels, units, options, pool);
}

}  // namespace coeval::stats
