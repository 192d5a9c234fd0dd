#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "exact/value_counts.h"
#include "quality/binade_counts.h"
#include "quality/even_bins.h"
#include "quality/profile_summary.h"

namespace coeval::quality {

/// What a summary tells of every column of numbers.
inline constexpr double kQuantiles[] = {0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99};
inline constexpr std::int64_t kMostBars = 32;
inline constexpr std::size_t kMostTopValues = 20;

/// Edges of neighbouring bins, ascending, and how many values lie between two of them: in
/// [e0, e1), [e1, e2), … and in the last with its upper edge.
template <class Value>
struct BinEdges {
  std::vector<Value> edges;
  std::vector<std::int64_t> counts;
};

/// Where the values of a multiset lie in their order: exactly, or within the narrower of the two
/// bins of a profile.
/// Value: double or std::int64_t.
template <class Value>
class OrderStatistics {
 public:
  /// Ascending, each once.
  explicit OrderStatistics(std::span<const exact::ValueCount<Value>> values);
  /// Both of the same values.
  OrderStatistics(const BinadeCounts& binades, const EvenBins<Value>& even);

  std::int64_t count() const;
  /// Whether both kinds of bins hold as many values.
  bool agrees() const;
  /// At least one value. An integer stands for itself divided by `unit`.
  ProfileQuantile quantile(double p, std::uint64_t unit) const;
  /// Bins of about equal counts. The i-th edge is the value of rank ⌊i·n / bins⌋ from 0 when the
  /// values are known, else the edge of one of their bins whose rank is nearest to i·n / bins, the
  /// lower of two; equal ones are one. The first is the least value, the last the greatest.
  BinEdges<Value> edges(std::size_t bins) const;

 private:
  /// `before` values come before those between least and greatest.
  struct Range {
    Value least{}, greatest{};
    std::int64_t before = 0, count = 0;
  };
  using Ranges = std::vector<Range>;
  static void append(Ranges& ranges, Value least, Value greatest, std::int64_t count);
  static const Range& range_of(const Ranges& ranges, std::int64_t rank);
  Range range_of(std::int64_t rank) const;

  Ranges fine_, even_;  // even_ is empty when the values are known
};

extern template class OrderStatistics<double>;
extern template class OrderStatistics<std::int64_t>;

}  // namespace coeval::quality
