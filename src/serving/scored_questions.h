#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "data/column.h"
#include "kernel/kernel.h"
#include "serving/model_plan.h"

namespace coeval::serving {

/// Questions with their times, ready for the kernel.
struct QuestionBatch {
  data::Batch rows;  ///< the plan's question columns
  std::vector<std::int64_t> at_us;
};

/// A feature with on_stale = "refuse" that is too old for an answer.
struct StaleFeature {
  std::string feature;
  std::optional<double> age_s;  ///< nothing: it counts no event at all
  std::int64_t max_age_us = 0;
  std::string reason;
};

/// What the state and the model said about each question.
struct ScoredQuestions {
  data::Batch features;                ///< the model's inputs, in input order
  std::vector<float> margins, scores;  ///< one each, or one of each class
  /// Of each question the view features that a sketch answered, by name with commas; empty where
  /// none was. (semantics: A4)
  std::vector<std::string> approximate;
  /// By question, why it must not be answered; empty when no feature refuses. (semantics: D5)
  std::vector<std::optional<StaleFeature>> stale;
};

/// Asks the views, computes the inputs, encodes and scores: the same calls that replay makes, for a
/// block of questions; a block of one gives the same bits. Errors: those of the kernel and the
/// encoder.
Result<ScoredQuestions> score_questions(const ModelPlan& plan, kernel::Kernel& kernel,
                                        const QuestionBatch& questions,
                                        kernel::EvaluationCounts& counts);

}  // namespace coeval::serving
