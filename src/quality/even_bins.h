#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace coeval::quality {

/// Counts of numbers in bins of one width 2^k, the bin b holding [b·2^k, (b + 1)·2^k); k is the
/// least by which the range from the least to the greatest value takes at most kMost bins, and the
/// numbers of the bins fit in 53 bits. It grows with the range, two bins becoming one; so the
/// counts are exact and a function of the multiset of values.
///
/// Value: double (finite) or std::int64_t, of which k is at least 0.
/// Complexity: a multiplication and an addition a value; a pass over the bins when the range leaves
/// them, which a range that has been seen does not do.
template <class Value>
class EvenBins {
 public:
  static constexpr std::int64_t kMost = 2048;

  /// Values, of floats their bits, between `least` and `greatest`, which are among them.
  void add(std::span<const std::int64_t> values, Value least, Value greatest);
  void add_times(Value value, std::int64_t times);
  void merge(const EvenBins& other);

  bool is_empty() const { return counts_.empty(); }
  Value least() const { return least_; }
  Value greatest() const { return greatest_; }
  int level() const { return level_; }

  /// Calls `bin(number, count)` for each bin that has values, ascending.
  void each(const std::function<void(std::int64_t, std::int64_t)>& bin) const;

  /// Canonical bytes.
  void append_bytes(std::string& out) const;
  bool read_bytes(std::string_view& bytes);

 private:
  void cover(Value least, Value greatest);
  void move_to(int level, std::int64_t first);
  std::int64_t number_of(Value value) const;

  int level_ = 0;                // k
  double scale_ = 1, unit_ = 1;  // 2^-k, 2^k
  std::int64_t first_ = 0;       // the number of counts_[0]
  Value least_{}, greatest_{};
  std::vector<std::uint64_t> counts_;  // kMost, or none before the first value
};

/// The number of the bin of width 2^level that holds a value.
std::int64_t even_bin_of(double value, int level);
std::int64_t even_bin_of(std::int64_t value, int level);
/// The least k for a range.
int even_level_of(double least, double greatest, std::int64_t most_bins);
int even_level_of(std::int64_t least, std::int64_t greatest, std::int64_t most_bins);

extern template class EvenBins<double>;
extern template class EvenBins<std::int64_t>;

}  // namespace coeval::quality
