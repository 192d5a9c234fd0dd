#pragma once

#include <rocksdb/listener.h>

#include <mutex>
#include <optional>

namespace coeval::rocksdb_adapter {

/// Notes what went wrong in RocksDB's own threads or in its write-ahead log, and keeps it from
/// going on by itself: that is for a write to do, which looks for room first.
class BackgroundErrors final : public rocksdb::EventListener {
 public:
  struct Found {
    rocksdb::Status status;      ///< the worst
    bool in_write_path = false;  ///< of the write-ahead log, or of making a new one
  };
  std::optional<Found> found() const {
    const std::scoped_lock lock(mutex_);
    return found_;
  }
  void forget() {
    const std::scoped_lock lock(mutex_);
    found_.reset();
  }

  void OnBackgroundError(rocksdb::BackgroundErrorReason reason, rocksdb::Status* status) override {
    using Reason = rocksdb::BackgroundErrorReason;
    const std::scoped_lock lock(mutex_);
    if (!found_) found_.emplace();
    if (found_->status.ok() || status->severity() > found_->status.severity())
      found_->status = *status;
    found_->in_write_path =
        found_->in_write_path || reason == Reason::kWriteCallback || reason == Reason::kMemTable;
  }
  void OnErrorRecoveryBegin(rocksdb::BackgroundErrorReason, rocksdb::Status,
                            bool* auto_recovery) override {
    *auto_recovery = false;
  }

 private:
  mutable std::mutex mutex_;
  std::optional<Found> found_;
};

}  // namespace coeval::rocksdb_adapter
