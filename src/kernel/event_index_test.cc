#include "kernel/event_index.h"

#include <doctest/doctest.h>

#include "kernel/names_for_tests.h"

namespace coeval::kernel {
namespace {

using namespace testing;

const std::string kOneHour = R"toml([view.v]
from = "s"
by = ["k"]
windows = ["1h"]
lateness = "30min"
n = "count()"
)toml";

NamedEvent row(std::int64_t minute, const std::string& id,
               const std::optional<std::string>& replaces = {}, bool gone = false) {
  NamedEvent e;
  e.ts = e.known = minute * kMinuteUs;
  e.id = id;
  e.replaces = replaces;
  e.gone = gone;
  return e;
}

Amendments take(EventIndex& index, const define::Project& project,
                const std::vector<NamedEvent>& events) {
  return index.take(batch_of(project, events), known_of(events));
}

using Roles = std::vector<Role>;
using Numbers = std::vector<std::int64_t>;

TEST_CASE("an index says what each row is, and which event it takes back") {
  const auto project = named_project(kCorrected, kOneHour);
  EventIndex index(*project, 0, EventIndex::Keep::needed);
  NamedEvent moved = row(3, "c", "a");
  moved.k = "b";
  const auto found = take(index, *project,
                          {row(0, "a"), row(1, "b"), row(2, "a"), moved, row(4, "d", "c", true),
                           row(5, "e", "nobody"), row(6, "nobody"), row(7, "f", {}, true)});
  CHECK(found.roles == Roles{Role::event, Role::event, Role::duplicate, Role::correction,
                             Role::deletion, Role::correction, Role::replaced, Role::deletion});
  CHECK(found.because_of == Numbers{-1, -1, 0, -1, -1, -1, 5, -1});
  CHECK(found.takes_back_number == Numbers{-1, -1, -1, 0, 3, -1, -1, -1});
  CHECK(found.takes_back == Numbers{-1, -1, -1, 0, 1, -1, -1, -1});
  // What is taken back is found by its own times and key, not by those of the row that names it.
  CHECK(found.event_time_us == Numbers{0, 3 * kMinuteUs});
  REQUIRE(found.taken_back.find("k") != nullptr);
  CHECK(found.taken_back.find("k")->string(0) == "a");
  CHECK(found.taken_back.find("k")->string(1) == "b");
  CHECK(found.counted.duplicates == 1);
  CHECK(found.counted.corrections == 2);
  CHECK(found.counted.deletions == 2);
  CHECK(found.counted.unmatched == 1);
}

TEST_CASE("rows are taken in position order, whatever their order in the batch") {
  const auto project = named_project(kCorrected, kOneHour);
  EventIndex index(*project, 0, EventIndex::Keep::everything);
  const std::vector<NamedEvent> events = {row(9, "a", "b"), row(1, "b"), row(5, "b")};
  const Numbers order = {1, 2, 0};
  const auto found = index.take(batch_of(*project, events), known_of(events), order);
  CHECK(found.roles == Roles{Role::correction, Role::event, Role::duplicate});
  CHECK(found.takes_back_number == Numbers{1, -1, -1});
}

TEST_CASE("integers and strings name events, each in its own way") {
  data::ColumnBuilder integers(data::Type::int32);
  integers.append_integer(-1);
  CHECK(event_name(integers.finish(), 0) == exact::Key128{0, UINT64_MAX});
  data::ColumnBuilder strings(data::Type::string);
  strings.append_string("abc");
  // FIPS 180-4: SHA-256 of "abc" begins ba7816bf 8f01cfea 414140de 5dae2223.
  CHECK(event_name(strings.finish(), 0) == exact::Key128{0xba7816bf8f01cfea, 0x414140de5dae2223});
}

TEST_CASE("what did not enter the log is as if it had not come") {
  const auto project = named_project(kCorrected, kOneHour);
  std::mt19937_64 random(3);
  const auto events = random_named_events(random, 300, kMinuteUs, 3);
  for (std::size_t cut = 0; cut <= 40; ++cut) {
    EventIndexes whole(*project), part(*project);
    const std::size_t first = 250;
    const std::vector<NamedEvent> before(events.begin(), events.begin() + first);
    const std::vector<NamedEvent> kept(events.begin() + first,
                                       events.begin() + static_cast<std::ptrdiff_t>(first + cut));
    const std::vector<NamedEvent> tried(events.begin() + first, events.begin() + first + 40);
    (void)take(*whole.of(0), *project, before);
    (void)take(*part.of(0), *project, before);
    (void)take(*whole.of(0), *project, kept);
    (void)part.of(0)->take(batch_of(*project, tried), known_of(tried), EventIndex::Undo::yes);
    part.of(0)->untake(cut);
    CHECK(part.serialize() == whole.serialize());
    const std::vector<NamedEvent> rest(events.begin() + static_cast<std::ptrdiff_t>(first + cut),
                                       events.end());
    CHECK(take(*part.of(0), *project, rest).roles == take(*whole.of(0), *project, rest).roles);
  }
}

TEST_CASE("bytes are those of the rows, whatever the batches were, and can be read back") {
  const auto project = named_project(kCorrected, kOneHour);
  std::mt19937_64 random(4);
  for (int round = 0; round < 20; ++round) {
    const auto events = random_named_events(random, 200, 20 * kMinuteUs, 3);
    EventIndexes at_once(*project), one_by_one(*project), restarted(*project);
    (void)take(*at_once.of(0), *project, events);
    for (std::size_t i = 0; i < events.size(); ++i) {
      const Roles role = take(*one_by_one.of(0), *project, {events[i]}).roles;
      CHECK(take(*restarted.of(0), *project, {events[i]}).roles == role);
      if (i % 7 != 0) continue;
      const std::string bytes = restarted.serialize();
      CHECK(bytes == one_by_one.serialize());
      REQUIRE(restarted.restore(bytes));
      CHECK(restarted.serialize() == bytes);
    }
    CHECK(at_once.serialize() == one_by_one.serialize());
  }
}

TEST_CASE("damaged bytes are refused, or are those of another index") {
  const auto project = named_project(kCorrected, kOneHour);
  std::mt19937_64 random(5);
  EventIndexes index(*project);
  (void)take(*index.of(0), *project, random_named_events(random, 30, kMinuteUs, 3));
  const std::string good = index.serialize();
  for (std::size_t i = 0; i < good.size(); ++i) {
    std::string bad = good;
    bad[i] = static_cast<char>(bad[i] ^ static_cast<char>(1 + random() % 255));
    EventIndexes read(*project);
    if (read.restore(bad)) CHECK(read.serialize() == bad);
    CHECK_FALSE(read.restore(good.substr(0, i)));
    CHECK(read.of(0)->size() == 0);
  }
}

TEST_CASE("an index forgets what no window can need, and says the same without it") {
  const auto project = named_project(kCorrected + "dedup = \"10min\"\n", kOneHour);
  std::mt19937_64 random(6);
  const auto events = random_named_events(random, 4000, kMinuteUs, 3);
  EventIndex bounded(*project, 0, EventIndex::Keep::needed);
  EventIndex endless(*project, 0, EventIndex::Keep::everything);
  std::size_t most = 0;
  for (const NamedEvent& event : events) {
    const auto found = take(bounded, *project, {event});
    const auto all = take(endless, *project, {event});
    CHECK(found.roles == all.roles);
    // What only the endless one takes back is out of the reach of window and lateness.
    if (found.takes_back != all.takes_back)
      CHECK(event.known - all.event_time_us[0] > 90 * kMinuteUs);
    most = std::max(most, bounded.size());
  }
  // 90 minutes of rows that come every 15 seconds on average, some as late as 20 minutes.
  CHECK(most < 1000);
  CHECK(endless.size() > 2 * most);
}

TEST_CASE("without corrections only the horizon is remembered") {
  const auto project = named_project("id = \"id\"\ndedup = \"5min\"\n", kOneHour);
  EventIndex index(*project, 0, EventIndex::Keep::needed);
  for (int i = 0; i < 1000; ++i)
    CHECK(take(index, *project, {row(i, std::to_string(i))}).roles == Roles{Role::event});
  CHECK(index.size() < 10);
  CHECK(take(index, *project, {row(1000, "995")}).roles == Roles{Role::duplicate});
  CHECK(take(index, *project, {row(1000, "994")}).roles == Roles{Role::event});
}

}  // namespace
}  // namespace coeval::kernel
