#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "stores/spill_file.h"

namespace coeval::quality {

/// A file for what does not fit in memory; in the system's folder for temporary files where
/// `folder` is empty. Errors: no_such_file, io, disk_full.
Result<stores::SpillFile> open_spill_file(const std::string& folder);

/// Bytes of records in some parts, in no order: in memory up to a bound, beyond it on disk. What a
/// record is, and where it ends, is the owner's to know; none is torn between two blocks.
///
/// Memory: the bound, and at most kChunkBytes a part more, or one record where that is larger.
/// Threading: one thread at a time.
class RecordStore {
 public:
  static constexpr std::size_t kChunkBytes = 8192;

  /// `folder` is used once something must go to disk; empty: the system's folder for temporary
  /// files.
  RecordStore(std::size_t parts, std::size_t memory_bytes, std::string folder);

  /// Room for one record of a part, to be written to before the next call. Errors: disk_full, io,
  /// no_such_file.
  Result<char*> add(std::size_t part, std::size_t bytes) {
    Chunk& open = parts_[part].open;
    if (open.used + bytes > open.size) COEVAL_TRY(open_chunk(part, bytes));
    char* at = open.bytes.get() + open.used;
    open.used += bytes;
    return at;
  }
  /// Takes the records of another with as many parts. Errors: as add().
  Status merge(RecordStore& other);

  std::size_t parts() const { return parts_.size(); }
  /// Bytes of a part's records.
  std::uint64_t bytes(std::size_t part) const;
  bool has_spilled() const { return !files_.empty(); }
  /// Puts everything on disk. Errors: as add().
  Status spill();
  /// Shows all records of a part, some whole ones at a time; may be asked again. Errors: io,
  /// bad_file.
  Status each(std::size_t part, const std::function<void(std::string_view)>& visit) const;
  /// Gives the memory of a part's records back; they are gone.
  void drop(std::size_t part);

 private:
  struct Chunk {
    std::unique_ptr<char[]> bytes;
    std::size_t used = 0, size = 0;
    std::string_view view() const { return {bytes.get(), used}; }
  };
  struct Spilled {
    std::size_t file;
    stores::SpillFile::Block block;
  };
  struct Part {
    Chunk open;
    std::vector<Chunk> full;
    std::vector<Spilled> spilled;
  };

  Status open_chunk(std::size_t part, std::size_t bytes);
  Status spill_part(Part& part);
  void close_chunk(Part& part);

  std::vector<Part> parts_;
  std::size_t memory_bytes_, held_ = 0;  // held_: bytes of all full chunks
  std::string folder_;
  std::vector<std::shared_ptr<stores::SpillFile>> files_;  // the last is written to, if it is ours
  bool owns_last_ = false;
};

}  // namespace coeval::quality
