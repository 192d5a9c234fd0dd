#include "stores/byte_source.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "stores/files.h"

namespace coeval::stores {

namespace {

class RawBytes final : public ByteSource {
 public:
  RawBytes(int fd, bool owned, std::string name, std::uint64_t total)
      : fd_(fd), owned_(owned), name_(std::move(name)), total_(total) {}
  RawBytes(const RawBytes&) = delete;
  RawBytes& operator=(const RawBytes&) = delete;
  ~RawBytes() override {
    if (owned_) ::close(fd_);
  }

  Result<std::size_t> read(std::span<char> into) override {
    for (;;) {
      const ssize_t got = ::read(fd_, into.data(), into.size());
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return std::unexpected(error_from_errno(errno, "read", name_));
      read_ += static_cast<std::uint64_t>(got);
      return static_cast<std::size_t>(got);
    }
  }
  const std::string& name() const override { return name_; }
  std::uint64_t bytes_read() const override { return read_; }
  std::uint64_t bytes_total() const override { return total_; }

 private:
  int fd_;
  bool owned_;
  std::string name_;
  std::uint64_t total_, read_ = 0;
};

class TextBytes final : public ByteSource {
 public:
  TextBytes(std::string name, std::string_view text) : name_(std::move(name)), text_(text) {}

  Result<std::size_t> read(std::span<char> into) override {
    const std::size_t count = std::min(into.size(), text_.size() - at_);
    if (count > 0) std::memcpy(into.data(), text_.data() + at_, count);
    at_ += count;
    return count;
  }
  const std::string& name() const override { return name_; }
  std::uint64_t bytes_read() const override { return at_; }
  std::uint64_t bytes_total() const override { return text_.size(); }

 private:
  std::string name_;
  std::string_view text_;
  std::size_t at_ = 0;
};

// The size of a regular file; of a pipe nothing is known.
std::uint64_t size_of(int fd) {
  struct stat found{};
  if (::fstat(fd, &found) != 0 || !S_ISREG(found.st_mode)) return 0;
  return static_cast<std::uint64_t>(found.st_size);
}

}  // namespace

Result<std::unique_ptr<ByteSource>> open_raw_bytes(const std::string& path) {
  if (path == "-")
    return std::make_unique<RawBytes>(STDIN_FILENO, false, "standard input", size_of(STDIN_FILENO));
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return std::unexpected(error_from_errno(errno, "open", path));
  auto bytes = std::make_unique<RawBytes>(fd, true, path, size_of(fd));  // owns fd from here on
  (void)::posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);                // advice: may be refused
  return bytes;
}

std::unique_ptr<ByteSource> bytes_of_text(std::string name, std::string_view text) {
  return std::make_unique<TextBytes>(std::move(name), text);
}

Result<std::unique_ptr<ByteSource>> open_bytes(const std::string& path) {
  COEVAL_ASSIGN(auto raw, open_raw_bytes(path));
  return unpacked(std::move(raw));
}

std::string without_packing(const std::string& path) {
  for (const std::string_view ending : {".gz", ".zst"})
    if (path.ends_with(ending)) return path.substr(0, path.size() - ending.size());
  return path;
}

}  // namespace coeval::stores
