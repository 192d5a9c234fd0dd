#include "stores/log_scan.h"

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "stores/files.h"
#include "stores/request_record.h"

namespace coeval::stores {

namespace {

constexpr std::uint64_t kMarkEveryBytes = 64u << 10;

std::string not_a_record(const LogPlace& place) {
  return "record " + std::to_string(place.next.value) + " fails its checksum or is out of order";
}

// Judges a segment whose header is bad: nothing in a file that was being made when the writer died.
Result<bool> is_torn_segment(SegmentReader& reader, const LogPlace& place) {
  reader.seek(0);
  COEVAL_ASSIGN(const auto sound, reader.find_next_sound(place));
  return !sound.has_value();
}

/// Follows requests: a record of how many events come, then the events.
class RequestScan {
 public:
  explicit RequestScan(const std::function<void(const Record&)>& visit) : visit_(visit) {}

  /// `before`: where the record begins.
  void record(const Record& record, const LogEnd& before) {
    if (record.kind == RecordKind::request) begin(record, before);
    if (begin_ && record.position.value + 1 >= end_.value) finish();
  }
  /// Where the last request begins, when the log ends at `end`, within it.
  std::optional<LogEnd> unfinished(const LogEnd& end) const {
    // A writer never begins a segment within a request.
    return begin_ && begin_->segments == end.segments ? begin_ : std::nullopt;
  }

 private:
  void begin(const Record& record, const LogEnd& before) {
    begin_.reset();
    const auto request = decode_request(record.payload);
    if (!request) return;  // of a newer version: the log is as sound as ever
    begin_ = before;
    end_ = {record.position.value + 1 + request->events};
    payload_ = record.payload;
    record_ = record;
  }
  void finish() {
    begin_.reset();
    record_.payload = payload_;
    if (visit_) visit_(record_);
  }

  const std::function<void(const Record&)>& visit_;
  std::optional<LogEnd> begin_;
  Position end_;
  std::string payload_;
  Record record_;
};

class Scanner {
 public:
  Scanner(LogScan& scan, const std::function<void(const Record&)>& visit_request)
      : scan_(scan), requests_(visit_request) {}

  void finish() { scan_.unfinished_request = requests_.unfinished(scan_.end); }

  // Returns false when the scan ends with this segment.
  Result<bool> segment(LogSegment& segment, bool last) {
    COEVAL_ASSIGN(auto reader, SegmentReader::open(segment.path));
    scan_.bytes += reader.size();
    scan_.end.segments += 1;
    scan_.end.bytes = 0;
    if (segment.first != scan_.end.place.next) return missing_segment(segment);
    const auto first = reader.read_header();
    if (!first) return bad_header(segment, reader, first.error(), last);
    if (*first != segment.first)
      return problem(corrupt_at(segment.path, 0,
                                "its header begins at position " + std::to_string(first->value)));
    scan_.end.bytes = reader.offset();
    return records(segment, reader, last);
  }

 private:
  bool problem(Error error) {
    scan_.problem = std::move(error);
    return false;
  }

  bool missing_segment(const LogSegment& segment) {
    return problem(
        Error{Code::log_corrupt,
              "a log segment is missing before '" + segment.path + "': position " +
                  std::to_string(scan_.end.place.next.value) + " was to follow",
              "put the missing file back, from a backup if need be; repair cannot make it up",
              {},
              {}});
  }

  Result<bool> bad_header(const LogSegment& segment, SegmentReader& reader, const Error& error,
                          bool last) {
    if (error.code != Code::log_corrupt)
      return problem(Error(error).within("while reading '" + segment.path + "'"));
    COEVAL_ASSIGN(const bool torn, is_torn_segment(reader, scan_.end.place));
    if (!last || !torn) return problem(corrupt_at(segment.path, 0, error.message));
    scan_.torn_bytes = reader.size();
    return false;
  }

