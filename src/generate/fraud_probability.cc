#include "generate/fraud_probability.h"

#include <vector>

#include "exact/maths.h"
#include "generate/fraud_world.h"

namespace coeval::generate {

namespace {

// Density of an amount N(mean, mean / 2), of which a negative one is U(0, 2 mean) instead.
double density(double amount, double mean) {
  constexpr double kNegative = 0.022750131948179195;  // of a normal variable below −2
  constexpr double kRootOfTwoPi = 2.5066282746310002;
  const double deviation = mean / 2, z = (amount - mean) / deviation;
  const double normal = exact::exp(-0.5 * z * z) / (deviation * kRootOfTwoPi);
  return normal + (amount <= 2 * mean ? kNegative / (2 * mean) : 0);
}

}  // namespace

double fraud_probability(const FraudView& view) {
  if (view.amount > kAmountLimit || view.terminal_compromised) return 1;
  if (view.shares.empty()) return 0;
  // times[k]: probability that the amount was multiplied in k of the periods.
  std::vector<double> times = {1};
  for (const double share : view.shares) {
    times.push_back(0);
    for (std::size_t k = times.size(); k-- > 0;)
      times[k] = times[k] * (1 - share) + (k > 0 ? times[k - 1] * share : 0);
  }
  double all = 0, honest = 0, scale = 1;
  for (std::size_t k = 0; k < times.size(); ++k, scale *= view.factor) {
    const double part = times[k] * density(view.amount / scale, view.mean) / scale;
    all += part;
    if (k == 0) honest = part;
  }
  return all > 0 ? 1 - honest / all : 1;
}

}  // namespace coeval::generate
