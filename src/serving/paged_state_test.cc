#include "serving/paged_state.h"

#include <doctest/doctest.h>

#include <random>

#include "base/time.h"
#include "serving/engine_for_tests.h"
#include "stores/faulty_state_store.h"
#include "stores/lent_state_store_for_tests.h"

namespace coeval::serving {
namespace {

using namespace testing;

std::string airport(std::uint64_t number) {
  return {static_cast<char>('A' + number / 26 % 26), static_cast<char>('A' + number % 26), 'X'};
}

// A server whose entities are in a store that can fail, beside one that has all in memory. Both are
// sent the same.
struct Twins {
  explicit Twins(std::size_t memory, SnapshotPace pace = {}) : memory_bytes(memory), pace(pace) {
    start();
  }

  // Brings the paged one up, from what the log and the store have.
  void start() {
    auto log = stores::open_log(paged_folder.path() + "/log");
    REQUIRE(log);
    auto kernel = kernel::Kernel::create(plain.project, {0});
    REQUIRE(kernel);
    auto names = std::make_unique<kernel::EventIndexes>(*plain.project);
    auto state = std::make_shared<PagedState>(std::make_shared<stores::StoredState>(
        std::make_unique<stores::LentStore>(store), "history"));
    const auto restored = state->restore((*log)->next_position(), **kernel, *names);
    REQUIRE(restored);
    restored_from = *restored;
    fold(**kernel, **log, restored_from.value_or(Position{0}));
    auto made_clock = std::make_unique<ManualClock>(plain.clock->now_us());
    clock = made_clock.get();
    Engine::Options options;
    options.snapshot_every = 50;
    options.snapshot_pace = pace;
    paged = std::make_unique<Engine>(plain.project, std::move(*kernel), std::move(*log),
                                     std::move(made_clock), paged_folder.path(), options,
                                     std::move(names));
    paged->set_paged(state, memory_bytes);
    pages = state;
    REQUIRE(paged->prepare());
    paged->set_models({{"late", small_model(*plain.project, 3)}});
  }
  // As what brings a server up does: it writes and drops where too much is in memory.
  void fold(kernel::Kernel& kernel, const stores::EventLog& log, Position from) {
    const data::Schema& schema = plain.project->sources[0].schema;
    REQUIRE(log.read(from, [&](const stores::Record& record) {
      if (record.kind != stores::RecordKind::event) return true;
      std::vector<data::ColumnBuilder> builders;
      for (const auto& field : schema.fields) builders.emplace_back(field.type);
      REQUIRE(data::decode_row(record.payload, schema, builders));
      data::Batch row{schema, {}, 1};
      for (auto& builder : builders) row.columns.push_back(builder.finish());
      const std::int64_t known[] = {record.known.us};
      const auto block = kernel.prepare_events(0, row, known);
      REQUIRE(block);
      kernel.apply(*block, 0);
      return true;
    }));
  }

  void tick() {
    plain.clock->set(plain.clock->now_us() + kMinuteUs);
    clock->set(plain.clock->now_us());
  }
  // Whether the paged one took it, as the other did.
  bool take_event() {
    tick();
    const std::string body =
        event(airport(random() % 200), format_time(clock->now_us()),
              static_cast<int>(random() % 3000), static_cast<int>(random() % 90));
    if (paged->events("flights", body, {}).status != 200) return false;
    REQUIRE(paged->commit());
    REQUIRE(plain.engine->events("flights", body, {}).status == 200);
    REQUIRE(plain.engine->commit());
    return true;
  }
  void compare() {
    const std::string question =
        "{\"origin\":\"" + airport(random() % 220) + "\",\"distance\":900}";
    const Answer found = paged->predict("late", question, true, {});
    const Answer expected = plain.engine->predict("late", question, true, {});
    REQUIRE(found.status == 200);
    CHECK(at(parsed(found.body), "features").dump() ==
          at(parsed(expected.body), "features").dump());
    CHECK(at(parsed(found.body), "score").dump() == at(parsed(expected.body), "score").dump());
  }
  double metric(const std::string& name) const {
    const std::string text = paged->metrics().body;
    const auto place = text.find("\n" + name);
    REQUIRE(place != std::string::npos);
    return std::stod(text.substr(text.find(' ', place + 1)));
  }

