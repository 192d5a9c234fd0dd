#pragma once

#include <rocksdb/listener.h>

#include <atomic>

namespace coeval::rocksdb_adapter {

/// Notes whether anything went wrong in RocksDB's own threads or in its write-ahead log, and keeps
/// it from going on by itself: that is for a write to do, which looks for room first.
class BackgroundErrors final : public rocksdb::EventListener {
 public:
  bool found() const { return found_; }
  /// Whether any was for want of room.
  bool no_space() const { return no_space_; }

  void OnBackgroundError(rocksdb::BackgroundErrorReason, rocksdb::Status* status) override {
    if (status->IsNoSpace()) no_space_ = true;
    found_ = true;
  }
  void OnErrorRecoveryBegin(rocksdb::BackgroundErrorReason, rocksdb::Status,
                            bool* auto_recovery) override {
    *auto_recovery = false;
  }

 private:
  std::atomic<bool> found_ = false, no_space_ = false;
};

}  // namespace coeval::rocksdb_adapter
