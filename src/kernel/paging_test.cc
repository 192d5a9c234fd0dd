// Entities that leave memory and come back: nothing that can be asked tells that they were away.
#include <doctest/doctest.h>

#include "base/rounds_for_tests.h"
#include "kernel/capture_for_tests.h"
#include "kernel/kernel_for_tests.h"
#include "kernel/names_for_tests.h"

namespace coeval::kernel {
namespace {

using namespace testing;

// Captures the whole of what changed.
void save(SavedState& saved, const std::vector<NamedPart>& parts) {
  saved.begin(parts);
  while (!saved.step(parts, 500)) {
  }
  saved.end(parts, true);
}

// A capture goes on over some events; after one that was kept, some entities leave.
class Shelving {
 public:
  Shelving(std::mt19937_64& random, Kernel& kernel, std::vector<NamedPart> parts, SavedState& saved)
      : random_(random), kernel_(kernel), parts_(std::move(parts)), saved_(saved) {}

  void step() {
    if (!under_way_ && random_() % 6 == 0) {
      saved_.begin(parts_);
      under_way_ = true;
    }
    if (!under_way_ || random_() % 3 == 0 || !saved_.step(parts_, 1 + random_() % 300)) return;
    saved_.end(parts_, random_() % 5 != 0);
    under_way_ = false;
    if (random_() % 4 == 0) return;
    const std::size_t before = kernel_.entity_bytes();
    const std::size_t wanted = random_() % 3 == 0 ? 0 : random_() % (before + 1);
    kernel_.drop_entities(wanted);
    dropped += kernel_.entity_bytes() < before ? 1 : 0;
  }
  void finish() {
    if (under_way_) {
      while (!saved_.step(parts_, 500)) {
      }
      saved_.end(parts_, true);
      under_way_ = false;
    }
    save(saved_, parts_);
  }
  std::size_t dropped = 0;

