#include "training/build_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "stores/files.h"

namespace coeval::training {

namespace {

void wait_for(int fd, int kind) {
  while (::flock(fd, kind) != 0 && errno == EINTR) {
  }
}

}  // namespace

std::string work_path(const std::string& state_folder) { return state_folder + "/work"; }

Result<BuildLock> BuildLock::open(const std::string& folder) {
  COEVAL_TRY(stores::make_folders(folder));
  BuildLock lock(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (lock.fd_ < 0) return std::unexpected(stores::error_from_errno(errno, "open", folder));
  return lock;
}

Result<BuildLock> BuildLock::share(const std::string& state_folder) {
  COEVAL_ASSIGN(BuildLock lock, open(work_path(state_folder)));
  wait_for(lock.fd_, LOCK_SH);
  return lock;
}

Result<BuildLock> BuildLock::registering(const std::string& model_folder) {
  COEVAL_ASSIGN(BuildLock lock, open(model_folder));
  wait_for(lock.fd_, LOCK_EX);
  return lock;
}

Result<BuildLock> BuildLock::alone(const std::string& state_folder) {
  COEVAL_ASSIGN(BuildLock lock, open(work_path(state_folder)));
  if (::flock(lock.fd_, LOCK_EX | LOCK_NB) == 0) return lock;
  if (errno == EWOULDBLOCK)
    return fail(Code::log_locked, "a build or a reproduction of this project is running",
                "wait until it has ended: its files must not be taken from it");
  return std::unexpected(stores::error_from_errno(errno, "lock", work_path(state_folder)));
}

BuildLock::BuildLock(BuildLock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

BuildLock::~BuildLock() {
  if (fd_ >= 0) ::close(fd_);
}

}  // namespace coeval::training
