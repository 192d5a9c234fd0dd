#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "define/project.h"
#include "replay/history.h"
#include "stores/event_log.h"

namespace coeval::replay {

/// Everything that happened, per source: files up to the cut, then the log. (semantics: T9)
struct Past {
  std::vector<SourceHistory> sources;  ///< indexed as project.sources; unread ones are empty
  std::optional<std::int64_t> cut_us;
  std::optional<std::int64_t> as_of_us;  ///< where it ends, exclusive; nothing = with all there is
  std::uint64_t log_end = 0;             ///< log records that are in it
  std::optional<stores::LogTrim> trim;   ///< what retention has removed of the log
  /// sha256 over file hashes, schemas, cut and log end: what a dataset was made from.
  std::string id;
};

struct PastOptions {
  std::vector<int> sources;  ///< indexes to read; empty = all
  std::optional<std::int64_t> cut_us;
  const stores::EventLog* log = nullptr;  ///< its events follow the files
  /// Rows known at or after it do not exist, in files and log alike.
  std::optional<std::int64_t> as_of_us;
};
/// Errors: those of load_history; log_corrupt; unsupported when a logged event has another schema.
Result<Past> load_past(const define::Project& project, const OpenFormat& formats,
                       const PastOptions& options);

/// The first record of a log says up to where files were folded and which files they were.
struct CutRecord {
  std::int64_t cut_us = 0;
  std::vector<std::pair<std::string, std::string>> files;  ///< source name, sha256
  std::string log_id;  ///< 32 hex digits, of this log and no other; empty in logs of older versions
};
/// An id for a log that begins: 128 random bits of the system's.
std::string new_log_id();
std::string encode(const CutRecord& cut);
/// Nothing when the log is empty. Errors: log_corrupt when the first record is not a cut.
Result<std::optional<CutRecord>> read_cut(const stores::EventLog& log);

/// Appends the log's events from `from` on to histories (rows, known times, order). Rows of the log
/// have file_row = −1 − position. Records known at or after `as_of_us` are not read.
Status append_log(const define::Project& project, const stores::EventLog& log, Position from,
                  std::vector<SourceHistory>& histories, std::uint64_t* end,
                  std::optional<std::int64_t> as_of_us = {});

}  // namespace coeval::replay
