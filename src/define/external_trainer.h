#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "define/diagnostics.h"
#include "define/document.h"
#include "define/project.h"

namespace coeval::define {

/// The name of the trainer that is a command of the user's.
inline constexpr const char* kExternalTrainer = "external";

/// trainer = { command = ["python3", "train.py"], format = "parquet", files = ["shared.py"] }
///
/// It stands among the model's params, as JSON, under names that no parameter can have
/// (trainer.command, trainer.files, trainer.format): so it is a part of the definition's canonical
/// text, of the recipe and of what a run records.
struct ExternalTrainer {
  std::vector<std::string> command;  ///< program and arguments; no shell
  std::string format = "parquet";    ///< of the tables: "parquet" or "arrow"
  std::vector<std::string> files;    ///< that the command reads, of the project's folder
};

/// The command of a model whose trainer is kExternalTrainer. Errors: bad_json, for params that were
/// not read from a definition.
Result<ExternalTrainer> external_trainer(const Model& model);
/// Whether a param is the command's own, and not one of ExternalTrainer's.
bool is_own_param(const std::string& name);

/// Reads the table `trainer`; sets model.trainer and its params. Errors: missing_toml_key,
/// bad_toml_value, unknown_toml_key.
void read_external_trainer(const TomlEntry& entry, Model& model, Diagnostics& errors);
/// Adds the params of a table, any text, number or truth value, as JSON; `entry` may be null.
/// Errors: bad_toml_value.
void read_external_params(const TomlEntry* entry, Model& model, Diagnostics& errors);

}  // namespace coeval::define
