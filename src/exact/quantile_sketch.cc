#include "exact/quantile_sketch.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <type_traits>
#include <utility>

#include "base/check.h"
#include "exact/byte_codec.h"
#include "exact/natural.h"
#include "exact/rounding.h"

namespace coeval::exact {

namespace {

using Word128 = Natural::Word128;
using Entries = std::vector<ValueCount<std::int64_t>>;
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr int kUnitExponent = -1074;  // of the last place of the smallest float64

// ±significand · 2^exponent.
struct Parts {
  std::int64_t significand;  // with its sign
  int exponent;
};
Parts parts_of(double x) {
  const auto bits = std::bit_cast<std::uint64_t>(x);
  const int field = static_cast<int>(bits >> 52 & 0x7FF);
  auto significand = static_cast<std::int64_t>(bits & ((std::uint64_t{1} << 52) - 1));
  if (field != 0) significand |= std::int64_t{1} << 52;
  return {bits >> 63 != 0 ? -significand : significand, (field == 0 ? 1 : field) - 1075};
}

double round_integer(const Integer& number, int exponent) {
  const double magnitude = round_magnitude(number.magnitude.limbs(), exponent, false, kFloat64);
  return number.negative ? -magnitude : magnitude;
}

double round_int128(Int128 number, int exponent) {
  return round_integer(Integer(number), exponent);
}

Integer shifted(std::int64_t value, int bits) {
  Integer number(Int128{value});
  number.magnitude.shift_left(bits);
  return number;
}

// (a + (b − a)·fraction)·2^unit of numbers a·2^a_shift and b·2^b_shift.
double between(std::int64_t a, int a_shift, std::int64_t b, int b_shift, const QuantileRank& rank,
               int unit) {
  const int bits = rank.fraction_bits;
  if (bits <= 60 && a_shift <= 9 && b_shift <= 9) {
    const Int128 from = Int128{a} << a_shift, to = Int128{b} << b_shift;
    return round_int128((from << bits) + (to - from) * static_cast<Int128>(rank.fraction),
                        unit - bits);
  }
  Integer from = shifted(a, a_shift);
  const Integer step = shifted(b, b_shift) - from;
  from.magnitude.shift_left(bits);
  return round_integer(from + step * Integer(Natural(rank.fraction), false), unit - bits);
}

// Values as int64 keys in the order of the values.
template <class Value>
struct Ordered;

template <>
struct Ordered<std::int64_t> {
  static constexpr int kUnit = 0;  // the exponent of the finest difference
  static std::int64_t key(std::int64_t x) { return x; }
  static std::int64_t value(std::int64_t key) { return key; }
  static bool is_key(std::int64_t) { return true; }
  static Parts parts(std::int64_t x) { return {x, 0}; }
  static bool is_infinite(std::int64_t) { return false; }
};

template <>
struct Ordered<double> {
  static constexpr int kUnit = kUnitExponent;
  static std::int64_t key(double x) {
    const auto bits = std::bit_cast<std::int64_t>(x == 0 ? 0.0 : x);
    return bits >= 0 ? bits : std::numeric_limits<std::int64_t>::min() - bits;
  }
  static double value(std::int64_t key) {
    return std::bit_cast<double>(key >= 0 ? key : std::numeric_limits<std::int64_t>::min() - key);
  }
  static bool is_key(std::int64_t key) {
    return key != std::numeric_limits<std::int64_t>::min() && !std::isnan(value(key));
  }
  static Parts parts(double x) { return parts_of(x); }
  static bool is_infinite(double x) { return std::isinf(x); }
};

// Bins. Number 0 is for zero; a positive value has the bin
// 1 + 128·(place of its top bit, from the unit) + (its next seven bits); a negative one has minus
// that of its magnitude; an infinity the bin beyond all others.
constexpr int kBinBits = 7;
constexpr std::int64_t kBinsPerOctave = 1 << kBinBits;
constexpr int kOctaves = 1024 - kUnitExponent;
constexpr std::int64_t kInfinityBin = 1 + kOctaves * kBinsPerOctave;

template <class Value>
std::int64_t bin_of(Value x) {
  if (x == 0) return 0;
  if (Ordered<Value>::is_infinite(x)) return x > 0 ? kInfinityBin : -kInfinityBin;
  const Parts parts = Ordered<Value>::parts(x);
  const auto bits = static_cast<std::uint64_t>(parts.significand);
  const std::uint64_t magnitude = parts.significand < 0 ? std::uint64_t{0} - bits : bits;
  const int zeros = std::countl_zero(magnitude);
  const int octave = 63 - zeros + parts.exponent - Ordered<Value>::kUnit;
  const auto next =
      static_cast<std::int64_t>(magnitude << zeros >> (63 - kBinBits)) - kBinsPerOctave;
  const std::int64_t bin = 1 + octave * kBinsPerOctave + next;
  return x > 0 ? bin : -bin;
}

// The middle of a bin, or its only value where it has but one.
template <class Value>
double middle_of(std::int64_t bin) {
  if (bin == 0) return 0.0;
  const std::int64_t number = (bin < 0 ? -bin : bin) - 1;
  const auto octave = static_cast<int>(number / kBinsPerOctave);
  const auto significand = static_cast<std::uint64_t>(kBinsPerOctave + number % kBinsPerOctave);
  const std::uint64_t doubled = 2 * significand + (octave > kBinBits ? 1 : 0);
  const double magnitude =
      number + 1 == kInfinityBin
          ? kInfinity
          : round_magnitude(std::span(&doubled, 1), octave + Ordered<Value>::kUnit - kBinBits - 1,
                            false, kFloat64);
  return bin < 0 ? -magnitude : magnitude;
}

template <class Value>
bool is_bin(std::int64_t bin) {
  constexpr bool kReal = std::is_same_v<Value, double>;
  constexpr std::int64_t kMost = kReal ? kInfinityBin : 64 * kBinsPerOctave;
  if (bin < -kMost || bin > kMost) return false;
  // The lowest octaves have fewer values than bins.
  const std::int64_t number = (bin < 0 ? -bin : bin) - 1;
  const std::int64_t octave = number / kBinsPerOctave;
  return bin == 0 || octave >= kBinBits || number % (kBinsPerOctave >> octave) == 0;
}

// The index-th and the next of the values in ascending order (the same where there is none).
struct Neighbours {
  std::int64_t at, next;
};
Neighbours neighbours(Entries entries, std::int64_t index) {
  const auto less = [](const auto& a, const auto& b) { return a.value < b.value; };
  // Invariant: what lies before `low` is smaller, and what lies from `high` on greater, than all
  // between; `below` values lie before `low`; the index-th is between.
  auto low = entries.begin(), high = entries.end();
  std::int64_t below = 0;
  while (high - low > 1) {
    const auto middle = low + (high - low) / 2;
    std::nth_element(low, middle, high, less);
    std::int64_t left = 0;
    for (auto entry = low; entry != middle; ++entry) left += entry->count;
    if (index < below + left) {
      high = middle;
    } else {
      below += left;
      low = middle;
    }
  }
  const bool again = index + 1 < below + low->count || high == entries.end();
  return {low->value, again ? low->value : std::min_element(high, entries.end(), less)->value};
}

}  // namespace

QuantileRank quantile_rank(double p, std::int64_t n) {
  COEVAL_CHECK(p >= 0 && p <= 1 && n >= 1);
  auto [significand, exponent] = parts_of(p);
  if (significand == 0) return {0, 0, 0};
  const int zeros = std::countr_zero(static_cast<std::uint64_t>(significand));
  significand >>= zeros;
  exponent += zeros;
  // p ≤ 1, so what is left is 1 or has a negative exponent.
  const Word128 product = static_cast<Word128>(significand) * static_cast<Word128>(n - 1);
  const int bits = -exponent;
  if (bits >= 128) return {0, product, product == 0 ? 0 : bits};
  const Word128 whole = product >> bits;
  const Word128 fraction = product - (whole << bits);
  return {static_cast<std::int64_t>(whole), fraction, fraction == 0 ? 0 : bits};
}

double interpolate(double a, double b, const QuantileRank& rank) {
  if (rank.fraction == 0 || a == b) return a;
  if (std::isinf(a) || std::isinf(b)) {
    if (std::isinf(a) && std::isinf(b)) return kNaN;
    return std::isinf(a) ? a : b;
  }
  const Parts from = parts_of(a), to = parts_of(b);
  const int unit = std::min(from.exponent, to.exponent);
  return between(from.significand, from.exponent - unit, to.significand, to.exponent - unit, rank,
                 unit);
}

double interpolate(std::int64_t a, std::int64_t b, const QuantileRank& rank, std::uint64_t unit) {
  if (unit == 1) return between(a, 0, b, 0, rank, 0);
  Integer from(Int128{a});
  const Integer step = Integer(Int128{b}) - from;
  from.magnitude.shift_left(rank.fraction_bits);
  const Integer place = from + step * Integer(Natural(rank.fraction), false);
  const double size =
      round_ratio(place.magnitude, -rank.fraction_bits, Natural(Natural::Word128{unit}));
  return place.negative ? -size : size;
}

template <class Value>
QuantileSketch<Value>::QuantileSketch(std::size_t cap) : cap_(cap), values_(cap) {}

template <class Value>
void QuantileSketch<Value>::add(Value x, std::int64_t times) {
  count_ += times;
  if (x != x) {
    nans_ += times;
    return;
  }
  if (approximate_)
    values_.add(bin_of(x), times);
  else
    add_key(Ordered<Value>::key(x), times);
}

template <class Value>
void QuantileSketch<Value>::add_key(std::int64_t key, std::int64_t times) {
  if (approximate_) return values_.add(bin_of(Ordered<Value>::value(key)), times);
  values_.add(key, times);
  if (values_.is_over_cap()) give_up_exactness();
}

template <class Value>
void QuantileSketch<Value>::give_up_exactness() {
  ValueCounts<std::int64_t> bins(std::numeric_limits<std::size_t>::max());
  values_.each([&](std::int64_t key, std::int64_t count) {
    bins.add(bin_of(Ordered<Value>::value(key)), count);
  });
  values_ = std::move(bins);
  approximate_ = true;
}

template <class Value>
void QuantileSketch<Value>::merge(const QuantileSketch& other) {
  COEVAL_CHECK(cap_ == other.cap_);
  if (&other == this) return merge(QuantileSketch(other));
  if (other.approximate_ && !approximate_) give_up_exactness();
  other.values_.each([&](std::int64_t key, std::int64_t count) {
    if (other.approximate_)
      values_.add(key, count);
    else
      add_key(key, count);
  });
  count_ += other.count_;
  nans_ += other.nans_;
}

template <class Value>
void QuantileSketch<Value>::clear() {
  if (approximate_)
    *this = QuantileSketch(cap_);
  else
    values_.clear();
  count_ = nans_ = 0;
}

template <class Value>
std::optional<double> QuantileSketch<Value>::quantile(double p, std::uint64_t unit) const {
  if (count_ == 0) return std::nullopt;
  if (nans_ > 0) return kNaN;
  const QuantileRank rank = quantile_rank(p, count_);
  const auto [at, next] = neighbours(values_.entries(), rank.index);
  if (approximate_)
    return interpolate(middle_of<Value>(at), middle_of<Value>(next), rank) /
           static_cast<double>(unit);
  if constexpr (std::is_same_v<Value, std::int64_t>)
    return interpolate(at, next, rank, unit);
  else
    return interpolate(Ordered<Value>::value(at), Ordered<Value>::value(next), rank);
}

// u8 whether approximate, how many NaN, then the values by order key, or the bins.
template <class Value>
void QuantileSketch<Value>::append_bytes(std::string& out) const {
  out.push_back(approximate_ ? 1 : 0);
  append_count(out, nans_);
  values_.append_bytes(out);
}

template <class Value>
bool QuantileSketch<Value>::read_bytes(std::string_view& bytes) {
  QuantileSketch read(cap_);
  std::string_view rest = bytes;
  std::uint8_t approximate = 0;
  if (!read_u8(rest, approximate) || approximate > 1 || !read_count(rest, read.nans_)) return false;
  read.approximate_ = approximate == 1;
  if (read.approximate_)
    read.values_ = ValueCounts<std::int64_t>(static_cast<std::size_t>(2 * kInfinityBin + 1));
  read.count_ = read.nans_;
  const auto accept = [&](std::int64_t key, std::int64_t count) {
    if (__builtin_add_overflow(read.count_, count, &read.count_)) return false;
    return read.approximate_ ? is_bin<Value>(key) : Ordered<Value>::is_key(key);
  };
  if (!read.values_.read_bytes(rest, accept)) return false;
  if (read.count_ > kMostValues) return false;
  // More than the cap of distinct values have a count above it.
  if (read.approximate_ && std::cmp_less_equal(read.count_ - read.nans_, cap_)) return false;
  *this = std::move(read);
  bytes = rest;
  return true;
}

template class QuantileSketch<double>;
template class QuantileSketch<std::int64_t>;

}  // namespace coeval::exact
