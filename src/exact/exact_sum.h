#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "exact/rounding.h"

namespace coeval::exact {

/// The sum of float64 values without any rounding: a fixed-point number with as many bits as it
/// takes. (semantics: A1 A2 V2)
///
/// Invariants: 1. The state's value depends on the multiset of values in it alone; so do the
/// answers and the bytes. 2. subtract(x) undoes add(x) completely, whatever came between: an
/// outlier leaves no trace.
/// 3. NaN, +∞ and −∞ are counted apart from the finite part, so that they can leave again.
///
/// Values whose last bit is at or above 2^-114, up to about 2^130, live in 256 inline bits; others
/// widen to 2,176 bits on the heap, which are given back when they are zero again. Up to 2^63
/// values. A sum of zeros of either sign is +0.
class ExactSum {
 public:
  ExactSum() = default;
  ExactSum(const ExactSum& other);
  ExactSum& operator=(const ExactSum& other);
  ExactSum(ExactSum&&) noexcept = default;
  ExactSum& operator=(ExactSum&&) noexcept = default;
  ~ExactSum() = default;

  void add(double x) { change(x, false); }
  void subtract(double x) { change(x, true); }
  void merge(const ExactSum& other) { combine(other, false); }
  void unmerge(const ExactSum& other) { combine(other, true); }

  /// The sum rounded once, half to even; beyond the format's range ±∞.
  double round(FloatFormat format = kFloat64) const;
  /// sum / count rounded once; count > 0. The sum itself may be beyond float64's range.
  double mean(std::int64_t count) const;

  /// Two's complement limbs of the finite part, lowest first, in units of 2^-1074.
  using WideNumber = std::array<std::uint64_t, kMaxLimbs>;
  WideNumber total() const;
  /// Whether a value that is not finite is in it, and then the sum: NaN or an infinity.
  bool special(double& value) const;

  /// The sum whose finite part is the two's complement number `limbs`, lowest first, in units of
  /// 2^(64·first_limb − 1074), and which has so many values that are not finite. At least one limb;
  /// those beyond kMaxLimbs only repeat the sign.
  static ExactSum of_limbs(std::span<const std::uint64_t> limbs, std::size_t first_limb,
                           std::int64_t nans, std::int64_t plus_infinities,
                           std::int64_t minus_infinities);

  /// Canonical bytes: equal multisets give equal bytes.
  void append_bytes(std::string& out) const;
  /// Reads what append_bytes wrote from the front of `bytes` and drops it there. False when the
  /// bytes are not what append_bytes writes.
  bool read_bytes(std::string_view& bytes);

  friend bool operator==(const ExactSum& a, const ExactSum& b);

 private:
  static constexpr std::size_t kNarrowLimbs = 4;
  static constexpr std::size_t kWideLimbs = kMaxLimbs;
  static constexpr int kFirstNarrowLimb = 15;  ///< of the wide number; its bit 0 is 2^-114
  using Narrow = std::array<std::uint64_t, kNarrowLimbs>;

  void change(double x, bool negate);
  void change_special(double x, bool negate);
  void change_wide(std::uint64_t significand, int position, bool negative);
  void combine(const ExactSum& other, bool negate);
  void spill();
  void settle();

  // The finite part is narrow_ · 2^-114 + *wide_ · 2^-1074, both two's complement.
  Narrow narrow_{};
  std::unique_ptr<WideNumber> wide_;
  std::int64_t nans_ = 0, plus_infinities_ = 0, minus_infinities_ = 0;
};

}  // namespace coeval::exact
