#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/error.h"
#include "models/model_folder.h"

namespace coeval::adapters::mlflow {

struct ModelFile {
  std::string path;  ///< below the model: "MLmodel", "data/model.ubj"
  std::string bytes;
};

/// What an MLflow model is made of.
struct ModelSubject {
  const models::ServedModel& model;
  std::string folder;           ///< the model folder that it was loaded from
  std::string version;          ///< "late@v7"
  std::int64_t created_us = 0;  ///< when the version was registered
};

/// A model as MLflow keeps one: `MLmodel` with the flavour python_function, whose Python scores
/// with encoder, vendor's library, calibration and threshold (scoring_code.h), and, of XGBoost and
/// LightGBM, the vendor's own flavour for its bare model; signature, input example (the golden rows
/// as inputs), environments. The model folder itself is in `data/`.
///
/// In the signature numbers are doubles, integers too, for MLflow refuses a missing value of an
/// integer; nothing is required. Pure but for reading the folder: equal models give equal bytes.
/// Errors: unsupported for a kind of model that scoring_code.h does not know; those of reading.
Result<std::vector<ModelFile>> mlflow_model(const ModelSubject& subject);

}  // namespace coeval::adapters::mlflow
