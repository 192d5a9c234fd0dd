#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"

namespace coeval::stores {

/// Errors of all: no_such_file, io, disk_full, with the path in the message; read_file also
/// out_of_range for a file over `max_bytes`.
Result<std::string> read_file(const std::string& path, std::uint64_t max_bytes = 1ull << 32);
/// Temporary name in the same folder, fsync, rename, fsync of the folder.
Status write_file_atomically(const std::string& path, std::string_view bytes);
/// The folder for temporary files, which TMPDIR names. Errors: no_such_file where it is no folder.
Result<std::string> temporary_folder();
/// Makes a folder and those above it that are missing, each one durably.
Status make_folders(const std::string& path);
/// The same of a folder that its owner alone may enter; those above it are as make_folders makes
/// them. One that is there stays as it is.
Status make_private_folder(const std::string& path);
/// Removes a folder with all that it holds; nothing where there is none.
Status remove_folder(const std::string& path);
/// The folder that holds `path`: "." for a bare name.
std::string folder_of(const std::string& path);
/// Maps errno to an Error: "cannot <doing> '<path>': <what the system says>".
Error error_from_errno(int number, const std::string& doing, const std::string& path);

/// Holds flock(2) on `path` until destroyed. Errors: log_locked with the holder's pid when known.
class FileLock {
 public:
  static Result<FileLock> acquire(const std::string& path);
  FileLock(FileLock&& other) noexcept;
  FileLock& operator=(FileLock&& other) noexcept;
  ~FileLock();

 private:
  explicit FileLock(int fd) : fd_(fd) {}
  void release();
  int fd_ = -1;
};

}  // namespace coeval::stores
