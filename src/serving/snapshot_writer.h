#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <variant>
#include <vector>

#include "base/error.h"
#include "base/ids.h"
#include "stores/snapshot_target.h"

namespace coeval::serving {

/// Writes snapshots out of what was captured of a state: on a thread of its own, so that nobody
/// waits for compression and the disk, or at once where it is called, which the simulator needs.
///
/// Threading: one thread calls. The queue is not bounded here: who captures looks at
/// waiting_bytes() before it goes on.
class SnapshotWriter {
 public:
  SnapshotWriter(std::shared_ptr<stores::SnapshotTarget> target, bool in_background);
  /// Gives up what is not written yet.
  ~SnapshotWriter();

  /// A snapshot is begin(), add() as often as it takes, and end(). Between end() and the outcome
  /// no other may begin. `tidies`: files are merged then where it is time to.
  void begin(stores::LogPoint at, std::vector<stores::SnapshotPart> parts);
  void add(stores::UnitFrame frame);
  void end(bool tidies);

  /// Bytes of frames that are not written yet.
  std::size_t waiting_bytes() const;
  /// Once after each end(): whether the snapshot is durable; nothing as long as it is not decided.
  /// An error of tidying alone is none of the snapshot.
  std::optional<Status> outcome();
  /// Waits until there is an outcome.
  Status wait();
  /// Whether the next snapshot must have every unit. Not between begin() and the outcome.
  bool needs_all() const;

 private:
  struct Begin {
    stores::LogPoint at;
    std::vector<stores::SnapshotPart> parts;
  };
  struct End {
    bool tidies;
  };
  using Job = std::variant<Begin, stores::UnitFrame, End>;
  void take(Job job);
  void run();
  void work(Job job);

  std::shared_ptr<stores::SnapshotTarget> target_;  // the worker's, while it has jobs
  Status status_;  // of the snapshot that is being written; the worker's
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Job> jobs_;
  std::size_t waiting_bytes_ = 0;
  std::optional<Status> outcome_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace coeval::serving
