#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/ids.h"
#include "stores/log_scan.h"
#include "stores/table_files.h"

namespace coeval::stores {

/// One table of a sealed segment: the events of a source that were logged with one schema, in order
/// of event time, then position.
struct SealedFile {
  std::string path;  ///< below the log's folder
  std::string source;
  std::uint32_t schema = 0;
  std::int64_t rows = 0;
  std::int64_t oldest_known_us = 0, newest_known_us = 0;
  std::int64_t newest_event_us = 0;
  std::string sha256;
};

/// What stands beside a segment that is sealed: its tables, and what else it holds.
struct SealedSegment {
  Position first, next;  ///< positions of the segment: [first, next)
  KnownTime last_known;
  std::vector<SealedFile> files;
  std::int64_t predictions = 0;
  std::int64_t newest_prediction_us = 0;  ///< known time; with predictions
  std::int64_t others = 0;                ///< records that are neither events nor predictions
  /// Events of a source whose schema nobody kept: they are in no table.
  std::int64_t unsealed = 0;
};
std::string encode_sealed(const SealedSegment& sealed);
/// Errors: log_corrupt when the text is none, or is damaged; unsupported for a newer version.
Result<SealedSegment> decode_sealed(std::string_view text);

/// The sealed segments of a log folder in position order. One whose note is damaged counts as not
/// sealed; the note's path goes to `damaged`. Errors: io.
Result<std::vector<SealedSegment>> list_sealed(const std::string& log_folder,
                                               std::vector<std::string>* damaged = nullptr);

/// The note of the segment of positions [first, next), or null. A writer whose disk failed takes a
/// closed segment up again; what was sealed of it before then has another `next`, and counts for
/// nothing.
const SealedSegment* find_sealed(const std::vector<SealedSegment>& sealed, Position first,
                                 Position next);

/// Names of the columns that a table has besides those of the source's schema, behind them.
struct SealedColumns {
  std::string position = "_position";  ///< int64
  std::string known = "_known";        ///< timestamp
};
/// More underscores in front where the schema has such a column itself.
SealedColumns sealed_columns(const data::Schema& schema);

/// Writes the tables of one segment, reads them back, compares every row bit for bit with the
/// segment, and only then notes that it is sealed. Anything that a crash leaves behind is written
/// over by the next try. The segment stays as it is. The segment must be closed. `threads`: that
/// write and read the tables. Errors: io, disk_full, log_corrupt; internal when what was read back
/// differs.
Result<SealedSegment> seal_segment(const std::string& log_folder, const LogSegment& segment,
                                   const std::vector<LogSchema>& schemas, TableFiles& tables,
                                   int threads = 1);

/// What sealing a log did.
struct SealReport {
  std::int64_t sealed = 0, already = 0;  ///< segments
  std::int64_t rows = 0;                 ///< in tables that were written now
  std::optional<Position> open_from;     ///< where the segment begins that is still being written
  std::vector<SealedSegment> segments;   ///< sealed now
};
/// Seals every closed segment that is not yet; beside a writer, too. One process at a time. Errors:
/// those of seal_segment; log_locked.
Result<SealReport> seal_closed_segments(const std::string& log_folder, TableFiles& tables,
                                        int threads = 1);

/// What is wrong with the tables of a sealed segment; nothing when each one is there, has the bytes
/// that were written, and they have as many rows as the segment has events. `counts`: events by
/// source tag and schema tag of the segment. Errors: io.
using EventCounts = std::map<std::pair<std::uint32_t, std::uint32_t>, std::int64_t>;
Result<std::vector<std::string>> check_sealed(const std::string& log_folder,
                                              const SealedSegment& sealed,
                                              const EventCounts& counts);
/// Moves the tables of a segment and their note to the log's quarantine, so that the segment counts
/// as not sealed. Returns where they are now.
Result<std::string> set_sealed_aside(const std::string& log_folder, const SealedSegment& sealed);
/// Removes every segment, table and note of positions before `first`, also those that a crash has
/// left. Call it when the log's trim says that it begins there. Errors: io.
Status remove_before(const std::string& log_folder, Position first);

}  // namespace coeval::stores
