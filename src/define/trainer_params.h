#pragma once

#include <span>
#include <string_view>

#include "define/diagnostics.h"
#include "define/document.h"
#include "define/project.h"

namespace coeval::define {

struct TrainerParam {
  std::string_view name;
  std::string_view alias;  ///< the trainer's other name for it; may be empty
  std::string_view value;  ///< the default, in canonical text
  bool whole;
  double least, most;
};
/// Those of a trainer that are numbers, besides rounds and early_stopping_rounds; XGBoost's for a
/// trainer that is not known.
std::span<const TrainerParam> trainer_params(std::string_view trainer);
/// Whether a model of this kind has a parameter of its trainer: scale_pos_weight is of binary ones.
bool has_param(const Model& model, const TrainerParam& param);
/// Whether a trainer adds trees in rounds, which may be fewer and stopped early.
bool trains_in_rounds(std::string_view trainer);

/// Fills rounds, early_stopping_rounds and params from a table [model.NAME.params]; `entry` may be
/// null, and model.trainer is set. Params come out complete, defaults included, so that a default
/// is a part of the hash (D1). A learning rate is always "eta" to XGBoost and "learning_rate" to
/// LightGBM, whatever of the trainer's own aliases was written. The rounds of a linear model are
/// its max_iterations; a command's params are its own (external_trainer.h). Errors:
/// unknown_toml_key, bad_toml_value, duplicate_name, unsupported.
void read_trainer_params(const TomlEntry* entry, Model& model, Diagnostics& errors);

}  // namespace coeval::define
