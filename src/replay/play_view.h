#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "data/column.h"
#include "kernel/kernel.h"
#include "stores/prediction_record.h"

namespace coeval::replay {

/// Logged predictions, by position, with their questions; the view's answers are put into
/// `columns`.
struct LoggedQuestions {
  const kernel::QuestionBlock* block;
  std::span<const stores::PredictionRecord> records;  ///< as many as the block has rows
  std::vector<data::Column>* columns;                 ///< one for each feature of the view
};

/// Plays one view through a part of the log: applies the events, at `positions` (ascending), and
/// answers each question after the events before its position. (semantics: T3)
void play_view(kernel::Kernel& kernel, int view, const kernel::EventBlock& events,
               std::span<const std::int64_t> positions, std::span<const LoggedQuestions> asked);

}  // namespace coeval::replay
