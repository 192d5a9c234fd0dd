#pragma once

#include <rocksdb/listener.h>

#include <atomic>

namespace coeval::rocksdb_adapter {

/// Notes whether anything went wrong in RocksDB's own threads or in its write-ahead log, and keeps
/// it from going on by itself: that is for a write to do, which looks for room first.
class BackgroundErrors final : public rocksdb::EventListener {
 public:
  bool found() const { return found_; }

  void OnBackgroundError(rocksdb::BackgroundErrorReason, rocksdb::Status*) override {
    found_ = true;
  }
  void OnErrorRecoveryBegin(rocksdb::BackgroundErrorReason, rocksdb::Status,
                            bool* auto_recovery) override {
    *auto_recovery = false;
  }

 private:
  std::atomic<bool> found_ = false;
};

}  // namespace coeval::rocksdb_adapter
