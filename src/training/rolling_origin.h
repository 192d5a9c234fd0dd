#pragma once

#include "base/error.h"
#include "data/json.h"
#include "define/project.h"
#include "training/training_rows.h"

namespace coeval::training {

struct Workshop;

/// Prequential evaluation: for each fold i the model is trained on what was known at train_until −
/// i · step (rows asked `gap` before it, with labels known by then), with `rounds` rounds and no
/// early stopping, and judged on the rows asked in the step that followed. Nothing is calibrated. A
/// fold whose rows have one class only is told with the reason instead of metrics. Dictionaries are
/// those of the whole training part. Returns an array, the latest origin first: {"origin",
/// "train_rows", "test_rows", metrics…} or
/// {"origin", "missing"}. Errors: those of train_on.
Result<data::Json> evaluate_rolling(const Workshop& shop, const define::Model& model, int rounds,
                                    const TrainingRows& rows);

}  // namespace coeval::training
