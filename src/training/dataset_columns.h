#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "data/json.h"
#include "define/project.h"

namespace coeval::training {

struct Workshop;

/// A column of a model's dataset. Two columns with one key have the same bits in the same rows,
/// whatever model they are of and whatever they are called.
struct DatasetColumn {
  std::string name;
  std::string definition;  ///< hash of what the definition says of its rows and values
  std::string key;         ///< hash of that and of the files and the log that they are made from
  int input = -1;          ///< place in Model::inputs; −1 for other columns
};

/// The columns of a model's stored dataset: those of write_model_dataset, and kRefusedColumn where
/// questions can be refused. Only `split` depends on the split. `dataset_inputs` is what
/// dataset_inputs() said: it has the files' hashes and the log's end.
std::vector<DatasetColumn> dataset_columns(const Workshop& shop, const define::Model& model,
                                           const data::Json& dataset_inputs);

/// Per feature that the model's row reads: whether a sketch may answer it. (semantics: A4)
std::vector<bool> approximate_features_of(const define::Project& project,
                                          const define::RowSchema& row);

}  // namespace coeval::training
