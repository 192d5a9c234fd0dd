#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/ids.h"
#include "base/time.h"
#include "stores/log_schemas.h"
#include "stores/log_trim.h"

namespace coeval::stores {

enum class RecordKind : std::uint8_t {
  event = 1,
  prediction = 2,
  cut = 3,  ///< the first record of a log: up to where history files were folded (T9)
  outcome = 4,
  lost = 5,         ///< stands where repair took an unreadable record away; no payload
  batch_begin = 6,  ///< a batch of events follows: batch_payload(), their number and what it is
  batch_end = 7,    ///< stands behind the last of them, with the payload of its begin
  note = 8,         ///< what was decided of rows that are not in the log; see src/ingest
  request = 24,     ///< before the events of a request with a key; stores/request_record.h
};
/// Whether this version of the format has the kind.
constexpr bool is_record_kind(std::uint32_t kind) {
  return (kind >= 1 && kind <= 8) || kind == static_cast<std::uint32_t>(RecordKind::request);
}

/// The payload of a batch's begin and end: how many events stand between them (u64), and a text
/// that says which batch it is.
std::string batch_payload(std::uint64_t events, std::string_view text);
struct BatchPayload {
  std::uint64_t events = 0;
  std::string_view text;
};
/// Nothing when the payload is cut short.
std::optional<BatchPayload> parse_batch_payload(std::string_view payload);

/// The largest payload that a record may carry.
inline constexpr std::size_t kMaxPayloadBytes = 16u << 20;

/// A record as read. The payload's view lives until the callback returns.
struct Record {
  Position position;
  RecordKind kind = RecordKind::event;
  KnownTime known;
  std::uint32_t source = 0;          ///< hash of the source's name (events), else 0
  std::uint32_t schema_version = 0;  ///< hash of the schema (events), else 0
  std::string_view payload;
};

/// A record to be appended.
struct Draft {
  RecordKind kind = RecordKind::event;
  KnownTime known;
  std::uint32_t source = 0;
  std::uint32_t schema_version = 0;
  std::string_view payload;
};

/// Append-only, totally ordered facts of one partition. (design: Log)
///
/// Ownership: one writer per folder, held by a lock. Ordering: positions are dense; known time
/// never decreases: append raises a draft's known time to the last one. Durability: a record is on
/// disk when a later sync() has returned, and visible to readers of the folder after flush().
/// Batches: batch_begin, exactly as many events as it says, batch_end, and nothing between them.
/// Nothing of a batch is visible, from its begin on, before its end is; one whose writer died
/// before its end never was: the next writer takes it back.
/// Threading: one thread for the writing calls; readers open their own.
class EventLog {
 public:
  virtual ~EventLog() = default;
  /// Buffers a record. Errors: io, disk_full, after which the log refuses every further append
  /// until reopen() succeeds; nothing half-written remains visible. out_of_range for a payload over
  /// 16 MiB.
  virtual Result<Position> append(const Draft& draft) = 0;
  /// Buffers records that belong together, all or, on an error, none of them: in one segment, and
  /// written by one flush. Returns the position of the last. `drafts` must not be empty. Errors: as
  /// append().
  virtual Result<Position> append_together(std::span<const Draft> drafts) = 0;
  /// Hands buffered records to the operating system.
  virtual Status flush() = 0;
  /// flush() and fsync.
  virtual Status sync() = 0;
  /// After a failed append, flush or sync: cuts everything after the last successful sync() and
  /// tries again. Returns ok when appends work. Nothing to do for a log that is well.
  virtual Status reopen() = 0;
  /// Position that the next append will get.
  virtual Position next_position() const = 0;
  /// Known time of the last record, or INT64_MIN.
  virtual KnownTime last_known() const = 0;
  /// Calls `visit` for each flushed record from `from` on, in order, until it returns false.
  /// `visit` must not write to this log. After a failure only what the last sync() acknowledged is
  /// shown. Errors: log_corrupt with file and offset.
  virtual Status read(Position from, const std::function<bool(const Record&)>& visit) const = 0;

  /// Tells the schema that events of a source are about to be logged with: call it before the first
  /// of them. It is kept, durably, before the first record that carries its tag. Nothing to do for
  /// one that is the source's newest already. Errors: io, disk_full; log_mismatch when the log
  /// holds events of the source whose schema nobody kept.
  virtual Status declare(const std::string& source, const data::Schema& schema) = 0;
  /// Every schema that records carry, and that was declared, as of now.
  virtual Result<std::vector<LogSchema>> schemas() const = 0;
  /// What retention has removed. read() begins at `first` then, after what was
  /// kept of before.
  virtual Result<std::optional<LogTrim>> trim() const = 0;
};

class FileLayer;  // stores/append_file.h

struct LogOptions {
  std::uint64_t segment_bytes = 256u << 20;  ///< a segment that would grow beyond is closed first
  std::shared_ptr<FileLayer> files;  ///< null = the disk; tests and the simulator inject faults
  bool new_segment = false;  ///< close the segment that is there, unless it is empty, so that it
                             ///< can be sealed
  std::uint64_t* cut_bytes = nullptr;  ///< if given, open_log says here how long a torn tail it cut
  /// If given, called with every request that the log holds when it is opened, in order.
  std::function<void(const Record&)> visit_request = nullptr;
  /// If given, open_log says here how many records of a batch without its end it took back.
  std::uint64_t* taken_back = nullptr;
};
/// Opens (or makes) the log in `folder` for writing: cuts a torn tail at the last good record, and
/// with it a batch that has no end; refuses a bad record in the middle. A log dropped without
/// sync() may lose what was not synced. Errors: log_locked, log_corrupt, io, disk_full; unsupported
/// for a log of a newer version.
Result<std::unique_ptr<EventLog>> open_log(const std::string& folder, LogOptions options = {});
/// The same log for reading only: no lock, no repair; a torn tail is not visible. Each read() shows
/// what the writer has flushed by then; next_position() and last_known() are as of the open or the
/// last reopen(). Writing calls are refused as unsupported. Errors: no_such_file, log_corrupt, io.
Result<std::unique_ptr<EventLog>> open_log_for_reading(const std::string& folder);
/// An in-memory twin with the same contract.
std::unique_ptr<EventLog> make_memory_log();

/// What `coeval doctor` found in a log folder, and what --repair did.
struct LogReport {
  std::uint64_t segments = 0, records = 0, bytes = 0, torn_bytes = 0;
  std::uint64_t unfinished = 0;  ///< records of a batch without its end, which nobody sees
  std::string problem;           ///< empty when sound; else names file and offset
  std::string quarantined;       ///< file or files that repair moved bad ranges to
};
/// Reads every record. With `repair`, bytes that no record accounts for (a torn tail, a bad range
/// in the middle) are copied to `folder`/quarantine first and then taken out of the log; positions
/// stay what they were: RecordKind::lost fills those that are gone. A missing segment cannot be
/// repaired. Errors: no_such_file, io, disk_full; log_locked when repairing beside a writer.
Result<LogReport> inspect_log(const std::string& folder, bool repair);

}  // namespace coeval::stores
