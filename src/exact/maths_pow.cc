#include "exact/maths.h"
#include "exact/maths_exp.h"
#include "exact/maths_log.h"
#include "exact/maths_pair.h"
#include "exact/maths_tables.h"

namespace coeval::exact {

namespace maths {
namespace {

// log x to 2^-68 of it, for finite x > 0: an exponent of 745 leaves 2^-58 of the power.
Pair precise_log_of(double x) {
  const LogParts parts = x < 0x1p-1022 ? log_parts(x * 0x1p54, 0.0, 54) : log_parts(x, 0.0, 0);
  const double r = parts.r.hi, r2 = r * r;
  const double from_third =
      r * r2 *
      ((1.0 / 3 - r * (1.0 / 4)) +
       r2 * ((1.0 / 5 - r * (1.0 / 6)) + r2 * ((1.0 / 7 - r * (1.0 / 8)) + r2 * (1.0 / 9))));
  // −r² / 2, whose first part is exact.
  const double r_head = head(r);
  const double square = -0.5 * r_head * r_head;
  const double square_rest = -0.5 * ((r - r_head) * (r + r_head)) - r * parts.r.lo;
  const Pair first = ordered_sum(parts.base.hi, r);
  const Pair second = ordered_sum(first.hi, square);
  return ordered_sum(second.hi, (second.lo + first.lo) + (parts.base.lo + parts.r.lo) +
                                    (square_rest + from_third));
}

enum class Parity { kNone, kEven, kOdd };  // kNone: not an integer

Parity parity_of(double y) {
  const double size = absolute(y);
  if (!(size < 0x1p53)) return Parity::kEven;
  if (size < 1) return size == 0 ? Parity::kEven : Parity::kNone;
  const int fraction_bits = 1075 - static_cast<int>(bits_of(size) >> 52);
  const std::uint64_t significand =
      (bits_of(size) & ((std::uint64_t{1} << 52) - 1)) | std::uint64_t{1} << 52;
  if ((significand & ((std::uint64_t{1} << fraction_bits) - 1)) != 0) return Parity::kNone;
  return (significand >> fraction_bits & 1) != 0 ? Parity::kOdd : Parity::kEven;
}

// |y| is infinite: only whether |x| is above, at or below 1 counts.
double to_the_infinite(double x, double y) {
  const double size = absolute(x);
  if (size == 1) return 1.0;
  return (size > 1) == (y > 0) ? kInfinity : 0.0;
}

}  // namespace
}  // namespace maths

double pow(double x, double y) {
  using namespace maths;
  if (y == 0 || x == 1) return 1.0;
  if (x != x || y != y) [[unlikely]]
    return kNaN;
  const double size = absolute(x);
  if (absolute(y) == kInfinity) [[unlikely]]
    return to_the_infinite(x, y);
  std::uint64_t sign = 0;
  if (negative(x)) {
    const Parity parity = parity_of(y);
    if (parity == Parity::kNone && x != 0 && size < kInfinity) return kNaN;
    if (parity == Parity::kOdd) sign = kSignBit;
  }
  if (x == 0 || size == kInfinity) [[unlikely]]
    return flip((x == 0) == (y < 0) ? kInfinity : 0.0, sign);
  if (size == 1) return flip(1.0, sign);

  // |log x| is at least 2^-53 and at most 745.
  if (absolute(y) > 0x1p64) [[unlikely]]
    return flip((size > 1) == (y > 0) ? kInfinity : 0.0, sign);
  if (absolute(y) < 0x1p-65) [[unlikely]]
    return flip(1.0, sign);
  const Pair log_of_x = precise_log_of(size);
  const Pair main = product(y, log_of_x.hi);
  if (absolute(main.hi) > 790) [[unlikely]]
    return flip(main.hi > 0 ? kInfinity : 0.0, sign);
  const Scaled result = exp_of(ordered_sum(main.hi, main.lo + y * log_of_x.lo));
  return flip(scaled(result.value, result.exponent), sign);
}

}  // namespace coeval::exact
