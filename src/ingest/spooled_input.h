#pragma once

#include <string>

#include "base/error.h"

namespace coeval::ingest {

/// Removes what runs that died had spooled into `folder`.
void remove_dead_spools(const std::string& folder);

/// Standard input as a file: readers of tables may go back in it, and what is read must be known by
/// its content before any of it counts. The file goes with this object.
class SpooledInput {
 public:
  /// Reads to the end, into a file in `folder` of that ending. Errors: io, disk_full.
  static Result<SpooledInput> read(const std::string& folder, const std::string& ending);
  SpooledInput(SpooledInput&& other) noexcept;
  SpooledInput& operator=(SpooledInput&&) = delete;
  ~SpooledInput();
  const std::string& path() const { return path_; }

 private:
  explicit SpooledInput(std::string path) : path_(std::move(path)) {}
  std::string path_;
};

}  // namespace coeval::ingest
