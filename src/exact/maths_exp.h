#pragma once

#include "exact/maths_pair.h"
#include "exact/maths_tables.h"

namespace coeval::exact::maths {

/// value · 2^exponent.
struct Scaled {
  Pair value;
  int exponent;
};

/// e^x for |x| < 800, to 2^-60 of it, if x is exact to 2^-62.
///
/// x = k · ln 2 / 128 + r with |r| < 0.0028, so e^x = 2^(k / 128) · e^r: a table and a short Taylor
/// polynomial.
inline Scaled exp_of(Pair x) {
  const Nearest k = nearest(x.hi * kSteps);
  // The product with the first part of the step is exact, and the difference too.
  const double r = (x.hi - k.value * kStep.hi) + (x.lo - k.value * kStep.lo);
  const double r2 = r * r;
  const double growth =
      r + r2 * ((1.0 / 2 + r * (1.0 / 6)) + r2 * ((1.0 / 24 + r * (1.0 / 120)) + r2 * (1.0 / 720)));
  const Pair& step = kTwoToThe[static_cast<std::size_t>(k.integer & 127)];
  return {ordered_sum(step.hi, step.lo + step.hi * growth), static_cast<int>(k.integer >> 7)};
}

}  // namespace coeval::exact::maths
