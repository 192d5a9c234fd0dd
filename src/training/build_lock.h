#pragma once

#include <string>

#include "base/error.h"

namespace coeval::training {

/// Where builds and reproductions keep files that are gone when they end.
std::string work_path(const std::string& state_folder);

/// flock(2) on the folder `work` of a project's state, until destroyed: builds and reproductions
/// share it, and who removes files that nothing refers to holds it alone. The kernel lets go of it
/// when its process ends, however that is, so no file stays behind that says who holds it.
class BuildLock {
 public:
  /// Waits while somebody removes files. A file system without locks gives one that holds nothing:
  /// there, alone() is refused. Errors: io, disk_full.
  static Result<BuildLock> share(const std::string& state_folder);
  /// Errors: log_locked while a build or reproduction runs; io.
  static Result<BuildLock> alone(const std::string& state_folder);
  /// On a model's folder of versions instead: from the look at what is there to the registration
  /// one build at a time. Waits. Errors: io.
  static Result<BuildLock> registering(const std::string& model_folder);

  BuildLock(BuildLock&& other) noexcept;
  BuildLock& operator=(BuildLock&&) = delete;
  ~BuildLock();

 private:
  explicit BuildLock(int fd) : fd_(fd) {}
  static Result<BuildLock> open(const std::string& folder);
  int fd_ = -1;
};

}  // namespace coeval::training
