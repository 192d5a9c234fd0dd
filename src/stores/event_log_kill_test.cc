#include <doctest/doctest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <random>

#include "stores/event_log.h"
#include "stores/event_log_conformance.h"
#include "stores/temporary_folder.h"

namespace coeval::stores {

namespace {

std::string payload_of(std::uint64_t position) {
  return std::to_string(position) + std::string(position * 37 % 300, 'k');
}

// Appends and syncs for ever, and says through the pipe how far it is acknowledged.
[[noreturn]] void write_until_killed(const std::string& folder, int acknowledge_to) {
  auto opened = open_log(folder, {4000, nullptr});
  if (!opened) ::_exit(1);
  EventLog& log = **opened;
  for (std::uint64_t round = 0;; ++round) {
    for (std::uint64_t i = 0; i <= round % 17; ++i)
      if (!log.append(event_draft(payload_of(log.next_position().value)))) ::_exit(1);
    if (!log.sync()) ::_exit(1);
    const std::uint64_t acknowledged = log.next_position().value;
    if (::write(acknowledge_to, &acknowledged, sizeof acknowledged) != sizeof acknowledged)
      ::_exit(1);
  }
}

// The last acknowledged position of a child that is killed after `acknowledgements` of them and a
// moment more.
std::uint64_t run_and_kill(const std::string& folder, std::uint64_t acknowledgements,
                           std::uint64_t spins) {
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) write_until_killed(folder, ends[1]);
  ::close(ends[1]);
  std::uint64_t acknowledged = 0, value = 0;
  for (std::uint64_t i = 0; i < acknowledgements; ++i)
    if (::read(ends[0], &value, sizeof value) == sizeof value) acknowledged = value;
  for (volatile std::uint64_t i = 0; i < spins;) i = i + 1;
  ::kill(child, SIGKILL);
  while (::read(ends[0], &value, sizeof value) == sizeof value) acknowledged = value;
  ::close(ends[0]);
  int status = 0;
  ::waitpid(child, &status, 0);
  CHECK(WIFSIGNALED(status));
  return acknowledged;
}

}  // namespace

TEST_CASE("kill -9 at random moments keeps every acknowledged record and needs no repair") {
  const TemporaryFolder folder;
  std::mt19937_64 random(9);
  std::uint64_t acknowledged = 0;
  for (int kills = 0; kills < 30; ++kills) {
    CAPTURE(kills);
    acknowledged =
        std::max(acknowledged, run_and_kill(folder.path(), random() % 12, random() % 2'000'000));
    const auto log = open_log(folder.path()).value();
    CHECK(log->next_position().value >= acknowledged);
    const auto kept = records_of(*log);
    REQUIRE(kept.size() == log->next_position().value);
    for (const auto& record : kept) REQUIRE(record.payload == payload_of(record.position));
  }
  CHECK(acknowledged > 0);
}

}  // namespace coeval::stores
