#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/time.h"
#include "data/column.h"
#include "stores/spill_file.h"

namespace coeval::ingest {

/// A row as the log will hold it.
struct EncodedRow {
  KnownTime known;
  std::string_view payload;  ///< data::append_row
};

/// Rows of one source that wait to be published, in ascending order of (known time, row): those of
/// equal known time as they came. What does not fit in memory waits, sorted in runs, in a spill
/// file.
///
/// Threading: one thread.
class SortedRows {
 public:
  struct Options {
    std::size_t memory_bytes = std::size_t{1} << 30;  ///< for rows, at least 64 KiB
    std::string spill_folder;                         ///< is there
    std::shared_ptr<stores::FileLayer> files = stores::disk_files();
  };
  explicit SortedRows(Options options);

  /// Adds rows behind those that were added. Errors: disk_full, io of the spill file.
  Status add(const data::Batch& rows, std::span<const std::int64_t> known_us);
  /// The same of a row that is encoded already.
  Status add(const EncodedRow& row);
  /// Ends adding. Call once, before anything below.
  Status finish();

  std::int64_t rows() const { return rows_; }
  /// The least known time; of no rows INT64_MIN.
  KnownTime first_known() const { return KnownTime{rows_ == 0 ? INT64_MIN : first_known_us_}; }
  /// Rows whose known time is less. After finish().
  std::int64_t known_before(std::int64_t known_us) const;
  bool spilled() const { return !runs_.empty(); }
  /// Calls `visit` for all rows in order; may be called again. The payload lives until the callback
  /// returns. Errors: bad_file, io of the spill file; those of `visit`, which end it.
  Status visit(const std::function<Status(const EncodedRow&)>& visit) const;

 private:
  // A run is sorted; its blocks follow one another.
  using Run = std::vector<stores::SpillFile::Block>;
  char* room_for(std::size_t bytes);
  void note(std::int64_t known_us, const char* at, std::size_t size);
  Status spill_when_full();
  Status spill();
  std::size_t held_bytes() const;
  Status visit_memory(const std::function<Status(const EncodedRow&)>& visit) const;
  Status visit_runs(const std::function<Status(const EncodedRow&)>& visit) const;

  Options options_;
  std::int64_t rows_ = 0, first_known_us_ = INT64_MAX;
  // The rows in memory: their bytes in chunks that never move, and where each is.
  std::vector<std::unique_ptr<char[]>> chunks_;
  std::size_t chunk_used_ = 0, chunk_size_ = 0, chunks_bytes_ = 0;
  std::vector<std::int64_t> known_us_;
  std::vector<std::string_view> payloads_;
  std::vector<std::int64_t> order_;
  std::vector<std::size_t> sizes_;  // of the rows that are being added
  std::optional<stores::SpillFile> file_;
  std::vector<Run> runs_;
};

}  // namespace coeval::ingest
