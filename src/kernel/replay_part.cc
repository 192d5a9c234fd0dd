#include "kernel/replay_part.h"

#include <algorithm>
#include <array>
#include <vector>

namespace coeval::kernel {

std::int32_t entity_of(const ViewState& state, const QuestionBlock::PerView& block,
                       std::int64_t row) {
  const std::int32_t number = block.entities[static_cast<std::size_t>(row)];
  if (number >= KeyTable::kNull) [[likely]]
    return number;
  return state.keys().find(block.unknown_keys[KeyTable::unknown_index(number)]);
}

namespace {

// The records of events, in the order of turns, one behind the other.
void gather_records(const EventBlock::PerView& events, std::span<const std::int64_t> order,
                    std::span<const std::uint32_t> places, std::vector<std::byte>& out) {
  out.resize(order.size() * events.stride);
  for (std::size_t i = 0; i < order.size(); ++i)
    if (places[i] != EntityTurns::kNowhere)
      copy_record(out.data() + places[i] * events.stride, events.record(order[i]), events.stride);
}

// Sorts events and questions into turns, and lays out what the turns read one behind the other.
void lay_out(ViewState& state, const EventBlock::PerView& events,
             std::span<const std::int64_t> event_order, const QuestionBlock::PerView& questions,
             std::span<const std::int64_t> at_us, std::span<const std::int64_t> question_order,
             ReplayScratch& scratch) {
  scratch.event_entities.clear();
  for (const std::int64_t row : event_order) scratch.event_entities.push_back(events.entity(row));
  scratch.question_entities.clear();
  for (const std::int64_t row : question_order)
    scratch.question_entities.push_back(entity_of(state, questions, row));
  EntityTurns& turns = scratch.turns;
  turns.sort(static_cast<std::size_t>(state.keys().size()), scratch.event_entities,
             scratch.question_entities);
  gather_records(events, event_order, turns.event_places(), scratch.records);
  scratch.at_us.resize(question_order.size());
  for (std::size_t i = 0; i < question_order.size(); ++i)
    if (const std::uint32_t place = turns.question_places()[i]; place != EntityTurns::kNowhere)
      scratch.at_us[place] = at_us[static_cast<std::size_t>(question_order[i])];
}

void take_turn(ViewState& state, const EntityTurns::Turn& turn, const EventBlock::PerView& events,
               std::size_t features, ReplayScratch& scratch) {
  const std::size_t stride = events.stride;
  const std::span<const data::Column> strings(*events.strings);
  const std::byte* record = scratch.records.data() + turn.event_begin * stride;
  const std::byte* const end = scratch.records.data() + turn.event_end * stride;
  for (std::uint32_t i = turn.question_begin; i < turn.question_end; ++i) {
    for (; record != end && known_time_of(record) < scratch.at_us[i]; record += stride)
      state.apply(record, turn.entity, strings);  // semantics: T3
    state.ask(turn.entity, scratch.at_us[i], scratch.cells.data() + i * features);
  }
  for (; record != end; record += stride) state.apply(record, turn.entity, strings);
}

// Cells lie in the order of turns; columns take them in the order of questions.
void put_answers(std::span<const std::uint32_t> places, const std::vector<Cell>& cells,
                 const Cell* nobody, AnswerColumns& answers) {
  std::array<const Cell*, AnswerColumns::kTile> rows;
  for (std::size_t begin = 0; begin < places.size(); begin += rows.size()) {
    const std::size_t count = std::min(rows.size(), places.size() - begin);
    for (std::size_t i = 0; i < count; ++i) {
      const std::uint32_t place = places[begin + i];
      rows[i] = place == EntityTurns::kNowhere ? nobody : cells.data() + place * answers.features();
    }
    answers.put(begin, std::span(rows).first(count));
  }
}

}  // namespace

void replay_part(ViewState& state, const EventBlock::PerView& events,
                 std::span<const std::int64_t> event_order, const QuestionBlock::PerView& questions,
                 std::span<const std::int64_t> at_us, std::span<const std::int64_t> question_order,
                 ReplayScratch& scratch, AnswerColumns& answers) {
  lay_out(state, events, event_order, questions, at_us, question_order, scratch);
  scratch.cells.resize(question_order.size() * answers.features());
  state.begin_turns();
  for (const auto& turn : scratch.turns.turns()) {
    state.begin_turn();
    take_turn(state, turn, events, answers.features(), scratch);
  }
  state.end_turns(event_order.empty() ? INT64_MIN
                                      : known_time_of(events.record(event_order.back())));
  std::vector<Cell> nobody(answers.features());
  state.ask(KeyTable::kNull, INT64_MIN, nobody.data());
  put_answers(scratch.turns.question_places(), scratch.cells, nobody.data(), answers);
}

}  // namespace coeval::kernel
