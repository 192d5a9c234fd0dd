// A request record is, in this order and without padding, little-endian:
//
//   u8        version of the format, 1
//   u32       number of events
//   u64, u64  hash of the key, low and high
//   u64, u64  hash of the body, low and high
//   u32       status of the answer
//   text      answer                      (a u32 length and its bytes)
//
// Canonical: equal records have equal bytes, and bytes that decode are what encode() writes.

#include "stores/request_record.h"

#include "data/row_codec.h"

namespace coeval::stores {

namespace {

constexpr std::uint8_t kRequestVersion = 1;

void put_hash(std::string& out, data::Hash128 hash) {
  data::put_u64(out, hash.low);
  data::put_u64(out, hash.high);
}

bool read_hash(data::ByteReader& reader, data::Hash128& hash) {
  return reader.u64(hash.low) && reader.u64(hash.high);
}

}  // namespace

std::string encode(const RequestRecord& record) {
  std::string out;
  data::put_u8(out, kRequestVersion);
  data::put_u32(out, record.events);
  put_hash(out, record.key);
  put_hash(out, record.body);
  data::put_u32(out, record.status);
  data::put_text(out, record.answer);
  return out;
}

Result<RequestRecord> decode_request(std::string_view bytes) {
  data::ByteReader reader(bytes);
  std::uint8_t version = 0;
  if (!reader.u8(version) || version != kRequestVersion)
    return fail(Code::bad_file, "a stored request of an unknown version",
                "it was written by a newer coeval, or the file is damaged");
  RequestRecord record;
  std::string_view answer;
  const bool whole = reader.u32(record.events) && read_hash(reader, record.key) &&
                     read_hash(reader, record.body) && reader.u32(record.status) &&
                     reader.text(answer) && reader.remaining() == 0;
  if (!whole)
    return fail(Code::bad_file, "a stored request is cut short or too long", "the file is damaged");
  record.answer = answer;
  return record;
}

}  // namespace coeval::stores
