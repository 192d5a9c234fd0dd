#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/ids.h"
#include "base/time.h"

namespace coeval::stores {

/// What retention has removed of one source's events, in all.
struct TrimmedSource {
  std::string source;
  std::int64_t events = 0;
  std::int64_t oldest_known_us = 0;  ///< of them, by known time
  std::int64_t newest_event_us = 0;  ///< of them, by event time
};

/// Where a log begins since retention has removed segments from its front. Positions stay what they
/// were.
struct LogTrim {
  Position first;   ///< the first position that is still there
  KnownTime known;  ///< of the record before it
  std::int64_t trimmed_at_us = 0;
  std::vector<TrimmedSource> sources;
  std::int64_t predictions = 0;  ///< removed
  /// Records that are neither events nor predictions outlive their segments: they say what the log
  /// goes on from. Readers see them at their positions, before all others.
  struct Kept {
    Position position;
    std::uint8_t kind = 0;  ///< a RecordKind
    KnownTime known;
    std::uint32_t source = 0, schema_version = 0;
    std::string payload;
  };
  std::vector<Kept> kept;

  const TrimmedSource* find(std::string_view source) const;
};

std::string encode_trim(const LogTrim& trim);
/// Errors: log_corrupt when the text is none, or is damaged; unsupported for a newer version.
Result<LogTrim> decode_trim(std::string_view text);

/// What a log folder says; nothing where nothing was removed. Errors: io; log_corrupt.
Result<std::optional<LogTrim>> read_trim(const std::string& log_folder);
/// Durable when it returns; from then on what stands before `trim.first` is no part of the log.
Status write_trim(const std::string& log_folder, const LogTrim& trim);

}  // namespace coeval::stores
