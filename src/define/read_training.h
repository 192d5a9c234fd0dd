#pragma once

#include "define/diagnostics.h"
#include "define/draft.h"
#include "define/project.h"
#include "define/table_reader.h"

namespace coeval::define {

/// Takes the keys of [model.NAME] that say how it is fitted and judged, besides trainer, params,
/// split and gate: experiment, weights, class_weights, monotone, calibration, threshold, slices,
/// resample, limits, search. Expressions read the row of the question's source, all of it: they
/// serve training and evaluation, and no answer. Errors: bad_toml_value, type_error,
/// unknown_column, unknown_toml_key, and missing_toml_key where a part of the split is needed that
/// is not there. Reads `model.split`, so that comes first.
void read_training_options(TableReader& reader, const Draft& draft, Model& model,
                           Diagnostics& errors);

/// Inputs that `monotone` names must be there, once, and be numbers. Errors: unknown_name,
/// type_error. For when the model's inputs are known.
void check_monotone(const TomlEntry* monotone, const Model& model, Diagnostics& errors);

}  // namespace coeval::define
