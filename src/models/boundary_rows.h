#pragma once

#include <cstddef>
#include <vector>

#include "models/forest_source.h"
#include "models/linear_model.h"

namespace coeval::models {

/// Rows that show where two evaluations of a forest part: `count` rows of forest.width cells, each
/// cell one of the thresholds of its column, a neighbour of one, a code of its category sets or
/// beside one, or a special number (zeros, infinities, denormals, NaN, 1e-35, codes past every
/// set). Determinism: a function of forest and count. The forest's indexes must have been checked.
std::vector<float> boundary_rows(const SourceForest& forest, std::size_t count);
/// The same for a linear model: means, codes of its categories and past them, special numbers.
std::vector<float> boundary_rows(const LinearModel& model, std::size_t count);

}  // namespace coeval::models
