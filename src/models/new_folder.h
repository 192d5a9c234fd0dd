#pragma once

#include <string>
#include <string_view>

#include "base/error.h"

namespace coeval::models {

/// A folder that appears complete or not at all: files are written and fsynced under a temporary
/// name beside it, and publish() renames. Not published, it is removed again. Errors of all: io,
/// disk_full, no_such_file, with the path.
class NewFolder {
 public:
  /// The folder above `path` is made if it is missing.
  static Result<NewFolder> create(const std::string& path);
  NewFolder(NewFolder&& other) noexcept;
  NewFolder& operator=(NewFolder&&) = delete;
  ~NewFolder();

  /// `name` may be "code/score.py": the folder within is made.
  Status write(const std::string& name, std::string_view bytes);
  /// Fails with io when `path` already holds files.
  Status publish() &&;

 private:
  NewFolder(std::string path, std::string temporary);
  std::string path_;
  std::string temporary_;  ///< empty once published
};

/// Errors: no_such_file, io.
Result<std::string> read_whole_file(const std::string& path);

}  // namespace coeval::models
