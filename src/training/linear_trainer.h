#pragma once

#include <memory>

#include "training/trainer.h"

namespace coeval::training {

/// Our own logistic regression (stats/linear_fit.h). Its parameters are l1, l2, max_iterations and
/// tolerance; the categories of the table are coded one-hot, `monotone` bounds a coefficient's
/// sign. Validation rows are not looked at, and the seed changes nothing. The model is a
/// models::LinearModel's file, rounds_used its iterations; a note tells when it has not converged.
///
/// predict() reads the file by itself and adds up column by column, a path that shares with the
/// runtime only the parser of JSON and our exp: it proves that the runtime reads its file and adds
/// as that says, not that exp is right, for which src/exact has its own tests.
/// Errors of train: training_failed and no_rows of the solver; unsupported for unknown parameters.
std::unique_ptr<Trainer> make_linear_trainer();

}  // namespace coeval::training
