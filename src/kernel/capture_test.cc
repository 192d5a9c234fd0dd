// What is captured while the state goes on is the state of one moment. (semantics: A5)
#include <doctest/doctest.h>

#include "base/rounds_for_tests.h"
#include "kernel/capture_for_tests.h"
#include "kernel/kernel_for_tests.h"
#include "kernel/names_for_tests.h"

namespace coeval::kernel {
namespace {

using namespace testing;

// Drives captures of a state: some end at once, some go on over many events, some are not kept.
class Captures {
 public:
  explicit Captures(std::mt19937_64& random) : random_(random) {}

  // After event number `applied`; says whether a capture was kept just now.
  bool step(const std::vector<NamedPart>& parts, std::size_t applied) {
    if (!under_way_ && random_() % 12 == 0) {
      saved_.begin(parts);
      under_way_ = true;
      begun_at_ = applied;
    }
    if (!under_way_ || random_() % 3 == 0) return false;
    const std::size_t bytes = random_() % 4 == 0 ? std::size_t{1} << 30 : 1 + random_() % 300;
    const bool given_up = random_() % 40 == 0;
    if (!given_up && !saved_.step(parts, bytes)) return false;
    const bool kept = !given_up && random_() % 5 != 0;
    saved_.end(parts, kept);
    under_way_ = false;
    if (kept) saved_at_ = begun_at_;
    return kept;
  }
  const SavedState& saved() const { return saved_; }
  std::size_t saved_at() const { return saved_at_; }

