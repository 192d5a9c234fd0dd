#include "models/new_folder.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <utility>

namespace coeval::models {
namespace {

std::unexpected<Error> system_error(int number, const std::string& doing, const std::string& path) {
  const Code code = number == ENOENT                       ? Code::no_such_file
                    : number == ENOSPC || number == EDQUOT ? Code::disk_full
                                                           : Code::io;
  return fail(code, "cannot " + doing + " '" + path + "': " + std::strerror(number));
}

/// Closes on every way out.
class Descriptor {
 public:
  Descriptor(const std::string& path, int flags)
      : fd_(::open(path.c_str(), flags | O_CLOEXEC, 0644)) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const { return fd_; }

 private:
  int fd_;
};

Status sync(const Descriptor& file, const std::string& path) {
  if (::fsync(file.get()) != 0) return system_error(errno, "sync", path);
  return {};
}

Status sync_folder(const std::string& path) {
  const Descriptor folder(path, O_RDONLY | O_DIRECTORY);
  if (folder.get() < 0) return system_error(errno, "open", path);
  return sync(folder, path);
}

Status write_all(const Descriptor& file, std::string_view bytes, const std::string& path) {
  while (!bytes.empty()) {
    const ::ssize_t written = ::write(file.get(), bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return system_error(errno, "write", path);
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

std::string folder_above(const std::string& path) {
  const auto parent = std::filesystem::path(path).parent_path();
  return parent.empty() ? "." : parent.string();
}

std::string without_slash(std::string path) {
  while (path.size() > 1 && path.ends_with('/')) path.pop_back();
  return path;
}

}  // namespace

NewFolder::NewFolder(std::string path, std::string temporary)
    : path_(std::move(path)), temporary_(std::move(temporary)) {}

NewFolder::NewFolder(NewFolder&& other) noexcept
    : path_(std::move(other.path_)), temporary_(std::exchange(other.temporary_, {})) {}

NewFolder::~NewFolder() {
  if (temporary_.empty()) return;
  std::error_code ignored;
  std::filesystem::remove_all(temporary_, ignored);
}

Result<NewFolder> NewFolder::create(const std::string& path) {
  const std::string target = without_slash(path);
  std::error_code error;
  std::filesystem::create_directories(folder_above(target), error);
  if (error) return system_error(error.value(), "make the folder", folder_above(target));
  std::string temporary = target + ".partial-XXXXXX";
  if (::mkdtemp(temporary.data()) == nullptr)
    return system_error(errno, "make the folder", temporary);
  NewFolder folder(target, std::move(temporary));
  std::filesystem::permissions(folder.temporary_, std::filesystem::perms(0755), error);
  if (error) return system_error(error.value(), "open to readers", folder.temporary_);
  return folder;
}

Status NewFolder::write(const std::string& name, std::string_view bytes) {
  const std::string path = temporary_ + "/" + name;
  const std::string within = folder_above(path);
  if (within != temporary_) {
    std::error_code error;
    std::filesystem::create_directories(within, error);
    if (error) return system_error(error.value(), "make the folder", within);
  }
  const Descriptor file(path, O_WRONLY | O_CREAT | O_EXCL);
  if (file.get() < 0) return system_error(errno, "create", path);
  COEVAL_TRY(write_all(file, bytes, path));
  COEVAL_TRY(sync(file, path));
  return within == temporary_ ? Status{} : sync_folder(within);
}

Status NewFolder::publish() && {
  COEVAL_TRY(sync_folder(temporary_));
  if (std::rename(temporary_.c_str(), path_.c_str()) != 0)
    return system_error(errno, "create", path_);
  temporary_.clear();
  return sync_folder(folder_above(path_));
}

Result<std::string> read_whole_file(const std::string& path) {
  const Descriptor file(path, O_RDONLY);
  if (file.get() < 0) return system_error(errno, "open", path);
  std::string bytes, chunk(1 << 16, '\0');
  while (true) {
    const ::ssize_t got = ::read(file.get(), chunk.data(), chunk.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return system_error(errno, "read", path);
    if (got == 0) return bytes;
    bytes.append(chunk, 0, static_cast<std::size_t>(got));
  }
}

}  // namespace coeval::models
