#include <doctest/doctest.h>

#include <random>

#include "stores/event_log.h"
#include "stores/event_log_conformance.h"
#include "stores/faulty_files.h"
#include "stores/log_format.h"
#include "stores/temporary_folder.h"

namespace coeval::stores {

namespace {

std::string numbered(std::uint64_t i) {
  return "record " + std::to_string(i) + std::string(i % 50, '.');
}

// The payload of every record must be the one that was appended at its position.
void check_contents(const EventLog& log, std::uint64_t count) {
  const auto kept = records_of(log);
  REQUIRE(kept.size() == count);
  for (const auto& record : kept) REQUIRE(record.payload == numbered(record.position));
}

// Appends and syncs until something fails or `goal` is reached; returns how many were acknowledged.
std::uint64_t append_until_failure(EventLog& log, std::uint64_t goal, Error* failure) {
  std::uint64_t acknowledged = log.next_position().value;
  while (acknowledged < goal) {
    for (int i = 0; i < 3; ++i) {
      const auto position = log.append(event_draft(numbered(log.next_position().value)));
      if (!position) return *failure = position.error(), acknowledged;
    }
    const Status synced = log.sync();
    if (!synced) return *failure = synced.error(), acknowledged;
    acknowledged = log.next_position().value;
  }
  return acknowledged;
}

}  // namespace

TEST_CASE(
    "a disk that fills at any byte loses nothing acknowledged, and the log goes on with room") {
  constexpr std::uint64_t kGoal = 12;
  for (const std::uint64_t segment_bytes : {150u, 1u << 20}) {
    for (std::uint64_t room = 64; room < 900; ++room) {
      CAPTURE(segment_bytes);
      CAPTURE(room);
      const TemporaryFolder folder(TemporaryFolder::Where::in_memory);
      auto files = std::make_shared<FaultyFiles>();
      auto log = open_log(folder.path(), {segment_bytes, files}).value();
      files->plan().room_bytes = room;
      Error failure;
      const std::uint64_t acknowledged = append_until_failure(*log, kGoal, &failure);
      if (acknowledged >= kGoal) continue;
      CHECK(failure.code == Code::disk_full);
      CHECK(failure.message.find(folder.path()) != std::string::npos);
      // Nothing half-written, nor what was not acknowledged, is seen; appends are refused.
      check_contents(*log, acknowledged);
      CHECK(log->append(event_draft("x")).error().code == Code::disk_full);
      CHECK(log->sync().error().code == Code::disk_full);
      CHECK(log->reopen().error().code == Code::disk_full);
      files->plan().room_bytes = FaultPlan::kNever;
      REQUIRE(log->reopen());
      CHECK(log->next_position() == Position{acknowledged});
      CHECK(append_until_failure(*log, kGoal, &failure) >= kGoal);
      log.reset();
      check_contents(*open_log(folder.path(), {segment_bytes, files}).value(), kGoal);
    }
  }
}

TEST_CASE("a log dropped on a full disk does not bring refused records back") {
  const TemporaryFolder folder;
  auto files = std::make_shared<FaultyFiles>();
  auto log = open_log(folder.path(), {1u << 20, files}).value();
  Error failure;
  REQUIRE(append_until_failure(*log, 3, &failure) == 3);
  files->plan().room_bytes = 130;  // one whole record of the next round, and some of the second
  REQUIRE(append_until_failure(*log, 6, &failure) == 3);
  log.reset();
  check_contents(*open_log_for_reading(folder.path()).value(), 3);
  CHECK(inspect_log(folder.path(), false).value().torn_bytes == 0);
}

TEST_CASE("after a failed fsync the log cuts what was not acknowledged") {
  const TemporaryFolder folder;
  auto files = std::make_shared<FaultyFiles>();
  for (std::uint64_t syncs = 0; syncs < 12; ++syncs) {
    CAPTURE(syncs);
    files->plan().syncs_left = FaultPlan::kNever;
    auto log = open_log(folder / std::to_string(syncs), {150, files}).value();
    files->plan().syncs_left = syncs;
    Error failure;
    const std::uint64_t acknowledged = append_until_failure(*log, 30, &failure);
    REQUIRE(acknowledged < 30);
    CHECK(failure.code == Code::io);
    check_contents(*log, acknowledged);
    files->plan().syncs_left = FaultPlan::kNever;
    REQUIRE(log->reopen());
    CHECK(append_until_failure(*log, 30, &failure) == 30);
    check_contents(*log, 30);
  }
}

TEST_CASE("a segment that cannot be begun is an error, and begins when it can") {
  const TemporaryFolder folder;
  auto files = std::make_shared<FaultyFiles>();
  auto log = open_log(folder.path(), {150, files}).value();
  Error failure;
  files->plan().opens_left = 1;
  const std::uint64_t acknowledged = append_until_failure(*log, 30, &failure);
  REQUIRE(acknowledged < 30);
  CHECK(failure.code == Code::io);
  files->plan().opens_left = FaultPlan::kNever;
  REQUIRE(log->reopen());
  CHECK(append_until_failure(*log, 30, &failure) == 30);
  check_contents(*log, 30);
}

// Found by the simulator: seed 1, step 2619.
TEST_CASE("a segment that was being made when its writer died outlives a power failure later") {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    CAPTURE(seed);
    const TemporaryFolder folder(TemporaryFolder::Where::in_memory);
    auto files = std::make_shared<FaultyFiles>();
    const auto append_one = [&] {
      auto log = open_log(folder.path(), {1u << 20, files}).value();
      REQUIRE(log->append(event_draft(numbered(log->next_position().value))));
      REQUIRE(log->sync());
    };
    append_one();
    // The next writer begins a segment and dies before the folder is synced.
    REQUIRE(files->open(folder / segment_name(Position{1}), FileLayer::Open::create_new));
    append_one();
    REQUIRE(files->lose_power(seed));
    check_contents(*open_log(folder.path(), {1u << 20, files}).value(), 2);
  }
}

