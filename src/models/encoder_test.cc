#include "models/encoder.h"

#include <doctest/doctest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <memory>
#include <string>
#include <vector>

namespace coeval::models {
namespace {

using data::Type;

data::Column strings(const std::vector<std::string>& words) {
  std::vector<std::int32_t> offsets{0};
  std::string bytes;
  for (const std::string& word : words) {
    bytes += word;
    offsets.push_back(static_cast<std::int32_t>(bytes.size()));
  }
  return data::Column::strings(std::move(offsets), std::move(bytes), {});
}

template <class T>
data::Column numbers(Type type, const std::vector<T>& values,
                     std::vector<std::uint8_t> validity = {}) {
  const auto bytes = std::as_bytes(std::span(values));
  return data::Column::fixed(type, {bytes.begin(), bytes.end()}, std::move(validity),
                             static_cast<std::int64_t>(values.size()));
}

data::Batch batch_of(std::vector<data::Column> columns) {
  data::Batch batch;
  batch.rows = columns.empty() ? 0 : columns[0].size();
  for (std::size_t i = 0; i < columns.size(); ++i) {
    batch.schema.fields.push_back({"c" + std::to_string(i), columns[i].type(), true});
  }
  batch.columns = std::move(columns);
  return batch;
}

Encoder fitted(const data::Batch& batch) {
  auto encoder = Encoder::fit(batch.schema.fields, batch);
  REQUIRE(encoder.has_value());
  return *encoder;
}

std::vector<float> encoded(const Encoder& encoder, const data::Batch& batch) {
  std::vector<float> out(static_cast<std::size_t>(batch.rows) * encoder.width());
  REQUIRE(encoder.encode(batch, out).has_value());
  return out;
}

}  // namespace

TEST_CASE("strings become places in the sorted dictionary and unseen ones its size") {
  const Encoder encoder = fitted(batch_of({strings({"JFK", "ATL", "JFK", "", "é"})}));
  CHECK(encoder.columns()[0].dictionary == std::vector<std::string>{"", "ATL", "JFK", "é"});
  CHECK(encoded(encoder, batch_of({strings({"é", "JFK", "", "ATL", "ORD", "JFKX", "JF"})})) ==
        std::vector<float>{3, 2, 0, 1, 4, 4, 4});
}

TEST_CASE("coded and plain strings give the same codes, for long and short batches") {
  const Encoder encoder = fitted(batch_of({strings({"b", "c", "d"})}));
  const auto dictionary = std::make_shared<const data::Column>(strings({"d", "x", "b", "a", "c"}));
  const auto coded = [&](std::vector<std::int32_t> codes) {
    return batch_of({data::Column::coded(std::move(codes), dictionary, {})});
  };
  CHECK(encoded(encoder, coded({0, 1, 2, 3, 4, 0})) == std::vector<float>{2, 3, 0, 3, 1, 2});
  CHECK(encoded(encoder, coded({4})) == std::vector<float>{1});
}

TEST_CASE("words that only a dictionary holds, and no row, are not frozen") {
  const auto dictionary = std::make_shared<const data::Column>(strings({"z", "unused", "a"}));
  const Encoder encoder = fitted(batch_of({data::Column::coded({0, 2, 0}, dictionary, {})}));
  CHECK(encoder.columns()[0].dictionary == std::vector<std::string>{"a", "z"});
}

TEST_CASE("numbers are rounded once, to nearest even") {
  const std::int64_t wide = (std::int64_t{1} << 54) + (std::int64_t{1} << 30) + 1;
  const data::Batch batch = batch_of({numbers<std::int64_t>(Type::int64, {16777217, wide}),
                                      numbers<double>(Type::float64, {0.1, 1e300}),
                                      numbers<std::int32_t>(Type::int32, {-5, 16777219})});
  // By way of double, `wide` would lose its last bit first and then round down to 2^54.
  const float up = std::ldexp(1.0f + 0x1p-23f, 54);
  CHECK(encoded(fitted(batch), batch) == std::vector<float>{16777216.0f, 0.1f, -5.0f, up,
                                                            std::numeric_limits<float>::infinity(),
                                                            16777220.0f});
}

TEST_CASE("null and NaN are both missing, in every type") {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const data::Batch batch = batch_of({
      numbers<double>(Type::float64, {1, std::nan("")}, {0b10}),
      numbers<float>(Type::float32, {nan, 2}, {0b01}),
      numbers<std::int32_t>(Type::int32, {7, 7}, {0b00}),
      data::Column::boolean({0b11}, {0b00}, 2),
      data::Column::strings({0, 1, 2}, "ab", {0b00}),
  });
  const Encoder encoder = fitted(batch);
  CHECK(encoder.columns()[4].dictionary.empty());
  for (const float cell : encoded(encoder, batch)) CHECK(std::isnan(cell));
}

TEST_CASE("booleans become 0 and 1") {
  const data::Batch batch = batch_of({data::Column::boolean({0b101}, {}, 3)});
  CHECK(encoded(fitted(batch), batch) == std::vector<float>{1, 0, 1});
}

TEST_CASE("rows of several columns are written one after the other") {
  const data::Batch batch = batch_of(
      {numbers<std::int32_t>(Type::int32, {1, 2}), numbers<std::int32_t>(Type::int32, {3, 4})});
  CHECK(encoded(fitted(batch), batch) == std::vector<float>{1, 3, 2, 4});
}

TEST_CASE("times are refused with advice") {
  for (const Type type : {Type::timestamp, Type::duration}) {
    const data::Batch batch = batch_of({numbers<std::int64_t>(type, {1})});
    const auto encoder = Encoder::fit(batch.schema.fields, batch);
    REQUIRE(!encoder.has_value());
    CHECK(encoder.error().code == Code::unsupported);
    CHECK(encoder.error().message.find("'c0'") != std::string::npos);
  }
  const data::Batch date = batch_of({numbers<std::int32_t>(Type::date, {1})});
  CHECK(!Encoder::fit(date.schema.fields, date).has_value());
}

TEST_CASE("another column type than at training is an error that names the column") {
  const Encoder encoder = fitted(batch_of({numbers<double>(Type::float64, {1})}));
  std::vector<float> out(1);
  const auto status = encoder.encode(batch_of({numbers<std::int64_t>(Type::int64, {1})}), out);
  REQUIRE(!status.has_value());
  CHECK(status.error().code == Code::type_mismatch);
  CHECK(status.error().message.find("'c0'") != std::string::npos);
  CHECK(!encoder.encode(batch_of({}), out).has_value());
}

TEST_CASE("an encoder survives its JSON") {
  const data::Batch batch =
      batch_of({strings({"b", "\"q\"\n", "ü"}), numbers<double>(Type::float64, {1, 2, 3}),
                data::Column::boolean({0}, {}, 3)});
  const Encoder encoder = fitted(batch);
  const auto json = data::parse_json(encoder.to_json().dump());
  REQUIRE(json.has_value());
  const auto read = Encoder::from_json(*json);
  REQUIRE(read.has_value());
  CHECK(read->columns() == encoder.columns());
}

TEST_CASE("damaged encoder JSON is an error") {
  for (const char* text :
       {R"({})", R"({"columns":1})", R"({"columns":[{}]})", R"({"columns":[{"name":"a"}]})",
        R"({"columns":[{"name":"a","type":"what"}]})",
        R"({"columns":[{"name":"a","type":"timestamp"}]})",
        R"({"columns":[{"name":"a","type":"string"}]})",
        R"({"columns":[{"name":"a","type":"string","dictionary":[1]}]})",
        R"({"columns":[{"name":"a","type":"string","dictionary":["b","a"]}]})",
        R"({"columns":[{"name":"a","type":"string","dictionary":["a","a"]}]})"}) {
    CAPTURE(text);
    const auto json = data::parse_json(text);
    REQUIRE(json.has_value());
    const auto encoder = Encoder::from_json(*json);
    REQUIRE(!encoder.has_value());
    CHECK(encoder.error().code == Code::bad_json);
  }
}

}  // namespace coeval::models
