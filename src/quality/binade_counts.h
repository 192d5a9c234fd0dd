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
/// Complexity: a look-up and an addition a value, and for the sums some twenty operations of
/// vectors for four (number_loops.h), where exponents lie near each other; without any rounding.
class BinadeCounts {
 public:
  /// So many values may be added before settle() is called.
  static constexpr std::int64_t kMostUnsettled = std::int64_t{1} << 18;

  /// The bits of float64 values, in the counts alone.
  void add(std::span<const std::int64_t> values);
  /// The same, and their sums: at most 1,024 values, of which `size` is the greatest in size.
  void add_with_sums(std::span<const std::int64_t> values, double size);
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
  /// Of one sign and exponent, since settle().
  struct Sums {
    Unsigned128 values = 0, squares = 0;
  };
  /// Of blocks that LimbSums took, by their base, since settle().
  struct Limbs {
    int base = 0;
    exact::Int128 low = 0, high = 0;
    std::array<Unsigned128, 5> squares{};
  };
  std::size_t place_of(std::size_t sign_and_exponent);
  std::uint64_t* counts_of(std::size_t place) { return counts_.data() + (place << kStepBits); }
  const std::uint64_t* counts_of(std::size_t place) const {
    return counts_.data() + (place << kStepBits);
  }
  Limbs& limbs_of(int base);

  std::array<std::uint16_t, 4096> index_{};  // place of a sign and exponent; 0 where there is none
  // By place, of which the first is of none.
  std::vector<std::uint64_t> counts_ = std::vector<std::uint64_t>(kSteps);
  std::vector<Sums> sums_ = std::vector<Sums>(1);
  std::vector<Limbs> limbs_;
};

}  // namespace coeval::quality
