#include "quality/column_sum.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <span>
#include <vector>

#include "base/check.h"
#include "data/decimal.h"
#include "exact/long_sum.h"
#include "exact/ratio.h"

namespace coeval::quality {

namespace {

using exact::Int128;
using exact::LongSum;

// Long sums here are in units of 2^-1074, as those of float64 values.
constexpr int kUnitBits = 1074;
__extension__ using UInt128 = unsigned __int128;

// Adds (or takes away) factor times a two's complement number whose lowest limb is the first.
void add_times(LongSum& to, std::span<const std::uint64_t> limbs, int position,
               std::uint64_t factor, bool negate) {
  const bool negative = limbs.back() >> 63 != 0;
  std::vector<std::uint64_t> magnitude(limbs.begin(), limbs.end());
  if (negative) {
    bool carry = true;
    for (std::uint64_t& limb : magnitude) {
      limb = ~limb + (carry ? 1 : 0);
      carry = carry && limb == 0;
    }
  }
  for (std::size_t i = 0; i < magnitude.size(); ++i)
    if (magnitude[i] != 0)
      to.change(UInt128{magnitude[i]} * factor, position + 64 * static_cast<int>(i),
                negative != negate);
}

// The shortest decimal that reads back as a float64 that is 0 or more, when it has few digits.
bool short_decimal(double value, std::int64_t& scaled, int& scale) {
  std::array<char, 400> text{};
  const auto end =
      std::to_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed);
  data::Type type{};
  if (end.ec != std::errc() ||
      !data::read_any_decimal({text.data(), static_cast<std::size_t>(end.ptr - text.data())}, type,
                              scaled))
    return false;
  scale = data::scale_of(type);
  return true;
}

}  // namespace

ColumnSum::ColumnSum(data::Type type) : type_(type) { COEVAL_CHECK(data::is_number(type)); }

void ColumnSum::add(const data::Column& column) {
  COEVAL_CHECK(column.type() == type_);
  const bool is_real = data::is_float(type_);
  for (std::int64_t row = 0; row < column.size(); ++row) {
    if (column.is_null(row)) continue;
    ++count_;
    if (is_real)
      reals_.add(column.real(row));
    else
      integers_ += column.integer(row);
  }
}

void ColumnSum::merge(const ColumnSum& other) {
  COEVAL_CHECK(type_ == other.type_);
  count_ += other.count_;
  integers_ += other.integers_;
  reals_.merge(other.reals_);
}

double ColumnSum::sum() const {
  if (data::is_float(type_)) return reals_.round();
  const auto unit = static_cast<std::uint64_t>(data::power_of_ten(data::scale_of(type_)));
  return *exact::ratio(integers_, unit, Int128{1}, std::uint64_t{1});
}

double ColumnSum::mean() const {
  COEVAL_CHECK(count_ > 0);
  if (data::is_float(type_)) return reals_.mean(count_);
  const auto unit = static_cast<std::uint64_t>(data::power_of_ten(data::scale_of(type_)));
  return *exact::ratio(integers_, unit, Int128{count_}, std::uint64_t{1});
}

// Both sums and the tolerance times 10^scale, where no decimal has a digit after the point.
bool ColumnSum::are_equal(const ColumnSum& a, const ColumnSum& b, double tolerance) {
  double none = 0;
  if (a.reals_.special(none) || b.reals_.special(none)) return false;
  std::int64_t allowed = 0;
  int allowed_scale = 0;
  const bool is_decimal = short_decimal(tolerance, allowed, allowed_scale);
  const int scale = std::max({data::scale_of(a.type_), data::scale_of(b.type_), allowed_scale});
  LongSum difference;
  const auto add = [&](const ColumnSum& sum, bool negate) {
    const auto factor =
        static_cast<std::uint64_t>(data::power_of_ten(scale - data::scale_of(sum.type_)));
    if (data::is_float(sum.type_)) {
      const auto limbs = sum.reals_.total();
      return add_times(difference, limbs, 0, factor, negate);
    }
    const std::array<std::uint64_t, 2> limbs{static_cast<std::uint64_t>(sum.integers_),
                                             static_cast<std::uint64_t>(sum.integers_ >> 64)};
    add_times(difference, limbs, kUnitBits, factor, negate);
  };
  add(a, false);
  add(b, true);
  LongSum beyond;  // |difference| − tolerance
  beyond.combine(difference, difference.is_negative());
  if (is_decimal) {
    const std::array<std::uint64_t, 1> limbs{static_cast<std::uint64_t>(allowed)};
    add_times(beyond, limbs, kUnitBits,
              static_cast<std::uint64_t>(data::power_of_ten(scale - allowed_scale)), true);
  } else {
    exact::ExactSum exactly;
    exactly.add(tolerance);
    const auto limbs = exactly.total();
    add_times(beyond, limbs, 0, static_cast<std::uint64_t>(data::power_of_ten(scale)), true);
  }
  return beyond.is_negative() || beyond.is_zero();
}

std::string ColumnSum::text() const {
  if (data::is_float(type_)) return data::to_text(data::Value{reals_.round()}, data::Type::float64);
  std::string digits;
  const bool negative = integers_ < 0;
  UInt128 rest = negative ? -static_cast<UInt128>(integers_) : static_cast<UInt128>(integers_);
  const auto scale = static_cast<std::size_t>(data::scale_of(type_));
  for (; rest != 0 || digits.size() <= scale; rest /= 10)
    digits.insert(digits.begin(), static_cast<char>('0' + static_cast<int>(rest % 10)));
  if (scale > 0) digits.insert(digits.size() - scale, ".");
  return (negative ? "-" : "") + digits;
}

}  // namespace coeval::quality
