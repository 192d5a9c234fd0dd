#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "kernel/answer_columns.h"
#include "kernel/blocks.h"
#include "kernel/entity_turns.h"
#include "kernel/view_state.h"

namespace coeval::kernel {

/// The entity that a question asks about, negative when there is none; one whose key was new when
/// the question was prepared may have had events since.
std::int32_t entity_of(const ViewState& state, const QuestionBlock::PerView& block,
                       std::int64_t row);

/// Memory of replay_part(), kept from part to part.
struct ReplayScratch {
  EntityTurns turns;
  std::vector<std::int32_t> event_entities, question_entities;
  // By place in the order of turns.
  std::vector<std::byte> records;
  std::vector<std::int64_t> at_us;
  std::vector<Cell> cells;
};

/// Answers questions, each after the events that were known before its time, and leaves the state
/// as of all events. Rows of `events` in position order, all known before the last question; rows
/// of `questions` with T not decreasing. Answer i is that of question_order[i].
///
/// Gives the same bits as apply and ask in turn; goes entity by entity, which is quicker.
void replay_part(ViewState& state, const EventBlock::PerView& events,
                 std::span<const std::int64_t> event_order, const QuestionBlock::PerView& questions,
                 std::span<const std::int64_t> at_us, std::span<const std::int64_t> question_order,
                 ReplayScratch& scratch, AnswerColumns& answers);

}  // namespace coeval::kernel
