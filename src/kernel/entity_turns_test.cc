#include "kernel/entity_turns.h"

#include <doctest/doctest.h>

#include <map>
#include <random>
#include <vector>

namespace coeval::kernel {
namespace {

using Lists = std::map<std::int32_t, std::vector<std::size_t>>;

Lists by_entity(std::span<const std::int32_t> entities) {
  Lists lists;
  for (std::size_t i = 0; i < entities.size(); ++i)
    if (entities[i] >= 0) lists[entities[i]].push_back(i);
  return lists;
}

// What the places say, put back into lists.
Lists by_place(std::span<const EntityTurns::Turn> turns, std::span<const std::uint32_t> places,
               bool events) {
  std::map<std::uint32_t, std::size_t> at;
  for (std::size_t i = 0; i < places.size(); ++i)
    if (places[i] != EntityTurns::kNowhere) CHECK(at.emplace(places[i], i).second);
  Lists lists;
  for (const auto& turn : turns) {
    const auto begin = events ? turn.event_begin : turn.question_begin;
    const auto end = events ? turn.event_end : turn.question_end;
    for (auto place = begin; place < end; ++place) lists[turn.entity].push_back(at.at(place));
  }
  return lists;
}

TEST_CASE("turns hold each entity's items in their order, part after part") {
  std::mt19937_64 random(3);
  EntityTurns turns;
  for (int part = 0; part < 300; ++part) {
    const auto entities = 1 + random() % 40;
    std::vector<std::int32_t> events(random() % 200), questions(random() % 200);
    for (auto& entity : events) entity = static_cast<std::int32_t>(random() % (entities + 1)) - 1;
    for (auto& entity : questions)
      entity = static_cast<std::int32_t>(random() % (entities + 1)) - 1;
    turns.sort(entities, events, questions);
    CHECK(by_place(turns.turns(), turns.event_places(), true) == by_entity(events));
    CHECK(by_place(turns.turns(), turns.question_places(), false) == by_entity(questions));
  }
}

}  // namespace
}  // namespace coeval::kernel