// Found by the simulator: seed 3, step 1345.
TEST_CASE("a segment that was given up and comes back by a power failure leaves no gap before it") {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    CAPTURE(seed);
    const TemporaryFolder folder(TemporaryFolder::Where::in_memory);
    auto files = std::make_shared<FaultyFiles>();
    auto log = open_log(folder.path(), {150, files}).value();
    const auto append_until = [&](std::uint64_t end) {
      while (log->next_position().value < end)
        REQUIRE(log->append(event_draft(numbered(log->next_position().value))));
    };
    append_until(1);
    REQUIRE(log->sync());
    append_until(4);  // into the second segment
    files->plan().syncs_left = 0;
    REQUIRE_FALSE(log->sync());
    // The power fails while the log goes back to its first record.
    files->plan().syncs_left = 1;
    REQUIRE_FALSE(log->reopen());
    files->plan().opens_left = 0;
    log.reset();
    files->plan() = {};
    REQUIRE(files->lose_power(seed));
    const auto reopened = open_log(folder.path(), {150, files});
    REQUIRE(reopened);
    CHECK((*reopened)->next_position().value >= 1);
    check_contents(**reopened, (*reopened)->next_position().value);
  }
}

TEST_CASE(
    "a power failure at any moment keeps every acknowledged record and opens without repair") {
  std::mt19937_64 random(20010601);
  for (int round = 0; round < 200; ++round) {
    CAPTURE(round);
    const TemporaryFolder folder(TemporaryFolder::Where::in_memory);
    std::uint64_t acknowledged = 0;
    for (int life = 0; life < 3; ++life) {
      auto files = std::make_shared<FaultyFiles>();
      auto log = open_log(folder.path(), {100 + random() % 400, files}).value();
      REQUIRE(log->next_position().value >= acknowledged);
      for (std::uint64_t steps = random() % 40; steps > 0; --steps) {
        REQUIRE(log->append(event_draft(numbered(log->next_position().value))));
        if (random() % 3 == 0) REQUIRE(log->flush());
        if (random() % 5 != 0) continue;
        REQUIRE(log->sync());
        acknowledged = log->next_position().value;
      }
      log.reset();
      REQUIRE(files->lose_power(random()));
    }
    const auto log = open_log(folder.path(), {200, std::make_shared<FaultyFiles>()}).value();
    CHECK(log->next_position().value >= acknowledged);
    check_contents(*log, log->next_position().value);
  }
}

}  // namespace coeval::stores
