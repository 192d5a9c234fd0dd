#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "exact/exact_sum.h"
#include "exact/integer_sum.h"
#include "exact/long_sum.h"
#include "exact/moments.h"

namespace coeval::exact {

/// What the least-squares slope of float64 values against event times (µs since the epoch) is made
/// of: Σt, Σt², Σx, Σt·x, all exact and in any order. (semantics: A1 A2 A5 V2)
class SlopeMoments {
 public:
  SlopeMoments() = default;
  /// `products` in units of 2^-1074. Times may be counted from any moment: the slope is the same.
  SlopeMoments(const IntegerMoments& times, ExactSum sum, LongSum products)
      : times_(times), sum_(std::move(sum)), products_(std::move(products)) {}

  void add(std::int64_t time_us, double x) { change(time_us, x, false); }
  void subtract(std::int64_t time_us, double x) { change(time_us, x, true); }
  void merge(const SlopeMoments& other) { combine(other, false); }
  void unmerge(const SlopeMoments& other) { combine(other, true); }

  std::int64_t count() const { return times_.count(); }
  const ExactSum& sum() const { return sum_; }
  /// The slope per day (86,400,000,000 µs), the exact quotient rounded once.
  /// Null: fewer than two distinct times. NaN: a value that is not finite. (semantics: A7)
  std::optional<double> slope() const;

  void append_bytes(std::string& out) const;
  bool read_bytes(std::string_view& bytes);
  friend bool operator==(const SlopeMoments& a, const SlopeMoments& b) = default;

 private:
  void change(std::int64_t time_us, double x, bool negate);
  void combine(const SlopeMoments& other, bool negate);

  IntegerMoments times_;
  ExactSum sum_;
  LongSum products_;  // of finite values; units of 2^-1074
};

/// The same of int64 values, or of such that stand for themselves divided by `unit`, a positive
/// power of ten. Plain memory: may be moved by memcpy.
class IntegerSlopeMoments {
 public:
  IntegerSlopeMoments() = default;
  /// Times may be counted from any moment: the slope is the same.
  IntegerSlopeMoments(const IntegerMoments& times, Int128 sum, const Int192& products)
      : times_(times), sum_(sum), products_(products) {}

  void add(std::int64_t time_us, std::int64_t x) { change(time_us, x, false); }
  void subtract(std::int64_t time_us, std::int64_t x) { change(time_us, x, true); }
  void merge(const IntegerSlopeMoments& other) { combine(other, false); }
  void unmerge(const IntegerSlopeMoments& other) { combine(other, true); }

  std::int64_t count() const { return times_.count(); }
  Int128 sum() const { return sum_; }
  std::optional<double> slope(std::uint64_t unit = 1) const;

  void append_bytes(std::string& out) const;
  bool read_bytes(std::string_view& bytes);
  friend bool operator==(const IntegerSlopeMoments&, const IntegerSlopeMoments&) = default;

 private:
  void change(std::int64_t time_us, std::int64_t x, bool negate);
  void combine(const IntegerSlopeMoments& other, bool negate);

  IntegerMoments times_;
  Int128 sum_ = 0;
  Int192 products_;
};

}  // namespace coeval::exact
