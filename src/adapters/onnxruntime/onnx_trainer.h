#pragma once

#include <memory>
#include <string>

#include "base/error.h"
#include "training/trainer.h"

namespace coeval::adapters {

/// Scores with ONNX models in a process of its own, which may be limited and killed
/// (training/onnx_trial.h): each answer is that of open_onnx(). It trains nothing.
/// Threading of the trainer: one thread at a time.
/// Errors of predictions: those of open_onnx and its predict; bad_model where the model has another
/// number of inputs than the rows, or several outputs. missing_component when the library is
/// absent.
std::unique_ptr<training::Trainer> make_onnx_trainer(std::string library_folder);

}  // namespace coeval::adapters
