#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/ids.h"
#include "stores/event_log.h"

namespace coeval::stores {

/// A place in a log, and what stands before it.
struct LogPoint {
  Position position;        ///< the first record that is not in a state
  std::uint64_t check = 0;  ///< log_check() there; 0: not known

  // NOLINTNEXTLINE(google-explicit-constructor): a position is a point whose check is not known
  LogPoint(Position at = {}, std::uint64_t check_there = 0) : position(at), check(check_there) {}
  friend bool operator==(const LogPoint&, const LogPoint&) = default;
};

/// A hash of the whole record before `position` (place, times, kind, payload), which a log that was
/// put in the place of another, or put back to an older one and then gone on with, does not have
/// there. 1 where there is none, never 0. Errors: those of reading; log_corrupt when the log does
/// not reach so far.
Result<std::uint64_t> log_check(const EventLog& log, Position position);
/// The point with its check.
Result<LogPoint> log_point(const EventLog& log, Position position);

/// What a state depends on (SnapshotHead::basis): the hash of a definition with its files and cut,
/// and the log's id, empty for logs that have none.
std::string state_basis(std::string_view definition_hash, std::string_view log_id);

/// What a saved state says of itself.
struct SavedOrigin {
  std::string_view basis;
  LogPoint at;
};
/// What a state may be gone on from.
struct StateOrigin {
  std::string basis;
  Position end;                   ///< of the log
  const EventLog* log = nullptr;  ///< null: checks are not compared
};
/// Whether a saved state can be gone on from, and why not.
struct Fitness {
  bool fits = true;
  bool other_log = false;  ///< the definition is the same, the log is not
  std::string why;         ///< a clause for a person: "it is of another log"
};
/// Errors: those of reading the log.
Result<Fitness> fitness(const SavedOrigin& saved, const StateOrigin& origin);

}  // namespace coeval::stores
