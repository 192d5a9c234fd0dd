#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "exact/moments.h"

namespace coeval::quality {

/// Counts of finite float64 values in 128 bins to each power of two, of either sign, and in passing
/// the exact sums of the values and of their squares: values of one exponent are added up as whole
/// numbers. A function of the multiset of values. −0 must have been made 0.
///
/// Complexity: two look-ups and three additions a value, without any rounding or branch.
class BinadeCounts {
 public:
  /// So many values may be added before settle() is called.
  static constexpr std::int64_t kMostUnsettled = std::int64_t{1} << 18;

  /// The bits of float64 values; `moments` says whether sums are wanted.
  void add(std::span<const std::int64_t> values, bool moments);
  /// One value, many times, in the counts alone.
  void add_times(double value, std::int64_t times);
  void merge(const BinadeCounts& other);

  /// Moves the sums to `moments`, which counts the values itself.
  void settle(exact::ExactSum& sum, exact::SquareSum& squares);

  /// Calls `bin(least, greatest, count)` for each bin that has values, ascending: the least and the
  /// greatest float64 that the bin may hold.
  void each(const std::function<void(double, double, std::int64_t)>& bin) const;

  /// Canonical bytes of the counts.
  void append_bytes(std::string& out) const;
  bool read_bytes(std::string_view& bytes);

 private:
  __extension__ using Unsigned128 = unsigned __int128;
  static constexpr int kStepBits = 7;
  static constexpr std::size_t kSteps = std::size_t{1} << kStepBits;
  /// Sign and exponent. In the sums only values since settle().
  struct Binade {
    std::array<std::uint64_t, kSteps> counts{};
    // Two of each, taken in turns, so that one addition need not wait for the one before.
    std::array<Unsigned128, 2> sums{}, squares{};
  };
  std::size_t place_of(std::size_t sign_and_exponent);

  std::array<std::uint16_t, 4096> index_{};  // of a binade, from 1; 0 where there is none
  std::vector<Binade> binades_;
};

}  // namespace coeval::quality
