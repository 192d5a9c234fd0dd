#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "replay/audit.h"

namespace coeval::replay {

/// Compares what was served with what `inputs` (one row a record, in order) give now, bit for bit:
/// inputs first, then margin, score, decision. One entry per record: nothing when equal. `stale` is
/// Answers::stale: such a question should have been refused.
Result<std::vector<std::optional<AuditDifference>>> compare(
    const AuditedModel& audited, std::span<const stores::PredictionRecord> records,
    const data::Batch& inputs, std::span<const int> stale);

}  // namespace coeval::replay
