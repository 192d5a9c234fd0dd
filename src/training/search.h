#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "data/json.h"
#include "define/project.h"
#include "training/training_rows.h"

namespace coeval::training {

struct Workshop;

/// One set of parameters that was tried.
struct Trial {
  int number = 0;  ///< 0: the model's own parameters
  std::vector<std::pair<std::string, std::string>> params;
  std::string state;      ///< "finished", "pruned", "too slow", "failed"
  std::string reason;     ///< of a failed one
  double early_loss = 0;  ///< after a quarter of the rounds, less is better
  double loss = 0;        ///< of the whole run, less is better; of "finished" and "too slow" only
  double latency_us = 0;  ///< of one row in our runtime
  int rounds_used = 0;
};

/// What a search found: the model to be built, and how it came to it.
struct SearchOutcome {
  define::Model chosen;
  std::vector<Trial> trials;  ///< in the order in which they were run
  bool out_of_time = false;
};

/// Tries the model's own parameters, then uniform ones, then what the Parzen estimator proposes;
/// each is judged on the validation part by the search's metric, after a quarter of its rounds
/// first: who is worse there than the median of those before is pruned. A trial whose model is
/// slower in our runtime than max_latency cannot win. Every finished trial is noted, so that a
/// search that was killed goes on after it. One seed gives one result, unless time ran out (said),
/// or a latency is within the clock's noise of its limit. Trials stop early where the model says
/// nothing about it, after a tenth of the rounds without a gain. Each that is run is recorded,
/// as of kind "trial" under the run `parent`. Errors: metadata; training_failed when no trial has a
/// model.
Result<SearchOutcome> search_params(const Workshop& shop, const define::Model& model,
                                    const std::string& dataset_key, const TrainingRows& rows,
                                    const std::string& parent);

/// The model that was built from `model` according to the details of its card: itself, or with the
/// parameters of the trial that its search chose. Errors: bad_json.
Result<define::Model> chosen_then(const define::Model& model, const data::Json& details);

/// The trials from the best to the worst, for reports.
data::Json leaderboard_json(const SearchOutcome& outcome);

}  // namespace coeval::training
