#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace coeval::kernel {

/// Takes what is captured of a state. Threading: called by the state's own thread.
class UnitSink {
 public:
  virtual ~UnitSink() = default;
  /// A unit of a part: its bytes, or nothing where there is no such unit any more.
  virtual void take_unit(std::uint32_t part, std::string_view key,
                         std::optional<std::string_view> bytes) = 0;
};

/// Gives back units of a state that are not in memory. Threading: called by the state's own thread.
class UnitSource {
 public:
  virtual ~UnitSource() = default;
  /// The bytes of units of a part as they were captured last, in the order of the keys; nothing for
  /// a unit that is not there. Errors: io, snapshot_corrupt.
  virtual Result<std::vector<std::optional<std::string>>> read_units(
      std::uint32_t part, std::span<const std::string_view> keys) = 0;
};

/// A part of a state that is kept by key: a view's entities, the names of a source's events, the
/// rows of a lookup. It can be captured while it goes on changing, and only what has changed since
/// it was captured last.
///
/// A capture begins with freeze(), at one moment between two events. Every unit that changed since
/// the last capture then reaches the sink once, with the bytes that it had at that moment: before
/// it changes again, or in one of the calls of capture(), whichever is first. No unit is copied
/// twice and nothing waits for anything.
///
/// A unit's bytes may hold what has expired by the time that they are read: restore_unit() drops or
/// folds it, so that canonical bytes are those of a state that never stopped. (semantics: A5)
///
/// Threading: one thread.
class StatePart {
 public:
  virtual ~StatePart() = default;

  /// From now on it is noted what changes. What is there already counts as changed; called again,
  /// everything does once more.
  virtual void track_changes() = 0;
  virtual bool tracks_changes() const = 0;
  /// What the part holds besides its units, in few bytes.
  virtual std::string summary() const = 0;

  /// Begins a capture of what changed. `sink` gets the units until capture() has said that none is
  /// left, as those of part number `part`. The last capture must be settled.
  virtual void freeze(UnitSink& sink, std::uint32_t part) = 0;
  /// Captures units until about `bytes` have gone to the sink; says whether none is left.
  virtual bool capture(std::size_t bytes) = 0;
  /// Ends a capture, whether or not units are left. Where it was not `kept`, its units count as
  /// changed again.
  virtual void settle(bool kept) = 0;

  /// Empties the part and reads what summary() gave. After any false the part must be emptied.
  virtual bool begin_restore(std::string_view summary) = 0;
  /// Reads one unit, each key once. It counts as changed only where nothing is left of it, since
  /// what it held has expired.
  virtual bool restore_unit(std::string_view key, std::string_view bytes) = 0;
  virtual void end_restore() = 0;
};

/// A part under the name that files know it by.
struct NamedPart {
  std::string name;
  StatePart* part = nullptr;
};

}  // namespace coeval::kernel
