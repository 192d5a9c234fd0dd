#pragma once

#include "exact/maths_pair.h"
#include "exact/maths_tables.h"

namespace coeval::exact::maths {

/// log x before its polynomial: log x = base + log(1 + r), base exact to 2^-95.
struct LogParts {
  Pair base;
  Pair r;
};

/// Splits log(x + more) for a normal x > 0 and |more| ≤ 2^-53 x; `extra` is the power of two that x
/// was multiplied by beforehand.
///
/// x = 2^e · z with z in [0.70, 1.41), c about 1 / z with few bits from a table, r = c · z − 1 with
/// |r| < 0.005; so log x = e · ln 2 − log c + log(1 + r). Around 1 the table has c = 1 and e is 0:
/// nothing cancels.
inline LogParts log_parts(double x, double more, int extra) {
  constexpr int kIntervalBits = 45;
  constexpr std::uint64_t kFirst = bits_of(1.0) - (std::uint64_t{1} << (kIntervalBits - 1)) -
                                   (std::uint64_t{kLogOfOne} << kIntervalBits);
  const std::uint64_t offset = bits_of(x) - kFirst;
  const int e = static_cast<int>(static_cast<std::int64_t>(offset) >> 52);
  const LogRow& row = kLogs[static_cast<std::size_t>(offset >> kIntervalBits & 127)];
  const double z = std::bit_cast<double>(bits_of(x) - (static_cast<std::uint64_t>(e) << 52));
  // Both products have few enough bits to be exact.
  const double z_head = head(z);
  const Pair first = ordered_sum(z_head * row.reciprocal - 1.0, (z - z_head) * row.reciprocal);
  const double tail = more == 0 ? 0.0 : more * power_of_two(-e) * row.reciprocal;
  const double power = e - extra;
  return {{power * kLn2.hi + row.log.hi, power * kLn2.lo + row.log.lo},
          ordered_sum(first.hi, first.lo + tail)};
}

}  // namespace coeval::exact::maths
