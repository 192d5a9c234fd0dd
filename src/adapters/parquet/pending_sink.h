#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

#include <arrow/buffer.h>
#include <arrow/io/interfaces.h>
#include <arrow/result.h>
#include <arrow/status.h>

#include "base/bounded_queue.h"
#include "base/error.h"
#include "stores/pending_file.h"

namespace coeval::parquet_adapter {

/// Lets Arrow write into a PendingFile, on a thread of its own: copying a finished row group into
/// the system's cache takes as long as making a fifth of it, and would hold up the next one. Keeps
/// the first failure as our own Error, which says more than the status that travels through Arrow;
/// a write may return it later than the one that failed, Close() at the latest.
class PendingSink final : public arrow::io::OutputStream {
 public:
  explicit PendingSink(stores::PendingFile file);
  ~PendingSink() override;

  arrow::Status Write(const void* bytes, std::int64_t size) override;
  /// Keeps the buffer, which must not change, until it is written.
  arrow::Status Write(const std::shared_ptr<arrow::Buffer>& buffer) override;
  arrow::Result<std::int64_t> Tell() const override { return position_; }
  bool closed() const override { return closed_; }
  /// Waits for all that is still to be written; publish() makes the file appear.
  arrow::Status Close() override;

  Status publish();
  std::optional<Error> error() const;

 private:
  void write_all();

  // A row group has a buffer for each column.
  static constexpr std::size_t kMostWaiting = 64;

  stores::PendingFile file_;
  std::int64_t position_ = 0;
  bool closed_ = false;
  mutable std::mutex mutex_;
  std::optional<Error> error_;  // under mutex_
  BoundedQueue<std::shared_ptr<arrow::Buffer>> waiting_{kMostWaiting};
  std::thread writer_;
};

}  // namespace coeval::parquet_adapter
