#include "adapters/rocksdb/disk_room.h"

#include <rocksdb/db.h>
#include <rocksdb/metadata.h>
#include <sys/statvfs.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>

#include "stores/files.h"

namespace coeval::rocksdb_adapter {

namespace {

// For what does not grow with the state: the manifest (a megabyte at most, and a new one beside it
// when it is full), the file of options, blocks that are not full.
constexpr std::uint64_t kOtherFilesBytes = 3u << 20;
constexpr std::size_t kLevelsCompactedWhole = 2;

// Filters, indexes and headers come on top of keys and values.
constexpr std::uint64_t in_files(std::uint64_t bytes) { return bytes + bytes / 8; }

}  // namespace

Result<std::uint64_t> free_bytes_of_disk(const std::string& folder) {
  struct statvfs disk{};
  if (::statvfs(folder.c_str(), &disk) != 0)
    return std::unexpected(stores::error_from_errno(errno, "ask for free space of", folder));
  return static_cast<std::uint64_t>(disk.f_bavail) * disk.f_frsize;
}

std::uint64_t bytes_needed(rocksdb::DB& database, std::uint64_t batch_bytes,
                           std::uint64_t write_buffer_bytes) {
  std::uint64_t in_memory = 0;
  database.GetIntProperty(rocksdb::DB::Properties::kCurSizeAllMemTables, &in_memory);
  rocksdb::ColumnFamilyMetaData files;
  database.GetColumnFamilyMetaData(&files);
  std::uint64_t whole = 0, below = 0;
  for (std::size_t level = 0; level < files.levels.size(); ++level)
    (level < kLevelsCompactedWhole ? whole : below) += files.levels[level].size;
  const std::uint64_t flushed = in_files(in_memory + batch_bytes);
  const std::uint64_t compacted =
      whole + flushed + std::min(below, compaction_bytes(write_buffer_bytes));
  return in_files(batch_bytes) + flushed + compacted + kOtherFilesBytes;
}

std::uint64_t bytes_needed_to_open(const std::string& folder) {
  std::uint64_t logs = 0;
  std::error_code ignored;
  for (const auto& file : std::filesystem::directory_iterator(folder, ignored)) {
    const std::uint64_t bytes = file.path().extension() == ".log" ? file.file_size(ignored) : 0;
    if (!ignored) logs += bytes;
  }
  return in_files(logs) + kOtherFilesBytes;
}

Status check_room(const FreeBytes& free_bytes, const std::string& folder, std::uint64_t needed,
                  const std::string& doing) {
  COEVAL_ASSIGN(const std::uint64_t free, free_bytes(folder));
  if (free >= needed) return {};
  return fail(Code::disk_full,
              "cannot " + doing + " the state in '" + folder + "': its disk has " +
                  std::to_string(free) + " bytes free, and " + std::to_string(needed) +
                  " are needed with what RocksDB may write in the background",
              "make room on the disk: nothing was touched, and the next try goes on");
}

}  // namespace coeval::rocksdb_adapter
