#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "models/encoder.h"

namespace coeval::training {

/// A model file that was trained elsewhere. A build that is given one takes it instead of training,
/// and does all else: dataset, calibration, threshold, evidence, gates, registry. A search and
/// rolling origins, which would train, are left out.
struct GivenModel {
  std::string name;    ///< of the file, without its folder
  std::string bytes;   ///< XGBoost's UBJSON or JSON, LightGBM's text, a linear model, ONNX
  std::string sha256;  ///< of the bytes

  /// What stands where a trainer's library would: "file sha256:…".
  std::string engine() const { return "file sha256:" + sha256; }
};

/// Errors: no_such_file, io; bad_model for an empty file and one of over 1 GiB.
Result<GivenModel> read_given_model(const std::string& path);

/// Where the file names its inputs, they must be the encoder's, in its order: columns are told by
/// their place alone. A file without names, or with the names that a library makes up, passes.
/// Errors: type_mismatch naming the first that differs; those of the file's reader, with its name.
Status check_input_names(const GivenModel& given, const models::Encoder& encoder);

/// The trainer whose library can check our runtime on such a file: "xgboost", "lightgbm", "linear";
/// empty for ONNX, which is run by its own library already.
std::string vendor_of(std::string_view bytes);

}  // namespace coeval::training
