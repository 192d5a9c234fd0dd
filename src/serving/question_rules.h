#pragma once

#include <vector>

#include "quality/broken_rules.h"
#include "serving/scored_questions.h"

namespace coeval::serving {

using quality::BrokenRule;

/// A question that breaks rules, by its row among those that were checked.
using BadQuestion = quality::BadRow;

/// Takes the questions that break a rule out of `questions`, which `rules` was compiled for; the
/// others keep their order.
std::vector<BadQuestion> take_out_bad_questions(const quality::RowChecks& rules,
                                                QuestionBatch& questions);

}  // namespace coeval::serving
