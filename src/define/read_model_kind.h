#pragma once

#include "define/project.h"
#include "define/table_reader.h"

namespace coeval::define {

/// Takes `kind`, `loss`, `classes`, `cost_matrix` and `k` of [model.NAME] and sets them of the
/// model. Errors: bad_toml_value; missing_toml_key where a multiclass model has no classes;
/// unsupported for kinds that are not in this version.
void read_model_kind(TableReader& reader, Model& model, Diagnostics& errors);

/// Of another kind than binary: takes the keys that it does not have (class_weights, calibration,
/// threshold; monotone of a multiclass model), and refuses them and the parts of `split` that they
/// are fitted on. Errors: bad_toml_value with what to do instead.
void refuse_keys_of_binary(TableReader& reader, const Model& model, Diagnostics& errors);

/// Refuses a regression's loss, or several classes, where the trainer does not have them. Errors:
/// unsupported.
void check_loss(TableReader& reader, const Model& model, Diagnostics& errors);

}  // namespace coeval::define
