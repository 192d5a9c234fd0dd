#pragma once

#include <cstdint>
#include <string>

#include "base/error.h"
#include "data/column.h"
#include "exact/exact_sum.h"
#include "exact/integer_sum.h"

namespace coeval::quality {

/// The exact sum of a column of numbers, nulls apart: integers, decimals as integers, floats
/// without rounding. A function of the multiset of values. (semantics: A1 A2)
class ColumnSum {
 public:
  /// `type` is an integer, float or decimal.
  explicit ColumnSum(data::Type type);

  data::Type type() const { return type_; }
  std::int64_t count() const { return count_; }  ///< values that are not null
  /// Of a column of this type.
  void add(const data::Column& column);
  /// Of one type.
  void merge(const ColumnSum& other);

  /// Rounded once to the nearest float64. count() > 0 for the mean.
  double sum() const;
  double mean() const;
  /// Whether |a − b| ≤ tolerance, of the exact sums; the types may differ. The tolerance is the
  /// shortest decimal that reads back as it: 0.3 is three tenths. Never when a sum is not finite.
  static bool are_equal(const ColumnSum& a, const ColumnSum& b, double tolerance);
  /// "1234.50" of decimals, "1234" of integers: all digits; floats rounded.
  std::string text() const;

 private:
  data::Type type_;
  std::int64_t count_ = 0;
  exact::Int128 integers_ = 0;  // of integers and decimals, times 10^scale
  exact::ExactSum reals_;
};

}  // namespace coeval::quality
