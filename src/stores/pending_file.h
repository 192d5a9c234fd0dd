#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"
#include "stores/append_file.h"

namespace coeval::stores {

/// A file in the making: written under a temporary name beside `path`, seen under `path` only once
/// publish() has succeeded. Dropping it before leaves nothing.
class PendingFile {
 public:
  /// `how`: create_new or create_private.
  static Result<PendingFile> create(const std::string& path, std::shared_ptr<FileLayer> files,
                                    FileLayer::Open how = FileLayer::Open::create_new);
  PendingFile(PendingFile&& other) noexcept;
  PendingFile& operator=(PendingFile&&) = delete;
  ~PendingFile();

  Status write(std::string_view bytes);
  /// fsync, rename, fsync of the folder.
  Status publish();

 private:
  PendingFile(std::string path, std::string temporary, std::shared_ptr<FileLayer> files,
              std::unique_ptr<AppendFile> file);
  std::string path_, temporary_;
  std::shared_ptr<FileLayer> files_;
  std::unique_ptr<AppendFile> file_;
  std::uint64_t held_back_ = 0;  // bytes written since the system was last asked to write them out
};

/// write_file_atomically() of files.h over a given layer.
Status write_file_atomically(const std::string& path, std::string_view bytes,
                             std::shared_ptr<FileLayer> files);

/// Removes what processes that died while they made `path` have left beside it: files with the name
/// of a process that is not there any more, untouched for `idle_seconds`.
void remove_leftovers(const std::string& path, double idle_seconds = 600);

/// True for a temporary name that a process which died may have left behind.
bool is_pending_name(std::string_view file_name);

}  // namespace coeval::stores
