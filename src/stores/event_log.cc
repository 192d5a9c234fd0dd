// The log on disk.
//
// A log is a folder of segment files, one file named `lock`, a folder `schemas` (log_schemas.cc),
// after a trim a file `trimmed` (log_trim.cc), and, after a repair, a folder `quarantine`. A
// segment is called log-NNNNNNNNNNNNNNNNNNNN.seg after the position of its first record, in twenty
// decimal digits, so that the order of the names is the order of the records. Positions are dense:
// a segment's name is the name of the one before plus the number of records in that. A segment that
// would grow beyond LogOptions::segment_bytes is synced and never written again, and the next is
// begun.
//
// All integers are little-endian. A segment begins with 32 bytes:
//
//    0   8 bytes   "COEVALOG"
//    8   u32       version of the format, 1
//   12   u32       partition, 0 in this version
//   16   u64       position of the first record, as in the name
//   24   u32       zero
//   28   u32       CRC32C of bytes 0 to 27
//
// Records follow without padding, to the end of the file. A record is 40 bytes and a payload:
//
//    0   u32       CRC32C of bytes 4 to 39
//    4   u32       length of the payload, at most 16 MiB
//    8   u32       CRC32C of the payload
//   12   u8        kind (RecordKind), then three bytes of zero
//   16   u64       position
//   24   i64       known time, µs since the epoch; not less than that of the record before
//   32   u32       source id
//   36   u32       schema version
//   40   …         payload
//
// A batch is a record batch_begin, events, and a record batch_end, with nothing between them. Both
// have the same payload: a u64, how many events there are, and a text. So where the end must stand
// is known at the begin, and the batch is whole when there is a record.
//
// Why two checksums: a header that is sound vouches for its length. So the bytes of a payload that
// was being written when the process died are known to be payload, and whatever a client put into
// it is never taken for a record. And when a payload has rotted, the next record is known to begin
// right behind it. Why they are not masked, as some formats do: masking guards against checksums of
// bytes that end with their own checksum, which come out the same for all contents. Here a checksum
// never covers itself, and the header's covers that of the payload only together with the position,
// which no two records share. Why no checksum of zeros passes: kind 0 does not exist, so a range of
// zeros holds no record.
//
// Acknowledged means that sync() has returned: every byte up to there went through fdatasync, and
// the folder was synced when the segment was made. Reading back, four cases are told apart:
//
//   - a torn tail: bytes at the end of the last segment that are not the next record, with no sound
//   record
//     of a later position behind them. A crash left them; they were not acknowledged. Opening cuts
//     them.
//   - a request that is not whole: a record of kind `request` says how many events follow it, all
//   in
//     one segment and one write. Fewer at the end of the log are treated as a torn tail by a writer
//     that opens it; readers show them.
//   - damage: the like in another segment, or with a sound record behind. That was acknowledged
//   once.
//     Opening refuses and names the file and the offset; inspect_log(…, repair) sets the bytes
//     aside. (After a power failure the disk may hold a later page and not an earlier one. That
//     looks the same and is treated the same: a refusal costs a command, a wrong cut would cost
//     acknowledged records.)
//   - an unfinished batch: a begin without its end, at the end of the log. Its writer died. Readers
//     stop before it, and the next writer takes it back, as what follows the last successful sync()
//     is taken back when a write fails: nobody saw it, and the rows are where they came from. So a
//     batch is in the log wholly or not at all, without a second place where it would have to be
//     kept until it is.
//   - a full disk, or a device that fails: the writer refuses all further appends. Since nobody
//   knows what
//     a failed fdatasync has left, reopen() cuts back to the end of the last successful sync().

#include "stores/event_log.h"

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include "stores/append_file.h"
#include "stores/files.h"
#include "stores/log_scan.h"
#include "stores/record_names.h"

namespace coeval::stores {

namespace {

constexpr std::size_t kFlushBytes = 1u << 20;
constexpr std::size_t kProbeBytes = 4096;
// Large batches go to the disk while they are appended, not all at once in sync().
constexpr std::uint64_t kWriteOutBytes = 8u << 20;

class DiskLog final : public EventLog {
 public:
  DiskLog(std::string folder, LogOptions options, FileLock lock)
      : folder_(std::move(folder)), options_(std::move(options)), lock_(std::move(lock)) {}
  ~DiskLog() override;

  /// Takes over what a scan found, or begins the first segment. Call once.
  Status start(LogScan scan);

