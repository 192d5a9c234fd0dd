#pragma once

#include <string_view>

#include "base/error.h"
#include "models/forest_source.h"

namespace coeval::models {

/// Whether the trees' covers are read, which only explanations need.
enum class Covers : bool { no, yes };

/// Reads an XGBoost model from UBJSON or JSON, of versions 1 to 3. Checked here: kinds and lengths
/// of every part, and that this version predicts such models. Not checked here: the trees' indexes
/// (see lay_out). Errors: bad_model; unsupported for other objectives, linear boosters, vector
/// leaves, dictionaries inside the model and newer versions, naming them.
Result<SourceForest> read_xgboost(std::string_view bytes, Covers covers = Covers::no);

/// Whether these bytes, which begin a file, are JSON rather than UBJSON.
bool is_xgboost_json(std::string_view bytes);

}  // namespace coeval::models
