#pragma once

#include <string>
#include <string_view>

namespace coeval::adapters::mlflow {

/// The Python module that scores with an exported model: the model folder's encoder, the vendor's
/// own library (of linear models its own sum), calibration and threshold, on numpy and pandas;
/// nothing of coeval's is needed.
std::string_view scoring_code();
/// Its name, with a part of its hash: models of two versions of coeval may be loaded into one
/// process, and Python keeps modules by name.
std::string scoring_module();

}  // namespace coeval::adapters::mlflow
