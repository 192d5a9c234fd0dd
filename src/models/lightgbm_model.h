#pragma once

#include <string_view>

#include "base/error.h"
#include "models/forest_source.h"
#include "models/xgboost_model.h"

namespace coeval::models {

/// Reads LightGBM's text model, v3 or v4. A threshold t is a float64 and a cell a float32, so that
/// x <= t is said as x <= (the last float32 up to t). Covers are the rows of the
/// leaves, summed upwards. Checked here: the parts of every tree and their lengths. Not checked
/// here: the trees' indexes (see lay_out). Errors: bad_model with the tree's number; unsupported
/// for linear trees, other objectives and versions, category dictionaries inside the model.
Result<SourceForest> read_lightgbm(std::string_view text, Covers covers = Covers::no);

/// Whether these bytes begin as LightGBM's text does.
bool is_lightgbm(std::string_view bytes);

}  // namespace coeval::models
