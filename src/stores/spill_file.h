#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"
#include "stores/append_file.h"

namespace coeval::stores {

/// Blocks of bytes that do not fit in memory, in a file that only this process sees: its name is
/// removed as soon as it is open, so that nothing is left whatever becomes of the process. Each
/// block is compressed (zstd) and has a checksum, which is kept in memory with its place.
///
/// Threading: pack() and read() from any threads, append() from one at a time.
class SpillFile {
 public:
  struct Packed {
    std::string stored;
    std::uint32_t size = 0;  ///< of what was packed
    std::uint64_t checksum = 0;
  };
  struct Block {
    std::uint64_t at = 0, checksum = 0;
    std::uint32_t stored = 0, size = 0;
  };
  static constexpr std::size_t kMostBlockBytes = std::size_t{1} << 30;

  /// A file in a folder that is there. `files` is the seam for full disks. Errors: no_such_file,
  /// io, disk_full.
  static Result<SpillFile> create(const std::string& folder,
                                  std::shared_ptr<FileLayer> files = disk_files());
  SpillFile(SpillFile&& other) noexcept;
  SpillFile& operator=(SpillFile&& other) noexcept;
  ~SpillFile();

  /// At most kMostBlockBytes. Errors: unsupported for more.
  static Result<Packed> pack(std::string_view bytes);
  /// Errors: disk_full, io; the file is of no use then.
  Result<Block> append(const Packed& packed);
  /// The bytes of a block that append() gave. Errors: bad_file, which names the file, when they are
  /// not those that were written; io.
  Result<std::string> read(const Block& block) const;

  const std::string& path() const { return path_; }  ///< that it had
  std::uint64_t bytes() const { return end_; }

 private:
  SpillFile() = default;
  std::string path_;
  std::unique_ptr<AppendFile> file_;
  int reader_ = -1;
  std::uint64_t end_ = 0;
};

}  // namespace coeval::stores
