#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>

#include <arrow/buffer.h>
#include <arrow/io/interfaces.h>
#include <arrow/result.h>
#include <arrow/status.h>

#include "base/error.h"
#include "stores/pending_file.h"

namespace coeval::parquet_adapter {

/// Lets Arrow write into a PendingFile. Keeps the first failure as our own Error, which says more
/// than the status that travels through Arrow.
class PendingSink final : public arrow::io::OutputStream {
 public:
  explicit PendingSink(stores::PendingFile file) : file_(std::move(file)) {
    set_mode(arrow::io::FileMode::WRITE);
  }

  arrow::Status Write(const void* bytes, std::int64_t size) override {
    auto written = file_.write({static_cast<const char*>(bytes), static_cast<std::size_t>(size)});
    if (!written) {
      if (!error_) error_ = std::move(written).error();
      return arrow::Status::IOError(error_->message);
    }
    position_ += size;
    return arrow::Status::OK();
  }
  using arrow::io::OutputStream::Write;
  arrow::Result<std::int64_t> Tell() const override { return position_; }
  bool closed() const override { return closed_; }
  /// Only ends writing; publish() makes the file appear.
  arrow::Status Close() override {
    closed_ = true;
    return arrow::Status::OK();
  }

  Status publish() { return file_.publish(); }
  const std::optional<Error>& error() const { return error_; }

 private:
  stores::PendingFile file_;
  std::optional<Error> error_;
  std::int64_t position_ = 0;
  bool closed_ = false;
};

}  // namespace coeval::parquet_adapter
