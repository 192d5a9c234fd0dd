#include "models/forest_link.h"

#include <algorithm>
#include <cmath>

#include "exact/float_maths.h"

namespace coeval::models {
namespace {

using Kind = ForestLink::Kind;

/// The same steps as XGBoost's Sigmoid, in float32.
float sigmoid(float margin) {
  const float exponent = std::min(-margin, 88.7f);
  return 1.0f / (exact::expf(exponent) + 1.0f + 1e-16f);
}

/// XGBoost's: float32 terms, a float64 sum, a float32 quotient.
void softmax(std::span<const float> margins, std::span<float> out) {
  float largest = margins[0];
  for (const float margin : margins) largest = std::fmax(margin, largest);
  double sum = 0;
  for (std::size_t i = 0; i < margins.size(); ++i) {
    out[i] = exact::expf(margins[i] - largest);
    sum += static_cast<double>(out[i]);
  }
  for (float& value : out) value /= static_cast<float>(sum);
}

/// LightGBM's, in float64 throughout.
void softmax(std::span<const double> margins, std::span<double> out) {
  double largest = margins[0];
  for (const double margin : margins) largest = std::max(margin, largest);
  double sum = 0;
  for (std::size_t i = 0; i < margins.size(); ++i) {
    out[i] = std::exp(margins[i] - largest);
    sum += out[i];
  }
  for (double& value : out) value /= sum;
}

float one(Kind kind, float margin) {
  switch (kind) {
    case Kind::logistic:
      return sigmoid(margin);
    case Kind::hinge:
      return margin > 0.0f ? 1.0f : 0.0f;
    case Kind::exponential:
      return exact::expf(margin);
    default:
      return margin;
  }
}

double one(const ForestLink& link, double margin) {
  switch (link.kind) {
    case Kind::logistic:
      return 1.0 / (1.0 + std::exp(-link.steepness * margin));
    case Kind::exponential:
      return std::exp(margin);
    case Kind::log1p_exp:
      return std::log1p(std::exp(margin));
    case Kind::signed_square:
      return (margin > 0.0 ? 1.0 : margin < 0.0 ? -1.0 : 0.0) * margin * margin;
    default:
      return margin;
  }
}

}  // namespace

void ForestLink::apply(std::span<const float> margins, std::span<float> out) const {
  if (kind == Kind::softmax) return softmax(margins, out);
  if (kind == Kind::arg_max) {
    out[0] = static_cast<float>(std::ranges::max_element(margins) - margins.begin());
    return;
  }
  for (std::size_t i = 0; i < margins.size(); ++i) out[i] = one(kind, margins[i]);
  if (kind == Kind::ascending) std::ranges::stable_sort(out);
}

void ForestLink::apply(std::span<const double> margins, std::span<double> out) const {
  for (std::size_t i = 0; i < margins.size(); ++i) out[i] = margins[i] / divisor;
  if (kind == Kind::softmax) return softmax(std::span<const double>(out), out);
  for (double& value : out) value = one(*this, value);
}

}  // namespace coeval::models
