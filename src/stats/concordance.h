#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace coeval::stats {

/// The targets of some rows, sorted once, for the concordance of several scores with them.
///
/// The concordance is the share of pairs of rows with different targets whose scores are in the
/// same order, ties of scores ½: the AUC where there are two targets, and (Somers' D of the scores
/// given the targets + 1) / 2. Counts are integers, so that the order of rows changes no bit.
/// Source: Harrell et al. 1982 (concordance index); scipy.stats.somersd.
class RankedTargets {
 public:
  /// Shape: below 2^31 rows. Complexity: n log n.
  explicit RankedTargets(std::span<const double> targets);

  /// Shape: as many scores as targets. NaN where a score or a target is NaN, or all targets are the
  /// same. Complexity: n log n.
  double concordance(std::span<const float> scores) const;

 private:
  std::vector<std::uint32_t> order_;  // rows by ascending target
  std::vector<std::size_t> ends_;     // of the groups of equal targets in it
  bool has_nan_ = false;
};

}  // namespace coeval::stats
