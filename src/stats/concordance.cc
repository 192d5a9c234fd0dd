#include "stats/concordance.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/check.h"

namespace coeval::stats {
namespace {

constexpr double kUndefined = std::numeric_limits<double>::quiet_NaN();

// Counts by place, with sums of all places before one in log n. (Fenwick 1994)
class Counts {
 public:
  explicit Counts(std::size_t places) : tree_(places + 1) {}
  void add(std::size_t place) {
    for (std::size_t i = place + 1; i < tree_.size(); i += i & (~i + 1)) ++tree_[i];
  }
  std::int64_t before(std::size_t place) const {
    std::int64_t sum = 0;
    for (std::size_t i = place; i > 0; i -= i & (~i + 1)) sum += tree_[i];
    return sum;
  }

 private:
  std::vector<std::int32_t> tree_;
};

// The place of each score among the different ones.
std::vector<std::uint32_t> ranks_of(std::span<const float> scores) {
  std::vector<float> distinct(scores.begin(), scores.end());
  std::ranges::sort(distinct);
  distinct.erase(std::ranges::unique(distinct).begin(), distinct.end());
  std::vector<std::uint32_t> ranks;
  ranks.reserve(scores.size());
  for (const float score : scores)
    ranks.push_back(
        static_cast<std::uint32_t>(std::ranges::lower_bound(distinct, score) - distinct.begin()));
  return ranks;
}

}  // namespace

RankedTargets::RankedTargets(std::span<const double> targets) : order_(targets.size()) {
  COEVAL_CHECK(targets.size() < std::size_t{1} << 31);
  has_nan_ = std::ranges::any_of(targets, [](double target) { return std::isnan(target); });
  if (has_nan_) return;
  for (std::size_t i = 0; i < order_.size(); ++i) order_[i] = static_cast<std::uint32_t>(i);
  std::ranges::sort(order_, {}, [&](std::uint32_t row) { return targets[row]; });
  for (std::size_t i = 1; i <= order_.size(); ++i)
    if (i == order_.size() || targets[order_[i]] != targets[order_[i - 1]]) ends_.push_back(i);
}

double RankedTargets::concordance(std::span<const float> scores) const {
  COEVAL_CHECK(scores.size() == order_.size());
  const bool nan = std::ranges::any_of(scores, [](float score) { return std::isnan(score); });
  if (has_nan_ || nan || ends_.size() < 2) return kUndefined;
  const std::vector<std::uint32_t> ranks = ranks_of(scores);
  Counts lower(scores.size());  // rows with smaller targets, by their scores
  std::int64_t twice = 0, pairs = 0;
  std::size_t from = 0;
  for (const std::size_t to : ends_) {
    for (std::size_t i = from; i < to; ++i) {
      const std::size_t rank = ranks[order_[i]];
      // Those below the rank count 2, those of it 1.
      twice += lower.before(rank) + lower.before(rank + 1);
      pairs += static_cast<std::int64_t>(from);
    }
    for (std::size_t i = from; i < to; ++i) lower.add(ranks[order_[i]]);
    from = to;
  }
  return static_cast<double>(twice) / (2 * static_cast<double>(pairs));
}

}  // namespace coeval::stats
