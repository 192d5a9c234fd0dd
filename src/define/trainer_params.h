#pragma once

#include "define/diagnostics.h"
#include "define/document.h"
#include "define/project.h"

namespace coeval::define {

/// Fills rounds, early_stopping_rounds and params from a table [model.NAME.params]; `entry` may be
/// null. Params come out complete, defaults included, so that a default is a part of the hash (D1).
/// A learning rate is always "eta", whatever of the trainer's own aliases was written. Errors:
/// unknown_toml_key, bad_toml_value, duplicate_name, unsupported.
void read_trainer_params(const TomlEntry* entry, Model& model, Diagnostics& errors);

}  // namespace coeval::define
