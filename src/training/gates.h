#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "data/json.h"
#include "define/project.h"
#include "training/evidence.h"

namespace coeval::training {

struct Verdict {
  std::string gate;  ///< "auc >= 0.77"
  bool passed = false;
  std::string measured;  ///< "0.7821", or why it could not be evaluated
};

/// Whether a higher value of a metric that gates name is the better one.
bool higher_is_better(std::string_view metric);

/// One verdict per gate of the model, then those that every model has: runtime equals trainer,
/// golden rows, serving equals dataset, data checks, leak analysis. A gate that could not run has
/// failed, and says why. Pure: a stored snapshot gives the same verdicts again.
std::vector<Verdict> judge(const std::vector<define::Gate>& gates, const Evidence& evidence);
/// "0.7821 [0.7801, 0.7842]", with as many digits as the interval's width needs.
std::string interval_text(double value, double lower, double upper);
bool all_passed(const std::vector<Verdict>& verdicts);
data::Json to_json(const std::vector<Verdict>& verdicts);

}  // namespace coeval::training
