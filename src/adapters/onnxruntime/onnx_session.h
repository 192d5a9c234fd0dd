#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"
#include "models/runtime.h"

namespace coeval::adapters {

/// Opens an ONNX model in ONNX Runtime: one thread, nothing tuned to the processor beyond its
/// kernels, and each row in a call of its own, because some operators (dynamic quantisation, means
/// over a block) let a row's answer depend on its neighbours. So a row has the same bits alone and
/// inside any block, on one kind of processor and with one version of the library.
/// Models that state a number of rows get the row that many times over.
///
/// The signature is that of models::onnx_signature. A score is a number that is finite for every
/// row; a model without an output `margin` has the logit of its score as margin, of scores kept
/// between 2^-126 and 1 − 2^-24 so that it is finite.
/// Errors: those of read_onnx and onnx_signature, before ONNX Runtime sees the bytes; bad_model
/// with ONNX Runtime's reason (an operator that does not exist, an opset that is too new, shapes
/// that do not fit); missing_component when the library is not installed. predict: bad_model where
/// the library fails, or a score is not finite.
Result<std::shared_ptr<const models::Session>> open_onnx(const std::string& library_folder,
                                                         std::string_view bytes);

/// The same for models::Openers. The library is loaded by the first model that needs it, and then
/// shared. Threading: safe from any thread.
models::Openers::Open onnx_opener(std::string library_folder);

/// The version of the library, such as "1.32.0". Errors: missing_component.
Result<std::string> onnxruntime_version(const std::string& library_folder);

}  // namespace coeval::adapters
