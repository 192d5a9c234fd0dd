#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <utility>

#include "base/error.h"

namespace coeval::training {

/// A file's bytes, mapped read-only: a table larger than half of memory needs no second copy.
class MappedFile {
 public:
  /// Errors: no_such_file, io; bad_file when the file does not have exactly `bytes` bytes.
  static Result<MappedFile> open(const std::string& path, std::size_t bytes);
  MappedFile(MappedFile&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)), bytes_(std::exchange(other.bytes_, 0)) {}
  MappedFile& operator=(MappedFile&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(bytes_, other.bytes_);
    return *this;
  }
  ~MappedFile();

  /// Page-aligned, so any arithmetic type may be read from it.
  const void* data() const { return data_; }
  std::size_t size() const { return bytes_; }

 private:
  MappedFile(void* data, std::size_t bytes) : data_(data), bytes_(bytes) {}
  void* data_ = nullptr;
  std::size_t bytes_ = 0;
};

}  // namespace coeval::training
