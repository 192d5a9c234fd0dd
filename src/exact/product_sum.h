#pragma once

#include <string>
#include <string_view>

#include "exact/exact_sum.h"
#include "exact/long_sum.h"

namespace coeval::exact {

/// The exact sum of products of two float64 values each, for the products of vectors. What is not
/// finite counts as IEEE has it, whatever the order: a NaN, infinity times 0 or infinities of both
/// signs make it NaN. (semantics: A2 V2)
class ProductSum {
 public:
  /// Adds x·y.
  void add(double x, double y);
  /// Adds (x − y)².
  void add_squared_difference(double x, double y);
  void merge(const ProductSum& other) {
    finite_.combine(other.finite_, false);
    others_.merge(other.others_);
  }
  /// The sum of the finite products, in units of 2^-2148.
  const LongSum& total() const { return finite_; }

  /// Canonical bytes; read_bytes takes them off the front.
  void append_bytes(std::string& out) const {
    finite_.append_bytes(out);
    others_.append_bytes(out);
  }
  bool read_bytes(std::string_view& bytes) {
    return finite_.read_bytes(bytes) && others_.read_bytes(bytes);
  }

  /// The sum rounded once, half to even; beyond float64's range ±∞. A sum of zeros is +0.
  double round() const;
  /// The square root of the exact sum, rounded once; the sum is not negative.
  double root() const;

 private:
  friend double cosine(const ProductSum& xy, const ProductSum& xx, const ProductSum& yy);

  LongSum finite_;   // units of 2^-2148
  ExactSum others_;  // NaN and infinities
};

/// x·y / (|x|·|y|), from Σxy, Σx² and Σy²: NaN where one of them is not finite or a vector is zero.
/// Three exact sums, each rounded once after it was brought near 1 by a power of two, so that no
/// step leaves the range; then Σxy / √(Σx²·Σy²), where ×, √ and / round once each; at most 1 in
/// size. Of equal vectors it is 1.
double cosine(const ProductSum& xy, const ProductSum& xx, const ProductSum& yy);

}  // namespace coeval::exact
