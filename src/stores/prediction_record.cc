// A prediction record is, in this order and without padding, little-endian:
//
//   u8        version of the format: 1, or 2 of a multiclass model
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
//   text      approximate                 (of version 1 only where it is not empty)
//
// and of version 2
//
//   u8        place of the decided class
//   u8        number of classes, from 2 on
//   f32 …     margin of each class
//   f32 …     probability of each class
//
// Canonical: equal records have equal bytes, and bytes that decode are what encode() writes.

#include "stores/prediction_record.h"

#include <bit>

#include "base/check.h"
#include "data/row_codec.h"

namespace coeval::stores {

namespace {

constexpr std::uint8_t kOneScore = 1, kClassScores = 2;  // versions
constexpr std::uint8_t kLeastClasses = 2;

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
  return read_text(reader, record.question) && read_text(reader, record.features);
}

bool read_approximate(data::ByteReader& reader, PredictionRecord& record) {
  if (reader.remaining() == 0) return true;
  return read_text(reader, record.approximate) && !record.approximate.empty() &&
         reader.remaining() == 0;
}

bool read_classes(data::ByteReader& reader, PredictionRecord& record) {
  std::uint8_t classes = 0;
  if (!read_text(reader, record.approximate) || !reader.u8(record.decided_class) ||
      !reader.u8(classes) || classes < kLeastClasses || record.decided_class >= classes)
    return false;
  for (std::vector<float>* values : {&record.class_margins, &record.class_scores}) {
    values->resize(classes);
    for (float& value : *values)
      if (!read_float(reader, &data::ByteReader::u32, value)) return false;
  }
  return reader.remaining() == 0;
}

std::unexpected<Error> not_a_prediction(const std::string& what) {
  return fail(Code::bad_file, "not a prediction record: " + what,
              "use the version of coeval that wrote it, or a newer one");
}

}  // namespace

std::string encode(const PredictionRecord& record) {
  std::string out;
  out.reserve(256 + record.question.size() + record.features.size());
  const bool several = !record.class_scores.empty();
  data::put_u8(out, several ? kClassScores : kOneScore);
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
  if (several || !record.approximate.empty()) data::put_text(out, record.approximate);
  if (!several) return out;
  COEVAL_CHECK(record.class_scores.size() >= kLeastClasses && record.class_scores.size() <= 255 &&
               record.class_margins.size() == record.class_scores.size() &&
               record.decided_class < record.class_scores.size());
  data::put_u8(out, record.decided_class);
  data::put_u8(out, static_cast<std::uint8_t>(record.class_scores.size()));
  for (const std::vector<float>* values : {&record.class_margins, &record.class_scores})
    for (const float value : *values) data::put_u32(out, std::bit_cast<std::uint32_t>(value));
  return out;
}

Result<PredictionRecord> decode_prediction(std::string_view bytes) {
  data::ByteReader reader(bytes);
  std::uint8_t version = 0;
  if (!reader.u8(version)) return not_a_prediction("it is empty");
  if (version != kOneScore && version != kClassScores)
    return not_a_prediction("its format has version " + std::to_string(version));
  PredictionRecord record;
  if (read_identity(reader, record) && read_moment(reader, record) && read_answer(reader, record) &&
      read_rows(reader, record) &&
      (version == kOneScore ? read_approximate(reader, record) : read_classes(reader, record)))
    return record;
  return not_a_prediction("its " + std::to_string(bytes.size()) +
                          " bytes are cut short, too long, or hold a value that is never written");
}

}  // namespace coeval::stores
