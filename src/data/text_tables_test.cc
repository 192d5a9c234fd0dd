#include "data/text_tables.h"

#include <doctest/doctest.h>

#include <array>
#include <cmath>
#include <random>

namespace coeval::data {
namespace {

using namespace std::literals;

Schema flights() {
  return {{{"date", Type::timestamp, false},
           {"delay", Type::int32, true},
           {"origin", Type::string, false}}};
}

TEST_CASE("CSV columns are found by name, in any order, among others") {
  const auto table = read_csv(
      "origin,extra,date,delay\r\nORD,x,2001-06-01T00:00:00Z,-5\r\n\"a "
      "\"\"b\"\",\nc\",,1,\r\n\"\",,2,7",
      flights());
  REQUIRE(table);
  CHECK(table->bad.empty());
  REQUIRE(table->rows.rows == 3);
  CHECK(table->lines == std::vector<std::int64_t>{2, 3, 5});
  CHECK(table->rows.find("date")->integer(0) == 991353600000000);
  CHECK(table->rows.find("delay")->integer(0) == -5);
  CHECK(table->rows.find("delay")->is_null(1));
  CHECK(table->rows.find("origin")->string(1) == "a \"b\",\nc");
  CHECK(table->rows.find("origin")->string(2) == "");
  CHECK_FALSE(table->rows.find("origin")->is_null(2));
}

TEST_CASE("bad CSV rows are set aside with line, text and every reason, and the rest is read") {
  const auto table = read_csv(
      "date,delay,origin\n"
      "1,2,ORD\n"
      "soon,12x,ORD\n"
      "1,2\n"
      "1,2,O\"RD\n"
      "1,2,\"ORD\"x\n"
      "1,99999999999,ORD\n"
      "1,2,\xFF\n"
      "\n"
      "3,4,JFK\n",
      flights());
  REQUIRE(table);
  CHECK(table->lines == std::vector<std::int64_t>{2, 10});
  REQUIRE(table->bad.size() == 6);
  CHECK(table->bad[0].line == 3);
  CHECK(table->bad[0].raw == "soon,12x,ORD");
  CHECK(table->bad[0].reason ==
        "date: not timestamp: 'soon' (byte 26); delay: not int32: '12x' (byte 31)");
  REQUIRE(table->bad[0].cells.size() == 2);
  CHECK(table->bad[0].cells[1].column == 1);
  CHECK(table->bad[0].cells[1].observed.dump() == "\"12x\"");
  CHECK(table->bad[0].cells[1].reason == "delay: not int32: '12x' (byte 31)");
  CHECK(table->bad[0].values == std::vector<Value>{{}, {}, "ORD"});
  CHECK(table->bad[1].cells.empty());
  CHECK(table->bad[1].values.empty());
  CHECK(table->bad[1].reason == "expected fields: 3, found 2; none for 'origin' (byte 39)");
  CHECK(table->bad[2].reason ==
        "a quote inside a field that does not begin with one, in 'origin' (byte 48)");
  CHECK(table->bad[3].reason == "text after the closing quote of a field, in 'origin' (byte 61)");
  CHECK(table->bad[4].reason == "delay: does not fit int32: '99999999999' (byte 65)");
  CHECK(table->bad[5].line == 8);
  CHECK(table->bad[5].reason ==
        "origin: the text is not UTF-8: 0xFF, which in Latin-1 is '\u00FF' (byte 85)");
}

TEST_CASE("a byte 0 in a field of CSV is a fault, with its place; JSON's escape of one is text") {
  using namespace std::string_view_literals;
  const auto table =
      read_csv("date,delay,origin\n1,2,O\0D\n1,\0,JFK\n1,2,\"a\"\"\0\"\n1,2,JFK\n"sv, flights());
  REQUIRE(table);
  CHECK(table->lines == std::vector<std::int64_t>{5});
  REQUIRE(table->bad.size() == 3);
  CHECK(table->bad[0].reason == "origin: holds a byte 0 (byte 23)");
  CHECK(table->bad[1].reason == "delay: holds a byte 0 (byte 28)");
  CHECK(table->bad[2].reason == "origin: holds a byte 0 (byte 42)");
  const auto lines = read_jsonl(R"({"date":1,"delay":2,"origin":"O\u0000D"})"
                                "\n",
                                flights());
  REQUIRE(lines);
  REQUIRE(lines->bad.empty());
  CHECK(lines->rows.columns[2].string(0) == "O\0D"sv);
}

TEST_CASE("a byte 0 in a field of CSV that no column reads is a fault of its row") {
  using namespace std::string_view_literals;
  const auto table = read_csv(
      "note,date,delay,origin,more\na\0,1,2,ORD,\n,1,2,ORD,\"b,\0\"\nc,1,2,JFK,\n"sv, flights());
  REQUIRE(table);
  CHECK(table->lines == std::vector<std::int64_t>{4});
  REQUIRE(table->bad.size() == 2);
  CHECK(table->bad[0].reason == "a byte 0, in 'note' (byte 29)");
  CHECK(table->bad[0].values.empty());
  CHECK(table->bad[1].reason == "a byte 0, in 'more' (byte 52)");
}

TEST_CASE("a bad row that spans lines does not shift the lines behind it") {
  const auto table = read_csv("date,delay,origin\n\"1\n2\",3,ORD\n1,2,ORD\n", flights());
  REQUIRE(table->bad.size() == 1);
  CHECK(table->bad[0].line == 2);
  CHECK(table->bad[0].raw == "\"1\n2\",3,ORD");
  CHECK(table->lines == std::vector<std::int64_t>{4});
}

TEST_CASE("CSV that cannot be read at all is an error that says where") {
  const auto code = [](std::string_view text) { return read_csv(text, flights()).error().code; };
  CHECK(code("") == Code::bad_csv);
  CHECK(code("date,delay\n1,2\n") == Code::bad_csv);
  CHECK(code("date,delay,origin,origin\n") == Code::bad_csv);
  CHECK(code("date,\"delay") == Code::bad_csv);
  const auto open = read_csv("date,delay,origin\n1,2,ORD\n1,2,\"ORD\n1,2,JFK\n", flights());
  REQUIRE_FALSE(open);
  CHECK(open.error().message.find("line 3") != std::string::npos);
  const auto missing = read_csv("date,delay\n", flights());
  CHECK(missing.error().message == "the header has no column 'origin'");
}

TEST_CASE("a header alone is a table without rows") {
  for (const char* text : {"date,delay,origin",
                           "\xEF\xBB\xBF"
                           "date,delay,origin\r\n"}) {
    const auto table = read_csv(text, flights());
    REQUIRE(table);
    CHECK(table->rows.rows == 0);
    CHECK(table->rows.columns.size() == 3);
  }
}

TEST_CASE("each type has its own spelling in CSV and no other") {
  const auto reads = [](std::string_view text, Type type) {
    const auto table = read_csv("x\n" + std::string(text) + "\n", {{{"x", type, true}}});
    return table.has_value() && table->bad.empty();
  };
  for (const char* text : {"true", "False", "TRUE"}) CHECK(reads(text, Type::boolean));
  for (const char* text : {"1", "yes", "t"}) CHECK_FALSE(reads(text, Type::boolean));
  for (const char* text : {" 1", "1 ", "+1", "1.0", "0x1", "1,"})
    CHECK_FALSE(reads(text, Type::int64));
  for (const char* text : {"1", "-1.5e3", "NaN", "-Infinity", "inf"})
    CHECK(reads(text, Type::float64));
  for (const char* text : {"1,5", "1e400", "one", "1f"}) CHECK_FALSE(reads(text, Type::float64));
  CHECK_FALSE(reads("1e39", Type::float32));
  CHECK(reads("2001-06-01", Type::date));
  CHECK(reads("-3", Type::date));
  CHECK_FALSE(reads("2001-06-31", Type::date));
}

TEST_CASE("JSON lines read with unknown members ignored and nullable ones absent") {
  const auto table = read_jsonl(
      "{\"origin\":\"ORD\",\"date\":1,\"extra\":[{}],\"delay\":5}\r\n"
      "\n"
      "{\"date\":2,\"origin\":\"é\"}\n"
      "{\"date\":3,\"origin\":null,\"delay\":null}",
      flights());
  REQUIRE(table);
  CHECK(table->bad.empty());
  CHECK(table->lines == std::vector<std::int64_t>{1, 3, 4});
  CHECK(table->rows.find("delay")->is_null(1));
  CHECK(table->rows.find("origin")->string(1) == "é");
  CHECK(table->rows.find("origin")->is_null(2));  // for the quality rules to judge
}

TEST_CASE("bad JSON lines are set aside with every reason, and the rest is read") {
  const auto table = read_jsonl(
      "{\"date\":1,\"origin\":\"ORD\"}\n"
      "{\"date\":1,\"origin\":\n"
      "[1]\n"
      "{\"date\":\"x\",\"delay\":1.5}\n"
      "{\"date\":2,\"origin\":\"JFK\"}\n",
      flights());
  REQUIRE(table);
  CHECK(table->lines == std::vector<std::int64_t>{1, 5});
  REQUIRE(table->bad.size() == 3);
  CHECK(table->bad[0].reason == "expected a value at line 2, column 20, found the end of the text");
  CHECK(table->bad[1].reason == "expected an object, found an array");
  CHECK(table->bad[2].line == 4);
  CHECK(table->bad[2].reason ==
        "date: expected timestamp, found a string: \"x\"; delay: expected int32, found a number: "
        "1.5; "
        "origin: missing");
}

Batch random_table(std::mt19937_64& random) {
  const Schema schema{{{"b", Type::boolean, true},
                       {"i", Type::int32, true},
                       {"l", Type::int64, true},
                       {"f", Type::float32, true},
                       {"d", Type::float64, true},
                       {"s", Type::string, true},
                       {"t", Type::timestamp, true},
                       {"y", Type::date, true}}};
  constexpr std::array<std::string_view, 8> kPieces = {"a", "\"", ",", "\n", "\r", "é", "\\", " "};
  Batch batch{schema, {}, 300};
  for (const Field& field : schema.fields) {
    ColumnBuilder builder(field.type);
    for (int row = 0; row < 300; ++row) {
      std::string text;
      for (auto i = random() % 5; i > 0; --i) text += kPieces[random() % kPieces.size()];
      const auto bits = static_cast<std::int64_t>(random()) >> random() % 64;
      if (random() % 5 == 0)
        builder.append_null();
      else if (field.type == Type::boolean)
        builder.append_boolean(bits % 2 == 0);
      else if (field.type == Type::string)
        builder.append_string(text);
      else if (is_float(field.type))
        builder.append_real(bits == 3 ? INFINITY : static_cast<double>(bits) / 7);
      else
        builder.append_integer(bits);
    }
    batch.columns.push_back(builder.finish());
  }
  return batch;
}

TEST_CASE("a table of every type comes back from its own CSV and JSON lines") {
  std::mt19937_64 random(17);
  for (int round = 0; round < 20; ++round) {
    const Batch batch = random_table(random);
    const auto csv = read_csv(write_csv(batch), batch.schema);
    const auto jsonl = read_jsonl(write_jsonl(batch), batch.schema);
    REQUIRE(csv);
    REQUIRE(jsonl);
    REQUIRE(csv->bad.empty());
    REQUIRE(jsonl->bad.empty());
    REQUIRE(csv->rows.rows == batch.rows);
    REQUIRE(jsonl->rows.rows == batch.rows);
    for (std::size_t i = 0; i < batch.columns.size(); ++i)
      for (std::int64_t row = 0; row < batch.rows; ++row) {
        REQUIRE(csv->rows.columns[i].value(row) == batch.columns[i].value(row));
        REQUIRE(jsonl->rows.columns[i].value(row) == batch.columns[i].value(row));
      }
  }
}

TEST_CASE("a null in a table of one column survives CSV") {
  const Schema schema{{{"x", Type::int32, true}}};
  const auto table = read_csv("x\n1\n\n2\n", schema);
  REQUIRE(table->rows.rows == 3);
  CHECK(table->rows.columns[0].is_null(1));
}

}  // namespace
}  // namespace coeval::data
