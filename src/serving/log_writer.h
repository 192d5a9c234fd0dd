#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "stores/event_log.h"

namespace coeval::serving {

/// The log as the request path writes it: group commit, and survival of a disk that was full.
///
/// Durability: an acknowledged event is on disk (fsync). A prediction is handed to the operating
/// system before its answer and is on disk within kPredictionSyncS or with the next event,
/// whichever is first: a crash of the process loses neither, a crash of the machine may lose
/// predictions of the last 100 ms.
///
/// When a write fails, records that were appended but not yet synced stay in memory, because the
/// state was already folded over the events among them. While failing, append() refuses. recover()
/// reopens the log and writes those records again at their old positions, so that state and log
/// agree once more. Their requests were answered with the error: for them, an event may or may not
/// be there later. Predictions go on meanwhile: they are held in memory, up to kMaxHeldBytes with
/// those records, and written by recover(). A process that ends before that loses them.
///
/// Threading: one thread.
class LogWriter {
 public:
  static constexpr double kPredictionSyncS = 0.1;
  static constexpr std::size_t kMaxHeldBytes = std::size_t{64} << 20;

  explicit LogWriter(std::unique_ptr<stores::EventLog> log);

  /// Appends in memory. Errors: those of the log; while failing, the error that began it, but for
  /// predictions that can be held.
  Result<Position> append(const stores::Draft& draft);
  /// Appends records that belong together, all or none. Returns the position of the last. `drafts`
  /// must not be empty. Errors: as append().
  Result<Position> append_together(std::span<const stores::Draft> drafts);
  /// Makes events durable and hands predictions to the system; fsyncs those when they are due.
  /// `now_s` is monotonic. Does nothing while failing.
  Status commit(double now_s);
  /// Hands everything appended to the system, so that log().read() shows it. Does nothing while
  /// failing.
  Status flush();
  /// Makes everything durable now.
  Status sync(double now_s);
  /// Notes that something outside the log failed in this round (the quarantine): refuse until
  /// recovered.
  void fail(Error error) { failure_ = std::move(error); }
  /// Keeps the schema of a source before its first event is logged.
  Status declare(const std::string& source, const data::Schema& schema) {
    return log_->declare(source, schema);
  }
  /// Tries to end a failure. Ok when appends work again.
  Status recover(double now_s);

  bool failing() const { return failure_.has_value(); }
  const std::optional<Error>& failure() const { return failure_; }
  /// Position that the next record gets.
  Position next_position() const {
    return kept_.empty() ? log_->next_position() : Position{kept_.back().position.value + 1};
  }
  /// Known time of the last record, or INT64_MIN.
  KnownTime last_known() const { return last_known_; }
  /// Records appended since the last fsync.
  std::size_t unsynced() const { return kept_.size(); }
  /// Whether a record that was appended is on disk.
  bool is_synced(Position position) const {
    return kept_.empty() || position < kept_.front().position;
  }
  const stores::EventLog& log() const { return *log_; }
  std::uint64_t syncs() const { return syncs_; }

 private:
  struct Kept {
    Position position;
    stores::Draft draft;  // its payload is in bytes_ at offset, size
    std::size_t offset = 0, size = 0;
    std::size_t with = 1;  // records from this one on that were appended together; 0: not the first
  };
  bool can_hold(const stores::Draft& draft) const;
  void keep(Position position, const stores::Draft& draft, std::size_t with);
  Status note(Status status);
  Status append_again();

  std::unique_ptr<stores::EventLog> log_;
  std::vector<Kept> kept_;
  std::string bytes_;
  KnownTime last_known_;
  bool events_unsynced_ = false;
  bool unflushed_ = false;
  double last_sync_s_ = 0;
  std::uint64_t syncs_ = 0;
  std::optional<Error> failure_;
};

}  // namespace coeval::serving
