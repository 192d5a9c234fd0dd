#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"

namespace coeval::stores {

/// A file that only grows at its end, or is cut. Threading: one thread.
class AppendFile {
 public:
  virtual ~AppendFile() = default;
  /// Writes some of `bytes` at the end and returns how many, at least one: write(2), which may take
  /// less than it is given. Errors: disk_full, io.
  virtual Result<std::size_t> write_some(std::string_view bytes) = 0;
  /// Makes the content and the size durable. After an error nothing is known about bytes written
  /// since the last success: cut them, do not sync again.
  virtual Status sync() = 0;
  virtual Status truncate(std::uint64_t size) = 0;
  /// Asks the system to start writing out what was appended, so that a later sync() has less to
  /// wait for. A hint: it promises nothing and cannot fail.
  virtual void start_writing_out() {}
};

/// Writes all of `bytes`, or returns the error; then any part of them may be in the file.
Status append_all(AppendFile& file, std::string_view bytes);

/// The operations that change files, as the stores use them: a seam for full disks, failing fsyncs
/// and torn writes. Reading goes to the disk directly.
///
/// Versions: disk_files(), and FaultyFiles (faulty_files.h) that decorates another. Threading: one
/// thread.
class FileLayer {
 public:
  virtual ~FileLayer() = default;
  /// `create_private`: a new file that its owner alone may read.
  enum class Open { create_new, create_private, create_or_append, existing };
  virtual Result<std::unique_ptr<AppendFile>> open(const std::string& path, Open how) = 0;
  /// A file that is not there is no error.
  virtual Status remove(const std::string& path) = 0;
  virtual Status rename(const std::string& from, const std::string& to) = 0;
  /// Makes creations, removals and renames in a folder durable.
  virtual Status sync_folder(const std::string& folder) = 0;
};

std::shared_ptr<FileLayer> disk_files();

}  // namespace coeval::stores
