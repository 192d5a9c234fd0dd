#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/ids.h"
#include "stores/snapshot_file.h"
#include "stores/snapshot_target.h"
#include "stores/state_units.h"

namespace coeval::stores {

/// A snapshot that is sound and can be read: the fold of a history (named by its basis) and of the
/// log before `position`, as a base file and the deltas on it.
class SnapshotChain {
 public:
  Position position() const { return head_.position; }
  const std::vector<SnapshotPart>& parts() const { return head_.parts; }
  /// Calls `take` for every unit of the state, each once and with its bytes, in no order. Errors:
  /// those of `take`; snapshot_corrupt, io.
  Status read(const TakeUnit& take) const;

 private:
  friend class SnapshotSeries;
  friend class ChainFinder;
  struct File {
    std::string path;
    SnapshotId id;
    std::uint64_t bytes = 0;
  };
  SnapshotHead head_;        // of the newest
  std::vector<File> files_;  // the base first
};

/// The newest snapshot of this basis whose files all pass their checksums and whose position is ≤
/// `end`; nothing when there is none, or no folder. Damaged files, and those of another log, are
/// passed over and reported in `warning` (may be null). With `log`, what each says of the log is
/// compared with it.
Result<std::optional<SnapshotChain>> find_snapshot(const std::string& folder,
                                                   const std::string& basis, Position end,
                                                   std::string* warning,
                                                   const EventLog* log = nullptr);

/// What `coeval doctor` says of the files of a folder.
struct SnapshotFiles {
  std::uint64_t files = 0, bytes = 0;
  std::vector<std::string> damaged;  ///< what is wrong with each that is
};
/// Looks at every checksum of every file. Errors: io.
Result<SnapshotFiles> examine_snapshots(const std::string& folder);

/// Writes the snapshots of one state into a folder: first a base, then deltas, and when these have
/// outgrown it another base, which is put together from the files and not from the state.
///
/// Two points from which the state can be had stand at any time once there was a second snapshot,
/// and share no file: what one damaged file can take is one of them. One writer per folder (the
/// holder of the log's lock).
class SnapshotSeries final : public SnapshotTarget {
 public:
  /// Goes on from `last`, which the state was restored from; with nothing, from an empty state.
  SnapshotSeries(std::string folder, std::string basis, std::optional<SnapshotChain> last = {},
                 std::shared_ptr<FileLayer> files = nullptr);

  bool needs_all() const override { return !last_; }
  std::optional<Position> position() const override {
    return last_ ? std::optional(last_->position()) : std::nullopt;
  }
  Status begin(LogPoint at, std::vector<SnapshotPart> parts) override;
  Status add(const UnitFrame& frame) override;
  Status publish() override;
  void give_up() { writer_.reset(); }
  /// Merges files where it is time to, and removes those that nobody needs.
  Status tidy() override;

 private:
  Result<std::string> next_path(std::uint64_t& number, bool is_base) const;
  Result<bool> merge_is_due() const;
  Status merge();
  Status remove_old();

  std::string folder_, basis_;
  std::shared_ptr<FileLayer> files_;
  std::optional<SnapshotChain> last_;
  // Set when there is a new base: the number of the one before it, from which on files stay.
  std::optional<std::uint64_t> kept_from_;
  // The one that is being written.
  std::optional<SnapshotFileWriter> writer_;
  SnapshotHead head_;
  std::string path_;
};

}  // namespace coeval::stores
