#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "base/check.h"
#include "exact/exact_sum.h"
#include "stats/bootstrap.h"
#include "stats/regression.h"

namespace coeval::stats {
namespace {

constexpr double kUndefined = std::numeric_limits<double>::quiet_NaN();

// What the rows of one unit add to R². Deviations are from the mean of all rows, so that the spread
// of a replicate is no difference of large numbers.
struct UnitSums {
  double rows = 0, deviation = 0, squared_deviation = 0;
  double errors = 0, champion_errors = 0;  // squared
};

class RSquaredSums {
 public:
  RSquaredSums(std::span<const double> challenger, std::span<const double> champion,
               std::span<const double> targets, Units units) {
    COEVAL_CHECK(challenger.size() == targets.size());
    COEVAL_CHECK(champion.empty() || champion.size() == targets.size());
    exact::ExactSum all;
    for (const double target : targets) all.add(target);
    const double mean = targets.empty() ? 0 : all.mean(std::ssize(targets));
    if (!units.empty()) ids_.assign(units.begin(), units.end());
    for (std::size_t i = 0; units.empty() && i < targets.size(); ++i)
      ids_.push_back(static_cast<std::int64_t>(i));
    std::ranges::sort(ids_);
    ids_.erase(std::ranges::unique(ids_).begin(), ids_.end());
    sums_.resize(ids_.size());
    for (std::size_t i = 0; i < targets.size(); ++i) {
      const auto place =
          units.empty()
              ? i
              : static_cast<std::size_t>(std::ranges::lower_bound(ids_, units[i]) - ids_.begin());
      UnitSums& sums = sums_[place];
      const double deviation = targets[i] - mean, error = challenger[i] - targets[i];
      const double other = champion.empty() ? 0 : champion[i] - targets[i];
      sums.rows += 1;
      sums.deviation += deviation;
      sums.squared_deviation += deviation * deviation;
      sums.errors += error * error;
      sums.champion_errors += other * other;
    }
  }

  const std::vector<std::int64_t>& ids() const { return ids_; }

  MetricPair at(std::span<const double> weights) const {
    UnitSums all;
    for (std::size_t i = 0; i < sums_.size(); ++i) {
      const double weight = weights[i];
      if (weight == 0) continue;
      all.rows += weight * sums_[i].rows;
      all.deviation += weight * sums_[i].deviation;
      all.squared_deviation += weight * sums_[i].squared_deviation;
      all.errors += weight * sums_[i].errors;
      all.champion_errors += weight * sums_[i].champion_errors;
    }
    if (!(all.rows > 0)) return {kUndefined, kUndefined};
    const double spread = all.squared_deviation - all.deviation * all.deviation / all.rows;
    // Below, what is left is rounding: the replicate's targets are all the same.
    if (!(spread > all.squared_deviation * 1e-12)) return {kUndefined, kUndefined};
    return {1 - all.errors / spread, 1 - all.champion_errors / spread};
  }

 private:
  std::vector<std::int64_t> ids_;
  std::vector<UnitSums> sums_;
};

}  // namespace

Result<Improvement> compare_r_squared(std::span<const double> challenger,
                                      std::span<const double> champion,
                                      std::span<const double> targets, Units units,
                                      const BootstrapOptions& options, WorkerPool* pool) {
  const RSquaredSums sums(challenger, champion, targets, units);
  COEVAL_ASSIGN(Improvement found,
                compare_by(
                    sums.ids().size(), [&](std::span<const double> w) { return sums.at(w); },
                    Better::higher, sums.ids(), options, pool));
  found.challenger = r_squared({.predictions = challenger, .targets = targets});
  found.champion = r_squared({.predictions = champion, .targets = targets});
  found.value = found.challenger - found.champion;
  return found;
}

Result<Estimate> estimate_r_squared(std::span<const double> predictions,
                                    std::span<const double> targets, Units units,
                                    const BootstrapOptions& options, WorkerPool* pool) {
  const RSquaredSums sums(predictions, {}, targets, units);
  return estimate_by(
      sums.ids().size(), r_squared({.predictions = predictions, .targets = targets}),
      [&](std::span<const double> w) { return sums.at(w).challenger; }, sums.ids(), options, pool);
}

}  // namespace coeval::stats
