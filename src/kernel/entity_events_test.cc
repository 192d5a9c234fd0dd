#include "kernel/entity_events.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <numeric>
#include <random>
#include <vector>

#include "kernel/world_for_tests.h"

namespace coeval::kernel {
namespace {

using namespace testing;

// Records of events of many entities, at random times, some of them of nobody.
struct Past {
  RecordLayout layout;
  EventBlock::PerView events;
  std::vector<std::int64_t> by_time, by_known;
  std::int64_t rows;

  Past(std::mt19937_64& random, std::int64_t count, std::int64_t entities, bool late)
      : rows(count) {
    const World world = make_world(
        "\"k\"", "\"1h\"", "0s", {{"sum", &kArguments[1], &kConditions[0], nullptr, {}, {"sum"}}});
    layout = RecordLayout::create(world.view(), world.project->sources[0].schema);
    REQUIRE(layout.wide.size() == 1);
    LargeVector<std::byte> records(static_cast<std::size_t>(count) * layout.stride);
    std::ranges::fill(records, std::byte{0});
    for (std::int64_t row = 0; row < count; ++row) {
      std::byte* record = records.data() + static_cast<std::size_t>(row) * layout.stride;
      const auto time = static_cast<std::int64_t>(random() % 1'000'000);
      store(record, time);
      store(record + 8, late ? time + static_cast<std::int64_t>(random() % 1'000) : time);
      const bool takes_part = random() % 4 != 0;
      store(record + kFlagsAt, takes_part ? UINT32_MAX : std::uint32_t{1});
      if (takes_part) store(record + layout.wide_at, static_cast<std::int64_t>(random()) >> 20);
      // A tenth of all events are those of entity 0.
      const auto entity = static_cast<std::int32_t>(random() % static_cast<unsigned>(entities + 1));
      events.entities.push_back(random() % 10 == 0 ? 0 : entity - 1);
    }
    events.records = std::make_shared<const LargeVector<std::byte>>(std::move(records));
    events.stride = layout.stride;
    by_time = by_known = std::vector<std::int64_t>(static_cast<std::size_t>(count));
    std::iota(by_time.begin(), by_time.end(), 0);
    by_known = by_time;
    std::ranges::stable_sort(by_time, {},
                             [&](auto row) { return event_time_of(events.record(row)); });
    std::ranges::stable_sort(by_known, {},
                             [&](auto row) { return known_time_of(events.record(row)); });
  }
};

void check(const Past& past, std::size_t entities, const EntityEvents& made) {
  std::vector<std::vector<std::int64_t>> expected(entities);  // rows by time
  for (const std::int64_t row : past.by_time)
    if (past.events.entity(row) >= 0)
      expected[static_cast<std::size_t>(past.events.entity(row))].push_back(row);
  REQUIRE(made.entities() == entities);
  for (std::size_t entity = 0; entity < entities; ++entity) {
    const EntityEvents::Of mine = made.of(entity);
    made.fetch(entity);
    REQUIRE(mine.count() == expected[entity].size());
    exact::Int128 sum = 0;
    std::int64_t count = 0;
    for (std::uint32_t i = 0; i < mine.count(); ++i) {
      const std::byte* record = past.events.record(expected[entity][i]);
      REQUIRE(mine.times()[i] == event_time_of(record));
      if (made.any_late()) REQUIRE(mine.known(i) == known_time_of(record));
      REQUIRE(mine.value(0, i) == load<std::uint64_t>(record + past.layout.wide_at));
      sum += load<std::int64_t>(record + past.layout.wide_at);
      count += bit_of(record, past.layout.wide[0].part_bit) ? 1 : 0;
      const SumDifference sums(made.words(), mine.sums(i + 1), mine.sums(0), i + 1);
      REQUIRE(sums.wide(0) == sum);
      REQUIRE(sums.linear(static_cast<std::size_t>(past.layout.wide[0].part_bit)) == count);
    }
  }
  made.fetch(entities);  // nobody
  CHECK(made.of(entities).count() == 0);
}

TEST_CASE("events lie entity by entity in the order of time, whatever the ranges they are put in") {
  std::mt19937_64 random(36);
  // Of few entities and of so many that they are put range by range; and some without events.
  for (const auto& [events, entities] : {std::pair<std::int64_t, std::int64_t>{0, 3},
                                         {1'000, 1},
                                         {5'000, 20'000},
                                         {100'000, 7'001},
                                         {200'000, 40'000}})
    for (const bool late : {false, true}) {
      const Past past(random, events, entities, late);
      EntityEvents::Wanted wanted;
      Measure measure;
      measure.storage = Storage::wide;
      wanted.values.push_back(measure);
      for (const std::size_t parts : {1, 2, 5}) {
        const EntityEvents::Source source{&past.events,
                                          past.rows,
                                          {past.by_known, past.by_time},
                                          static_cast<std::size_t>(entities)};
        const auto made = EntityEvents::create(past.layout, source, wanted, parts, run_in_turn);
        REQUIRE(made != nullptr);
        check(past, static_cast<std::size_t>(entities), *made);
      }
    }
}

}  // namespace
}  // namespace coeval::kernel
