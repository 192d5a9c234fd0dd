#include "models/gauss_legendre.h"

#include <cmath>
#include <numbers>

namespace coeval::models {
namespace {

struct Legendre {
  double value, slope;
};

/// The Legendre polynomial of degree n and its derivative, for |x| < 1.
Legendre legendre(int n, double x) {
  double before = 1, value = x;
  for (int k = 2; k <= n; ++k) {
    const double next = ((2 * k - 1) * x * value - (k - 1) * before) / k;
    before = value;
    value = next;
  }
  return {value, n * (x * value - before) / (x * x - 1)};
}

}  // namespace

GaussLegendre gauss_legendre(int n) {
  constexpr int kSteps = 100;  // Newton's method needs four or five
  GaussLegendre rule;
  for (int i = 0; i < n; ++i) {
    // Close to the i-th root already.
    double x = std::cos(std::numbers::pi * (i + 0.75) / (n + 0.5));
    Legendre at = legendre(n, x);
    for (int step = 0; step < kSteps; ++step) {
      const double change = at.value / at.slope;
      x -= change;
      at = legendre(n, x);
      if (std::fabs(change) < 1e-15) break;
    }
    rule.points.push_back((1 - x) / 2);
    rule.weights.push_back(1 / ((1 - x * x) * at.slope * at.slope));
  }
  return rule;
}

}  // namespace coeval::models
