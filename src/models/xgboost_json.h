#pragma once

#include <string_view>

#include "base/error.h"
#include "models/ubj.h"

namespace coeval::models {

/// Reads exactly one value of JSON as XGBoost writes it, NaN and Infinity among the numbers.
/// Numbers keep their text until they are asked for, so that float32 are rounded once; strings keep
/// their escapes. Memory stays within a constant factor of the input's size. The bytes must outlive
/// the value. Errors: bad_model with the byte offset of the first fault; nesting deeper than 64 is
/// one.
Result<Ubj> read_xgboost_json(std::string_view bytes);

}  // namespace coeval::models
