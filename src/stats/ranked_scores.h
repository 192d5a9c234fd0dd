#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace coeval::stats {

/// Scores with their labels in ascending order; equal scores (−0 and +0 are equal) keep the order
/// of the rows. NaN comes last. Complexity: a radix sort, linear in the rows.
class RankedScores {
 public:
  RankedScores(std::span<const float> scores, std::span<const std::uint8_t> labels);

  std::int64_t size() const { return static_cast<std::int64_t>(entries_.size()); }
  std::int64_t positives() const { return positives_; }
  std::int64_t negatives() const { return size() - positives_; }
  bool has_nan() const;
  float score(std::int64_t rank) const;
  bool label(std::int64_t rank) const {
    return (entries_[static_cast<std::size_t>(rank)] & 1) != 0;
  }
  /// Whether the row at `rank` has the score of the row before it.
  bool ties_with_previous(std::int64_t rank) const;

 private:
  std::vector<std::uint64_t> entries_;  ///< score as an ordered integer, then the label in bit 0
  std::int64_t positives_ = 0;
};

/// Rows in ascending order of their scores, equal scores in the order of the rows, NaN last. Fewer
/// than 2^32 rows. Complexity: as above.
std::vector<std::uint32_t> order_of_scores(std::span<const float> scores);

}  // namespace coeval::stats
