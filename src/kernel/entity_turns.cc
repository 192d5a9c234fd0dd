#include "kernel/entity_turns.h"

#include "base/check.h"

namespace coeval::kernel {

std::uint32_t EntityTurns::turn_of(std::int32_t entity) {
  Known& known = known_[static_cast<std::size_t>(entity)];
  if (known.part != part_) {
    known = {part_, static_cast<std::uint32_t>(turns_.size())};
    turns_.push_back({entity, 0, 0, 0, 0});
  }
  return known.turn;
}

// A counting sort: first each item's turn and how many each turn has, then where each turn begins.
void EntityTurns::sort(std::size_t entities, std::span<const std::int32_t> entity_of_event,
                       std::span<const std::int32_t> entity_of_question) {
  COEVAL_CHECK(entity_of_event.size() < kNowhere && entity_of_question.size() < kNowhere);
  if (++part_ == 0) {  // numbers of parts start again
    known_.clear();
    part_ = 1;
  }
  if (known_.size() < entities) known_.resize(entities);
  turns_.clear();
  event_places_.assign(entity_of_event.size(), kNowhere);
  question_places_.assign(entity_of_question.size(), kNowhere);
  for (std::size_t i = 0; i < entity_of_event.size(); ++i)
    if (entity_of_event[i] >= 0) ++turns_[event_places_[i] = turn_of(entity_of_event[i])].event_end;
  for (std::size_t i = 0; i < entity_of_question.size(); ++i)
    if (entity_of_question[i] >= 0)
      ++turns_[question_places_[i] = turn_of(entity_of_question[i])].question_end;
  std::uint32_t events = 0, questions = 0;
  for (Turn& turn : turns_) {
    const std::uint32_t event_count = turn.event_end, question_count = turn.question_end;
    turn.event_begin = turn.event_end = events;
    turn.question_begin = turn.question_end = questions;
    events += event_count;
    questions += question_count;
  }
  for (std::uint32_t& place : event_places_)
    if (place != kNowhere) place = turns_[place].event_end++;
  for (std::uint32_t& place : question_places_)
    if (place != kNowhere) place = turns_[place].question_end++;
}

}  // namespace coeval::kernel
