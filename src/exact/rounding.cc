#include "exact/rounding.h"

#include <array>
#include <bit>
#include <cstring>
#include <limits>

#include "base/check.h"

namespace coeval::exact {

namespace {

__extension__ using Wide = unsigned __int128;

// Position of the highest set bit, or -1.
int top_bit(std::span<const std::uint64_t> limbs) {
  for (std::size_t i = limbs.size(); i-- > 0;)
    if (limbs[i] != 0) return static_cast<int>(i) * 64 + 63 - std::countl_zero(limbs[i]);
  return -1;
}

bool bit_at(std::span<const std::uint64_t> limbs, int position) {
  return (limbs[static_cast<std::size_t>(position / 64)] >> (position % 64) & 1) != 0;
}

bool any_below(std::span<const std::uint64_t> limbs, int position) {
  const auto whole = static_cast<std::size_t>(position / 64);
  for (std::size_t i = 0; i < whole; ++i)
    if (limbs[i] != 0) return true;
  return position % 64 != 0 && limbs[whole] << (64 - position % 64) != 0;
}

// Bits [from, from + 63] as one word; bits past the end are 0.
std::uint64_t word_at(std::span<const std::uint64_t> limbs, int from) {
  const auto limb = static_cast<std::size_t>(from / 64);
  const int shift = from % 64;
  std::uint64_t word = limbs[limb] >> shift;
  if (shift != 0 && limb + 1 < limbs.size()) word |= limbs[limb + 1] << (64 - shift);
  return word;
}

// significand · 2^exponent where the product is representable: only bits are put together, nothing
// rounds.
double compose(std::uint64_t significand, int exponent) {
  if (significand == 0) return 0.0;
  int shift = std::countl_zero(significand) - 11;
  if (exponent - shift < kFloat64.min_exponent) shift = exponent - kFloat64.min_exponent;
  significand = shift >= 0 ? significand << shift : significand >> -shift;
  exponent -= shift;
  const bool normal = significand >> 52 != 0;
  const std::uint64_t field = normal ? static_cast<std::uint64_t>(exponent + 1075) : 0;
  return std::bit_cast<double>(field << 52 | (significand & ((std::uint64_t{1} << 52) - 1)));
}

}  // namespace

double round_magnitude(std::span<const std::uint64_t> magnitude, int exponent, bool more,
                       FloatFormat format) {
  const int top = top_bit(magnitude);
  if (top < 0) return 0.0;
  // Bits under `cut` are rounded away: what the precision leaves out, or what lies under the
  // smallest subnormal, whichever is more.
  int cut = top - (format.precision - 1);
  if (cut + exponent < format.min_exponent) cut = format.min_exponent - exponent;
  if (cut > top + 1) return 0.0;
  std::uint64_t kept = 0;
  if (cut <= 0) {
    kept = word_at(magnitude, 0);
    cut = 0;  // exact already; `more` is only set when there are bits to spare
  } else {
    kept = cut > top ? 0 : word_at(magnitude, cut);
    const bool half = bit_at(magnitude, cut - 1);
    const bool above_half = half && (more || any_below(magnitude, cut - 1));
    if (above_half || (half && (kept & 1) != 0)) ++kept;
  }
  const int top_kept = 63 - std::countl_zero(kept | 1);
  if (kept != 0 && top_kept + cut + exponent >= format.overflow_exponent)
    return std::numeric_limits<double>::infinity();
  return compose(kept, cut + exponent);
}

double round_quotient(std::span<const std::uint64_t> magnitude, int exponent,
                      std::uint64_t divisor) {
  COEVAL_CHECK(divisor > 0 && magnitude.size() <= kMaxLimbs);
  const int top = top_bit(magnitude);
  if (top < 0) return 0.0;
  // Zero limbs are put under the dividend until the quotient surely has more bits than a float64
  // keeps.
  const auto used = static_cast<std::size_t>(top / 64) + 1;
  const int quotient_bits = top - (63 - std::countl_zero(divisor));
  const std::size_t extra = quotient_bits >= 64 ? 0 : quotient_bits >= 0 ? 1 : 2;
  std::array<std::uint64_t, kMaxLimbs + 2> quotient;
  std::uint64_t rest = 0;
  for (std::size_t i = used + extra; i-- > 0;) {
    const std::uint64_t limb = i >= extra ? magnitude[i - extra] : 0;
    const Wide part = Wide{rest} << 64 | limb;
    quotient[i] = static_cast<std::uint64_t>(part / divisor);
    rest = static_cast<std::uint64_t>(part % divisor);
  }
  return round_magnitude(std::span(quotient).first(used + extra),
                         exponent - 64 * static_cast<int>(extra), rest != 0, kFloat64);
}

}  // namespace coeval::exact
