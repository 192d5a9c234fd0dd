#pragma once

#include <cstdint>
#include <span>

namespace coeval::models {

/// From a row's margins to what the model answers, with the steps of the library that trained it:
/// float32 as XGBoost computes, float64 as LightGBM computes.
/// Determinism: float32 links use our own expf; float64 ones the system's exp, as LightGBM itself
/// does, so that their last bit may differ between kinds of machines.
struct ForestLink {
  enum class Kind : std::uint8_t {
    identity,
    logistic,       ///< each margin by itself
    hinge,          ///< 1 above 0, else 0
    exponential,    ///< each margin by itself
    log1p_exp,      ///< float64 only
    signed_square,  ///< float64 only
    softmax,
    arg_max,    ///< one score: the number of the first largest margin
    ascending,  ///< sorted: quantiles that do not cross
  };
  Kind kind = Kind::identity;
  double steepness = 1;  ///< of the logistic in float64
  double divisor = 1;    ///< of the margins in float64, before all else

  /// Scores of a row with this many margins.
  std::size_t scores(std::size_t outputs) const { return kind == Kind::arg_max ? 1 : outputs; }
  /// One row: `margins` has the model's outputs, `out` has scores(outputs) places.
  void apply(std::span<const float> margins, std::span<float> out) const;
  void apply(std::span<const double> margins, std::span<double> out) const;
};

}  // namespace coeval::models
