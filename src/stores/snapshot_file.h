#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/ids.h"
#include "data/hash.h"
#include "stores/file_window.h"
#include "stores/pending_file.h"
#include "stores/state_units.h"

namespace coeval::stores {

/// Names one snapshot file for good: the number in its name, and the sum of its content.
struct SnapshotId {
  std::uint64_t number = 0;
  data::Hash128 sum;
  friend bool operator==(const SnapshotId&, const SnapshotId&) = default;
};

/// A part of a state besides its units.
struct SnapshotPart {
  std::string name, summary;
  friend bool operator==(const SnapshotPart&, const SnapshotPart&) = default;
};

/// What stands at the head of a snapshot file.
struct SnapshotHead {
  std::string basis;                    ///< hash of the views, the history files and the cut
  Position position;                    ///< the first log record that is not in it
  std::optional<SnapshotId> builds_on;  ///< of a delta: the file with what it leaves out
  std::vector<SnapshotPart> parts;
  std::uint64_t log_check = 0;  ///< of the log at the position (state_origin.h); 0: not known
};

/// Writes a snapshot file frame by frame; it is seen once publish() has succeeded. Threading: one
/// thread.
class SnapshotFileWriter {
 public:
  /// Errors: io, disk_full.
  static Result<SnapshotFileWriter> create(const std::string& path, std::uint64_t number,
                                           const SnapshotHead& head,
                                           std::shared_ptr<FileLayer> files);
  Status add(const UnitFrame& frame);
  /// Errors: io, disk_full; then there is no such file.
  Result<SnapshotId> publish();
  std::uint64_t bytes() const { return bytes_; }

 private:
  SnapshotFileWriter(PendingFile file, std::uint64_t number)
      : file_(std::move(file)), number_(number) {}
  Status write(std::string bytes);

  PendingFile file_;
  std::uint64_t number_, bytes_ = 0, frames_ = 0;
  data::Hash128 sum_;
};

/// Reads a snapshot file. Threading: one thread.
class SnapshotFileReader {
 public:
  /// Reads the head. Errors: snapshot_corrupt; unsupported for another version; no_such_file, io.
  static Result<SnapshotFileReader> open(const std::string& path, std::uint64_t number);
  const SnapshotHead& head() const { return head_; }
  std::uint64_t bytes() const { return window_.size(); }
  /// Looks at every checksum, and gives the file's name. Nothing else of it is to be believed
  /// before.
  Result<SnapshotId> verify();
  /// Calls `take` for every unit in the order in which they were added. Errors: those of `take`,
  /// snapshot_corrupt, io.
  Status read(const TakeUnit& take);

 private:
  SnapshotFileReader(FileWindow window, std::string path, std::uint64_t number)
      : window_(std::move(window)), path_(std::move(path)), number_(number) {}
  using TakeFrame = std::function<Status(UnitFrame)>;
  Status read_head();
  Status each_frame(const TakeFrame* take);
  Status frame_at(std::uint64_t& offset, const TakeFrame* take);
  Status end_at(std::uint64_t offset);
  Result<std::string_view> part_of_file(std::uint64_t offset, std::uint64_t bytes);
  std::unexpected<Error> damaged(const std::string& what) const;

  FileWindow window_;
  std::string path_;
  std::uint64_t number_;
  SnapshotHead head_;
  std::uint64_t frames_at_ = 0, frames_ = 0;
  data::Hash128 head_sum_, sum_;
};

}  // namespace coeval::stores