  Result<bool> records(LogSegment& segment, SegmentReader& reader, bool last) {
    Record record;
    for (;;) {
      const std::uint64_t at = reader.offset();
      const LogEnd before = scan_.end;
      COEVAL_ASSIGN(const auto step, reader.next(scan_.end.place, record));
      if (step == SegmentReader::Step::end) return true;
      if (step == SegmentReader::Step::bad) return bad_record(segment, reader, last);
      segment.note(record.position, at);
      note_tags(record);
      note_batch(record, before);
      requests_.record(record, before);
      scan_.end.bytes = reader.offset();
      ++scan_.records;
    }
  }

  void note_batch(const Record& record, const LogEnd& before) {
    if (scan_.unfinished && record.position >= scan_.unfinished->end) scan_.unfinished.reset();
    if (const auto end = end_of_batch(record)) scan_.unfinished = UnfinishedBatch{before, *end};
  }

  Result<bool> bad_record(const LogSegment& segment, SegmentReader& reader, bool last) {
    COEVAL_ASSIGN(const auto sound, reader.find_next_sound(scan_.end.place));
    if (!last || sound)
      return problem(corrupt_at(segment.path, reader.offset(), not_a_record(scan_.end.place)));
    scan_.torn_bytes = reader.size() - reader.offset();
    return false;
  }

  void note_tags(const Record& record) {
    const std::pair pair{record.source, record.schema_version};
    if (record.kind != RecordKind::event || pair == last_tags_) return;
    scan_.tags.insert(pair);
    last_tags_ = pair;
  }

  LogScan& scan_;
  std::pair<std::uint32_t, std::uint32_t> last_tags_;
  RequestScan requests_;
};

// How a read of one segment ended.
enum class Pass { go_on, stop };

// Reads one segment from the place nearest to `from`.
class SegmentPass {
 public:
  SegmentPass(const LogSegment& segment, Position from,
              const std::function<bool(const Record&)>& visit)
      : segment_(segment), from_(from), visit_(visit) {}

  Result<Pass> run(std::uint64_t end_bytes, bool tail_may_be_torn) {
    COEVAL_ASSIGN(auto reader, SegmentReader::open(segment_.path, end_bytes));
    const auto first = reader.read_header();
    LogPlace place{segment_.first};
    if (!first || *first != segment_.first) {
      if (first || first.error().code != Code::log_corrupt || !tail_may_be_torn)
        return std::unexpected(first ? corrupt_at(segment_.path, 0, "its header and name disagree")
                                     : first.error());
      COEVAL_ASSIGN(const bool torn, is_torn_segment(reader, place));
      if (torn) return Pass::stop;
      return std::unexpected(corrupt_at(segment_.path, 0, first.error().message));
    }
    const SegmentMark mark = segment_.nearest(from_);
    place.next = mark.position;
    reader.seek(mark.offset);
    return records(reader, place, tail_may_be_torn);
  }

 private:
  Result<Pass> records(SegmentReader& reader, LogPlace& place, bool tail_may_be_torn) {
    Record record;
    for (;;) {
      COEVAL_ASSIGN(const auto step, reader.next(place, record));
      if (step == SegmentReader::Step::end) return Pass::go_on;
      if (step == SegmentReader::Step::bad) return bad_record(reader, place, tail_may_be_torn);
      if (record.position >= from_ && !visit_(record)) return Pass::stop;
    }
  }

  Result<Pass> bad_record(SegmentReader& reader, const LogPlace& place, bool tail_may_be_torn) {
    if (tail_may_be_torn) {
      COEVAL_ASSIGN(const auto sound, reader.find_next_sound(place));
      if (!sound) return Pass::stop;
    }
    return std::unexpected(corrupt_at(segment_.path, reader.offset(), not_a_record(place)));
  }

