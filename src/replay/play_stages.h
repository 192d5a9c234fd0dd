#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <vector>

#include "base/error.h"
#include "data/column.h"
#include "define/project.h"
#include "kernel/kernel.h"
#include "replay/log_events.h"
#include "stores/prediction_record.h"

namespace coeval::replay {

/// Logged predictions of one model, by position, with their questions' columns and times.
struct StagedQuestions {
  const define::RowSchema* row = nullptr;
  const data::Batch* columns = nullptr;
  std::span<const std::int64_t> at_us;
  std::span<const stores::PredictionRecord> records;
  std::vector<data::Column> answers;  ///< by RowSchema::view_features, a row a record
};

/// Plays all views of a kernel through a part of the log, event by event, and answers each question
/// after the events before its position, stage by stage. As play_view, for rows whose keys are
/// found by other views: slower, since no view can go ahead of the others. (semantics: T3)
Status play_stages(kernel::Kernel& kernel, const std::map<int, LoggedEvents>& events,
                   std::span<StagedQuestions> asked);

}  // namespace coeval::replay
