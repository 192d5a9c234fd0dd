#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "exact/distinct_count.h"
#include "exact/moments.h"
#include "exact/value_counts.h"
#include "quality/binade_counts.h"
#include "quality/even_bins.h"
#include "quality/number_ranges.h"
#include "quality/profile_summary.h"

namespace coeval::quality {

/// Up to so many distinct values a profile holds each with its count.
inline constexpr std::size_t kMostCounted = 4096;

/// The profile of finite numbers; see ColumnProfile, whose half it is. −0 counts as 0.
/// Value: double or std::int64_t.
template <class Value>
class NumberProfile {
 public:
  static constexpr bool kReal = std::is_same_v<Value, double>;
  /// Values are given in blocks of at most so many.
  static constexpr std::size_t kBlock = 1024;

  /// Adds values: of floats their bits, −0 as 0, none but finite. At most kBlock.
  void add(std::span<const std::int64_t> block);
  void add_times(Value value, std::int64_t times);
  void merge(const NumberProfile& other);

  std::int64_t count() const;
  /// Fills min, max, zeros, negatives, moments, quantiles, histogram, distinct and top values. An
  /// integer stands for itself divided by `unit`, a positive power of ten, but in min, max and top
  /// values.
  void summarise(ColumnSummary& summary, std::uint64_t unit) const;
  /// All values with their counts, ascending; nothing beyond kMostCounted.
  std::optional<std::vector<exact::ValueCount<Value>>> values() const;
  /// OrderStatistics::edges. At least one value.
  BinEdges<Value> even_edges(std::size_t bins) const;

  void append_bytes(std::string& out) const;
  bool read_bytes(std::string_view& bytes);

 private:
  using Moments = std::conditional_t<kReal, exact::Moments, exact::IntegerMoments>;
  /// What is kept beyond kMostCounted distinct values.
  struct Spread {
    Spread() : distinct(kMostCounted) {}
    std::int64_t count = 0, zeros = 0, negatives = 0;
    Value least{}, greatest{};
    exact::DistinctCount<std::int64_t> distinct;
    EvenBins<Value> even;
    BinadeCounts binades;
    std::int64_t unsettled = 0;
    // Of floats, without the unsettled values.
    exact::ExactSum sum;
    exact::SquareSum squares;
    exact::IntegerMoments integers;
    void settle();
    void widen(Value low, Value high);
    void add(std::span<const std::int64_t> block);
    void add_integers(std::span<const std::int64_t> block);
    void add_times(Value value, std::int64_t times);
    void merge(const Spread& other);
  };
  struct Totals;

  static std::int64_t key_of(Value value);
  static Value value_of(std::int64_t key);
  void spread_out();
  Totals totals() const;
  OrderStatistics<Value> order_of(std::span<const exact::ValueCount<Value>> values) const;
  void summarise_histogram(ColumnSummary& summary, const Totals& totals, std::uint64_t unit) const;

  exact::ValueCounts<std::int64_t> counted_{kMostCounted};  // empty when spread_ is there
  std::unique_ptr<Spread> spread_;
};

extern template class NumberProfile<double>;
extern template class NumberProfile<std::int64_t>;

}  // namespace coeval::quality
