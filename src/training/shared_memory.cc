#include "training/shared_memory.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "stores/files.h"

namespace coeval::training {
namespace {

std::unexpected<Error> failed(const std::string& doing, const std::string& what) {
  return std::unexpected(stores::error_from_errno(errno, doing, what));
}

}  // namespace

Result<SharedMemory> SharedMemory::create(const std::string& name, std::size_t bytes) {
  const int fd = ::memfd_create(name.c_str(), MFD_CLOEXEC | MFD_ALLOW_SEALING);
  if (fd < 0) return failed("make shared memory", name);
  SharedMemory memory(fd, bytes);
  if (::ftruncate(fd, static_cast<off_t>(bytes)) != 0) return failed("enlarge shared memory", name);
  if (::fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW) != 0)
    return failed("seal shared memory", name);
  COEVAL_TRY(memory.map(Access::write));
  return memory;
}

Result<SharedMemory> SharedMemory::copy_of(const std::string& name,
                                           std::span<const std::byte> bytes) {
  COEVAL_ASSIGN(SharedMemory memory, create(name, bytes.size()));
  if (!bytes.empty()) std::memcpy(memory.data(), bytes.data(), bytes.size());
  COEVAL_TRY(memory.seal());
  return memory;
}

Result<SharedMemory> SharedMemory::given(int fd, std::size_t bytes, Access access) {
  const std::string what = "descriptor " + std::to_string(fd);
  struct stat info{};
  if (::fstat(fd, &info) != 0) return failed("use", what);
  if (static_cast<std::size_t>(info.st_size) < bytes)
    return fail(Code::bad_file, what + " has " + std::to_string(info.st_size) +
                                    " bytes, the plan needs " + std::to_string(bytes));
  SharedMemory memory(fd, bytes);
  memory.owned_ = false;
  COEVAL_TRY(memory.map(access));
  return memory;
}

Status SharedMemory::map(Access access) {
  if (bytes_ == 0) return {};
  const int protection = access == Access::write ? PROT_READ | PROT_WRITE : PROT_READ;
  void* data = ::mmap(nullptr, bytes_, protection, MAP_SHARED, fd_, 0);
  if (data == MAP_FAILED) return failed("map", std::to_string(bytes_) + " bytes of shared memory");
  data_ = static_cast<std::byte*>(data);
  return {};
}

Status SharedMemory::seal() const {
  if (::fcntl(fd_, F_ADD_SEALS, F_SEAL_FUTURE_WRITE) != 0) return failed("seal", "shared memory");
  return {};
}

SharedMemory::~SharedMemory() {
  if (data_ != nullptr) ::munmap(data_, bytes_);
  if (owned_ && fd_ >= 0) ::close(fd_);
}

Result<SharedFloats> SharedFloats::create(const std::string& name, std::size_t count) {
  COEVAL_ASSIGN(SharedMemory memory, SharedMemory::create(name, count * sizeof(float)));
  return SharedFloats(std::move(memory));
}

}  // namespace coeval::training
