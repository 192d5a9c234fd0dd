#include "exact/maths_log.h"

#include "exact/maths.h"
#include "exact/maths_pair.h"
#include "exact/maths_tables.h"

namespace coeval::exact {

namespace maths {
namespace {

// The logarithm to 2^-60 of it.
Pair log_of(const LogParts& parts) {
  const double r = parts.r.hi, r2 = r * r;
  const double curved =
      r2 *
      ((-1.0 / 2 + r * (1.0 / 3)) +
       r2 * ((-1.0 / 4 + r * (1.0 / 5)) + r2 * ((-1.0 / 6 + r * (1.0 / 7)) + r2 * (-1.0 / 8))));
  const Pair total = ordered_sum(parts.base.hi, r);
  return ordered_sum(total.hi, total.lo + (parts.base.lo + parts.r.lo) + curved);
}

// What log, log2 and log10 answer without computing: 0, negative, infinite, NaN.
double log_of_special(double x) {
  if (x == 0) return -kInfinity;
  return x > 0 ? kInfinity : kNaN;
}

bool positive_and_finite(double x) { return x > 0 && x < kInfinity; }

Pair log_of(double x) {
  if (x < 0x1p-1022) [[unlikely]]
    return log_of(log_parts(x * 0x1p54, 0.0, 54));
  return log_of(log_parts(x, 0.0, 0));
}

}  // namespace
}  // namespace maths

double log(double x) {
  using namespace maths;
  if (!positive_and_finite(x)) [[unlikely]]
    return log_of_special(x);
  const Pair result = log_of(x);
  return result.hi + result.lo;
}

double log2(double x) {
  using namespace maths;
  if (!positive_and_finite(x)) [[unlikely]]
    return log_of_special(x);
  const Pair result = product(log_of(x), kPerLn2);
  return result.hi + result.lo;
}

double log10(double x) {
  using namespace maths;
  if (!positive_and_finite(x)) [[unlikely]]
    return log_of_special(x);
  const Pair result = product(log_of(x), kPerLn10);
  return result.hi + result.lo;
}

double log1p(double x) {
  using namespace maths;
  if (absolute(x) < 0x1p-54) return x;
  if (!(x > -1) || !(x < 0x1p60)) [[unlikely]] {
    if (x == -1) return -kInfinity;
    return x > 0 ? log(x) : kNaN;  // 1 is below 2^-59 of x
  }
  const Pair one_more = sum(1.0, x);
  const Pair result = log_of(log_parts(one_more.hi, one_more.lo, 0));
  return result.hi + result.lo;
}

}  // namespace coeval::exact
