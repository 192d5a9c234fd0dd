#include "exact/moments.h"

#include <algorithm>
#include <bit>
#include <limits>

#include "exact/byte_codec.h"
#include "exact/natural.h"
#include "exact/quick_ratio.h"

namespace coeval::exact {

namespace {

constexpr int kSquareExponent = -2148;

// What is to be divided by `denominator` for the variance, n·Σx² − (Σx)² in units of 2^exponent;
// and n·(n − 1) or n².
struct Spread {
  Integer numerator;
  int exponent;
  Natural denominator;
};

Natural natural(std::int64_t n) { return Natural(static_cast<Natural::Word128>(n)); }

bool has_too_few(std::int64_t count, Divisor divisor) {
  return count < (divisor == Divisor::sample ? 2 : 1);
}

Natural divided_by(std::int64_t count, Divisor divisor) {
  return natural(count) * natural(divisor == Divisor::sample ? count - 1 : count);
}

Spread spread(std::int64_t count, const ExactSum& sum, const SquareSum& squares, Divisor divisor) {
  const auto limbs = sum.total();
  const PlacedInteger total(limbs);
  PlacedInteger sum_squared = total;
  sum_squared.value = total.value * total.value;
  sum_squared.first = 2 * total.first;
  const PlacedInteger of_squares(squares.total().limbs(), squares.total().first_limb());
  const std::size_t unit = std::min(of_squares.first, sum_squared.first);
  return {Integer(natural(count), false) * of_squares.in_units(unit) - sum_squared.in_units(unit),
          kSquareExponent + 64 * static_cast<int>(unit), divided_by(count, divisor)};
}

Spread spread(const IntegerMoments& moments, Divisor divisor, std::uint64_t unit = 1) {
  const Integer sum(moments.sum());
  Natural denominator = divided_by(moments.count(), divisor);
  if (unit != 1) denominator = denominator * Natural(Natural::Word128{unit} * unit);
  return {Integer(natural(moments.count()), false) * Integer(moments.squares().limbs) - sum * sum,
          0, denominator};
}

// The same where numerator and denominator are short.
struct ShortSpread {
  Int128 numerator, denominator;
};
std::optional<ShortSpread> short_spread(const IntegerMoments& moments, Divisor divisor,
                                        std::uint64_t unit) {
  const auto squares = moments.squares().shortened();
  if (unit != 1 || !squares) return std::nullopt;
  const Int128 count = moments.count();
  const auto all_squares = short_product(count, *squares);
  const auto sum_squared = short_product(moments.sum(), moments.sum());
  const auto divided_by = short_product(count, divisor == Divisor::sample ? count - 1 : count);
  if (!all_squares || !sum_squared || !divided_by || *all_squares < *sum_squared)
    return std::nullopt;
  return ShortSpread{*all_squares - *sum_squared, *divided_by};
}

// No values have a negative sum of squared deviations, and none have sums without being there.
bool is_possible(std::int64_t count, const Spread& spread, bool empty_sums) {
  return !spread.numerator.negative && (count > 0 || empty_sums);
}

}  // namespace

void SquareSum::change(double x, bool negate) {
  const auto bits = std::bit_cast<std::uint64_t>(x);
  const int field = static_cast<int>(bits >> 52 & 0x7FF);
  if (field == 0x7FF) return;
  std::uint64_t significand = bits & ((std::uint64_t{1} << 52) - 1);
  if (field != 0) significand |= std::uint64_t{1} << 52;
  const int position = field == 0 ? 0 : field - 1;  // of the last bit, from 2^-1074
  sum_.change(LongSum::Magnitude{significand} * significand, 2 * position, negate);
}

std::optional<double> variance(std::int64_t count, const ExactSum& sum, const SquareSum& squares,
                               Divisor divisor) {
  if (has_too_few(count, divisor)) return std::nullopt;
  double special = 0;
  if (sum.special(special)) return std::numeric_limits<double>::quiet_NaN();
  const Spread exact = spread(count, sum, squares, divisor);
  return round_ratio(exact.numerator.magnitude, exact.exponent, exact.denominator);
}

std::optional<double> deviation(std::int64_t count, const ExactSum& sum, const SquareSum& squares,
                                Divisor divisor) {
  if (has_too_few(count, divisor)) return std::nullopt;
  double special = 0;
  if (sum.special(special)) return std::numeric_limits<double>::quiet_NaN();
  const Spread exact = spread(count, sum, squares, divisor);
  return round_root_of_ratio(exact.numerator.magnitude, exact.exponent, exact.denominator);
}

void Moments::add(double x) {
  ++count_;
  sum_.add(x);
  squares_.add(x);
}

void Moments::subtract(double x) {
  --count_;
  sum_.subtract(x);
  squares_.subtract(x);
}

void Moments::merge(const Moments& other) {
  count_ += other.count_;
  sum_.merge(other.sum_);
  squares_.merge(other.squares_);
}

void Moments::unmerge(const Moments& other) {
  count_ -= other.count_;
  sum_.unmerge(other.sum_);
  squares_.unmerge(other.squares_);
}

void Moments::append_bytes(std::string& out) const {
  append_u64(out, static_cast<std::uint64_t>(count_));
  sum_.append_bytes(out);
  squares_.append_bytes(out);
}

bool Moments::read_bytes(std::string_view& bytes) {
  Moments read;
  std::string_view rest = bytes;
  std::uint64_t count = 0;
  if (!read_u64(rest, count)) return false;
  read.count_ = static_cast<std::int64_t>(count);
  if (!read.sum_.read_bytes(rest) || !read.squares_.read_bytes(rest)) return false;
  if (read.count_ < 0 || read.count_ > kMostValues) return false;
  const bool empty = read.sum_ == ExactSum() && read.squares_.total().is_zero();
  if (!is_possible(read.count_, spread(read.count_, read.sum_, read.squares_, Divisor::population),
                   empty))
    return false;
  *this = std::move(read);
  bytes = rest;
  return true;
}

void Int192::change(Int128 product, bool negate) {
  const std::uint64_t sign = product < 0 ? ~std::uint64_t{0} : 0;
  combine({{static_cast<std::uint64_t>(product), static_cast<std::uint64_t>(product >> 64), sign}},
          negate);
}

void Int192::combine(const Int192& other, bool negate) {
  const std::uint64_t flip = negate ? ~std::uint64_t{0} : 0;
  std::uint64_t carry = negate ? 1 : 0;
  for (std::size_t i = 0; i < limbs.size(); ++i) {
    const bool first = __builtin_add_overflow(limbs[i], other.limbs[i] ^ flip, &limbs[i]);
    const bool second = __builtin_add_overflow(limbs[i], carry, &limbs[i]);
    carry = first || second ? 1 : 0;
  }
}

void Int192::append_bytes(std::string& out) const {
  for (const std::uint64_t limb : limbs) append_u64(out, limb);
}

bool Int192::read_bytes(std::string_view& bytes) {
  Int192 read;
  std::string_view rest = bytes;
  for (std::uint64_t& limb : read.limbs)
    if (!read_u64(rest, limb)) return false;
  *this = read;
  bytes = rest;
  return true;
}

void IntegerMoments::change(std::int64_t x, bool negate) {
  count_ += negate ? -1 : 1;
  sum_ += negate ? -Int128{x} : Int128{x};
  squares_.change(Int128{x} * x, negate);
}

void IntegerMoments::combine(const IntegerMoments& other, bool negate) {
  count_ += negate ? -other.count_ : other.count_;
  sum_ += negate ? -other.sum_ : other.sum_;
  squares_.combine(other.squares_, negate);
}

std::optional<double> IntegerMoments::variance(Divisor divisor, std::uint64_t unit) const {
  if (has_too_few(count_, divisor)) return std::nullopt;
  if (const auto exact = short_spread(*this, divisor, unit))
    if (const auto quick = quick_ratio(exact->numerator, exact->denominator)) return quick;
  const Spread exact = spread(*this, divisor, unit);
  return round_ratio(exact.numerator.magnitude, 0, exact.denominator);
}

std::optional<double> IntegerMoments::deviation(Divisor divisor, std::uint64_t unit) const {
  if (has_too_few(count_, divisor)) return std::nullopt;
  if (const auto exact = short_spread(*this, divisor, unit))
    if (const auto quick = quick_root_of_ratio(exact->numerator, exact->denominator)) return quick;
  const Spread exact = spread(*this, divisor, unit);
  return round_root_of_ratio(exact.numerator.magnitude, 0, exact.denominator);
}

void IntegerMoments::append_bytes(std::string& out) const {
  append_u64(out, static_cast<std::uint64_t>(count_));
  append_int128(out, sum_);
  squares_.append_bytes(out);
}

bool IntegerMoments::read_bytes(std::string_view& bytes) {
  IntegerMoments read;
  std::string_view rest = bytes;
  std::uint64_t count = 0;
  if (!read_u64(rest, count) || !read_int128(rest, read.sum_) || !read.squares_.read_bytes(rest))
    return false;
  read.count_ = static_cast<std::int64_t>(count);
  if (read.count_ < 0 || read.count_ > kMostValues) return false;
  const bool empty = read.sum_ == 0 && read.squares_ == Int192();
  if (!is_possible(read.count_, spread(read, Divisor::population), empty)) return false;
  *this = read;
  bytes = rest;
  return true;
}

}  // namespace coeval::exact