  const LogSegment& segment_;
  Position from_;
  const std::function<bool(const Record&)>& visit_;
};

// The first segment that can hold `from`.
std::size_t segment_of(std::span<const LogSegment> segments, Position from) {
  const auto after = std::upper_bound(
      segments.begin(), segments.end(), from,
      [](Position position, const LogSegment& segment) { return position < segment.first; });
  return after == segments.begin() ? 0 : static_cast<std::size_t>(after - segments.begin()) - 1;
}

}  // namespace

void LogSegment::note(Position position, std::uint64_t offset) {
  const std::uint64_t last = marks.empty() ? 0 : marks.back().offset;
  if (offset >= last + kMarkEveryBytes) marks.push_back({position, offset});
}

void LogSegment::cut(std::uint64_t offset) {
  std::erase_if(marks, [&](const SegmentMark& mark) { return mark.offset >= offset; });
}

SegmentMark LogSegment::nearest(Position position) const {
  const auto after = std::upper_bound(
      marks.begin(), marks.end(), position,
      [](Position wanted, const SegmentMark& mark) { return wanted < mark.position; });
  return after == marks.begin() ? SegmentMark{first, kSegmentHeaderBytes} : *(after - 1);
}

Error corrupt_at(const std::string& path, std::uint64_t offset, const std::string& what) {
  return Error{
      Code::log_corrupt,
      "the log is damaged in '" + path + "' at offset " + std::to_string(offset) + ": " + what,
      "`coeval doctor --repair` sets the bad bytes aside and keeps every sound record",
      {},
      {}};
}

Result<SegmentFiles> find_segments(const std::string& folder) {
  std::error_code failed;
  std::filesystem::directory_iterator entries(folder, failed);
  if (failed) return std::unexpected(error_from_errno(failed.value(), "read folder", folder));
  std::vector<LogSegment> segments;
  for (const std::filesystem::directory_iterator end; entries != end; entries.increment(failed)) {
    if (failed) return std::unexpected(error_from_errno(failed.value(), "read folder", folder));
    const auto first = parse_segment_name(entries->path().filename().string());
    if (first) segments.push_back({entries->path().string(), *first, {}});
  }
  std::ranges::sort(segments, {}, &LogSegment::first);
  SegmentFiles files;
  COEVAL_ASSIGN(files.trim, read_trim(folder));
  const Position begin = files.trim ? files.trim->first : Position{0};
  for (LogSegment& segment : segments)
    (segment.first < begin ? files.left_over : files.segments).push_back(std::move(segment));
  return files;
}

Result<LogScan> scan_log(const std::string& folder,
                         const std::function<void(const Record&)>& visit_request) {
  LogScan scan;
  COEVAL_ASSIGN(SegmentFiles files, find_segments(folder));
  scan.segments = std::move(files.segments);
  scan.left_over = std::move(files.left_over);
  scan.trim = std::move(files.trim);
  if (scan.trim) scan.end.place = {scan.trim->first, scan.trim->known};
  Scanner scanner(scan, visit_request);
  for (std::size_t i = 0; i < scan.segments.size(); ++i) {
    COEVAL_ASSIGN(const bool go_on,
                  scanner.segment(scan.segments[i], i + 1 == scan.segments.size()));
    if (!go_on) break;
  }
  scanner.finish();
  return scan;
}

Status read_records(std::span<const LogSegment> segments, Position from, std::optional<LogEnd> end,
                    const std::function<bool(const Record&)>& visit) {
  if (end) segments = segments.first(end->segments);
  for (std::size_t i = segment_of(segments, from); i < segments.size(); ++i) {
    const bool last = i + 1 == segments.size();
    SegmentPass pass(segments[i], from, visit);
    COEVAL_ASSIGN(const Pass outcome,
                  pass.run(last && end ? end->bytes : UINT64_MAX, last && !end));
    if (outcome == Pass::stop) break;
  }
  return {};
}

Status read_visible(std::span<const LogSegment> segments, Position from, Position known_next,
                    const std::function<bool(const Record&)>& visit) {
  Status looked;
  const auto reached = [&](Position position) {
    if (position < known_next) return true;
    bool there = false;
    looked = read_records(segments, position, std::nullopt, [&there](const Record&) {
      there = true;
      return false;
    });
    return looked && there;
  };
  COEVAL_TRY(read_records(segments, from, std::nullopt, [&](const Record& record) {
    const auto end = end_of_batch(record);
    return (!end || reached(*end)) && visit(record);
  }));
  return looked;
}

}  // namespace coeval::stores
