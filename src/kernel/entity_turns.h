#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace coeval::kernel {

/// Sorts the events and questions of one part of a replay by entity: a turn is what one entity has.
///
/// Entities do not see each other, so a part may be answered one turn after the other; then an
/// entity's memory is fetched once for all of its events and questions, instead of once for each.
/// Within a turn both keep the order in which they were given.
class EntityTurns {
 public:
  struct Turn {
    std::int32_t entity;
    std::uint32_t event_begin, event_end, question_begin, question_end;  ///< places
  };

  /// Entities are numbered below `entities`; a negative one is nobody, and has no turn.
  void sort(std::size_t entities, std::span<const std::int32_t> entity_of_event,
            std::span<const std::int32_t> entity_of_question);

  /// In the order in which the entities were met.
  std::span<const Turn> turns() const { return turns_; }
  /// The place of an event, or a question, among those sorted by turn. Nobody's have none.
  static constexpr std::uint32_t kNowhere = UINT32_MAX;
  std::span<const std::uint32_t> event_places() const { return event_places_; }
  std::span<const std::uint32_t> question_places() const { return question_places_; }

 private:
  std::uint32_t turn_of(std::int32_t entity);

  // By entity, kept from part to part: the turn it has in the part given.
  struct Known {
    std::uint32_t part = 0, turn = 0;
  };
  std::uint32_t part_ = 0;
  std::vector<Known> known_;
  std::vector<Turn> turns_;
  std::vector<std::uint32_t> event_places_, question_places_;
};

}  // namespace coeval::kernel