  Result<Position> append(const Draft& draft) override { return append_together({&draft, 1}); }
  Result<Position> append_together(std::span<const Draft> drafts) override;
  Status flush() override;
  Status sync() override;
  Status reopen() override;
  Position next_position() const override { return tail_.place.next; }
  KnownTime last_known() const override { return tail_.place.known; }
  Status read(Position from, const std::function<bool(const Record&)>& visit) const override;
  Status declare(const std::string& source, const data::Schema& schema) override;
  Result<std::vector<LogSchema>> schemas() const override { return read_log_schemas(folder_); }
  Result<std::optional<LogTrim>> trim() const override { return read_trim(folder_); }

 private:
  // Runs a write; from its first error on, the log refuses further ones.
  template <class Operation>
  Status guarded(Operation operation);
  Status write_buffer();
  Status sync_tail();
  Status make_room(std::uint64_t bytes);
  void put(const Draft& draft);
  Status begin_segment();
  Status keep_schema(const Draft& draft);
  Status open_tail(FileLayer::Open how);
  Status cut_back();
  Status probe();

  std::string folder_;
  LogOptions options_;
  FileLock lock_;
  std::vector<LogSegment> segments_;
  std::unique_ptr<AppendFile> file_;
  std::string buffer_;                  // the bytes between flushed_ and tail_
  std::uint64_t held_back_ = 0;         // bytes written since the system was asked to write out
  LogEnd tail_;                         // with what is buffered
  LogEnd flushed_;                      // what readers see
  LogEnd acknowledged_;                 // what the last sync() made durable
  std::optional<Position> open_batch_;  // its begin, while its end was not appended
  std::optional<Error> failure_;        // since then nothing is written
  std::set<std::pair<std::uint32_t, std::uint32_t>> tags_;  // of events that were there
  PendingSchemas pending_;
};

// The records that outlive their segments. Returns whether to go on.
bool visit_kept(const std::optional<LogTrim>& trim, Position from,
                const std::function<bool(const Record&)>& visit) {
  if (!trim) return true;
  for (const LogTrim::Kept& kept : trim->kept) {
    if (kept.position < from) continue;
    if (!visit({kept.position, static_cast<RecordKind>(kept.kind), kept.known, kept.source,
                kept.schema_version, kept.payload}))
      return false;
  }
  return true;
}

DiskLog::~DiskLog() {
  // Callers were told that these records failed: a restart must not bring them back.
  if (failure_) static_cast<void>(cut_back());
}

template <class Operation>
Status DiskLog::guarded(Operation operation) {
  if (failure_)
    return std::unexpected(Error(*failure_).within("the log refuses writes since this error"));
  Status done = operation();
  if (!done) failure_ = done.error();
  return done;
}

Status DiskLog::start(LogScan scan) {
  segments_ = std::move(scan.segments);
  tags_ = std::move(scan.tags);
  const std::uint64_t found = scan.end.bytes + scan.torn_bytes;
  tail_ = scan.unfinished_request.value_or(scan.end);
  if (segments_.empty()) {
    COEVAL_TRY(begin_segment());
  } else if (scan.unfinished) {
    if (options_.taken_back != nullptr)
      *std::exchange(options_.taken_back, nullptr) =
          tail_.place.next.value - scan.unfinished->before.place.next.value;
    acknowledged_ = scan.unfinished->before;
    COEVAL_TRY(cut_back());
  } else {
    COEVAL_TRY(open_tail(FileLayer::Open::existing));
    if (found > tail_.bytes) COEVAL_TRY(file_->truncate(tail_.bytes));
    segments_.back().cut(tail_.bytes);
    if (options_.cut_bytes != nullptr)
      *std::exchange(options_.cut_bytes, nullptr) = found - tail_.bytes;
  }
  if (tail_.bytes == 0) {  // a segment that was being made when its writer died
    buffer_ = encode_segment_header(tail_.place.next);
    tail_.bytes = buffer_.size();
  }
  COEVAL_TRY(write_buffer());
  for (const LogSegment& segment : scan.left_over) COEVAL_TRY(options_.files->remove(segment.path));
  // What was found may still be in the system's cache only; from here on it counts as acknowledged.
  // The name of the last segment too: its writer may have died before it synced the folder.
  COEVAL_TRY(options_.files->sync_folder(folder_));
  COEVAL_TRY(sync_tail());
  if (!options_.new_segment || tail_.bytes <= kSegmentHeaderBytes) return {};
  COEVAL_TRY(begin_segment());
  COEVAL_TRY(write_buffer());
  return sync_tail();
}

Status DiskLog::open_tail(FileLayer::Open how) {
  COEVAL_ASSIGN(file_, options_.files->open(segments_.back().path, how));
  return {};
}

Status DiskLog::begin_segment() {
  const Position first = tail_.place.next;
  // The segment is listed before the file exists, so that cut_back() removes it if making it fails.
  segments_.push_back({folder_ + "/" + segment_name(first), first, {}});
  file_.reset();
  COEVAL_TRY(open_tail(FileLayer::Open::create_new));
  COEVAL_TRY(options_.files->sync_folder(folder_));
  buffer_ = encode_segment_header(first);
  tail_.segments = segments_.size();
  tail_.bytes = buffer_.size();
  return {};
}

Status DiskLog::make_room(std::uint64_t bytes) {
  const bool has_records = tail_.bytes > kSegmentHeaderBytes;
  if (has_records && tail_.bytes + bytes > options_.segment_bytes) {
    COEVAL_TRY(write_buffer());
    COEVAL_TRY(file_->sync());  // a segment that is not the last has no torn tail
    return begin_segment();
  }
  return buffer_.size() >= kFlushBytes ? write_buffer() : Status{};
}

Result<Position> DiskLog::append_together(std::span<const Draft> drafts) {
  std::uint64_t bytes = 0;
  for (const Draft& draft : drafts) {
    COEVAL_TRY(check_payload(draft));
    COEVAL_TRY(keep_schema(draft));
    bytes += kRecordHeaderBytes + draft.payload.size();
  }
  COEVAL_TRY(guarded([&] { return make_room(bytes); }));
  for (const Draft& draft : drafts) put(draft);
  return Position{tail_.place.next.value - 1};
}

void DiskLog::put(const Draft& draft) {
  // Known time never decreases within a log. (semantics: T1)
  Draft raised = draft;
  raised.known = std::max(draft.known, tail_.place.known);
  const Position position = tail_.place.next;
  if (draft.kind == RecordKind::batch_begin) open_batch_ = position;
  if (draft.kind == RecordKind::batch_end) open_batch_.reset();
  segments_.back().note(position, tail_.bytes);
  append_record(buffer_, position, raised);
  tail_.bytes += kRecordHeaderBytes + draft.payload.size();
  tail_.place = {Position{position.value + 1}, raised.known};
}

Status DiskLog::write_buffer() {
  if (!buffer_.empty()) COEVAL_TRY(append_all(*file_, buffer_));
  held_back_ += buffer_.size();
  if (held_back_ >= kWriteOutBytes) {
    file_->start_writing_out();
    held_back_ = 0;
  }
  buffer_.clear();
  flushed_ = tail_;
  return {};
}

Status DiskLog::sync_tail() {
  COEVAL_TRY(file_->sync());
  held_back_ = 0;
  acknowledged_ = flushed_;
  return {};
}

Status DiskLog::flush() {
  return guarded([&] { return write_buffer(); });
}

Status DiskLog::sync() {
  return guarded([&]() -> Status {
    COEVAL_TRY(write_buffer());
    const bool nothing_new = acknowledged_.place.next == flushed_.place.next;
    return nothing_new ? Status{} : sync_tail();
  });
}

Status DiskLog::cut_back() {
  buffer_.clear();
  file_.reset();
  open_batch_.reset();
  if (acknowledged_.segments == 0) return {};  // start() failed: nothing was ever written
  while (segments_.size() > acknowledged_.segments) {
    COEVAL_TRY(options_.files->remove(segments_.back().path));
    // Before anything in front of it goes: a power failure may bring a removed file back, and then
    // there must be no gap before it.
    COEVAL_TRY(options_.files->sync_folder(folder_));
    segments_.pop_back();
  }
  segments_.back().cut(acknowledged_.bytes);
  COEVAL_TRY(open_tail(FileLayer::Open::existing));
  COEVAL_TRY(file_->truncate(acknowledged_.bytes));
  tail_ = flushed_ = acknowledged_;
  return file_->sync();
}

// Writes a block and takes it back, so that "appends work" is seen and not hoped. A crash in
// between leaves zeros, which are a torn tail.
Status DiskLog::probe() {
  const Status written = append_all(*file_, std::string(kProbeBytes, '\0'));
  COEVAL_TRY(file_->truncate(acknowledged_.bytes));
  return written;
}

Status DiskLog::reopen() {
  if (!failure_) return {};
  COEVAL_TRY(cut_back());
  COEVAL_TRY(probe());
  failure_.reset();
  return {};
}

// A log of before schemas were kept has events whose schema stands nowhere but, with luck, in the
// definition. Once that is another, no one can read them: better to say so before the first record.
Status DiskLog::declare(const std::string& source, const data::Schema& schema) {
  LogSchema fresh{source, schema_tag(schema), next_position(), schema};
  COEVAL_ASSIGN(const auto declared, read_log_schemas(folder_));
  COEVAL_ASSIGN(const bool is_known, is_newest(declared, fresh));
  if (is_known) return {};
  for (const auto& [source_of_events, tag] : tags_) {
    const bool is_kept = std::ranges::any_of(
        declared, [&](const LogSchema& one) { return one.source == source && one.tag == tag; });
    if (source_of_events == source_tag(source) && tag != fresh.tag && !is_kept)
      return fail(Code::log_mismatch,
                  "the log in '" + folder_ + "' holds events of source '" + source +
                      "' with another schema, which an older coeval did not keep",
                  "restore the columns that the source had then and run `coeval log accept " +
                      source + "`; then change them");
  }
  if (tags_.contains({source_tag(source), fresh.tag})) return write_log_schema(folder_, fresh);
  pending_.add(std::move(fresh));
  return {};
}

// The schema is there before the first event that has it.
Status DiskLog::keep_schema(const Draft& draft) {
  if (draft.kind != RecordKind::event) return {};
  const LogSchema* first = pending_.find(draft.source, draft.schema_version);
  if (first == nullptr) return {};
  LogSchema kept = *first;
  kept.since = tail_.place.next;
  COEVAL_TRY(write_log_schema(folder_, kept));
  pending_.remove(first);
  return {};
}

Status DiskLog::read(Position from, const std::function<bool(const Record&)>& visit) const {
  // Another process may have trimmed the log since.
  COEVAL_ASSIGN(const auto trim, read_trim(folder_));
  if (!visit_kept(trim, from, visit)) return {};
  LogEnd end = failure_ ? acknowledged_ : flushed_;
  std::span<const LogSegment> segments(segments_);
  while (trim && !segments.empty() && segments.front().first < trim->first) {
    segments = segments.subspan(1);
    --end.segments;
  }
  return read_records(segments, from, end, [&](const Record& record) {
    return record.position != open_batch_ && visit(record);
  });
}

/// The same files seen from outside.
class LogView final : public EventLog {
 public:
  explicit LogView(std::string folder) : folder_(std::move(folder)) {}