  stores::FaultyStateStore store{stores::make_memory_state()};
  std::mt19937_64 random{77};
  std::size_t memory_bytes;
  SnapshotPace pace;
  SmallEngine plain;
  TemporaryFolder paged_folder;
  ManualClock* clock = nullptr;
  std::unique_ptr<Engine> paged;
  std::shared_ptr<PagedState> pages;
  std::optional<Position> restored_from;
};

TEST_CASE("a server with a few entities in memory answers as one that has them all") {
  for (const bool in_background : {false, true}) {
    Twins twins(8000, {.in_background = in_background, .slice_bytes = 500});
    for (int i = 0; i < 2000; ++i) {
      REQUIRE(twins.take_event());
      twins.compare();
      REQUIRE(twins.paged->snapshot_if_due(false));
      if (i % 300 != 299) continue;
      if (i % 600 == 299) REQUIRE(twins.paged->snapshot_if_due(true));
      twins.paged.reset();  // as after a kill: the log has what the store has not
      twins.start();
      CHECK(twins.restored_from.has_value());
    }
    CHECK(twins.metric("coeval_state_reads_total") > 200);
    CHECK(twins.metric("coeval_state_memory_bytes") < 2 * 8000);
  }
}

TEST_CASE("while the store cannot be read only what needs it fails, and nothing is lost") {
  Twins twins(8000);
  for (int i = 0; i < 500; ++i) {
    REQUIRE(twins.take_event());
    REQUIRE(twins.paged->snapshot_if_due(false));
  }
  int refused_events = 0, refused_questions = 0, answered = 0;
  for (int i = 0; i < 500; ++i) {
    twins.store.faults().reads_left = i % 10 == 0 ? stores::StateFaults::kNever : 0;
    refused_events += twins.take_event() ? 0 : 1;
    const Answer answer = twins.paged->predict(
        "late",
        "{\"origin\":\"" + airport(static_cast<std::uint64_t>(i) % 200) + "\",\"distance\":900}",
        false, {});
    if (answer.status == 200) {
      ++answered;
    } else {
      ++refused_questions;
      CHECK(answer.status >= 500);
      CHECK(at(parsed(answer.body), "error").dump().find("fault") != std::string::npos);
    }
    twins.store.faults().reads_left = stores::StateFaults::kNever;
    twins.compare();
    REQUIRE(twins.paged->snapshot_if_due(false));
  }
  CHECK(refused_events > 100);
  CHECK(refused_questions > 100);
  CHECK(answered > 50);
  twins.paged.reset();
  twins.start();
  for (int i = 0; i < 300; ++i) twins.compare();
}

TEST_CASE("while the store cannot be written entities stay in memory and serving goes on") {
  for (const bool written_all_the_same : {false, true}) {
    Twins twins(8000);
    for (int i = 0; i < 200; ++i) {
      REQUIRE(twins.take_event());
      REQUIRE(twins.paged->snapshot_if_due(false));
    }
    twins.store.faults() = {
        .writes_left = 0, .failed_writes_count = written_all_the_same, .code = Code::disk_full};
    int failures = 0;
    for (int i = 0; i < 200; ++i) {
      REQUIRE(twins.take_event());
      twins.compare();
      const Status round = twins.paged->snapshot_if_due(false);
      if (!round) {
        ++failures;
        CHECK(round.error().code == Code::disk_full);
      }
    }
    CHECK(failures > 0);
    CHECK(twins.metric("coeval_state_memory_bytes") > 8000);
    twins.store.faults() = {};
    for (int i = 0; i < 200; ++i) {
      REQUIRE(twins.take_event());
      twins.compare();
      REQUIRE(twins.paged->snapshot_if_due(false));
    }
    CHECK(twins.metric("coeval_state_memory_bytes") < 2 * 8000);
    twins.paged.reset();
    twins.start();
    for (int i = 0; i < 300; ++i) twins.compare();
  }
}

TEST_CASE("a store of another history, of a later log or of half a fold is not gone on from") {
  const auto project = small_project();
  const auto fresh = [&] {
    auto kernel = kernel::Kernel::create(project, {0});
    REQUIRE(kernel);
    return std::move(*kernel);
  };
  const auto write = [&](stores::StateStore& store, bool whole) {
    auto kernel = fresh();
    kernel::EventIndexes names(*project);
    PagedState state(std::make_shared<stores::StoredState>(
        std::make_unique<stores::LentStore>(store), "history"));
    REQUIRE(state.restore(Position{100}, *kernel, names));
    state.stored().set_whole(whole);
    StateSnapshots snapshots(kernel::state_parts(*kernel, names), state.target(), {},
                             [] { return 0.0; });
    snapshots.begin(Position{7});
    REQUIRE(snapshots.finish());
  };
  const auto found = [&](stores::StateStore& store, const char* basis, Position end) {
    auto kernel = fresh();
    kernel::EventIndexes names(*project);
    PagedState state(
        std::make_shared<stores::StoredState>(std::make_unique<stores::LentStore>(store), basis));
    const auto restored = state.restore(end, *kernel, names);
    REQUIRE(restored);
    return *restored;
  };
  const auto store = stores::make_memory_state();
  CHECK(found(*store, "history", Position{100}) == std::nullopt);
  write(*store, false);
  CHECK(found(*store, "history", Position{100}) == std::nullopt);
  write(*store, true);
  CHECK(found(*store, "history", Position{100}) == Position{7});
  CHECK(found(*store, "history", Position{7}) == Position{7});
  CHECK(found(*store, "history", Position{6}) == std::nullopt);
  CHECK(found(*store, "another", Position{100}) == std::nullopt);
  write(*store, false);
  CHECK(found(*store, "history", Position{100}) == std::nullopt);
  const stores::StateUnit damage[] = {{0xFFFFFFFE, "head", "xx"}};
  REQUIRE(store->write(damage, Position{7}));
  auto kernel = fresh();
  kernel::EventIndexes names(*project);
  PagedState state(std::make_shared<stores::StoredState>(
      std::make_unique<stores::LentStore>(*store), "history"));
  const auto restored = state.restore(Position{100}, *kernel, names);
  REQUIRE_FALSE(restored);
  CHECK(restored.error().code == Code::snapshot_corrupt);
}

}  // namespace
}  // namespace coeval::serving