 private:
  std::mt19937_64& random_;
  Kernel& kernel_;
  const std::vector<NamedPart> parts_;
  SavedState& saved_;
  bool under_way_ = false;
};

TEST_CASE("entities that leave memory and come back answer as if they had stayed") {
  std::mt19937_64 random(51);
  std::size_t dropped = 0, read = 0;
  for (int round = 0; round < test_rounds(150); ++round) {
    const World world = random_world(random);
    const auto events = random_events(random, 300, round % 2 == 0 ? kMinuteUs : 40 * kMinuteUs,
                                      round % 3 == 0 ? 1 : 12);
    auto paged = kernel_of(world), steady = kernel_of(world);
    SavedState saved;
    auto parts = tracked(paged->state_parts());
    paged->page_from(saved);
    Shelving shelving(random, *paged, parts, saved);
    for (std::size_t i = 0; i < events.size(); ++i) {
      apply_one(*paged, world, events[i]);
      apply_one(*steady, world, events[i]);
      shelving.step();
      if (random() % 2 == 0) continue;
      const Event& key = events[random() % events.size()];
      const std::int64_t at =
          events[i].known + 1 -
          static_cast<std::int64_t>(
              random() % 2 == 0
                  ? 0
                  : random() % static_cast<std::uint64_t>(world.view().lateness_us + 1));
      check_answers(world, ask_one(*paged, world, key, at), ask_one(*steady, world, key, at));
    }
    CHECK(paged->dropped_late_count(0) == steady->dropped_late_count(0));
    shelving.finish();
    auto restored = kernel_of(world);
    saved.restore(restored->state_parts());
    REQUIRE(restored->serialize() == steady->serialize());
    dropped += shelving.dropped;
    read += saved.read_count;
  }
  CHECK(dropped > static_cast<std::size_t>(test_rounds(150)));
  CHECK(read > static_cast<std::size_t>(test_rounds(150)));
}

TEST_CASE("what takes events back finds them outside memory, also after a restart") {
  std::mt19937_64 random(52);
  std::size_t dropped = 0, restarts = 0;
  for (int round = 0; round < test_rounds(80); ++round) {
    const auto project =
        named_project(kCorrected + (round % 2 == 0 ? "dedup = \"5min\"\n" : ""), kTwoViews);
    const auto events = random_named_events(random, 240, kMinuteUs, 6);
    auto paged = std::make_unique<NamedKernel>(project);
    NamedKernel steady(project);
    SavedState saved;
    const auto begin = [&] {
      auto parts = tracked(state_parts(*paged->kernel, *paged->names));
      if (saved.any()) saved.restore(parts, project->views.size());
      paged->kernel->page_from(saved);
      return std::make_unique<Shelving>(random, *paged->kernel, parts, saved);
    };
    auto shelving = begin();
    for (std::size_t i = 0; i < events.size(); ++i) {
      paged->apply(events[i]);
      steady.apply(events[i]);
      shelving->step();
      REQUIRE(paged->ask(events[i].k, events[i].known + 1) ==
              steady.ask(events[i].k, events[i].known + 1));
      const std::int64_t back =
          events[i].known - static_cast<std::int64_t>(random() % 20) * kMinuteUs;
      const auto found = paged->ask(events[i / 2].k, back);
      const auto expected = steady.ask(events[i / 2].k, back);
      for (std::size_t feature = 0; feature < expected.size(); ++feature) {
        INFO("round ", round, " event ", i, " ", project->views[0].feature_name(feature));
        REQUIRE(found[feature] == expected[feature]);
      }
      if (random() % 60 != 0) continue;
      shelving->finish();
      dropped += shelving->dropped;
      paged = std::make_unique<NamedKernel>(project);
      shelving = begin();
      ++restarts;
    }
    shelving->finish();
    NamedKernel restored(project);
    saved.restore(state_parts(*restored.kernel, *restored.names));
    REQUIRE(restored.bytes() == steady.bytes());
    dropped += shelving->dropped;
  }
  CHECK(dropped > static_cast<std::size_t>(test_rounds(80)));
  CHECK(restarts > static_cast<std::size_t>(test_rounds(80)));
}

TEST_CASE("texts count as memory, and leave it with their entities") {
  NamedKernel kernel(named_project("id = \"id\"\n", kTwoViews));
  const auto parts = tracked(state_parts(*kernel.kernel, *kernel.names));
  SavedState saved;
  kernel.kernel->page_from(saved);
  constexpr std::size_t kEvents = 40, kLong = 5000;
  for (std::size_t i = 0; i < kEvents; ++i) {
    NamedEvent event;
    event.id = "e" + std::to_string(i);
    event.known = event.ts = static_cast<std::int64_t>(i) * kSecondUs;
    event.k = std::string(1, static_cast<char>('a' + i % 8));
    event.w = std::string(kLong, 'x') + std::to_string(i);
    kernel.apply(event);
  }
  CHECK(kernel.kernel->entity_bytes() > kEvents * kLong);
  save(saved, parts);
  kernel.kernel->drop_entities(kEvents * kLong / 2);
  CHECK(kernel.kernel->entity_bytes() <= kEvents * kLong / 2);
  CHECK(kernel.kernel->entity_bytes() > kEvents * kLong / 8);
  kernel.kernel->drop_entities(0);
  CHECK(kernel.kernel->entity_bytes() == 0);
  CHECK(kernel.kernel->string_count(0) == 0);
  const auto newest = kernel.ask("a", kEvents * kSecondUs);
  CHECK(std::ranges::count(newest, std::string(kLong, 'x') + "32") > 0);
}

World counting_world() { return make_world("\"k\"", "\"1h\"", "0s", {kCountRows}); }

Event event_of(int key, std::int64_t minute) {
  Event event = event_at(minute * kMinuteUs, minute * kMinuteUs);
  event.k = "key" + std::to_string(key);
  return event;
}

TEST_CASE("a unit that cannot be read fails what needs it, and nothing else") {
  const World world = counting_world();
  auto kernel = kernel_of(world);
  const auto parts = tracked(kernel->state_parts());
  SavedState saved;
  kernel->page_from(saved);
  for (int key = 0; key < 20; ++key) apply_one(*kernel, world, event_of(key, key));
  save(saved, parts);
  kernel->drop_entities(0);
  CHECK(kernel->entity_count(0) == 0);
  CHECK(kernel->event_count(0) == 0);
  apply_one(*kernel, world, event_of(3, 21));
  CHECK(kernel->entity_count(0) == 1);
  CHECK(kernel->event_count(0) == 2);

  const auto asked = [&](int key) {
    const std::array keys = {event_of(key, 0)};
    const std::array times = {std::int64_t{22} * kMinuteUs};
    return kernel->prepare_questions(batch_of(*world.project, keys, false), times, kViews);
  };
  for (bool SavedState::* fault : {&SavedState::reads_fail, &SavedState::cut_units}) {
    saved.*fault = true;
    CHECK(asked(3).has_value());
    const auto failed = asked(4);
    REQUIRE_FALSE(failed.has_value());
    CHECK(failed.error().code ==
          (fault == &SavedState::cut_units ? Code::snapshot_corrupt : Code::io));
    const std::array events = {event_of(5, 22)};
    CHECK_FALSE(kernel->prepare_events(0, batch_of(*world.project, events, false), known_of(events))
                    .has_value());
    CHECK(kernel->entity_count(0) == 1);
    CHECK(kernel->event_count(0) == 2);
    saved.*fault = false;
  }
  CHECK(ask_one(*kernel, world, event_of(4, 0), 22 * kMinuteUs)[0].bits == 1);
  apply_one(*kernel, world, event_of(5, 22));
  CHECK(ask_one(*kernel, world, event_of(5, 0), 23 * kMinuteUs)[0].bits == 2);
}

TEST_CASE("what changed stays, and of the others those that were named last") {
  const World world = counting_world();
  auto kernel = kernel_of(world);
  const auto parts = tracked(kernel->state_parts());
  SavedState saved;
  kernel->page_from(saved);
  for (int key = 0; key < 100; ++key) apply_one(*kernel, world, event_of(key, 0));
  save(saved, parts);
  apply_one(*kernel, world, event_of(7, 1));
  for (const int key : {50, 60}) (void)ask_one(*kernel, world, event_of(key, 0), 2 * kMinuteUs);
  const std::size_t of_one = kernel->entity_bytes() / 101;
  kernel->drop_entities(of_one * 4);
  CHECK(kernel->entity_count(0) <= 4);
  const std::size_t read = saved.read_count;
  for (const int key : {7, 50, 60})
    CHECK(ask_one(*kernel, world, event_of(key, 0), 2 * kMinuteUs)[0].bits == (key == 7 ? 2 : 1));
  CHECK(saved.read_count == read);
  CHECK(ask_one(*kernel, world, event_of(8, 0), 2 * kMinuteUs)[0].bits == 1);
  CHECK(saved.read_count == read + 1);
}

}  // namespace
}  // namespace coeval::kernel
