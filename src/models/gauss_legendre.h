#pragma once

#include <vector>

namespace coeval::models {

/// Points and weights of Gauss-Legendre quadrature on [0, 1]: the integral of every polynomial of
/// degree 2n − 1 is the weighted sum of its values, exactly but for rounding.
struct GaussLegendre {
  std::vector<double> points, weights;
};
/// n is at least 1.
GaussLegendre gauss_legendre(int n);

}  // namespace coeval::models
