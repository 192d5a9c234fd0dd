#include "stores/files.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <system_error>
#include <utility>

#include "stores/append_file.h"
#include "stores/pending_file.h"

namespace coeval::stores {

namespace {

struct ErrnoRow {
  int number;
  Code code;
  const char* advice;
};
constexpr ErrnoRow kErrnoRows[] = {
    {ENOENT, Code::no_such_file, "check the path"},
    {ENOTDIR, Code::no_such_file, "check the path: a part of it is a file, not a folder"},
    {ENOSPC, Code::disk_full, "make room on the disk and try again"},
    {EDQUOT, Code::disk_full, "the disk quota is used up: make room and try again"},
    {EACCES, Code::io, "check who owns it and its permissions"},
    {EPERM, Code::io, "check who owns it and its permissions"},
    {EROFS, Code::io, "the file system is read-only: choose another folder"},
    {EISDIR, Code::io, "it is a folder; name a file in it"},
    {EMFILE, Code::io, "too many open files: raise the limit with ulimit -n"},
    {EIO, Code::io, "the device reports a fault: see dmesg, and check the disk"},
};

// Closes a descriptor at the end of a scope.
class ScopedFd {
 public:
  explicit ScopedFd(int fd) : fd_(fd) {}
  ~ScopedFd() {
    if (fd_ >= 0) ::close(fd_);
  }
  ScopedFd(const ScopedFd&) = delete;
  ScopedFd& operator=(const ScopedFd&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

Result<std::uint64_t> size_within(int fd, const std::string& path, std::uint64_t max_bytes) {
  struct stat found{};
  if (::fstat(fd, &found) != 0) return std::unexpected(error_from_errno(errno, "read", path));
  if (S_ISDIR(found.st_mode)) return std::unexpected(error_from_errno(EISDIR, "read", path));
  const auto size = static_cast<std::uint64_t>(found.st_size);
  if (size <= max_bytes) return size;
  return fail(Code::out_of_range,
              "'" + path + "' is too large: " + std::to_string(size) + " bytes, at most " +
                  std::to_string(max_bytes) + " are read",
              "split the file");
}

// The pid that the holder wrote, or an empty text.
std::string holder_of(int fd) {
  char text[24];
  const ssize_t size = ::pread(fd, text, sizeof text, 0);
  std::string pid(text, size > 0 ? static_cast<std::size_t>(size) : 0);
  while (!pid.empty() && pid.back() == '\n') pid.pop_back();
  return pid;
}

// The pid is for the message alone; the kernel drops the lock itself when the holder dies, so a
// full disk here is no reason to refuse.
void write_holder(int fd) {
  const std::string pid = std::to_string(::getpid()) + "\n";
  if (::ftruncate(fd, 0) != 0) return;
  [[maybe_unused]] const ssize_t written = ::pwrite(fd, pid.data(), pid.size(), 0);
}

}  // namespace

Error error_from_errno(int number, const std::string& doing, const std::string& path) {
  Error error{Code::io,
              "cannot " + doing + " '" + path + "': " + std::generic_category().message(number),
              {},
              {},
              {}};
  for (const auto& row : kErrnoRows) {
    if (row.number != number) continue;
    error.code = row.code;
    error.advice = row.advice;
  }
  return error;
}

std::string folder_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

Result<std::string> read_file(const std::string& path, std::uint64_t max_bytes) {
  const ScopedFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (fd.get() < 0) return std::unexpected(error_from_errno(errno, "open", path));
  COEVAL_ASSIGN(const std::uint64_t size, size_within(fd.get(), path, max_bytes));
  std::string bytes(size, '\0');
  std::size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t got = ::read(fd.get(), bytes.data() + done, bytes.size() - done);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return std::unexpected(error_from_errno(errno, "read", path));
    if (got == 0) break;
    done += static_cast<std::size_t>(got);
  }
  bytes.resize(done);
  return bytes;
}

Status write_file_atomically(const std::string& path, std::string_view bytes) {
  return write_file_atomically(path, bytes, disk_files());
}

Status remove_folder(const std::string& path) {
  std::error_code failed;
  std::filesystem::remove_all(path, failed);
  if (failed) return std::unexpected(error_from_errno(failed.value(), "remove folder", path));
  return disk_files()->sync_folder(folder_of(path));
}

namespace {

Status make_folder(const std::string& path, mode_t mode) {
  if (path.empty() || path == "." || path == "/") return {};
  std::string trimmed = path;
  while (trimmed.size() > 1 && trimmed.back() == '/') trimmed.pop_back();
  struct stat found{};
  if (::stat(trimmed.c_str(), &found) == 0) {
    if (S_ISDIR(found.st_mode)) return {};
    return std::unexpected(error_from_errno(ENOTDIR, "make folder", trimmed));
  }
  const std::string parent = folder_of(trimmed);
  COEVAL_TRY(make_folders(parent));
  if (::mkdir(trimmed.c_str(), mode) != 0 && errno != EEXIST)
    return std::unexpected(error_from_errno(errno, "make folder", trimmed));
  return disk_files()->sync_folder(parent);
}

}  // namespace

Status make_folders(const std::string& path) { return make_folder(path, 0777); }

Result<std::string> temporary_folder() {
  std::error_code failed;
  const std::filesystem::path folder = std::filesystem::temp_directory_path(failed);
  if (!failed) return folder.string();
  const char* const named = std::getenv("TMPDIR");
  return fail(Code::no_such_file,
              "the folder for temporary files is not there: '" +
                  std::string(named == nullptr ? "/tmp" : named) + "'",
              "let TMPDIR name a folder that is there");
}

Status make_private_folder(const std::string& path) { return make_folder(path, 0700); }

Result<FileLock> FileLock::acquire(const std::string& path) {
  FileLock lock(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666));
  if (lock.fd_ < 0) return std::unexpected(error_from_errno(errno, "open", path));
  if (::flock(lock.fd_, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return std::unexpected(error_from_errno(errno, "lock", path));
    const std::string pid = holder_of(lock.fd_);
    return fail(Code::log_locked,
                "'" + path + "' is held by another process" + (pid.empty() ? "" : ": pid " + pid),
                "stop that process, or send it the request");
  }
  write_holder(lock.fd_);
  return lock;
}

FileLock::FileLock(FileLock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

FileLock& FileLock::operator=(FileLock&& other) noexcept {
  if (this != &other) {
    release();
    fd_ = std::exchange(other.fd_, -1);
  }
  return *this;
}

FileLock::~FileLock() { release(); }

void FileLock::release() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

}  // namespace coeval::stores
