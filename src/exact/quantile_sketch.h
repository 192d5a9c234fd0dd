#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "exact/value_counts.h"

namespace coeval::exact {

/// Where the quantile p of n values lies in their order: between the index-th (from 0) and the
/// next, at fraction / 2^fraction_bits of the way. p·(n − 1) is taken exactly, p as the float64
/// that it is.
struct QuantileRank {
  std::int64_t index;
  __extension__ unsigned __int128 fraction;
  int fraction_bits;
};
/// p in [0, 1], n ≥ 1.
QuantileRank quantile_rank(double p, std::int64_t n);

/// a + (b − a)·fraction, exact and rounded once. With infinities: a where the fraction is 0, else
/// what IEEE gives (−∞ towards +∞: NaN).
double interpolate(double a, double b, const QuantileRank& rank);
/// Of integers that stand for themselves divided by `unit`, a positive power of ten.
double interpolate(std::int64_t a, std::int64_t b, const QuantileRank& rank,
                   std::uint64_t unit = 1);

/// Quantiles by linear interpolation between order statistics (numpy's default), one rounding:
/// exact up to a cap of distinct values, above it from a histogram of fixed bins, 128 to each power
/// of two over the whole range of the type. (semantics: A1 A4 A5 A7)
///
/// Above the cap an order statistic is told within 1/256 of itself (the middle of its bin; zero and
/// infinities have their own), and the answer interpolates between two of them. State, answer and
/// bytes depend on the multiset of values alone.
/// Value: double or std::int64_t. −0 counts as 0. One NaN makes every quantile NaN.
template <class Value>
class QuantileSketch {
 public:
  explicit QuantileSketch(std::size_t cap = kDefaultCap);
  void add(Value x, std::int64_t times = 1);
  /// Both of one cap.
  void merge(const QuantileSketch& other);
  /// Empties it; memory is kept for the next use.
  void clear();

  std::int64_t count() const { return count_; }
  bool is_approximate() const { return approximate_; }
  /// p in [0, 1]. Null: no values. Integers stand for themselves divided by `unit`, a positive
  /// power of ten; 1 for floats.
  std::optional<double> quantile(double p, std::uint64_t unit = 1) const;

  /// How much memory it takes.
  std::size_t state_bytes() const { return values_.state_bytes(); }
  /// Canonical bytes; read_bytes takes them off the front.
  void append_bytes(std::string& out) const;
  bool read_bytes(std::string_view& bytes);

 private:
  void add_key(std::int64_t key, std::int64_t times);
  void give_up_exactness();

  std::size_t cap_;
  ValueCounts<std::int64_t> values_;  // by order key; above the cap, by bin
  std::int64_t count_ = 0, nans_ = 0;
  bool approximate_ = false;
};

extern template class QuantileSketch<double>;
extern template class QuantileSketch<std::int64_t>;

}  // namespace coeval::exact
