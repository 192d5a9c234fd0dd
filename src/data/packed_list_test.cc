#include "data/packed_list.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "data/json.h"
#include "data/row_codec.h"
#include "data/text_tables.h"

namespace coeval::data {
namespace {

using namespace std::literals;

std::string packed(Type element, const std::vector<Value>& values) {
  std::string bytes;
  for (const Value& value : values) append_element(bytes, element, value);
  return bytes;
}

TEST_CASE("names of list types are read back, and others are none") {
  CHECK(name(list_of(Type::float32, 8)) == "list<float32>(8)");
  CHECK(name(list_of(Type::string)) == "list<string>");
  for (const Type type :
       {list_of(Type::float32, 1), list_of(Type::boolean), list_of(Type::date, 4096)})
    CHECK(*parse_type(name(type)) == type);
  for (const char* text : {"list<float32>(4097)", "list<float32>()", "list<list<int32>>",
                           "list<duration>", "list<float32", "list<float32>(3)x"})
    CHECK(parse_type(text).error().code == Code::bad_toml_value);
  CHECK_FALSE(is_list(Type::string));
  CHECK(list_of(Type::float32, 3) != list_of(Type::float32, 4));
  CHECK(element_of(list_of(Type::timestamp, 5)) == Type::timestamp);
  CHECK(list_length(list_of(Type::timestamp, 5)) == 5);
}

TEST_CASE("elements are taken out as they were put in") {
  const std::string texts = packed(Type::string, {"a"s, ""s, "größer"s});
  const ListView view(texts, list_of(Type::string));
  CHECK(view.size() == 3);
  CHECK(view.string(2) == "größer");
  CHECK(list_text(texts, list_of(Type::string)) == R"(["a", "", "größer"])");
  const std::string bytes = packed(Type::boolean, {true, false});
  CHECK(bytes == "\x01\x00"sv);
  CHECK(list_text(bytes, list_of(Type::boolean)) == "[true, false]");
  const std::string whole = packed(Type::int32, {std::int64_t{-2}, std::int64_t{7}});
  CHECK(whole == "\xFE\xFF\xFF\xFF\x07\x00\x00\x00"sv);
  CHECK(ListView(whole, list_of(Type::int32)).integer(0) == -2);
  const std::string wide = packed(Type::timestamp, {std::int64_t{1} << 40});
  CHECK(wide.size() == 8);
  const std::string reals = packed(Type::float32, {0.1, -0.0});
  const ListView floats(reals, list_of(Type::float32, 2));
  CHECK(floats.real(0) == static_cast<double>(0.1f));
  CHECK(std::signbit(floats.real(1)));
  CHECK(ListView("", list_of(Type::string)).size() == 0);
}

TEST_CASE("bytes that are no list of the type are told") {
  CHECK(is_packed_list("", list_of(Type::float32)));
  CHECK_FALSE(is_packed_list("", list_of(Type::float32, 1)));
  CHECK(is_packed_list("12345678", list_of(Type::float32, 2)));
  CHECK_FALSE(is_packed_list("12345678", list_of(Type::float32, 3)));
  CHECK_FALSE(is_packed_list("1234567", list_of(Type::float32)));
  CHECK_FALSE(is_packed_list("\x02", list_of(Type::boolean)));
  CHECK(is_packed_list("\x01\x00\x00\x00z"sv, list_of(Type::string)));
  CHECK_FALSE(is_packed_list("\x02\x00\x00\x00z"sv, list_of(Type::string)));
  CHECK_FALSE(is_packed_list("\x01\x00\x00\x00zq"sv, list_of(Type::string)));
}

TEST_CASE("an array in JSON is a list of the declared length, or says what is wrong") {
  const Type type = list_of(Type::float32, 3);
  const auto read = [&](const char* text) { return from_json(*parse_json(text), type); };
  const auto good = read("[1, 0.5, -2e3]");
  REQUIRE(good);
  CHECK(std::get<std::string>(*good) == packed(Type::float32, {1.0, 0.5, -2000.0}));
  CHECK(to_json(*good, type).dump() == "[1.0,0.5,-2000.0]");
  CHECK(is_null(*read("null")));
  CHECK(read("[1, 2]").error().message ==
        "expected list<float32>(3), found an array of 2 elements");
  CHECK(read("[1, 2, 3, 4]").error().code == Code::type_mismatch);
  CHECK(read("[1, null, 3]").error().message == "element 1 of the list is null");
  CHECK(read("[1, 2, \"x\"]").error().message ==
        "element 2 of the list (from 0): expected float32, found a string: \"x\"");
  CHECK(read("[1, 2, 1e39]").error().code == Code::out_of_range);
  CHECK(read("1").error().message == "expected list<float32>(3), found an integer: 1");
  CHECK(to_json(Value{packed(Type::date, {std::int64_t{0}})}, list_of(Type::date)).dump() ==
        R"(["1970-01-01"])");
}

Batch two_lists() {
  Batch batch;
  batch.schema.fields = {{"v", list_of(Type::float32, 2), true},
                         {"t", list_of(Type::string), true}};
  ColumnBuilder v(batch.schema.fields[0].type), t(batch.schema.fields[1].type);
  v.append(Value{packed(Type::float32, {1.0, 2.0})});
  v.append_null();
  t.append(Value{packed(Type::string, {"a"s, "b"s})});
  t.append(Value{""s});
  batch.columns = {v.finish(), t.finish()};
  batch.rows = 2;
  return batch;
}

TEST_CASE("rows with lists go through the log's bytes, and damaged ones are refused") {
  const Batch batch = two_lists();
  for (std::int64_t row = 0; row < 2; ++row) {
    const std::string bytes = encode_row(batch, row);
    std::vector<ColumnBuilder> builders;
    for (const Field& field : batch.schema.fields) builders.emplace_back(field.type);
    REQUIRE(decode_row(bytes, batch.schema, builders));
    for (std::size_t i = 0; i < 2; ++i)
      CHECK(builders[i].finish().value(0) == batch.columns[i].value(row));
  }
  std::string bytes = encode_row(batch, 0);
  Schema longer = batch.schema;
  longer.fields[0].type = list_of(Type::float32, 3);
  std::vector<ColumnBuilder> builders;
  for (const Field& field : longer.fields) builders.emplace_back(field.type);
  CHECK(decode_row(bytes, longer, builders).error().code == Code::bad_file);
}

TEST_CASE("columns of lists are joined, taken from and written as JSON lines, but not as CSV") {
  const Batch batch = two_lists();
  const Batch parts[] = {batch, batch};
  const auto joined = concatenate(parts);
  REQUIRE(joined);
  CHECK(joined->rows == 4);
  CHECK(joined->columns[0].value(2) == batch.columns[0].value(0));
  CHECK(joined->columns[0].is_null(3));
  const std::int64_t rows[] = {1, 0};
  CHECK(take(batch, rows).columns[1].value(1) == batch.columns[1].value(0));
  const std::string lines = write_jsonl(batch);
  CHECK(lines == "{\"v\":[1.0,2.0],\"t\":[\"a\",\"b\"]}\n{\"v\":null,\"t\":[]}\n");
  const auto read = read_jsonl(lines, batch.schema);
  REQUIRE(read);
  CHECK(read->bad.empty());
  CHECK(read->rows.columns[0].value(0) == batch.columns[0].value(0));
  const auto csv = read_csv("v,t\n1,2\n", batch.schema);
  REQUIRE_FALSE(csv);
  CHECK(csv.error().code == Code::unsupported);
  CHECK(csv.error().message == "column 'v' is list<float32>(2), which CSV cannot hold");
}

TEST_CASE("a length is claimed without looking, and coded columns keep their codes") {
  const Batch batch = two_lists();
  const Column any = batch.columns[0].with_list_type(list_of(Type::float32));
  CHECK(any.type() == list_of(Type::float32));
  CHECK(any.value(0) == batch.columns[0].value(0));
  ColumnBuilder entries(list_of(Type::float32));
  entries.append_string("12345678");
  const Column coded = Column::coded({0, 0}, std::make_shared<const Column>(entries.finish()), {});
  CHECK(coded.type() == list_of(Type::float32));
  CHECK(coded.with_list_type(list_of(Type::float32, 2)).string(1) == "12345678");
}

TEST_CASE("lists are laid out as Arrow has them") {
  const ListParts parts = list_parts(two_lists().columns[1]);
  CHECK(parts.offsets == std::vector<std::int32_t>{0, 2, 2});
  CHECK(parts.elements.string(1) == "b");
  CHECK(list_parts(two_lists().columns[0]).offsets == std::vector<std::int32_t>{0, 2, 2});
}

}  // namespace
}  // namespace coeval::data
