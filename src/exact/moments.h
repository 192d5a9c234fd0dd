#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "exact/exact_sum.h"
#include "exact/integer_sum.h"
#include "exact/long_sum.h"

namespace coeval::exact {

/// What the sum of squared deviations is divided by: n − 1 for var and std, n for var_pop and
/// std_pop. (semantics: A7)
enum class Divisor : std::uint8_t { sample, population };

/// The exact sum of squares of float64 values. Values that are not finite are left out: ExactSum
/// counts them. (semantics: A2 V2)
class SquareSum {
 public:
  SquareSum() = default;
  /// Of what total() gives.
  explicit SquareSum(LongSum total) : sum_(std::move(total)) {}

  void add(double x) { change(x, false); }
  void subtract(double x) { change(x, true); }
  void merge(const SquareSum& other) { sum_.combine(other.sum_, false); }
  void unmerge(const SquareSum& other) { sum_.combine(other.sum_, true); }

  /// Units of 2^-2148.
  const LongSum& total() const { return sum_; }
  void append_bytes(std::string& out) const { sum_.append_bytes(out); }
  bool read_bytes(std::string_view& bytes) { return sum_.read_bytes(bytes); }
  friend bool operator==(const SquareSum& a, const SquareSum& b) = default;

 private:
  void change(double x, bool negate);
  LongSum sum_;
};

/// Variance, and its square root, of `count` float64 values given their exact sums: the exact
/// number rounded once to the nearest float64.
/// Null: fewer than two values (sample), no value (population). NaN: a value that is not finite.
std::optional<double> variance(std::int64_t count, const ExactSum& sum, const SquareSum& squares,
                               Divisor divisor);
std::optional<double> deviation(std::int64_t count, const ExactSum& sum, const SquareSum& squares,
                                Divisor divisor);

/// Number, sum and sum of squares of float64 values, exact and in any order: subtract undoes add
/// completely, and equal multisets have equal bytes. (semantics: A1 A2 A5 V2)
class Moments {
 public:
  Moments() = default;
  Moments(std::int64_t count, ExactSum sum, SquareSum squares)
      : count_(count), sum_(std::move(sum)), squares_(std::move(squares)) {}

  void add(double x);
  void subtract(double x);
  void merge(const Moments& other);
  void unmerge(const Moments& other);

  std::int64_t count() const { return count_; }
  const ExactSum& sum() const { return sum_; }
  const SquareSum& squares() const { return squares_; }
  std::optional<double> variance(Divisor divisor) const {
    return exact::variance(count_, sum_, squares_, divisor);
  }
  /// The standard deviation.
  std::optional<double> deviation(Divisor divisor) const {
    return exact::deviation(count_, sum_, squares_, divisor);
  }

  /// Canonical bytes; read_bytes takes them off the front and says whether values can have such
  /// moments.
  void append_bytes(std::string& out) const;
  bool read_bytes(std::string_view& bytes);
  friend bool operator==(const Moments& a, const Moments& b) = default;

 private:
  std::int64_t count_ = 0;
  ExactSum sum_;
  SquareSum squares_;
};

/// A 192-bit integer that wraps like any integer, lowest limb first: 2^63 products of two int64
/// fit. Plain memory.
struct Int192 {
  std::array<std::uint64_t, 3> limbs{};
  /// Adds a product of two int64, or takes it away.
  void change(Int128 product, bool negate);
  void combine(const Int192& other, bool negate);
  /// Its lower limbs, where they are all of it.
  std::optional<Int128> shortened() const {
    const auto low = static_cast<Int128>(Unsigned128{limbs[1]} << 64 | limbs[0]);
    if (limbs[2] != (low < 0 ? ~std::uint64_t{0} : 0)) return std::nullopt;
    return low;
  }
  void append_bytes(std::string& out) const;
  bool read_bytes(std::string_view& bytes);
  friend bool operator==(const Int192&, const Int192&) = default;

 private:
  __extension__ using Unsigned128 = unsigned __int128;
};

/// The same of int64 values, or of such that stand for themselves divided by `unit`, a positive
/// power of ten. Plain memory: may be moved by memcpy.
class IntegerMoments {
 public:
  IntegerMoments() = default;
  IntegerMoments(std::int64_t count, Int128 sum, const Int192& squares)
      : count_(count), sum_(sum), squares_(squares) {}

  void add(std::int64_t x) { change(x, false); }
  void subtract(std::int64_t x) { change(x, true); }
  void merge(const IntegerMoments& other) { combine(other, false); }
  void unmerge(const IntegerMoments& other) { combine(other, true); }

  std::int64_t count() const { return count_; }
  Int128 sum() const { return sum_; }
  const Int192& squares() const { return squares_; }
  std::optional<double> variance(Divisor divisor, std::uint64_t unit = 1) const;
  std::optional<double> deviation(Divisor divisor, std::uint64_t unit = 1) const;

  void append_bytes(std::string& out) const;
  bool read_bytes(std::string_view& bytes);
  friend bool operator==(const IntegerMoments&, const IntegerMoments&) = default;

 private:
  void change(std::int64_t x, bool negate);
  void combine(const IntegerMoments& other, bool negate);

  std::int64_t count_ = 0;
  Int128 sum_ = 0;
  Int192 squares_;
};

}  // namespace coeval::exact
