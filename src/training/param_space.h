#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "define/project.h"

namespace coeval::training {

/// A parameter that a search may set.
struct SpaceDimension {
  std::string param;
  double least = 0, most = 0;
  bool whole = false;
  bool logarithmic = false;  ///< steps are ratios
};

/// What is searched for a model: strong ranges of its trainer, those that the definition gives in
/// their place. (xgboost, lightgbm, linear)
std::vector<SpaceDimension> search_space(const define::Model& model);

/// A place in the space: one number in [0, 1] a dimension.
using SpacePoint = std::vector<double>;

/// The parameters at a place, as canonical text.
std::vector<std::pair<std::string, std::string>> params_at(std::span<const SpaceDimension> space,
                                                           const SpacePoint& point);

/// A place that was tried, and how it did: less is better, by the tier first.
struct TriedPoint {
  SpacePoint point;
  double loss = 0;
  int tier = 0;  ///< 0: judged whole, 1: given up early, 2: no model
};

/// Where to look next. The first kRandomTrials are uniform; from then on the tree-structured Parzen
/// estimator: by dimension the density of the best quarter over that of the rest, the best of 24
/// draws. Source: Bergstra et al. 2011. Pure: a function of (seed, trial, tried); its mathematics
/// is our own, so it is the same on every machine.
inline constexpr int kRandomTrials = 10;
SpacePoint next_point(std::size_t dimensions, std::uint64_t seed, int trial,
                      std::span<const TriedPoint> tried);

}  // namespace coeval::training
