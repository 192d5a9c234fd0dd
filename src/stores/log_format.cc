#include "stores/log_format.h"

#include <bit>
#include <charconv>
#include <cstdio>
#include <cstring>

#include "data/hash.h"

namespace coeval::stores {

namespace {

static_assert(std::endian::native == std::endian::little, "the log is little-endian");

constexpr std::string_view kSegmentMagic = "COEVALOG";
constexpr std::string_view kSegmentPrefix = "log-";
constexpr std::string_view kSegmentSuffix = ".seg";
constexpr std::size_t kPositionDigits = 20;

// Offsets in a segment header.
constexpr std::size_t kVersionAt = 8;
constexpr std::size_t kPartitionAt = 12;
constexpr std::size_t kFirstAt = 16;
constexpr std::size_t kHeaderSpareAt = 24;
constexpr std::size_t kHeaderCrcAt = 28;

// Offsets in a record.
constexpr std::size_t kRecordCrcAt = 0;
constexpr std::size_t kLengthAt = 4;
constexpr std::size_t kPayloadCrcAt = 8;
constexpr std::size_t kKindAt = 12;  // and three bytes of zero
constexpr std::size_t kPositionAt = 16;
constexpr std::size_t kKnownAt = 24;
constexpr std::size_t kSourceAt = 32;
constexpr std::size_t kSchemaAt = 36;

template <class T>
void store(char* bytes, std::size_t at, T value) {
  std::memcpy(bytes + at, &value, sizeof value);
}

template <class T>
T load(const char* bytes, std::size_t at) {
  T value;
  std::memcpy(&value, bytes + at, sizeof value);
  return value;
}

std::uint32_t record_crc(const char* bytes) {
  return data::crc32c({bytes + kLengthAt, kRecordHeaderBytes - kLengthAt});
}

}  // namespace

std::string segment_name(Position first) {
  char text[32];
  const int size = std::snprintf(text, sizeof text, "log-%020llu.seg",
                                 static_cast<unsigned long long>(first.value));
  return {text, static_cast<std::size_t>(size)};
}

std::optional<Position> parse_segment_name(std::string_view file_name) {
  if (file_name.size() != kSegmentPrefix.size() + kPositionDigits + kSegmentSuffix.size() ||
      !file_name.starts_with(kSegmentPrefix) || !file_name.ends_with(kSegmentSuffix))
    return std::nullopt;
  const char* begin = file_name.data() + kSegmentPrefix.size();
  Position first;
  const auto [end, failure] = std::from_chars(begin, begin + kPositionDigits, first.value);
  if (failure != std::errc{} || end != begin + kPositionDigits) return std::nullopt;
  return first;
}

std::string encode_segment_header(Position first) {
  char bytes[kSegmentHeaderBytes] = {};
  std::memcpy(bytes, kSegmentMagic.data(), kSegmentMagic.size());
  store(bytes, kVersionAt, kSegmentVersion);
  store(bytes, kPartitionAt, std::uint32_t{0});
  store(bytes, kFirstAt, first.value);
  store(bytes, kHeaderSpareAt, std::uint32_t{0});
  store(bytes, kHeaderCrcAt, data::crc32c({bytes, kHeaderCrcAt}));
  return {bytes, sizeof bytes};
}

Result<Position> parse_segment_header(std::string_view bytes) {
  if (bytes.size() < kSegmentHeaderBytes)
    return fail(Code::log_corrupt, "the segment ends within its header");
  if (!bytes.starts_with(kSegmentMagic))
    return fail(Code::log_corrupt, "this is not a log segment: it does not begin with COEVALOG");
  if (load<std::uint32_t>(bytes.data(), kHeaderCrcAt) !=
      data::crc32c(bytes.substr(0, kHeaderCrcAt)))
    return fail(Code::log_corrupt, "the segment's header fails its checksum");
  const auto version = load<std::uint32_t>(bytes.data(), kVersionAt);
  const auto partition = load<std::uint32_t>(bytes.data(), kPartitionAt);
  if (version != kSegmentVersion || partition != 0)
    return fail(Code::unsupported,
                "a log segment of version " + std::to_string(version) + ", partition " +
                    std::to_string(partition),
                "use the version of coeval that wrote it, or a newer one");
  return Position{load<std::uint64_t>(bytes.data(), kFirstAt)};
}

std::string batch_payload(std::uint64_t events, std::string_view text) {
  std::string payload(sizeof events, '\0');
  store(payload.data(), 0, events);
  return payload.append(text);
}

std::optional<BatchPayload> parse_batch_payload(std::string_view payload) {
  if (payload.size() < sizeof(std::uint64_t)) return std::nullopt;
  return BatchPayload{load<std::uint64_t>(payload.data(), 0),
                      payload.substr(sizeof(std::uint64_t))};
}

std::optional<Position> end_of_batch(const Record& record) {
  if (record.kind != RecordKind::batch_begin) return std::nullopt;
  const auto batch = parse_batch_payload(record.payload);
  return Position{record.position.value + (batch ? batch->events : 0) + 1};
}

Status check_payload(const Draft& draft) {
  if (draft.payload.size() <= kMaxPayloadBytes) return {};
  return fail(Code::out_of_range,
              "a log record of " + std::to_string(draft.payload.size()) + " bytes; at most " +
                  std::to_string(kMaxPayloadBytes) + " fit",
              "send less in one row");
}

void append_record(std::string& out, Position position, const Draft& draft) {
  char bytes[kRecordHeaderBytes] = {};
  store(bytes, kLengthAt, static_cast<std::uint32_t>(draft.payload.size()));
  store(bytes, kPayloadCrcAt, data::crc32c(draft.payload));
  store(bytes, kKindAt, static_cast<std::uint32_t>(draft.kind));
  store(bytes, kPositionAt, position.value);
  store(bytes, kKnownAt, draft.known.us);
  store(bytes, kSourceAt, draft.source);
  store(bytes, kSchemaAt, draft.schema_version);
  store(bytes, kRecordCrcAt, record_crc(bytes));
  out.append(bytes, sizeof bytes);
  out.append(draft.payload);
}

bool may_be_record_header(const char* bytes) {
  return is_record_kind(load<std::uint32_t>(bytes, kKindAt)) &&
         load<std::uint32_t>(bytes, kLengthAt) <= kMaxPayloadBytes;
}

std::optional<RecordHeader> parse_record_header(std::string_view view) {
  if (view.size() < kRecordHeaderBytes) return std::nullopt;
  const char* bytes = view.data();
  if (!may_be_record_header(bytes)) return std::nullopt;
  if (load<std::uint32_t>(bytes, kRecordCrcAt) != record_crc(bytes)) return std::nullopt;
  RecordHeader header;
  header.payload_bytes = load<std::uint32_t>(bytes, kLengthAt);
  header.payload_crc = load<std::uint32_t>(bytes, kPayloadCrcAt);
  header.record.kind = static_cast<RecordKind>(load<std::uint32_t>(bytes, kKindAt));
  header.record.position = {load<std::uint64_t>(bytes, kPositionAt)};
  header.record.known = {load<std::int64_t>(bytes, kKnownAt)};
  header.record.source = load<std::uint32_t>(bytes, kSourceAt);
  header.record.schema_version = load<std::uint32_t>(bytes, kSchemaAt);
  return header;
}

bool payload_is_sound(const RecordHeader& header, std::string_view payload) {
  return payload.size() == header.payload_bytes && data::crc32c(payload) == header.payload_crc;
}

}  // namespace coeval::stores
