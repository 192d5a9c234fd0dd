#include "serving/state_snapshots.h"

#include <doctest/doctest.h>

#include <filesystem>
#include <random>
#include <thread>

#include "base/time.h"
#include "serving/engine_for_tests.h"
#include "stores/faulty_files.h"

namespace coeval::serving {
namespace {

using namespace testing;

std::string airport(std::uint64_t number) {
  return {static_cast<char>('A' + number / 26 % 26), static_cast<char>('A' + number % 26), 'X'};
}

// An engine that snapshots beside requests, and the state that its events make without any.
struct Busy {
  explicit Busy(Engine::Options options) : small(options) { small.engine->set_basis("history"); }

  void take_event() {
    small.clock->set(small.clock->now_us() + kMinuteUs);
    const std::string body =
        event(airport(random() % 300), format_time(small.clock->now_us()),
              static_cast<int>(random() % 3000), static_cast<int>(random() % 90));
    REQUIRE(small.engine->events("flights", body, {}).status == 200);
    REQUIRE(small.engine->commit());
  }
  Status round() { return small.engine->snapshot_if_due(false); }

  // The state that the newest snapshot and the log behind it give, which must be all of them.
  std::string recovered() {
    kernel::EventIndexes names(*small.project);
    auto kernel = std::move(*kernel::Kernel::create(small.project, {0}));
    std::string warning;
    const auto found = restore_snapshot(small.folder.path() + "/snapshots", "history",
                                        small.log_view->next_position(), *kernel, names, &warning);
    REQUIRE(found.has_value());
    CHECK(warning.empty());
    restored_from = *found ? std::optional((*found)->position()) : std::nullopt;
    fold(*kernel, restored_from.value_or(Position{0}));
    return kernel->serialize();
  }
  std::string by_the_log() {
    auto kernel = std::move(*kernel::Kernel::create(small.project, {0}));
    fold(*kernel, Position{0});
    return kernel->serialize();
  }
  void fold(kernel::Kernel& kernel, Position from) {
    const data::Schema& schema = small.project->sources[0].schema;
    const Status read = small.log_view->read(from, [&](const stores::Record& record) {
      std::vector<data::ColumnBuilder> builders;
      for (const auto& field : schema.fields) builders.emplace_back(field.type);
      REQUIRE(data::decode_row(record.payload, schema, builders));
      data::Batch row{schema, {}, 1};
      for (auto& builder : builders) row.columns.push_back(builder.finish());
      const std::int64_t known[] = {record.known.us};
      const auto block = kernel.prepare_events(0, row, known);
      REQUIRE(block.has_value());
      kernel.apply(*block, 0);
      return true;
    });
    REQUIRE(read);
  }

  std::mt19937_64 random{61};
  SmallEngine small;
  std::optional<Position> restored_from;
};

TEST_CASE("snapshots go on beside events, and with the log behind them give the state") {
  for (const bool in_background : {false, true}) {
    Busy busy({.snapshot_every = 100,
               .snapshot_pace = {.in_background = in_background, .slice_bytes = 200}});
    std::size_t rounds_under_way = 0;
    for (int i = 0; i < 3000; ++i) {
      busy.take_event();
      REQUIRE(busy.round());
      rounds_under_way += busy.small.engine->snapshot_is_under_way() ? 1 : 0;
      if (i % 500 != 499) continue;
      CHECK(busy.recovered() == busy.by_the_log());
    }
    CHECK(rounds_under_way > 500);
    // A writing thread may get no time at all while 3,000 events come: then it is given some.
    const auto& counters = busy.small.engine->counters();
    for (int i = 0; in_background && counters.snapshots == 0 && i < 10'000'000; ++i) {
      REQUIRE(busy.round());
      std::this_thread::yield();
    }
    CHECK(counters.snapshots > (in_background ? 0 : 5));
    REQUIRE(busy.small.engine->snapshot_if_due(true));
    CHECK(busy.recovered() == busy.by_the_log());
    CHECK(busy.restored_from == Position{3000});
  }
}

TEST_CASE("a snapshot that ends with the process leaves the one before it") {
  for (const bool in_background : {false, true}) {
    Busy busy({.snapshot_every = 100,
               .snapshot_pace = {.in_background = in_background, .slice_bytes = 100}});
    for (int i = 0; i < 250; ++i) busy.take_event();
    REQUIRE(busy.small.engine->snapshot_if_due(true));
    for (int i = 0; i < 150; ++i) busy.take_event();
    REQUIRE(busy.round());
    REQUIRE(busy.small.engine->snapshot_is_under_way());
    const std::string state = busy.by_the_log();
    // The kernel goes on without snapshots once the engine's are gone.
    busy.small.engine->set_basis("history");
    CHECK(busy.recovered() == state);
    CHECK(busy.restored_from == Position{250});
  }
}

TEST_CASE("a snapshot that fails is said, and what it had is in the next one") {
  for (const bool in_background : {false, true}) {
    auto files = std::make_shared<stores::FaultyFiles>();
    Busy busy({.snapshot_every = 50,
               .snapshot_files = files,
               .snapshot_pace = {.in_background = in_background, .slice_bytes = 500}});
    for (int i = 0; i < 120; ++i) busy.take_event();
    REQUIRE(busy.small.engine->snapshot_if_due(true));
    for (int i = 0; i < 60; ++i) busy.take_event();
    files->plan().room_bytes = 100;
    REQUIRE(busy.small.engine->begin_snapshot());
    Status failed;
    while (busy.small.engine->snapshot_is_under_way() && failed) failed = busy.round();
    REQUIRE(!failed);
    CHECK(failed.error().code == Code::disk_full);
    CHECK(busy.small.engine->counters().snapshot_failures == 1);
    files->plan() = {};
    CHECK(busy.recovered() == busy.by_the_log());
    CHECK(busy.restored_from == Position{120});
    for (int i = 0; i < 10; ++i) busy.take_event();
    REQUIRE(busy.small.engine->snapshot_if_due(true));
    CHECK(busy.recovered() == busy.by_the_log());
    CHECK(busy.restored_from == Position{190});
  }
}

}  // namespace
}  // namespace coeval::serving
