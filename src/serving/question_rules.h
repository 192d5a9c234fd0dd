#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "data/json.h"
#include "quality/checks.h"
#include "serving/scored_questions.h"

namespace coeval::serving {

/// A declared rule that a question breaks.
struct BrokenRule {
  std::string column, rule;  ///< "distance", "distance.max"
  std::string reason;        ///< "distance must be at most 6000, found 70000"
  data::Json found;          ///< the value
};

/// A question that breaks rules, by its row among those that were checked.
struct BadQuestion {
  std::int64_t row = 0;
  std::vector<BrokenRule> broken;  ///< all of them, never none
};

/// Takes the questions that break a rule out of `questions`, which `rules` was compiled for; the
/// others keep their order.
std::vector<BadQuestion> take_out_bad_questions(const quality::RowChecks& rules,
                                                QuestionBatch& questions);

}  // namespace coeval::serving
