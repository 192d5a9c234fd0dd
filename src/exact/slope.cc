#include "exact/slope.h"

#include <algorithm>
#include <bit>
#include <limits>

#include "exact/byte_codec.h"
#include "exact/natural.h"
#include "exact/quick_ratio.h"

namespace coeval::exact {

namespace {

constexpr int kUnitExponent = -1074;
constexpr std::int64_t kDayUs = 86'400'000'000;

Integer count_of(const IntegerMoments& times) { return Integer(Int128{times.count()}); }

// n·Σt² − (Σt)²: 0 where there are not two distinct times.
Integer time_spread(const IntegerMoments& times) {
  const Integer sum(times.sum());
  return count_of(times) * Integer(times.squares().limbs) - sum * sum;
}

// (n·Σtx − Σt·Σx) / (n·Σt² − (Σt)²) per day.
double slope_of(const IntegerMoments& times, const Integer& spread, const Integer& products,
                const Integer& sum, int exponent) {
  const Integer numerator =
      (count_of(times) * products - Integer(times.sum()) * sum) * Integer(Int128{kDayUs});
  const double slope = round_ratio(numerator.magnitude, exponent, spread.magnitude);
  return numerator.negative ? -slope : slope;
}

// The same of integers where all that it is made of is short.
std::optional<double> quick_slope(const IntegerMoments& times, const Int192& products,
                                  const Int128& sum) {
  const auto squares = times.squares().shortened(), short_products = products.shortened();
  if (!squares || !short_products) return std::nullopt;
  const auto all_squares = short_product(times.count(), *squares);
  const auto time_squared = short_product(times.sum(), times.sum());
  const auto all_products = short_product(times.count(), *short_products);
  const auto of_means = short_product(times.sum(), sum);
  if (!all_squares || !time_squared || !all_products || !of_means) return std::nullopt;
  const Int128 spread = *all_squares - *time_squared;
  const auto numerator = short_product(*all_products - *of_means, kDayUs);
  if (spread <= 0 || !numerator) return std::nullopt;
  return quick_ratio(*numerator, spread);
}

}  // namespace

void SlopeMoments::change(std::int64_t time_us, double x, bool negate) {
  if (negate) {
    times_.subtract(time_us);
    sum_.subtract(x);
  } else {
    times_.add(time_us);
    sum_.add(x);
  }
  const auto bits = std::bit_cast<std::uint64_t>(x);
  const int field = static_cast<int>(bits >> 52 & 0x7FF);
  if (field == 0x7FF) return;
  std::uint64_t significand = bits & ((std::uint64_t{1} << 52) - 1);
  if (field != 0) significand |= std::uint64_t{1} << 52;
  const std::uint64_t time = time_us < 0 ? std::uint64_t{0} - static_cast<std::uint64_t>(time_us)
                                         : static_cast<std::uint64_t>(time_us);
  const bool negative = (bits >> 63 != 0) != (time_us < 0);
  products_.change(LongSum::Magnitude{significand} * time, field == 0 ? 0 : field - 1,
                   negative != negate);
}

void SlopeMoments::combine(const SlopeMoments& other, bool negate) {
  if (negate) {
    times_.unmerge(other.times_);
    sum_.unmerge(other.sum_);
  } else {
    times_.merge(other.times_);
    sum_.merge(other.sum_);
  }
  products_.combine(other.products_, negate);
}

std::optional<double> SlopeMoments::slope() const {
  const Integer spread = time_spread(times_);
  if (spread.magnitude.is_zero()) return std::nullopt;
  double special = 0;
  if (sum_.special(special)) return std::numeric_limits<double>::quiet_NaN();
  const auto limbs = sum_.total();
  const PlacedInteger sum(limbs), products(products_.limbs(), products_.first_limb());
  const std::size_t unit = std::min(sum.first, products.first);
  return slope_of(times_, spread, products.in_units(unit), sum.in_units(unit),
                  kUnitExponent + 64 * static_cast<int>(unit));
}

void SlopeMoments::append_bytes(std::string& out) const {
  times_.append_bytes(out);
  sum_.append_bytes(out);
  products_.append_bytes(out);
}

bool SlopeMoments::read_bytes(std::string_view& bytes) {
  SlopeMoments read;
  std::string_view rest = bytes;
  if (!read.times_.read_bytes(rest) || !read.sum_.read_bytes(rest) ||
      !read.products_.read_bytes(rest))
    return false;
  if (read.count() == 0 && !(read.sum_ == ExactSum() && read.products_.is_zero())) return false;
  *this = std::move(read);
  bytes = rest;
  return true;
}

void IntegerSlopeMoments::change(std::int64_t time_us, std::int64_t x, bool negate) {
  if (negate)
    times_.subtract(time_us);
  else
    times_.add(time_us);
  sum_ += negate ? -Int128{x} : Int128{x};
  products_.change(Int128{time_us} * x, negate);
}

void IntegerSlopeMoments::combine(const IntegerSlopeMoments& other, bool negate) {
  if (negate)
    times_.unmerge(other.times_);
  else
    times_.merge(other.times_);
  sum_ += negate ? -other.sum_ : other.sum_;
  products_.combine(other.products_, negate);
}

std::optional<double> IntegerSlopeMoments::slope(std::uint64_t unit) const {
  if (unit == 1)
    if (const auto quick = quick_slope(times_, products_, sum_)) return quick;
  const Integer spread = time_spread(times_);
  if (spread.magnitude.is_zero()) return std::nullopt;
  const Integer divisor(spread.magnitude * Natural(Natural::Word128{unit}), false);
  return slope_of(times_, divisor, Integer(products_.limbs), Integer(sum_), 0);
}

void IntegerSlopeMoments::append_bytes(std::string& out) const {
  times_.append_bytes(out);
  append_int128(out, sum_);
  products_.append_bytes(out);
}

bool IntegerSlopeMoments::read_bytes(std::string_view& bytes) {
  IntegerSlopeMoments read;
  std::string_view rest = bytes;
  if (!read.times_.read_bytes(rest) || !read_int128(rest, read.sum_) ||
      !read.products_.read_bytes(rest))
    return false;
  if (read.count() == 0 && (read.sum_ != 0 || read.products_ != Int192())) return false;
  *this = read;
  bytes = rest;
  return true;
}

}  // namespace coeval::exact
