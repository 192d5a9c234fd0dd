#pragma once

#include <stdlib.h>
#include <unistd.h>

#include <filesystem>
#include <string>

#include "base/check.h"

namespace coeval::stores {

/// For tests: a folder of its own that goes when the test ends. `in_memory` takes tmpfs where the
/// machine has it, for tests that make thousands of files.
class TemporaryFolder {
 public:
  enum class Where { disk, in_memory };
  explicit TemporaryFolder(Where where = Where::disk) {
    const std::filesystem::path memory = "/dev/shm";
    const bool use_memory = where == Where::in_memory && ::access(memory.c_str(), W_OK) == 0;
    const auto base = use_memory ? memory : std::filesystem::temp_directory_path();
    std::string name = (base / "coeval-stores-XXXXXX").string();
    COEVAL_CHECK(::mkdtemp(name.data()) != nullptr);
    path_ = name;
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  const std::string& path() const { return path_; }
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

}  // namespace coeval::stores
