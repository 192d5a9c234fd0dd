#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace coeval::stores {

/// A bounded view that slides over a file, by pread(2). Not mmap: a page that a writer cuts off
/// under a mapping kills the reader with SIGBUS.
///
/// The size is taken once, so a file that grows meanwhile looks the same throughout. Threading: one
/// thread.
class FileWindow {
 public:
  /// At most `end` bytes of the file are seen. Errors: no_such_file, io.
  static Result<FileWindow> open(const std::string& path, std::uint64_t end = UINT64_MAX);
  FileWindow(FileWindow&& other) noexcept;
  FileWindow& operator=(FileWindow&&) = delete;
  ~FileWindow();

  std::uint64_t size() const { return size_; }
  /// `bytes` bytes from `offset`, fewer at the end. The view lives until the next call.
  Result<std::string_view> view(std::uint64_t offset, std::size_t bytes);

 private:
  FileWindow(int fd, std::uint64_t size, std::string path);
  Status fill(std::uint64_t offset, std::size_t bytes);

  int fd_;
  std::uint64_t size_;
  std::string path_;
  std::vector<char> buffer_;
  std::uint64_t begin_ = 0;  // the file offset of buffer_[0]
  std::size_t filled_ = 0;
  std::size_t chunk_;
};

}  // namespace coeval::stores
