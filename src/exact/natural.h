#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <span>

#include "exact/integer_sum.h"

namespace coeval::exact {

/// A natural number for the length of one answer: what exact sums become before they are divided
/// and rounded. Bounded; on the stack. A result that would be longer is a mistake of the caller.
class Natural {
 public:
  static constexpr std::size_t kLimbs = 80;
  __extension__ using Word128 = unsigned __int128;

  Natural() = default;
  Natural(const Natural& other) { *this = other; }
  Natural& operator=(const Natural& other);
  ~Natural() = default;
  explicit Natural(Word128 value);
  /// Little-endian limbs.
  explicit Natural(std::span<const std::uint64_t> limbs);

  std::span<const std::uint64_t> limbs() const { return {limbs_.data(), size_}; }
  bool is_zero() const { return size_ == 0; }
  /// Length in bits; 0 of zero.
  int bits() const;

  void shift_left(int bits);
  /// Says whether bits that were not 0 fell out.
  bool shift_right(int bits);
  void add(const Natural& other);
  /// other ≤ *this.
  void subtract(const Natural& other);
  /// Leaves the quotient and says whether there was a rest; other > 0.
  bool divide(const Natural& other);

  friend Natural operator*(const Natural& a, const Natural& b);
  friend std::strong_ordering operator<=>(const Natural& a, const Natural& b);
  friend bool operator==(const Natural& a, const Natural& b) { return (a <=> b) == 0; }

 private:
  void set_size(std::size_t size);
  bool divide_by_word(std::uint64_t divisor);

  std::array<std::uint64_t, kLimbs> limbs_;  // those from size_ on are not set
  std::size_t size_ = 0;                     // the highest limb is not 0
};

/// A natural number with a sign.
struct Integer {
  Natural magnitude;
  bool negative = false;

  Integer() = default;
  Integer(Natural m, bool n) : magnitude(m), negative(n && !m.is_zero()) {}
  explicit Integer(Int128 value);
  /// Two's complement limbs.
  explicit Integer(std::span<const std::uint64_t> limbs);

  friend Integer operator+(const Integer& a, const Integer& b);
  friend Integer operator-(const Integer& a, const Integer& b);
  friend Integer operator*(const Integer& a, const Integer& b);
};

/// An integer of 2^(64·first), without its zero limbs at the low end: what is left to compute with
/// is short where the sum is.
struct PlacedInteger {
  Integer value;
  std::size_t first = 0;

  /// Two's complement limbs, the lowest at limb `at`.
  explicit PlacedInteger(std::span<const std::uint64_t> limbs, std::size_t at = 0);
  /// The integer in units of 2^(64·unit); unit ≤ first, or the integer is 0.
  Integer in_units(std::size_t unit) const;
};

/// a / b · 2^exponent rounded once to the nearest float64, ties to even; b > 0.
double round_ratio(Natural a, int exponent, const Natural& b);
/// Its square root, likewise.
double round_root_of_ratio(Natural a, int exponent, const Natural& b);

}  // namespace coeval::exact
