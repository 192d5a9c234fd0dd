#include "training/mapped_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "stores/files.h"

namespace coeval::training {
namespace {

/// Closes a descriptor at the end of a scope; a mapping outlives it.
struct ClosedAtEnd {
  int fd;
  ~ClosedAtEnd() { ::close(fd); }
};

std::unexpected<Error> open_failed(const std::string& doing, const std::string& path) {
  return std::unexpected(stores::error_from_errno(errno, doing, path));
}

}  // namespace

Result<MappedFile> MappedFile::open(const std::string& path, std::size_t bytes) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return open_failed("open", path);
  const ClosedAtEnd closed{fd};
  struct stat info{};
  if (::fstat(fd, &info) != 0) return open_failed("read", path);
  if (static_cast<std::size_t>(info.st_size) != bytes) {
    return fail(Code::bad_file, path + " has " + std::to_string(info.st_size) +
                                    " bytes, the plan needs " + std::to_string(bytes));
  }
  if (bytes == 0) return MappedFile(nullptr, 0);
  void* data = ::mmap(nullptr, bytes, PROT_READ, MAP_PRIVATE, fd, 0);
  if (data == MAP_FAILED) return open_failed("map", path);
  return MappedFile(data, bytes);
}

MappedFile::~MappedFile() {
  if (data_ != nullptr) ::munmap(data_, bytes_);
}

}  // namespace coeval::training
