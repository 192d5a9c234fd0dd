#include "stores/prediction_record.h"

#include <doctest/doctest.h>

#include <bit>
#include <cmath>
#include <limits>

namespace coeval::stores {

namespace {

using namespace std::string_literals;

PredictionRecord golden_prediction() {
  PredictionRecord record;
  record.id = "01F8MECHZX3TBDSZ7XRADM79XE";
  record.model = "late";
  record.version = 7;
  record.ir_hash = "ir";
  record.bits_id = "bits";
  record.position = Position{258};
  record.at_us = 991353600000001;
  record.raw_score = -0.5f;
  record.score = 0.375f;
  record.decision = true;
  record.latency_us = 66;
  record.question = "\x00q"s;
  record.features = "\x00\x66\xff"s;
  return record;
}

// Written down from an encoder of the format's prose in another language, not by this code.
const std::string kGoldenPrediction =
    "\x01\x1a\x00\x00\x00\x30\x31\x46\x38\x4d\x45\x43\x48\x5a\x58\x33"
    "\x54\x42\x44\x53\x5a\x37\x58\x52\x41\x44\x4d\x37\x39\x58\x45\x04"
    "\x00\x00\x00\x6c\x61\x74\x65\x07\x00\x00\x00\x02\x00\x00\x00\x69"
    "\x72\x04\x00\x00\x00\x62\x69\x74\x73\x02\x01\x00\x00\x00\x00\x00"
    "\x00\x01\xc0\x2c\x7f\xa1\x85\x03\x00\x08\x00\x00\x00\x63\x68\x61"
    "\x6d\x70\x69\x6f\x6e\x00\x00\x00\x00\x00\x00\xf0\x3f\x00\x00\x00"
    "\xbf\x00\x00\xc0\x3e\x01\x42\x00\x00\x00\x02\x00\x00\x00\x00\x71"
    "\x03\x00\x00\x00\x00\x66\xff"s;
constexpr std::size_t kDecisionAt = 6 * 16 + 5;

}  // namespace

TEST_CASE("a prediction record has the bytes that the format promises") {
  CHECK(encode(golden_prediction()) == kGoldenPrediction);
}

TEST_CASE("a prediction record reads back field by field") {
  const PredictionRecord record = decode_prediction(kGoldenPrediction).value();
  CHECK(record.id == "01F8MECHZX3TBDSZ7XRADM79XE");
  CHECK(record.model == "late");
  CHECK(record.version == 7);
  CHECK(record.ir_hash == "ir");
  CHECK(record.bits_id == "bits");
  CHECK(record.position == Position{258});
  CHECK(record.at_us == 991353600000001);
  CHECK(record.variant == "champion");
  CHECK(record.propensity == 1.0);
  CHECK(record.raw_score == -0.5f);
  CHECK(record.score == 0.375f);
  CHECK(record.decision);
  CHECK(record.latency_us == 66);
  CHECK(record.question == "\x00q"s);
  CHECK(record.features == "\x00\x66\xff"s);
}

TEST_CASE("what is approximate stands at the end, only where something is") {
  PredictionRecord record = golden_prediction();
  record.approximate = "v.d_all,v.q_7d";
  const std::string bytes = encode(record);
  CHECK(bytes == kGoldenPrediction + "\x0e\x00\x00\x00v.d_all,v.q_7d"s);
  CHECK(decode_prediction(bytes).value().approximate == "v.d_all,v.q_7d");
  CHECK(decode_prediction(kGoldenPrediction).value().approximate.empty());
  CHECK(!decode_prediction(kGoldenPrediction + "\x00\x00\x00\x00"s));
  CHECK(!decode_prediction(bytes + "x"));
  CHECK(!decode_prediction(bytes.substr(0, bytes.size() - 1)));
}

TEST_CASE("scores keep their bits, negative times and NaN payloads included") {
  PredictionRecord record = golden_prediction();
  record.at_us = -1;
  record.raw_score = std::bit_cast<float>(0x7fc00123u);
  record.score = -0.0f;
  record.propensity = std::numeric_limits<double>::denorm_min();
  const PredictionRecord back = decode_prediction(encode(record)).value();
  CHECK(back.at_us == -1);
  CHECK(std::bit_cast<std::uint32_t>(back.raw_score) == 0x7fc00123u);
  CHECK(std::bit_cast<std::uint32_t>(back.score) == 0x80000000u);
  CHECK(back.propensity == std::numeric_limits<double>::denorm_min());
}

TEST_CASE("a prediction record cut at any byte, or followed by one, is refused") {
  for (std::size_t cut = 0; cut < kGoldenPrediction.size(); ++cut) {
    CAPTURE(cut);
    const auto decoded = decode_prediction(std::string_view(kGoldenPrediction).substr(0, cut));
    REQUIRE(!decoded);
    CHECK(decoded.error().code == Code::bad_file);
  }
  CHECK(!decode_prediction(kGoldenPrediction + "x").has_value());
}

TEST_CASE("a prediction record of another version, or with a third kind of decision, is refused") {
  std::string newer = kGoldenPrediction;
  newer[0] = 3;
  CHECK(decode_prediction(newer).error().message.find("version 3") != std::string::npos);
  std::string undecided = kGoldenPrediction;
  undecided[kDecisionAt] = 2;
  CHECK(!decode_prediction(undecided).has_value());
}

TEST_CASE("whatever decodes is what encode writes") {
  for (std::size_t at = 0; at < kGoldenPrediction.size(); ++at) {
    std::string flipped = kGoldenPrediction;
    flipped[at] ^= 0x20;
    const auto decoded = decode_prediction(flipped);
    if (decoded) CHECK(encode(*decoded) == flipped);
  }
}

TEST_CASE("a record of several classes reads back, and its damage is seen") {
  PredictionRecord record = golden_prediction();
  record.decision = false;
  record.decided_class = 2;
  record.class_margins = {-1.5f, 0.25f, std::numeric_limits<float>::infinity()};
  record.class_scores = {0.125f, -0.0f, 0.875f};
  for (const char* approximate : {"", "mean,last"}) {
    record.approximate = approximate;
    const std::string bytes = encode(record);
    const PredictionRecord back = decode_prediction(bytes).value();
    CHECK(back.approximate == approximate);
    CHECK(back.decided_class == 2);
    CHECK(back.class_margins == record.class_margins);
    CHECK(std::signbit(back.class_scores[1]));
    CHECK(encode(back) == bytes);
    for (std::size_t length = 0; length < bytes.size(); ++length)
      CHECK(!decode_prediction(bytes.substr(0, length)).has_value());
    CHECK(!decode_prediction(bytes + '\0').has_value());
    std::string other = bytes;
    const std::size_t decided_at = bytes.size() - 6 * 4 - 2;
    other[decided_at] = 3;  // of three classes
    CHECK(!decode_prediction(other).has_value());
    other[decided_at] = 0;
    other[decided_at + 1] = 1;  // one class
    CHECK(!decode_prediction(other.substr(0, decided_at + 2 + 2 * 4)).has_value());
  }
}

}  // namespace coeval::stores
