// A prediction record is, in this order and without padding, little-endian:
//
//   u8        version of the format, 1
//   text      id                          (a text is a u32 length and its bytes)
//   text      model
//   u32       version of the model
//   text      IR hash
//   text      model bits id
//   u64       position
//   i64       T, µs since the epoch
//   text      variant
//   f64       propensity
//   f32, f32  raw score, score            (bits kept, NaN payloads too)
//   u8        decision, 0 or 1
//   u32       latency, µs
//   text      question                    (a row of data/row_codec.h)
//   text      features                    (likewise)
//   text      approximate                 (only where it is not empty)
//
// Canonical: equal records have equal bytes, and bytes that decode are what encode() writes.

#include "stores/prediction_record.h"

#include <bit>

#include "data/row_codec.h"

namespace coeval::stores {

namespace {

constexpr std::uint8_t kPredictionVersion = 1;

bool read_text(data::ByteReader& reader, std::string& out) {
  std::string_view text;
  if (!reader.text(text)) return false;
  out = text;
  return true;
}

template <class Float, class Bits>
bool read_float(data::ByteReader& reader, bool (data::ByteReader::*read)(Bits&), Float& out) {
  Bits bits = 0;
  if (!(reader.*read)(bits)) return false;
  out = std::bit_cast<Float>(bits);
  return true;
}

bool read_identity(data::ByteReader& reader, PredictionRecord& record) {
  std::uint32_t version = 0;
  if (!read_text(reader, record.id) || !read_text(reader, record.model) || !reader.u32(version) ||
      !read_text(reader, record.ir_hash) || !read_text(reader, record.bits_id))
    return false;
  record.version = std::bit_cast<std::int32_t>(version);
  return true;
}

bool read_moment(data::ByteReader& reader, PredictionRecord& record) {
  std::uint64_t at = 0;
  if (!reader.u64(record.position.value) || !reader.u64(at)) return false;
  record.at_us = std::bit_cast<std::int64_t>(at);
  return true;
}

bool read_answer(data::ByteReader& reader, PredictionRecord& record) {
  std::uint8_t decision = 0;
  if (!read_text(reader, record.variant) ||
      !read_float(reader, &data::ByteReader::u64, record.propensity) ||
      !read_float(reader, &data::ByteReader::u32, record.raw_score) ||
      !read_float(reader, &data::ByteReader::u32, record.score) || !reader.u8(decision) ||
      !reader.u32(record.latency_us))
    return false;
  record.decision = decision != 0;
  return decision <= 1;
}

bool read_rows(data::ByteReader& reader, PredictionRecord& record) {
  if (!read_text(reader, record.question) || !read_text(reader, record.features)) return false;
  if (reader.remaining() == 0) return true;
  return read_text(reader, record.approximate) && !record.approximate.empty() &&
         reader.remaining() == 0;
}

std::unexpected<Error> not_a_prediction(const std::string& what) {
  return fail(Code::bad_file, "not a prediction record: " + what,
              "use the version of coeval that wrote it, or a newer one");
}

}  // namespace

std::string encode(const PredictionRecord& record) {
  std::string out;
  out.reserve(256 + record.question.size() + record.features.size());
  data::put_u8(out, kPredictionVersion);
  data::put_text(out, record.id);
  data::put_text(out, record.model);
  data::put_u32(out, std::bit_cast<std::uint32_t>(record.version));
  data::put_text(out, record.ir_hash);
  data::put_text(out, record.bits_id);
  data::put_u64(out, record.position.value);
  data::put_u64(out, std::bit_cast<std::uint64_t>(record.at_us));
  data::put_text(out, record.variant);
  data::put_u64(out, std::bit_cast<std::uint64_t>(record.propensity));
  data::put_u32(out, std::bit_cast<std::uint32_t>(record.raw_score));
  data::put_u32(out, std::bit_cast<std::uint32_t>(record.score));
  data::put_u8(out, record.decision ? 1 : 0);
  data::put_u32(out, record.latency_us);
  data::put_text(out, record.question);
  data::put_text(out, record.features);
  if (!record.approximate.empty()) data::put_text(out, record.approximate);
  return out;
}

Result<PredictionRecord> decode_prediction(std::string_view bytes) {
  data::ByteReader reader(bytes);
  std::uint8_t version = 0;
  if (!reader.u8(version)) return not_a_prediction("it is empty");
  if (version != kPredictionVersion)
    return not_a_prediction("its format has version " + std::to_string(version));
  PredictionRecord record;
  if (read_identity(reader, record) && read_moment(reader, record) && read_answer(reader, record) &&
      read_rows(reader, record))
    return record;
  return not_a_prediction("its " + std::to_string(bytes.size()) +
                          " bytes are cut short, too long, or hold a value that is never written");
}

}  // namespace coeval::stores
