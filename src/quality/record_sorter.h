#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "stores/spill_file.h"

namespace coeval::quality {

/// Sorts records, which are runs of bytes compared as such, with as much memory as it is given and
/// the rest on disk: sorted runs that are merged in the end.
/// Memory: the bound, and 64 KB for each run while merging, of which there are few enough to keep
/// within it. Threading: one thread at a time.
class RecordSorter {
 public:
  RecordSorter(std::size_t memory_bytes, std::string folder);

  /// Errors: disk_full, io, no_such_file of the spill file; bad_file when it was changed.
  Status add(std::string_view record);
  Status merge(RecordSorter& other);
  /// Shows each record, ascending; equal ones one after the other. Ends the sorter.
  Status each(const std::function<void(std::string_view)>& visit);
  std::size_t runs() const { return runs_.size(); }

 private:
  // A record in bytes_; its first eight bytes as a number that compares as they do.
  struct Entry {
    std::uint64_t prefix = 0;
    std::uint32_t at = 0, size = 0;
  };
  struct Run {
    std::shared_ptr<stores::SpillFile> file;
    std::vector<stores::SpillFile::Block> blocks;
  };
  class RunReader;
  class RunWriter;

  std::string_view record(const Entry& entry) const {
    return {bytes_.data() + entry.at, entry.size};
  }
  bool is_full(std::size_t more) const;
  void sort();
  Status spill();
  Result<std::shared_ptr<stores::SpillFile>> own_file();
  Status merge_runs(const std::function<Status(std::string_view)>& visit);
  Status join_runs();

  std::size_t memory_bytes_, most_runs_;
  std::string folder_;
  std::string bytes_;
  std::vector<Entry> entries_;
  std::vector<Run> runs_;
  std::shared_ptr<stores::SpillFile> file_;
};

/// Parts of records that compare as the values do.
void append_ordered(std::string& record, std::int64_t value);
/// Takes one off the end of a record.
std::int64_t take_ordered(std::string_view& record);

}  // namespace coeval::quality
