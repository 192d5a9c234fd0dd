#include "exact/maths_exp.h"
#include "exact/maths.h"
#include "exact/maths_pair.h"
#include "exact/maths_tables.h"

namespace coeval::exact {

namespace maths {
namespace {

// e^x − 1 for |x| < 64, to 2^-60 of it. As exp_of, but 1 is taken off 2^(k / 128) before anything
// is rounded, and the first order of e^r is exact.
Pair expm1_of(double x) {
  const Nearest k = nearest(x * kSteps);
  const Pair r = ordered_sum(x - k.value * kStep.hi, -(k.value * kStep.lo));
  const double r2 = r.hi * r.hi;
  const double curved = r2 * ((1.0 / 2 + r.hi * (1.0 / 6)) +
                              r2 * ((1.0 / 24 + r.hi * (1.0 / 120)) + r2 * (1.0 / 720)));
  const Pair& step = kTwoToThe[static_cast<std::size_t>(k.integer & 127)];
  const double scale = power_of_two(static_cast<int>(k.integer >> 7));
  const Pair linear = product(step.hi, r.hi);
  const Pair base = sum(step.hi * scale, -1.0);
  const Pair total = ordered_sum(base.hi, linear.hi * scale);
  const double rest = linear.lo + (step.hi * (r.lo + curved) + step.lo * (1 + r.hi));
  return ordered_sum(total.hi, (base.lo + total.lo) + rest * scale);
}

}  // namespace
}  // namespace maths

double exp(double x) {
  using namespace maths;
  if (!(absolute(x) < 800)) [[unlikely]] {
    if (x != x) return kNaN;
    return x > 0 ? kInfinity : 0.0;
  }
  const Scaled result = exp_of({x, 0});
  return scaled(result.value, result.exponent);
}

double expm1(double x) {
  using namespace maths;
  const double size = absolute(x);
  if (size < 0x1p-54) return x;
  if (!(size < 48)) [[unlikely]] {
    if (x != x) return kNaN;
    return x < 0 ? -1.0 : exp(x);  // e^-48 and 1 are below 2^-69 of the result
  }
  const Pair result = expm1_of(x);
  return result.hi + result.lo;
}

double tanh(double x) {
  using namespace maths;
  const double size = absolute(x);
  if (size < 0x1p-28) return x;  // x^3 / 3 is below 2^-57 of it
  if (!(size < 20)) [[unlikely]] {
    if (x != x) return kNaN;
    return x < 0 ? -1.0 : 1.0;
  }
  const Pair grown = expm1_of(2 * size);
  const Pair divisor = sum(2.0, grown.hi);
  const Pair result = quotient(grown, {divisor.hi, divisor.lo + grown.lo});
  return flip(result.hi + result.lo, sign_of(x));
}

}  // namespace coeval::exact
