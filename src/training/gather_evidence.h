#pragma once

#include <string>

#include "base/error.h"
#include "training/dataset_facts.h"
#include "training/evidence.h"
#include "training/fit_model.h"

namespace coeval::training {

struct Workshop;

/// Measures all that the gates of a model, and the built-in ones, may ask about: the candidate and
/// the champion on the test part, the worst slices, what one row costs in our runtime, what the
/// data's checks and the serving path say. What cannot be measured is noted as missing and fails
/// its gate. `path` is the dataset's. Everything but the latency is a function of data and model.
/// Errors: those of evaluate; metadata; training_failed when the trainer's own prediction fails.
Result<Evidence> gather_evidence(const Workshop& shop, const define::Model& model,
                                 const std::string& path, const DatasetFacts& facts,
                                 const TrainingRows& rows, const FittedModel& fitted);

/// Slices with at least so many test rows of each class are judged.
inline constexpr std::int64_t kSliceRows = 50;
/// Of one column at most so many values, those with the most rows.
inline constexpr std::size_t kSliceValues = 50;

}  // namespace coeval::training
