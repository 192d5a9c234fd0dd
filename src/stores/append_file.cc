#include "stores/append_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "stores/files.h"

namespace coeval::stores {

namespace {

class DiskFile final : public AppendFile {
 public:
  DiskFile(int fd, std::string path) : fd_(fd), path_(std::move(path)) {}
  ~DiskFile() override { ::close(fd_); }

  Result<std::size_t> write_some(std::string_view bytes) override {
    for (;;) {
      const ssize_t written = ::write(fd_, bytes.data(), bytes.size());
      if (written > 0) return static_cast<std::size_t>(written);
      if (written < 0 && errno == EINTR) continue;
      // A write that takes nothing and gives no reason must not make append_all() spin.
      return std::unexpected(error_from_errno(written < 0 ? errno : EIO, "write to", path_));
    }
  }

  Status sync() override {
    if (::fdatasync(fd_) == 0) return {};
    return std::unexpected(error_from_errno(errno, "sync", path_));
  }

  Status truncate(std::uint64_t size) override {
    if (::ftruncate(fd_, static_cast<off_t>(size)) == 0) return {};
    return std::unexpected(error_from_errno(errno, "cut", path_));
  }

  void start_writing_out() override {
    static_cast<void>(::sync_file_range(fd_, 0, 0, SYNC_FILE_RANGE_WRITE));
  }

 private:
  int fd_;
  std::string path_;
};

int open_flags(FileLayer::Open how) {
  const int base = O_WRONLY | O_APPEND | O_CLOEXEC;
  switch (how) {
    case FileLayer::Open::create_new:
    case FileLayer::Open::create_private:
      return base | O_CREAT | O_EXCL;
    case FileLayer::Open::create_or_append:
      return base | O_CREAT;
    case FileLayer::Open::existing:
      return base;
  }
  return base;
}

class DiskFiles final : public FileLayer {
 public:
  Result<std::unique_ptr<AppendFile>> open(const std::string& path, Open how) override {
    const int fd = ::open(path.c_str(), open_flags(how), how == Open::create_private ? 0600 : 0666);
    if (fd < 0) return std::unexpected(error_from_errno(errno, "open", path));
    return std::make_unique<DiskFile>(fd, path);
  }

  Status remove(const std::string& path) override {
    if (::unlink(path.c_str()) == 0 || errno == ENOENT) return {};
    return std::unexpected(error_from_errno(errno, "remove", path));
  }

  Status rename(const std::string& from, const std::string& to) override {
    if (std::rename(from.c_str(), to.c_str()) == 0) return {};
    return std::unexpected(error_from_errno(errno, "rename to", to));
  }

  Status sync_folder(const std::string& folder) override {
    const int fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return std::unexpected(error_from_errno(errno, "open", folder));
    const int failed = ::fsync(fd) == 0 ? 0 : errno;
    ::close(fd);
    if (failed != 0) return std::unexpected(error_from_errno(failed, "sync", folder));
    return {};
  }
};

}  // namespace

Status append_all(AppendFile& file, std::string_view bytes) {
  while (!bytes.empty()) {
    COEVAL_ASSIGN(const std::size_t written, file.write_some(bytes));
    bytes.remove_prefix(written);
  }
  return {};
}

std::shared_ptr<FileLayer> disk_files() { return std::make_shared<DiskFiles>(); }

}  // namespace coeval::stores