  Result<Position> append(const Draft&) override { return std::unexpected(read_only()); }
  Result<Position> append_together(std::span<const Draft>) override {
    return std::unexpected(read_only());
  }
  Status flush() override { return std::unexpected(read_only()); }
  Status sync() override { return std::unexpected(read_only()); }
  Status reopen() override {
    COEVAL_ASSIGN(auto scan, scan_log(folder_));
    if (scan.problem) return std::unexpected(std::move(*scan.problem));
    // A place behind the begin of an unfinished batch may be another's soon.
    if (scan.unfinished)
      for (auto& segment : scan.segments)
        std::erase_if(segment.marks, [&](const SegmentMark& mark) {
          return mark.position > scan.visible().place.next;
        });
    scan_ = std::move(scan);
    return {};
  }
  Position next_position() const override { return scan_.visible().place.next; }
  KnownTime last_known() const override { return scan_.visible().place.known; }
  Status read(Position from, const std::function<bool(const Record&)>& visit) const override {
    COEVAL_ASSIGN(SegmentFiles files, find_segments(folder_));
    if (!visit_kept(files.trim, from, visit)) return {};
    for (LogSegment& segment : files.segments) {
      const auto scanned = std::ranges::find(scan_.segments, segment.first, &LogSegment::first);
      if (scanned != scan_.segments.end()) segment.marks = scanned->marks;
    }
    return read_visible(files.segments, from, next_position(), visit);
  }
  Status declare(const std::string&, const data::Schema&) override {
    return std::unexpected(read_only());
  }
  Result<std::vector<LogSchema>> schemas() const override { return read_log_schemas(folder_); }
  Result<std::optional<LogTrim>> trim() const override { return read_trim(folder_); }

 private:
  Error read_only() const {
    return Error{Code::unsupported,
                 "the log in '" + folder_ + "' is open for reading only",
                 "write through the process that holds its lock",
                 {},
                 {}};
  }

  std::string folder_;
  LogScan scan_;
};

}  // namespace

Result<std::unique_ptr<EventLog>> open_log(const std::string& folder, LogOptions options) {
  if (!options.files) options.files = disk_files();
  COEVAL_TRY(make_folders(folder));
  COEVAL_ASSIGN(auto lock, FileLock::acquire(folder + "/lock"));
  COEVAL_TRY(remove_unfinished_schemas(folder, *options.files));
  COEVAL_ASSIGN(auto scan, scan_log(folder, std::exchange(options.visit_request, nullptr)));
  if (scan.problem) return std::unexpected(std::move(*scan.problem));
  auto log = std::make_unique<DiskLog>(folder, std::move(options), std::move(lock));
  COEVAL_TRY(log->start(std::move(scan)));
  return log;
}

Result<std::unique_ptr<EventLog>> open_log_for_reading(const std::string& folder) {
  auto log = std::make_unique<LogView>(folder);
  COEVAL_TRY(log->reopen());
  return log;
}

}  // namespace coeval::stores
