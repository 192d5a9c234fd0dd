#pragma once

#include <cstdint>

namespace coeval::generate {

/// The number that a Poisson variable has at `unit`, by inversion: the sum of probabilities up to
/// it is the first above `unit`. `none` is exp(−mean), the probability of 0, for means up to 100.
/// Complexity: as many steps as the number. At most 1,000, which no unit of 32 bits reaches.
inline int poisson(double unit, double mean, double none) {
  int count = 0;
  double probability = none, sum = none;
  while (unit > sum && count < 1000) {
    probability *= mean / ++count;
    sum += probability;
  }
  return count;
}

}  // namespace coeval::generate
