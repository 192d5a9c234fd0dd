#pragma once

#include "define/project.h"
#include "define/table_reader.h"

namespace coeval::define {

/// Takes `kind` and `loss` of [model.NAME] and sets model.kind and model.loss. Errors:
/// bad_toml_value; unsupported for kinds that are not in this version.
void read_model_kind(TableReader& reader, Model& model, Diagnostics& errors);

/// Of a regression: takes the keys that only kind = "binary" has (class_weights, calibration,
/// threshold), and refuses them and the parts of `split` that they are fitted on. Errors:
/// bad_toml_value with what to do instead.
void refuse_keys_of_binary(TableReader& reader, const Model& model, Diagnostics& errors);

/// Of a regression: refuses a loss that the trainer does not have. Errors: unsupported.
void check_loss(TableReader& reader, const Model& model, Diagnostics& errors);

}  // namespace coeval::define
