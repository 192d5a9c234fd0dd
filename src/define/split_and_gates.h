#pragma once

#include "define/diagnostics.h"
#include "define/document.h"
#include "define/project.h"

namespace coeval::define {

/// Reads split = { train_until = 2001-05-01, validate_until = …, test_until = … }. (semantics: D3)
/// Errors: random_split for anything that is no time, bad_split, missing_toml_key,
/// unknown_toml_key.
void read_split(const TomlEntry& entry, Model& model, Diagnostics& errors);

/// Reads gate = { auc = ">= 0.77", better_than = "champion" }, of the metrics of its kind and
/// those of the project that the model has by now. Errors: unknown_toml_key, bad_toml_value,
/// missing_toml_key where slices are asked for that the model does not have.
void read_gates(const TomlEntry& entry, Model& model, Diagnostics& errors);

}  // namespace coeval::define
