// What is taken back leaves no trace. (semantics: T7 A1 A5)
#include <doctest/doctest.h>

#include <algorithm>

#include "base/rounds_for_tests.h"
#include "kernel/names_for_tests.h"

namespace coeval::kernel {
namespace {

using namespace testing;

// Every kind of state: counters, narrow, wide and real sums, moments, extremes, collections,
// strings; windows that follow each other, with an offset, by the calendar, over all time.
std::string every_aggregate(const std::string& windows, const std::string& by) {
  return "[view.v]\nfrom = \"s\"\nby = " + by + "\nwindows = " + windows + R"toml(
lateness = "40min"
rows = "count()"
sum_n = "sum(n)"
mean_x = "mean(x)"
wide = "sum(n * 1000000)"
var_x = "var(x)"
slope = "slope(n)"
low = "min(x)"
high = "max(n)"
oldest = "first(x)"
newest = "last(w)"
least = "min(w)"
second = "lag(n, 1)"
kinds = "distinct(w)"
median = "quantile(x, 0.5)"
usual = "mode(w)"
decayed = "decayed_sum(x, 30min)"
some = "any(n > 25) where n > 0"
since = "since_last() where x > 50"
)toml";
}

// The rows that count after all of `events`, found once more by the index itself, whose roles
// oracle.py checks.
std::vector<NamedEvent> survivors(const define::Project& project,
                                  const std::vector<NamedEvent>& events) {
  EventIndex index(project, 0, EventIndex::Keep::everything);
  const auto found = index.take(batch_of(project, events), known_of(events));
  std::vector<bool> stands;
  for (const Role role : found.roles) stands.push_back(counts(role));
  for (const std::int64_t number : found.takes_back_number)
    if (number >= 0) stands[static_cast<std::size_t>(number)] = false;
  std::vector<NamedEvent> out;
  for (std::size_t i = 0; i < events.size(); ++i)
    if (stands[i]) out.push_back(events[i]);
  return out;
}

TEST_CASE("after corrections every answer is that of the events that stand, bit for bit") {
  std::mt19937_64 random(21);
  for (int round = 0; round < 60; ++round) {
    const std::string windows = round % 2 == 0 ? R"(["10min", "1h", "30min offset 20min", "today"])"
                                               : R"(["10min", "1h", "all"])";
    const std::string view = every_aggregate(windows, round % 3 == 0 ? "[]" : "[\"k\"]");
    const auto corrected = named_project(kCorrected, view), plain = named_project("", view);
    const bool dense = round % 4 == 0;
    const auto events =
        random_named_events(random, dense ? 1500 : 200, dense ? kSecondUs : kMinuteUs, 3);
    NamedKernel kernel(corrected);
    std::size_t done = 0;
    for (int question = 0; question < 12; ++question) {
      const std::size_t until = done + 1 + random() % (events.size() / 12);
      while (done < until && done < events.size()) {
        kernel.apply(events[done++]);
        // Cursors that stand in the middle of the events when one of them is taken back.
        if (random() % 5 == 0) (void)kernel.ask("a", events[done - 1].known + 1);
      }
      NamedKernel without(plain);
      without.apply(survivors(
          *corrected, {events.begin(), events.begin() + static_cast<std::ptrdiff_t>(done)}));
      const std::int64_t at = events[done - 1].known + 1;
      for (const char* k : {"a", "b", "nobody"}) CHECK(kernel.ask(k, at) == without.ask(k, at));
    }
  }
}

TEST_CASE("an answer about a time stays what it was, within the lateness") {
  std::mt19937_64 random(22);
  for (int round = 0; round < test_rounds(30); ++round) {
    const auto project =
        named_project(kCorrected, every_aggregate(R"(["10min", "1h", "all"])", "[\"k\"]"));
    const auto events = random_named_events(random, 250, kMinuteUs / 4, 2);
    NamedKernel kernel(project);
    struct Given {
      std::int64_t at;
      std::vector<std::string> answer;
    };
    std::vector<Given> given;
    for (std::size_t i = 0; i < events.size(); ++i) {
      kernel.apply(events[i]);
      const bool last_of_its_time = i + 1 == events.size() || events[i + 1].known > events[i].known;
      if (last_of_its_time && random() % 3 == 0)
        given.push_back({events[i].known + 1, kernel.ask("a", events[i].known + 1)});
      if (random() % 4 == 0) {  // restarts keep what was taken back
        NamedKernel fresh(project);
        REQUIRE(restore_state(kernel.bytes(), *fresh.kernel, *fresh.names));
        CHECK(fresh.bytes() == kernel.bytes());
        kernel.kernel = std::move(fresh.kernel);
        kernel.names = std::move(fresh.names);
        kernel.project = fresh.project;
      }
      for (const Given& one : given)
        if (kernel.kernel->reaches(0, one.at)) CHECK(kernel.ask("a", one.at) == one.answer);
    }
  }
}

TEST_CASE("once no question can see it any more, the state has no byte of what was taken back") {
  const std::string view = every_aggregate(R"(["10min", "1h"])", "[\"k\"]");
  const auto project = named_project(kCorrected + "dedup = \"5min\"\n", view);
  std::mt19937_64 random(23);
  int compared = 0;
  for (int round = 0; round < 200 && compared < 12; ++round) {
    auto events = random_named_events(random, 120, kMinuteUs / 2, 3);
    NamedKernel with(project), without(project);
    with.apply(events);
    NamedEvent last;
    last.id = "last";
    last.ts = last.known = events.back().known + 41 * kMinuteUs;  // lateness and one minute
    // The same events without those that were taken back, and without what took them back: what is
    // left stands alone.
    auto standing = survivors(*project, events);
    for (NamedEvent& e : standing) e.replaces.reset();
    for (std::size_t i = 0; i < standing.size(); ++i)
      for (std::size_t j = 0; j < i; ++j)
        if (standing[j].id == standing[i].id) standing[i].id += "'";
    without.apply(standing);
    const bool same_names =
        std::ranges::all_of(standing, [](const NamedEvent& e) { return !e.id.ends_with("'"); });
    with.apply(last);
    without.apply(last);
    // Rows that came too late for the view are counted, and both histories must have as many.
    if (!same_names || with.kernel->dropped_late_count(0) != without.kernel->dropped_late_count(0))
      continue;
    ++compared;
    CHECK(with.kernel->serialize() == without.kernel->serialize());
    // The names differ for as long as one may be used again or named: ids that were taken back are
    // remembered, so that they are told as duplicates. Beyond the horizon and the windows' reach
    // that is over too.
    NamedEvent later = last;
    later.id = "later";
    later.ts = later.known = last.known + 3 * kHourUs;
    with.apply(later);
    without.apply(later);
    CHECK(with.bytes() == without.bytes());
  }
  CHECK(compared == 12);
}

TEST_CASE("deleting every event leaves a state without entities") {
  const auto project = named_project(kCorrected, every_aggregate(R"(["1h", "all"])", "[\"k\"]"));
  NamedKernel kernel(project);
  std::mt19937_64 random(24);
  auto events = random_named_events(random, 600, kSecondUs, 2);
  std::int64_t known = events.back().known;
  std::vector<NamedEvent> all;
  for (std::size_t i = 0; i < events.size(); ++i) {
    events[i].id = "e" + std::to_string(i);
    events[i].replaces.reset();
    events[i].gone = false;
    all.push_back(events[i]);
  }
  std::ranges::shuffle(events, random);
  for (const NamedEvent& event : events) {
    NamedEvent deletion;
    deletion.id = "not " + event.id;
    deletion.replaces = event.id;
    deletion.gone = true;
    deletion.ts = deletion.known = ++known;
    all.push_back(deletion);
  }
  for (std::size_t i = 0; i < all.size(); ++i) {
    kernel.apply(all[i]);
    if (i % 37 == 0) (void)kernel.ask("a", all[i].known + 1);
  }
  CHECK(kernel.kernel->event_count(0) == 0);
  CHECK(kernel.ask("a", known + 1) == kernel.ask("nobody", known + 1));
  NamedEvent late;
  late.id = "late";
  late.gone = true;
  late.ts = late.known = known + kHourUs;
  kernel.apply(late);
  NamedKernel empty(project);
  empty.apply(late);
  CHECK(kernel.kernel->serialize() == empty.kernel->serialize());
  // What the last walk over a window gathered is kept until the next: four texts at most.
  CHECK(kernel.kernel->string_count(0) <= 4);
}

TEST_CASE("replaying a history with corrections in parts gives the bits of one after the other") {
  const auto project =
      named_project(kCorrected, every_aggregate(R"(["10min", "1h", "all"])", "[\"k\"]"));
  std::mt19937_64 random(25);
  const auto events = random_named_events(random, 500, kMinuteUs / 4, 3);
  std::vector<NamedEvent> keys;
  std::vector<std::int64_t> at;
  for (std::size_t i = 0; i < events.size(); i += 5) {
    keys.push_back(events[random() % events.size()]);
    at.push_back(events[i].known + static_cast<std::int64_t>(random() % 2));
  }
  NamedKernel replayed(project);
  const data::Batch rows = batch_of(*project, events);
  const auto known = known_of(events);
  const auto amendments = replayed.names->of(0)->take(rows, known);
  const auto block = replayed.kernel->prepare_events(0, rows, known, run_in_turn, &amendments);
  const std::array views = {0};
  const auto questions = replayed.kernel->prepare_questions(batch_of(*project, keys), at, views);
  REQUIRE(block);
  REQUIRE(questions);
  std::vector<std::int64_t> order(events.size()), asked(at.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = static_cast<std::int64_t>(i);
  for (std::size_t i = 0; i < asked.size(); ++i) asked[i] = static_cast<std::int64_t>(i);
  NamedKernel one(project);
  std::size_t next = 0, done = 0;
  for (std::size_t begin = 0; begin < asked.size(); begin += 7) {
    const auto part =
        std::span(asked).subspan(begin, std::min<std::size_t>(7, asked.size() - begin));
    const auto columns = replayed.kernel->replay(0, *block, order, next, *questions, part);
    for (std::size_t i = 0; i < part.size(); ++i) {
      const auto question = static_cast<std::size_t>(part[i]);
      for (; done < events.size() && events[done].known < at[question]; ++done)
        one.apply(events[done]);
      const auto expected = one.ask(keys[question].k, at[question]);
      for (std::size_t f = 0; f < expected.size(); ++f) {  // then marks of what is approximate
        const data::Column& column = columns[f];
        const auto row = static_cast<std::int64_t>(i);
        const std::string text =
            column.is_null(row) ? "null" : data::to_text(column.value(row), column.type());
        CHECK(expected[f].substr(0, text.size()) == text);
      }
    }
  }
  CHECK(done > 400);
}

TEST_CASE("damaged bytes of a state with corrections are refused, or are those of another state") {
  const auto project = named_project(kCorrected, every_aggregate(R"(["10min", "all"])", "[\"k\"]"));
  std::mt19937_64 random(26);
  NamedKernel kernel(project);
  kernel.apply(random_named_events(random, 25, kMinuteUs, 2));
  const std::string good = kernel.kernel->serialize();
  for (std::size_t i = 0; i < good.size(); ++i) {
    std::string bad = good;
    bad[i] = static_cast<char>(bad[i] ^ static_cast<char>(1 + random() % 255));
    NamedKernel read(project);
    if (read.kernel->restore(bad)) CHECK(read.kernel->serialize() == bad);
    CHECK_FALSE(read.kernel->restore(good.substr(0, i)));
  }
  CHECK(kernel.kernel->restore(good));
}

}  // namespace
}  // namespace coeval::kernel
