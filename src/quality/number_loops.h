#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace coeval::quality {

/// What a profile asks of a block of finite floats.
struct RealFacts {
  double least = 0, greatest = 0;
  std::int64_t zeros = 0, negatives = 0;
};

/// Sums of values whose exponents lie near each other, as whole numbers in units of the base's: the
/// float64 with exponent field f and significand m is m · 2^(f − base), cut into limbs of 26 bits
/// (the highest has what is left).
struct LimbSums {
  static constexpr int kBits = 26;
  /// The exponent fields of values that are not 0 are base … base + kRange.
  static constexpr int kRange = 25;
  std::int64_t low = 0;   ///< of the values' limbs 0 and 1
  std::int64_t high = 0;  ///< of the values' limbs 2
  /// Of the squares, by the power of 2^26: l0², 2·l0·l1, 2·l0·l2 + l1², 2·l1·l2, l2², the second
  /// and the fourth without the factor 2.
  std::array<std::uint64_t, 5> squares{};
};

/// The innermost loops of profiles of floats, over blocks of at most 1,024 keys: the bits of
/// float64 values, −0 as 0. One table for plain code and one for each instruction set; every table
/// gives the same bits (number_loops_test.cc plays all of them).
struct NumberLoops {
  const char* name;

  /// The keys of values; false when one of them is not finite. `keys` may be the values.
  bool (*make_keys)(const double* values, std::size_t size, std::int64_t* keys);
  /// At least one key; all finite, here and below.
  RealFacts (*facts)(const std::int64_t* keys, std::size_t size);
  /// The numbers of the values' bins of width 2^k less `first`, which are below 2^31: `scale` is
  /// 2^-k, `unit` 2^k, and the bins' numbers fit in 53 bits.
  void (*even_places)(const std::int64_t* keys, std::size_t size, double scale, double unit,
                      double first, std::int32_t* places);
  /// Adds the sums; false, and `sums` is of no use, when an exponent lies outside what `base`
  /// allows. base > 0. Null in the plain table, and where vectors do not gain.
  bool (*add_limbs)(const std::int64_t* keys, std::size_t size, int base, LimbSums& sums);
};

/// The quickest that this CPU can run.
const NumberLoops& quickest_number_loops();
/// All that this CPU can run, the plain ones, which are the oracle, first.
std::span<const NumberLoops> all_number_loops();

}  // namespace coeval::quality
