#pragma once

#include <cstddef>
#include <vector>

#include "models/forest_source.h"

namespace coeval::models {

/// Rows that show where two evaluations of a forest part: `count` rows of forest.width cells, each
/// cell one of the thresholds of its column, a neighbour of one, a code of its category sets or
/// beside one, or a special number (zeros, infinities, denormals, NaN, 1e-35, codes past every set).
/// Determinism: a function of forest and count. The forest's indexes must have been checked.
std::vector<float> boundary_rows(const SourceForest& forest, std::size_t count);

}  // namespace coeval::models
