#pragma once

#include <cerrno>
#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "stores/append_file.h"

namespace coeval::stores {

/// What goes wrong, counted over all files of one layer. Change it at any time: making room again
/// is setting `room_bytes`.
struct FaultPlan {
  static constexpr std::uint64_t kNever = std::numeric_limits<std::uint64_t>::max();
  std::uint64_t room_bytes = kNever;  ///< bytes that can still be written; what fits is written
  int write_error = ENOSPC;           ///< errno once there is no room
  std::uint64_t syncs_left = kNever;  ///< syncs of files and folders that still succeed
  int sync_error = EIO;
  std::uint64_t opens_left = kNever;   ///< files that can still be opened; then EMFILE
  std::uint64_t write_limit = kNever;  ///< one write takes at most so many bytes (short writes)
};

/// Decorates a layer with faults, and knows which bytes a power failure may take. Deterministic.
///
/// A sync is booked here and not passed on: what is durable is decided by lose_power(), and
/// thousands of simulated disks a second must not wait for a real one.
class FaultyFiles final : public FileLayer {
 public:
  explicit FaultyFiles(std::shared_ptr<FileLayer> under = disk_files());
  FaultPlan& plan() { return state_->plan; }
  /// Bytes written so far.
  std::uint64_t written_bytes() const { return state_->written; }

  /// Does to the files on disk what a power failure may do: every file keeps what was synced and,
  /// by `seed`, some of what was not; a file that was made may vanish, and one that was removed may
  /// come back, until their folder is synced. Files must be closed.
  Status lose_power(std::uint64_t seed);

  Result<std::unique_ptr<AppendFile>> open(const std::string& path, Open how) override;
  Status remove(const std::string& path) override;
  Status rename(const std::string& from, const std::string& to) override;
  Status sync_folder(const std::string& folder) override;

  struct Sizes {
    std::uint64_t written = 0, synced = 0;
  };
  struct State {
    FaultPlan plan;
    std::uint64_t written = 0;
    std::map<std::string, Sizes> sizes;
    // Not yet made durable by a sync of their folder:
    std::set<std::string> created;
    struct Removed {
      std::string bytes;
      Sizes sizes;
    };
    std::map<std::string, Removed> removed;
  };

 private:
  Status bring_back(const std::string& path, const State::Removed& removed, std::uint64_t keep);

  std::shared_ptr<FileLayer> under_;
  std::shared_ptr<State> state_;  // shared with the open files, which may outlive the layer
};

}  // namespace coeval::stores
