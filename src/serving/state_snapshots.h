#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/ids.h"
#include "kernel/event_index.h"
#include "kernel/kernel.h"
#include "kernel/state_part.h"
#include "serving/snapshot_writer.h"
#include "stores/snapshots.h"

namespace coeval::serving {

/// How a snapshot is taken beside requests.
struct SnapshotPace {
  bool in_background = false;  ///< compressed and written by a thread of its own
  /// How long, and how much of the state, is captured at once; then requests have their turn.
  double slice_s = 1e9;
  std::size_t slice_bytes = SIZE_MAX;
};

/// Takes snapshots of a state that goes on: each is the state of one moment, captured slice by
/// slice, of what changed since the one before. (kernel/state_part.h)
///
/// Threading: the state's thread.
class StateSnapshots final : private kernel::UnitSink {
 public:
  /// The parts must outlive it. `now_s` is a clock that never goes back.
  StateSnapshots(std::vector<kernel::NamedPart> parts,
                 std::shared_ptr<stores::SnapshotTarget> target, SnapshotPace pace,
                 std::function<double()> now_s);
  ~StateSnapshots() override;

  /// Begins a snapshot of the state as it is now, which is that of the log before `at`. None may be
  /// under way.
  void begin(stores::LogPoint at);
  bool under_way() const { return phase_ != Phase::none; }
  /// Whether step() has something to do now, rather than later.
  bool is_busy() const;
  /// Goes on with the one that is under way, for a slice; gives its outcome once it has one.
  /// Errors of the outcome: io, disk_full; what it had belongs to the next one then.
  std::optional<Status> step();
  /// Goes on to the end of it, without merging files.
  Status finish();
  /// Of the newest that was written, or that the state came from.
  std::optional<Position> last() const { return last_; }

 private:
  void take_unit(std::uint32_t part, std::string_view key,
                 std::optional<std::string_view> bytes) override;
  bool capture(std::size_t bytes);
  void end_capture(bool tidies);
  Status settle(Status outcome);

  enum class Phase : std::uint8_t { none, capturing, writing };
  const std::vector<kernel::NamedPart> parts_;
  const SnapshotPace pace_;
  const std::function<double()> now_s_;
  std::optional<Position> last_;
  SnapshotWriter writer_;
  Phase phase_ = Phase::none;
  std::size_t next_part_ = 0;
  Position position_;
  std::vector<stores::UnitFrame> frames_;  // by part
};

/// Brings an empty state up from the newest snapshot that can be read, and gives the files that it
/// came from. Nothing when there is none; the state is empty then. `warning` gets what was passed
/// over. From then on the state notes what changes. With `log`, what a snapshot says of the log is
/// compared with it. Errors: io.
Result<std::optional<stores::SnapshotChain>> restore_snapshot(
    const std::string& folder, const std::string& basis, Position end, kernel::Kernel& kernel,
    kernel::EventIndexes& names, std::string* warning, const stores::EventLog* log = {});

}  // namespace coeval::serving
