#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/error.h"
#include "stores/file_window.h"
#include "stores/log_format.h"

namespace coeval::stores {

/// Where a reader stands: what the next record must be to be the next record.
struct LogPlace {
  Position next;
  KnownTime known{INT64_MIN};  ///< of the record before; the next one's is not less
};

/// Walks the records of one segment file and judges what is not a record. Threading: one thread.
class SegmentReader {
 public:
  /// `end`: bytes of the file that count. Errors: no_such_file, io.
  static Result<SegmentReader> open(const std::string& path, std::uint64_t end = UINT64_MAX);

  std::uint64_t size() const { return window_.size(); }
  std::uint64_t offset() const { return offset_; }
  void seek(std::uint64_t offset) { offset_ = offset; }

  /// Checks the segment's header and stands behind it. Errors: as parse_segment_header.
  Result<Position> read_header();

  enum class Step { record, end, bad };
  /// Reads the record at offset() and moves behind it and `place` with it. `bad`: there are bytes,
  /// but not the next record; nothing moves. The payload's view lives until the next call. Errors:
  /// io.
  Result<Step> next(LogPlace& place, Record& record);

  /// After `bad`: the offset of the next sound record that can follow `place`, or nothing when the
  /// rest of the file holds none, that is, when the bad bytes are a torn tail.
  Result<std::optional<std::uint64_t>> find_next_sound(const LogPlace& place);

 private:
  explicit SegmentReader(FileWindow window) : window_(std::move(window)) {}
  Result<bool> is_sound_at(std::uint64_t offset, const LogPlace& place, std::uint64_t skipped);

  FileWindow window_;
  std::uint64_t offset_ = kSegmentHeaderBytes;
};

}  // namespace coeval::stores
