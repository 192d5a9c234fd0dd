#pragma once

#include <optional>
#include <string>
#include <thread>

#include "base/error.h"

namespace coeval::ingest {

/// The SHA-256 of a file, taken by a thread of its own while the file's rows are read and checked.
/// What is no plain file, such as a pipe, can be read once and is hashed when it is asked for, as
/// what is left of it then. Threading: one thread.
class SideHash {
 public:
  explicit SideHash(std::string path);
  /// Stops a computation that nobody waits for.
  ~SideHash() = default;
  SideHash(const SideHash&) = delete;
  SideHash& operator=(const SideHash&) = delete;

  /// Waits for it. Errors: no_such_file, io.
  Result<std::string> hex();

 private:
  std::string path_;
  std::optional<Result<std::string>> found_;  // the thread's, until it is joined
  std::jthread thread_;
};

}  // namespace coeval::ingest
