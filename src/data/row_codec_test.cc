#include "data/row_codec.h"

#include <doctest/doctest.h>

#include <random>

namespace coeval::data {
namespace {

using namespace std::literals;

Schema all_types() {
  return {{{"flag", Type::boolean, true},
           {"small", Type::int32, true},
           {"big", Type::int64, true},
           {"thin", Type::float32, true},
           {"wide", Type::float64, true},
           {"text", Type::string, true},
           {"at", Type::timestamp, true},
           {"day", Type::date, true},
           {"last", Type::boolean, true}}};
}

std::vector<ColumnBuilder> builders_of(const Schema& schema) {
  std::vector<ColumnBuilder> builders;
  for (const Field& field : schema.fields) builders.emplace_back(field.type);
  return builders;
}

Batch finish(const Schema& schema, std::vector<ColumnBuilder>& builders) {
  Batch batch{schema, {}, builders.front().size()};
  for (ColumnBuilder& builder : builders) batch.columns.push_back(builder.finish());
  return batch;
}

Batch one_row() {
  auto builders = builders_of(all_types());
  builders[0].append_boolean(true);
  builders[1].append_integer(-2);
  builders[2].append_integer(0x0102030405060708);
  builders[3].append_real(1.5);
  builders[4].append_real(-0.0);
  builders[5].append_string("ORD");
  builders[6].append_integer(1);
  builders[7].append_null();
  builders[8].append_boolean(false);
  return finish(all_types(), builders);
}

TEST_CASE("the bytes of a row are pinned") {
  CHECK(encode_row(one_row(), 0) ==
        "\x80\x00"                          // the eighth of nine columns is null
        "\x01"                              // flag
        "\xFE\xFF\xFF\xFF"                  // small
        "\x08\x07\x06\x05\x04\x03\x02\x01"  // big
        "\x00\x00\xC0\x3F"                  // thin
        "\x00\x00\x00\x00\x00\x00\x00\x80"  // wide
        "\x03\x00\x00\x00"
        "ORD"                               // text
        "\x01\x00\x00\x00\x00\x00\x00\x00"  // at
        "\x00"sv);                          // last
}

Batch random_rows(std::mt19937_64& random, std::int64_t rows) {
  auto builders = builders_of(all_types());
  for (std::int64_t row = 0; row < rows; ++row)
    for (ColumnBuilder& builder : builders) {
      if (random() % 4 == 0) {
        builder.append_null();
      } else if (builder.type() == Type::boolean) {
        builder.append_boolean(random() % 2 == 0);
      } else if (builder.type() == Type::string) {
        builder.append_string(std::string(random() % 9, static_cast<char>(random())));
      } else {
        builder.append_integer(static_cast<std::int64_t>(random()));  // any bits at all
      }
    }
  return finish(all_types(), builders);
}

TEST_CASE("rows of any bits come back, and encode to the same bytes again") {
  std::mt19937_64 random(3);
  const Batch batch = random_rows(random, 500);
  auto builders = builders_of(batch.schema);
  for (std::int64_t row = 0; row < batch.rows; ++row)
    REQUIRE(decode_row(encode_row(batch, row), batch.schema, builders));
  const Batch again = finish(batch.schema, builders);
  for (std::int64_t row = 0; row < batch.rows; ++row) {
    REQUIRE(encode_row(batch, row) == encode_row(again, row));
    for (std::size_t i = 0; i < batch.columns.size(); ++i)
      REQUIRE(batch.columns[i].is_null(row) == again.columns[i].is_null(row));
  }
}

TEST_CASE("the payload of a signalling NaN is kept in both widths") {
  const Schema schema{{{"thin", Type::float32, false}, {"wide", Type::float64, false}}};
  const std::string bytes = "\x00\x01\x00\xA0\x7F\x02\x00\x00\x00\x00\x00\xF4\x7F"s;
  auto builders = builders_of(schema);
  REQUIRE(decode_row(bytes, schema, builders));
  CHECK(encode_row(finish(schema, builders), 0) == bytes);
}

TEST_CASE("every proper prefix and every longer row is refused, and nothing is appended") {
  const Batch batch = one_row();
  const std::string bytes = encode_row(batch, 0);
  auto builders = builders_of(batch.schema);
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    const auto cut = decode_row(std::string_view(bytes).substr(0, size), batch.schema, builders);
    REQUIRE_FALSE(cut);
    REQUIRE(cut.error().code == Code::bad_file);
  }
  CHECK_FALSE(decode_row(bytes + "x", batch.schema, builders));
  for (const ColumnBuilder& builder : builders) CHECK(builder.size() == 0);
}

TEST_CASE("a row that no encoder writes is refused") {
  const Schema flag{{{"flag", Type::boolean, true}}};
  auto builders = builders_of(flag);
  CHECK(decode_row("\x00\x01"sv, flag, builders));
  CHECK_FALSE(decode_row("\x00\x02"sv, flag, builders));  // neither true nor false
  CHECK_FALSE(decode_row("\x03"sv, flag, builders));      // a null in a second column
  const Schema text{{{"text", Type::string, true}}};
  auto texts = builders_of(text);
  const auto outside = decode_row("\x00\xFF\xFF\xFF\xFFshort"sv, text, texts);
  REQUIRE_FALSE(outside);
  CHECK(outside.error().message.find("'text'") != std::string::npos);
}

TEST_CASE("what was put is read back, and no more") {
  std::string out;
  put_u8(out, 200);
  put_u32(out, 0xDEADBEEF);
  put_u64(out, 1ull << 63);
  put_text(out, "a\0b"sv);
  ByteReader reader(out);
  std::uint8_t small = 0;
  std::uint32_t middle = 0;
  std::uint64_t large = 0;
  std::string_view text, none;
  REQUIRE((reader.u8(small) && reader.u32(middle) && reader.u64(large) && reader.text(text)));
  CHECK(small == 200);
  CHECK(middle == 0xDEADBEEF);
  CHECK(large == 1ull << 63);
  CHECK(text == "a\0b"sv);
  CHECK(reader.remaining() == 0);
  CHECK_FALSE(reader.u8(small));
  CHECK_FALSE(reader.bytes(1, none));
  CHECK(reader.bytes(0, none));
  ByteReader short_text(
      "\x05\x00\x00\x00"
      "four"sv);
  CHECK_FALSE(short_text.text(text));
  CHECK(short_text.remaining() == 8);
}

}  // namespace
}  // namespace coeval::data
