#pragma once

#include <cstdint>
#include <optional>

#include "exact/exact_sum.h"

namespace coeval::exact {

/// Beyond this many half-lives a value no longer counts, by definition. (semantics: A3)
inline constexpr std::int64_t kDecayHorizon = 64;

/// The factor 2^(−age / half-life) of decayed sums, made once for an age and used for any number of
/// values.
///
/// Each answer is the float64 nearest to the exact product x · 2^(−age / half-life), with one
/// rounding: 84 bits of the factor decide it nearly always, and where they do not, 310 bits do.
/// (Two float64 neighbours have a middle; the products nearest to one among all int64 ages and
/// half-lives and all x are expected to miss it by some 2^-240.) Integer arithmetic alone, so the
/// same bits everywhere. (semantics: A3 A6)
class DecayFactor {
 public:
  /// age_us ≥ 0, half_life_us > 0.
  DecayFactor(std::int64_t age_us, std::int64_t half_life_us);

  /// Whether the age is more than kDecayHorizon half-lives: every answer is then 0.
  bool is_beyond() const { return beyond_; }
  double weight() const { return times(std::int64_t{1}); }
  /// x · 2^(−age / half-life) rounded once; NaN and ±∞ stay what they are.
  double times(double x) const;
  double times(std::int64_t x) const;

 private:
  __extension__ using Fraction = unsigned __int128;
  double product(std::uint64_t magnitude, int exponent) const;
  double product_slowly(std::uint64_t magnitude, int exponent) const;

  std::int64_t rest_us_, half_life_us_;  // age = whole_ · half_life_us_ + rest_us_
  int whole_;
  bool beyond_;
  Fraction factor_;  // 2^(−rest / half-life) · 2^128, within 2^45; unused when rest is 0
};

/// The float64 nearest to 2^(−age / half-life); 0 beyond the horizon.
inline double decay_weight(std::int64_t age_us, std::int64_t half_life_us) {
  return DecayFactor(age_us, half_life_us).weight();
}

/// Σ x·2^(−(T−t)/h) and Σ 2^(−(T−t)/h) for one T, every term rounded once and then summed exactly,
/// so that the order of the values does not matter. (semantics: A1 A3)
class DecayedSum {
 public:
  /// Without the sum of the weights there is no mean.
  explicit DecayedSum(std::int64_t half_life_us, bool weighs = true)
      : half_life_us_(half_life_us), weighs_(weighs) {}
  /// Values older than the horizon do not count.
  void add(std::int64_t age_us, double x);
  void add(std::int64_t age_us, std::int64_t x);
  void merge(const DecayedSum& other);

  std::int64_t count() const { return count_; }
  /// Null: no value within the horizon.
  std::optional<double> sum() const;
  std::optional<double> mean() const;

 private:
  template <class Value>
  void add_value(std::int64_t age_us, Value x);

  std::int64_t half_life_us_;
  bool weighs_;
  std::int64_t count_ = 0;
  ExactSum sum_, weights_;
};

}  // namespace coeval::exact
