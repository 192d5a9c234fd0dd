#pragma once

#include "base/error.h"
#include "define/project.h"
#include "training/pipeline.h"
#include "training/trainer.h"
#include "training/training_rows.h"

namespace coeval::training {

/// What trainer a worker has to have for ONNX models: it only scores.
inline constexpr const char* kOnnxWorker = "onnx";

/// Opens an ONNX model from elsewhere and scores up to 64 rows with it in a child process, before
/// this one opens it: a file may ask for any amount of memory and time. The child has the model's
/// `limits`; at most a minute, and 4 GiB and 8 times the file where no memory_limit is given.
/// What a row that was not tried makes the model do is not bounded.
/// Errors: bad_model, saying how the child ended or what the library said; missing_component and
/// unsupported as the library's adapter has them.
Status try_onnx(const Workshop& shop, const define::Model& model, const std::string& bytes,
                const TrainingRows& rows);

}  // namespace coeval::training