 private:
  std::mt19937_64& random_;
  SavedState saved_;
  bool under_way_ = false;
  std::size_t begun_at_ = 0, saved_at_ = 0;
};

TEST_CASE("a state captured while events come, with the events after it, is the state") {
  std::mt19937_64 random(31);
  int compared = 0;
  for (int round = 0; round < test_rounds(120); ++round) {
    const World world = random_world(random);
    const auto events = random_events(random, 400, round % 2 == 0 ? kMinuteUs : 40 * kMinuteUs,
                                      round % 3 == 0 ? 1 : 12);
    auto kernel = kernel_of(world);
    const auto parts = tracked(kernel->state_parts());
    Captures captures(random);
    for (std::size_t i = 0; i < events.size(); ++i) {
      apply_one(*kernel, world, events[i]);
      if (random() % 6 == 0) (void)ask_one(*kernel, world, events[i], events[i].known + 1);
      if (!captures.step(parts, i + 1)) continue;
      auto restored = kernel_of(world), steady = kernel_of(world);
      captures.saved().restore(restored->state_parts());
      for (std::size_t j = 0; j < captures.saved_at(); ++j) apply_one(*steady, world, events[j]);
      REQUIRE(restored->serialize() == steady->serialize());
      CHECK(restored->dropped_late_count(0) == steady->dropped_late_count(0));
      for (std::size_t j = captures.saved_at(); j <= i; ++j) apply_one(*restored, world, events[j]);
      REQUIRE(restored->serialize() == kernel->serialize());
      check_answers(world, ask_one(*restored, world, events[i], events[i].known + 1),
                    ask_one(*kernel, world, events[i], events[i].known + 1));
      ++compared;
    }
  }
  CHECK(compared > test_rounds(120));
}

TEST_CASE("names and what was taken back are captured with it") {
  std::mt19937_64 random(32);
  int compared = 0;
  for (int round = 0; round < test_rounds(60); ++round) {
    const auto project =
        named_project(kCorrected + (round % 2 == 0 ? "dedup = \"5min\"\n" : ""), kTwoViews);
    const auto events = random_named_events(random, 300, kMinuteUs, 6);
    NamedKernel kernel(project);
    const auto parts = tracked(state_parts(*kernel.kernel, *kernel.names));
    Captures captures(random);
    for (std::size_t i = 0; i < events.size(); ++i) {
      kernel.apply(events[i]);
      if (random() % 6 == 0) (void)kernel.ask(events[i].k, events[i].known + 1);
      if (!captures.step(parts, i + 1)) continue;
      NamedKernel restored(project), steady(project);
      captures.saved().restore(state_parts(*restored.kernel, *restored.names));
      for (std::size_t j = 0; j < captures.saved_at(); ++j) steady.apply(events[j]);
      REQUIRE(restored.bytes() == steady.bytes());
      for (std::size_t j = captures.saved_at(); j <= i; ++j) restored.apply(events[j]);
      REQUIRE(restored.bytes() == kernel.bytes());
      ++compared;
    }
  }
  CHECK(compared > test_rounds(60));
}

TEST_CASE("rows that did not enter the log leave the captured names as they were") {
  std::mt19937_64 random(33);
  const auto project = named_project(kCorrected, kTwoViews);
  for (int round = 0; round < test_rounds(80); ++round) {
    const auto events = random_named_events(random, 120, kMinuteUs, 3);
    const std::span<const NamedEvent> all(events);
    NamedKernel kernel(project);
    const auto parts = tracked(kernel.names->state_parts());
    kernel.apply(all.first(80));
    SavedState saved;
    for (const std::size_t taken : {std::size_t{0}, std::size_t{4}}) {
      saved.begin(parts);
      (void)saved.step(parts, random() % 2000);
      EventIndex& index = *kernel.names->of(0);
      const auto tried = all.subspan(80, 30);
      (void)index.take(batch_of(*project, tried), known_of(tried), EventIndex::Undo::yes);
      index.untake(0);
      while (!saved.step(parts, 500)) {
      }
      saved.end(parts, true);
      EventIndexes restored(*project);
      saved.restore(restored.state_parts());
      CHECK(restored.serialize() == kernel.names->serialize());
      kernel.apply(all.subspan(80, taken));
    }
  }
}

TEST_CASE("only what changed is captured, and what is empty goes") {
  const World world = make_world("\"k\"", "\"1h\"", "0s", {kCountRows});
  auto kernel = kernel_of(world);
  const auto parts = tracked(kernel->state_parts());
  SavedState saved;
  const auto save = [&] {
    const std::size_t before = saved.taken_count();
    saved.begin(parts);
    CHECK(saved.step(parts, 1u << 20));
    saved.end(parts, true);
    return saved.taken_count() - before;
  };
  const auto apply_to = [&](int key, std::int64_t minute) {
    Event event = event_at(minute * kMinuteUs, minute * kMinuteUs);
    event.k = "key" + std::to_string(key);
    apply_one(*kernel, world, event);
  };
  for (int key = 0; key < 50; ++key) apply_to(key, key);
  CHECK(save() == 50);
  CHECK(save() == 0);
  apply_to(7, 51);
  apply_to(7, 52);
  apply_to(50, 53);
  CHECK(save() == 2);
  CHECK(saved.units() == 51);
  // Hours later one key goes on; the others are swept as it grows, and leave the saved state too.
  for (int i = 0; i < 2000; ++i) apply_to(7, 1000 + i);
  (void)save();
  CHECK(saved.units() == 1);
}

TEST_CASE("bytes that no state wrote are refused") {
  std::mt19937_64 random(34);
  const World world = random_world(random);
  auto kernel = kernel_of(world);
  for (const auto& event : random_events(random, 60, 10 * kMinuteUs, 2))
    apply_one(*kernel, world, event);
  struct Units final : UnitSink {
    std::vector<std::pair<std::string, std::string>> list;
    void take_unit(std::uint32_t, std::string_view key,
                   std::optional<std::string_view> bytes) override {
      list.emplace_back(key, bytes.value_or(""));
    }
  } units;
  const auto parts = tracked(kernel->state_parts());
  const std::string summary = parts[0].part->summary();
  parts[0].part->freeze(units, 0);
  CHECK(parts[0].part->capture(1u << 20));
  REQUIRE(!units.list.empty());
  auto reader = kernel_of(world);
  StatePart& part = *reader->state_parts()[0].part;
  CHECK_FALSE(part.begin_restore(summary + "x"));
  CHECK_FALSE(part.begin_restore("another view" + summary));
  for (const auto& [key, bytes] : units.list) {
    for (std::size_t cut = 0; cut < bytes.size(); ++cut) {
      REQUIRE(part.begin_restore(summary));
      CHECK_FALSE(part.restore_unit(key, bytes.substr(0, cut)));
    }
    REQUIRE(part.begin_restore(summary));
    CHECK_FALSE(part.restore_unit(key, bytes + "x"));
    REQUIRE(part.begin_restore(summary));
    CHECK(part.restore_unit(key, bytes));
    CHECK_FALSE(part.restore_unit(key, bytes));
  }
}

}  // namespace
}  // namespace coeval::kernel
