#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "base/error.h"

namespace rocksdb {
class DB;
}

namespace coeval::rocksdb_adapter {

/// How many bytes can be written to the disk of a folder. Errors: io.
using FreeBytes = std::function<Result<std::uint64_t>(const std::string& folder)>;
/// What the system says of the folder's disk.
Result<std::uint64_t> free_bytes_of_disk(const std::string& folder);

/// At most so many bytes are read by one compaction below the second level, however large the
/// state is.
constexpr std::uint64_t compaction_bytes(std::uint64_t write_buffer_bytes) {
  return 4 * write_buffer_bytes;
}

/// Bytes that a write of `batch_bytes` may come to take on the disk before the next one: its record
/// in the write-ahead log; the files that what is in memory is flushed to; and the outputs of one
/// compaction, which stand beside its inputs until it is done: of the first two levels whole, or of
/// a piece of those below. Write-ahead logs that are there already, and inputs, are not counted:
/// they take what they take.
std::uint64_t bytes_needed(rocksdb::DB& database, std::uint64_t batch_bytes,
                           std::uint64_t write_buffer_bytes);
/// The same for opening the folder, where all that its write-ahead logs hold is flushed.
std::uint64_t bytes_needed_to_open(const std::string& folder);

/// Errors: disk_full when the folder's disk has less than `needed` bytes free; io.
Status check_room(const FreeBytes& free_bytes, const std::string& folder, std::uint64_t needed,
                  const std::string& doing);

}  // namespace coeval::rocksdb_adapter
