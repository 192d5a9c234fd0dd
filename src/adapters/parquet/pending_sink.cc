#include "adapters/parquet/pending_sink.h"

#include <string>
#include <string_view>
#include <utility>

namespace coeval::parquet_adapter {

PendingSink::PendingSink(stores::PendingFile file) : file_(std::move(file)) {
  set_mode(arrow::io::FileMode::WRITE);
  writer_ = std::thread([this] { write_all(); });
}

PendingSink::~PendingSink() {
  waiting_.close();
  if (writer_.joinable()) writer_.join();
}

void PendingSink::write_all() {
  while (const auto buffer = waiting_.pop()) {
    if (error()) continue;  // let go of what is left
    auto written =
        file_.write({(*buffer)->data_as<char>(), static_cast<std::size_t>((*buffer)->size())});
    if (written) continue;
    const std::scoped_lock lock(mutex_);
    error_ = std::move(written).error();
    waiting_.close();
  }
}

arrow::Status PendingSink::Write(const void* bytes, std::int64_t size) {
  return Write(arrow::Buffer::FromString(
      std::string(static_cast<const char*>(bytes), static_cast<std::size_t>(size))));
}

arrow::Status PendingSink::Write(const std::shared_ptr<arrow::Buffer>& buffer) {
  if (!waiting_.push(buffer)) {
    const auto why = error();
    return arrow::Status::IOError(why ? why->message : "the file is closed");
  }
  position_ += buffer->size();
  return arrow::Status::OK();
}

arrow::Status PendingSink::Close() {
  closed_ = true;
  waiting_.close();
  if (writer_.joinable()) writer_.join();
  const auto why = error();
  return why ? arrow::Status::IOError(why->message) : arrow::Status::OK();
}

Status PendingSink::publish() {
  if (Close().ok()) return file_.publish();
  return std::unexpected(*error());
}

std::optional<Error> PendingSink::error() const {
  const std::scoped_lock lock(mutex_);
  return error_;
}

}  // namespace coeval::parquet_adapter
