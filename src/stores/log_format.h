#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/ids.h"
#include "stores/event_log.h"

// Bytes of a log segment. The format is told as prose at the top of event_log.cc.
namespace coeval::stores {

inline constexpr std::size_t kSegmentHeaderBytes = 32;
inline constexpr std::size_t kRecordHeaderBytes = 40;
inline constexpr std::uint32_t kSegmentVersion = 1;

/// "log-00000000000000000042.seg".
std::string segment_name(Position first);
/// The first position that a file name claims, or nothing when it is not a segment's name.
std::optional<Position> parse_segment_name(std::string_view file_name);

std::string encode_segment_header(Position first);
/// The first position. Errors: log_corrupt (magic, checksum), unsupported for a newer version; the
/// message does not name the file, which the caller adds.
Result<Position> parse_segment_header(std::string_view bytes);

/// Of a batch's begin the position of its end: the batch is whole when the log has a record there.
/// (Of whatever kind: repair may have put `lost` in its place.) Of other records nothing.
std::optional<Position> end_of_batch(const Record& record);

/// Errors: out_of_range for a payload that no record can carry.
Status check_payload(const Draft& draft);
/// Appends one record to `out`.
void append_record(std::string& out, Position position, const Draft& draft);

/// The first 40 bytes of a record, checked.
struct RecordHeader {
  Record record;  ///< payload empty
  std::uint32_t payload_bytes = 0;
  std::uint32_t payload_crc = 0;

  std::uint64_t total_bytes() const { return kRecordHeaderBytes + payload_bytes; }
};
/// Nothing when `bytes` is shorter than a header, its checksum is wrong, or a field has a value
/// that no writer writes.
std::optional<RecordHeader> parse_record_header(std::string_view bytes);
bool payload_is_sound(const RecordHeader& header, std::string_view payload);

/// A test of a few bytes that every true header passes, and nearly nothing else does: keeps a
/// search at every offset cheap. `bytes` holds at least a header.
bool may_be_record_header(const char* bytes);

}  // namespace coeval::stores
