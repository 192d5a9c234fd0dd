#include <algorithm>
#include <optional>

#include "stores/event_log.h"
#include "stores/files.h"
#include "stores/log_scan.h"

namespace coeval::stores {

namespace {

// Positions that are gone become one record each; more than this is no damage that one would mend.
constexpr std::uint64_t kMaxLostRecords = 1u << 24;

/// Rebuilds one damaged segment: sound records as they are, positions that are gone as records of
/// kind `lost`, everything else in quarantine.
class SegmentRepair {
 public:
  SegmentRepair(const std::string& folder, const LogSegment& segment, LogPlace start)
      : folder_(folder), segment_(segment), place_(start) {}

  /// `next_first`: the first position of the segment behind, if there is one.
  Status run(std::optional<Position> next_first) {
    COEVAL_ASSIGN(bytes_, read_file(segment_.path, UINT64_MAX));
    COEVAL_ASSIGN(auto reader, SegmentReader::open(segment_.path));
    rebuilt_ = encode_segment_header(segment_.first);
    if (!reader.read_header()) COEVAL_TRY(skip_bad(reader, 0));
    COEVAL_TRY(records(reader));
    if (next_first) COEVAL_TRY(fill_lost(*next_first));
    return write_file_atomically(segment_.path, rebuilt_);
  }

  const std::vector<std::string>& quarantined() const { return quarantined_; }
  const LogPlace& place() const { return place_; }

 private:
  Status records(SegmentReader& reader) {
    Record record;
    for (;;) {
      const std::uint64_t at = reader.offset();
      COEVAL_ASSIGN(const auto step, reader.next(place_, record));
      if (step == SegmentReader::Step::end) return {};
      if (step == SegmentReader::Step::bad)
        COEVAL_TRY(skip_bad(reader, at));
      else
        rebuilt_.append(bytes_, at, reader.offset() - at);
    }
  }

  // Sets aside the bytes from `at` to the next sound record and stands before that.
  Status skip_bad(SegmentReader& reader, std::uint64_t at) {
    reader.seek(at);
    COEVAL_ASSIGN(const auto sound, reader.find_next_sound(place_));
    const std::uint64_t end = sound.value_or(reader.size());
    if (end > at) COEVAL_TRY(quarantine(at, end));
    reader.seek(end);
    return sound ? fill_lost(position_at(end)) : Status{};
  }

  Position position_at(std::uint64_t offset) const {
    const auto header = parse_record_header(std::string_view(bytes_).substr(offset));
    return header ? header->record.position : place_.next;
  }

  Status quarantine(std::uint64_t at, std::uint64_t end) {
    const std::string path = folder_ + "/quarantine/" + segment_name(segment_.first) + "." +
                             std::to_string(at) + "-" + std::to_string(end) + ".bytes";
    COEVAL_TRY(make_folders(folder_ + "/quarantine"));
    COEVAL_TRY(write_file_atomically(path, std::string_view(bytes_).substr(at, end - at)));
    quarantined_.push_back(path);
    return {};
  }

  Status fill_lost(Position until) {
    const std::uint64_t count = until.value - std::min(until, place_.next).value;
    if (count > kMaxLostRecords)
      return fail(Code::unsupported,
                  "repair would have to stand in for " + std::to_string(count) + " records in '" +
                      segment_.path + "'",
                  "put the segment back from a backup");
    for (; place_.next < until; ++place_.next.value)
      append_record(rebuilt_, place_.next, {RecordKind::lost, place_.known, 0, 0, {}});
    return {};
  }

  const std::string& folder_;
  const LogSegment& segment_;
  LogPlace place_;
  std::string bytes_, rebuilt_;
  std::vector<std::string> quarantined_;
};

LogReport report_of(const LogScan& scan) {
  LogReport report;
  report.segments = scan.segments.size();
  report.records = scan.records;
  report.bytes = scan.bytes;
  report.torn_bytes = scan.torn_bytes;
  report.unfinished = scan.end.place.next.value - scan.visible().place.next.value;
  if (scan.problem) report.problem = one_line(*scan.problem);
  return report;
}

// What stands before segment `index`, which the scan ended in.
Result<LogPlace> place_before(const LogScan& scan, std::size_t index) {
  LogPlace place;
  place.next = scan.segments[index].first;
  if (index == 0) return place;
  const auto before = std::span(scan.segments).first(index);
  COEVAL_TRY(read_records(before, before.back().nearest(place.next).position, std::nullopt,
                          [&](const Record& record) {
                            place.known = record.known;
                            return true;
                          }));
  return place;
}

bool can_be_repaired(const LogScan& scan) {
  if (!scan.problem) return scan.torn_bytes > 0;
  const LogSegment& damaged = scan.segments[scan.end.segments - 1];
  const bool is_its_turn = scan.end.bytes > 0 || damaged.first == scan.end.place.next;
  return scan.problem->code == Code::log_corrupt && is_its_turn;
}

// Repairs the segment that the scan ended in.
Status repair_one(const std::string& folder, const LogScan& scan, std::string& quarantined) {
  const std::size_t index = scan.end.segments - 1;
  COEVAL_ASSIGN(const LogPlace start, place_before(scan, index));
  std::optional<Position> next_first;
  if (index + 1 < scan.segments.size()) next_first = scan.segments[index + 1].first;
  SegmentRepair repair(folder, scan.segments[index], start);
  COEVAL_TRY(repair.run(next_first));
  for (const auto& path : repair.quarantined())
    quarantined += (quarantined.empty() ? "" : ", ") + path;
  return {};
}

Result<LogReport> repair_all(const std::string& folder) {
  COEVAL_ASSIGN(const FileLock lock, FileLock::acquire(folder + "/lock"));
  std::string quarantined;
  LogReport before;
  for (std::size_t round = 0;; ++round) {
    COEVAL_ASSIGN(const LogScan scan, scan_log(folder));
    if (round == 0) before = report_of(scan);
    // Each round mends one segment for good, so more rounds than segments cannot be needed.
    if (!can_be_repaired(scan) || round > scan.segments.size()) {
      LogReport report = report_of(scan);
      report.torn_bytes = before.torn_bytes;
      report.quarantined = quarantined;
      return report;
    }
    COEVAL_TRY(repair_one(folder, scan, quarantined));
  }
}

}  // namespace

Result<LogReport> inspect_log(const std::string& folder, bool repair) {
  if (!repair) {
    COEVAL_ASSIGN(const LogScan scan, scan_log(folder));
    return report_of(scan);
  }
  COEVAL_TRY(find_segments(folder));  // no lock file in a folder that is not there
  return repair_all(folder);
}

}  // namespace coeval::stores
