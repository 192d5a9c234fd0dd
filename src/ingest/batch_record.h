#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/ids.h"
#include "quality/checks.h"

namespace coeval::ingest {

/// The origin of a batch of rows that left the quarantine.
inline constexpr std::string_view kQuarantineOrigin = "quarantine";
/// Of standard input, which has no name by which it could be known again.
inline constexpr std::string_view kInputOrigin = "-";
/// As a sentence names it: "standard input" for that.
inline std::string origin_text(const std::string& origin) {
  return origin == kInputOrigin ? "standard input" : origin;
}

/// Which rows a batch brought: what stands in the log at its begin and its end. All of it follows
/// from the rows and the definition, so that equal runs write equal bytes.
struct BatchRecord {
  std::string id;      ///< batch_id()
  std::string source;  ///< its name
  std::string origin;  ///< the file, as display_path() gives it; kQuarantineOrigin
  std::string sha256;  ///< of the whole file; of what left the quarantine
  std::uint64_t bytes = 0;
  /// Of a file that had grown: the line that the batch begins on, 1-based; 0 = the whole file.
  std::int64_t first_line = 0;
  std::uint32_t schema = 0;  ///< stores::schema_tag
  quality::Conservation counts;
  std::int64_t of_requests = 0;  ///< rows out of the quarantine: those that came over HTTP
  std::string reason;            ///< why a held batch was released

  /// Rows of it in the log: duplicates are recorded too. (semantics: T7)
  std::uint64_t events() const {
    return static_cast<std::uint64_t>(counts.accepted + counts.duplicates);
  }
  bool of_quarantine() const { return origin == kQuarantineOrigin; }
};

/// The payload of its begin and end in the log.
std::string encode(const BatchRecord& batch);
/// Errors: log_corrupt when the payload is of no batch.
Result<BatchRecord> parse_batch(std::string_view payload);

/// Sixteen hexadecimal digits that follow from the source, the content and the first line.
std::string batch_id(std::string_view source, std::string_view sha256, std::int64_t first_line);

/// What was decided of rows that are not in the log; RecordKind::note.
struct Note {
  enum class Kind { dropped, discarded };
  Kind kind = Kind::dropped;
  std::string id;  ///< of what was decided on: a held batch, or the rows that left the quarantine
  std::string source, reason;
  std::string rule;              ///< of dropped rows: the one that was asked for, or empty
  std::int64_t rows = 0;         ///< dropped from the quarantine, or read for the discarded batch
  std::int64_t of_requests = 0;  ///< of those dropped: rows that came over HTTP
};
std::string encode(const Note& note);
/// Errors: log_corrupt.
Result<Note> parse_note(std::string_view payload);

}  // namespace coeval::ingest
