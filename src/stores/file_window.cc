#include "stores/file_window.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "stores/files.h"

namespace coeval::stores {

namespace {

// A lookup of one record should read little, a scan should read in large pieces: chunks double.
constexpr std::size_t kFirstChunk = 8u << 10;
constexpr std::size_t kLargestChunk = 1u << 20;

}  // namespace

FileWindow::FileWindow(int fd, std::uint64_t size, std::string path)
    : fd_(fd), size_(size), path_(std::move(path)), chunk_(kFirstChunk) {}

FileWindow::FileWindow(FileWindow&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)),
      size_(other.size_),
      path_(std::move(other.path_)),
      buffer_(std::move(other.buffer_)),
      begin_(other.begin_),
      filled_(other.filled_),
      chunk_(other.chunk_) {}

FileWindow::~FileWindow() {
  if (fd_ >= 0) ::close(fd_);
}

Result<FileWindow> FileWindow::open(const std::string& path, std::uint64_t end) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return std::unexpected(error_from_errno(errno, "open", path));
  FileWindow window(fd, 0, path);  // owns fd from here on
  struct stat found{};
  if (::fstat(fd, &found) != 0) return std::unexpected(error_from_errno(errno, "read", path));
  window.size_ = std::min(end, static_cast<std::uint64_t>(found.st_size));
  return window;
}

Result<std::string_view> FileWindow::view(std::uint64_t offset, std::size_t bytes) {
  if (offset >= size_) return std::string_view{};
  bytes = static_cast<std::size_t>(std::min<std::uint64_t>(bytes, size_ - offset));
  if (offset < begin_ || offset + bytes > begin_ + filled_) COEVAL_TRY(fill(offset, bytes));
  const auto skipped = static_cast<std::size_t>(offset - begin_);
  if (skipped >= filled_) return std::string_view{};
  return std::string_view(buffer_.data() + skipped, std::min(bytes, filled_ - skipped));
}

Status FileWindow::fill(std::uint64_t offset, std::size_t bytes) {
  const std::uint64_t wanted = std::min<std::uint64_t>(std::max(bytes, chunk_), size_ - offset);
  chunk_ = std::min(chunk_ * 2, kLargestChunk);
  if (buffer_.size() < wanted) buffer_.resize(static_cast<std::size_t>(wanted));
  begin_ = offset;
  filled_ = 0;
  while (filled_ < wanted) {
    const ssize_t got =
        ::pread(fd_, buffer_.data() + filled_, static_cast<std::size_t>(wanted) - filled_,
                static_cast<off_t>(offset + filled_));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return std::unexpected(error_from_errno(errno, "read", path_));
    if (got == 0) break;  // cut by its writer since it was opened
    filled_ += static_cast<std::size_t>(got);
  }
  return {};
}

}  // namespace coeval::stores
