#include "stores/segment_reader.h"

#include <algorithm>

namespace coeval::stores {

namespace {

constexpr std::size_t kSearchBytes = 256u << 10;

bool follows(const LogPlace& place, const Record& record) {
  return record.position == place.next && record.known >= place.known;
}

// What may stand `skipped` bytes behind `place`: every record that is gone took at least a header.
bool may_follow(const LogPlace& place, const Record& record, std::uint64_t skipped) {
  return record.position >= place.next && record.known >= place.known &&
         record.position.value - place.next.value <= skipped / kRecordHeaderBytes + 1;
}

}  // namespace

Result<SegmentReader> SegmentReader::open(const std::string& path, std::uint64_t end) {
  COEVAL_ASSIGN(auto window, FileWindow::open(path, end));
  return SegmentReader(std::move(window));
}

Result<Position> SegmentReader::read_header() {
  offset_ = kSegmentHeaderBytes;
  COEVAL_ASSIGN(const std::string_view bytes, window_.view(0, kSegmentHeaderBytes));
  return parse_segment_header(bytes);
}

Result<SegmentReader::Step> SegmentReader::next(LogPlace& place, Record& record) {
  if (offset_ >= size()) return Step::end;
  COEVAL_ASSIGN(const std::string_view head, window_.view(offset_, kRecordHeaderBytes));
  const auto header = parse_record_header(head);
  if (!header || !follows(place, header->record)) return Step::bad;
  const auto total = static_cast<std::size_t>(header->total_bytes());
  COEVAL_ASSIGN(std::string_view whole, window_.view(offset_, total));
  whole.remove_prefix(kRecordHeaderBytes);
  if (!payload_is_sound(*header, whole)) return Step::bad;
  record = header->record;
  record.payload = whole;
  offset_ += total;
  place = {Position{place.next.value + 1}, record.known};
  return Step::record;
}

Result<bool> SegmentReader::is_sound_at(std::uint64_t offset, const LogPlace& place,
                                        std::uint64_t skipped) {
  COEVAL_ASSIGN(const std::string_view head, window_.view(offset, kRecordHeaderBytes));
  const auto header = parse_record_header(head);
  if (!header || !may_follow(place, header->record, skipped)) return false;
  COEVAL_ASSIGN(std::string_view whole,
                window_.view(offset, static_cast<std::size_t>(header->total_bytes())));
  whole.remove_prefix(kRecordHeaderBytes);
  return payload_is_sound(*header, whole);
}

Result<std::optional<std::uint64_t>> SegmentReader::find_next_sound(const LogPlace& place) {
  std::uint64_t from = offset_ + 1;
  COEVAL_ASSIGN(const std::string_view head, window_.view(offset_, kRecordHeaderBytes));
  // A sound header vouches for its length: the payload, whatever it holds, is not searched. So a
  // client cannot put the image of a record into an event and have it taken for one after a crash.
  if (const auto header = parse_record_header(head); header && follows(place, header->record)) {
    from = offset_ + header->total_bytes();
  } else if (header) {
    // A sound record of a later position: what stood between is gone without a trace.
    COEVAL_ASSIGN(const bool sound, is_sound_at(offset_, place, UINT64_MAX));
    if (sound) return offset_;
  }
  while (from + kRecordHeaderBytes <= size()) {
    COEVAL_ASSIGN(const std::string_view bytes, window_.view(from, kSearchBytes));
    if (bytes.size() < kRecordHeaderBytes) break;
    const std::size_t last = bytes.size() - kRecordHeaderBytes;
    std::size_t at = 0;
    while (at <= last && !may_be_record_header(bytes.data() + at)) ++at;
    from += at;
    if (at > last) continue;
    COEVAL_ASSIGN(const bool sound, is_sound_at(from, place, from - offset_));
    if (sound) return from;
    ++from;
  }
  return std::nullopt;
}

}  // namespace coeval::stores
