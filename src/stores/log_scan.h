#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "stores/log_trim.h"
#include "stores/segment_reader.h"

namespace coeval::stores {

/// Where a position stands in a segment, about one for each 64 KiB.
struct SegmentMark {
  Position position;
  std::uint64_t offset = 0;
};

/// A segment file and a sparse index into it, so that one record is found without reading all
/// before.
struct LogSegment {
  std::string path;
  Position first;
  std::vector<SegmentMark> marks;

  /// Notes a record's place when the last mark is far enough back.
  void note(Position position, std::uint64_t offset);
  /// The last noted place at or before `position`; the first record's when there is none.
  SegmentMark nearest(Position position) const;
  /// Forgets the places from `offset` on.
  void cut(std::uint64_t offset);
};

/// The end of what a scan or a writer vouches for.
struct LogEnd {
  std::size_t segments = 0;  ///< the number of segments in use; the last one is cut at `bytes`
  std::uint64_t bytes = 0;   ///< 0: not even the last segment's header is sound
  LogPlace place;
};

/// A batch whose end the log does not have: the end of what is before it.
struct UnfinishedBatch {
  LogEnd before;
  Position end;  ///< where the end record would stand
};

/// What reading every record of a folder found.
struct LogScan {
  std::vector<LogSegment> segments;
  std::vector<LogSegment> left_over;  ///< of a trim that a crash cut short: no part of the log
  LogEnd end;                         ///< the sound part, up to a torn tail or the problem
  std::uint64_t records = 0, bytes = 0;
  std::uint64_t torn_bytes = 0;  ///< behind `end` in the last segment
  std::optional<LogTrim> trim;   ///< what stands before the first segment, if anything did
  /// The pairs of source and schema that events have.
  std::set<std::pair<std::uint32_t, std::uint32_t>> tags;
  std::optional<UnfinishedBatch> unfinished;  ///< the tail of the sound part
  std::optional<Error> problem;  ///< log_corrupt or unsupported: behind `end` there is more
  /// Where the last request begins, when `end` comes before all of its events: what a writer cuts.
  std::optional<LogEnd> unfinished_request;

  /// The end of what readers see.
  const LogEnd& visible() const { return unfinished ? unfinished->before : end; }
};

/// Segment files of a folder in position order, without marks: those that are part of the log, and
/// those that a crash has left of what was trimmed. Errors: no_such_file, io, log_corrupt.
struct SegmentFiles {
  std::vector<LogSegment> segments, left_over;
  std::optional<LogTrim> trim;
};
Result<SegmentFiles> find_segments(const std::string& folder);

/// Reads and checks all of a log, and calls `visit_request` for the requests in it that are whole.
/// Errors: no_such_file, io; damage is not an error but a `problem`.
Result<LogScan> scan_log(const std::string& folder,
                         const std::function<void(const Record&)>& visit_request = nullptr);

/// log_corrupt at a place, with what to do about it.
Error corrupt_at(const std::string& path, std::uint64_t offset, const std::string& what);

/// Calls `visit` for the records from `from` on until it returns false. With `end` set, all before
/// it must be sound; without, a torn tail of the last segment ends the log. Batches without an end
/// are shown too. Errors: log_corrupt, io.
Status read_records(std::span<const LogSegment> segments, Position from, std::optional<LogEnd> end,
                    const std::function<bool(const Record&)>& visit);

/// The same, without an end, up to a batch that has none. `known_next`: the log is known to reach
/// up to there, exclusive, which spares looking.
Status read_visible(std::span<const LogSegment> segments, Position from, Position known_next,
                    const std::function<bool(const Record&)>& visit);

}  // namespace coeval::stores
