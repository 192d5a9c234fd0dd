#include "quality/json_extraction.h"

#include <doctest/doctest.h>

namespace coeval::quality {

namespace {

define::Source source_of(const std::string& columns) {
  const std::string text =
      "[project]\nname = \"p\"\n[source.payments]\ntime = \"ts\"\n"
      "known = \"event time\"\n[source.payments.columns]\nts = \"timestamp\"\n"
      "payload = { type = \"string\", nullable = true }\n" +
      columns;
  define::Checked checked = define::check_text(text, "coeval.toml");
  if (!checked.errors.empty()) FAIL(checked.errors[0].message);
  return checked.project->sources[0];
}

// The faults of one text, or the value that it gives the last column.
std::string taken(const define::Source& source, std::optional<std::string_view> text) {
  const JsonExtraction extraction(source);
  REQUIRE(extraction.holders() == std::vector<std::string>{"payload"});
  std::vector<data::Value> row(source.columns.size());
  data::JsonParser parser;
  std::string faults;
  for (const JsonFault& fault : extraction.fill(std::vector{text}, row, parser))
    faults += (faults.empty() ? "" : "; ") + fault.column + "." + fault.rule + " " + fault.reason;
  if (!faults.empty()) return faults;
  std::string values;
  for (std::size_t i = 0; i < row.size(); ++i)
    if (extraction.holder_at(i) >= 0)
      values += (values.empty() ? "" : " ") + data::to_text(row[i], source.columns[i].type);
  return values;
}

}  // namespace

TEST_CASE("a value is found along its path, and typed as JSON lines are") {
  const auto source = source_of(
      "a = { type = \"int32\", json = \"payload.a.b[1]\" }\n"
      "d = { type = \"decimal(18,16)\", json = \"payload.d\" }\n"
      "t = { type = \"timestamp\", json = \"payload.t\" }\n");
  CHECK(taken(source, R"({"a":{"b":[0,7]},"d":0.1000000000000001,"t":"2001-06-01T12:30:00Z"})") ==
        "7 0.1000000000000001 2001-06-01T12:30:00Z");
  CHECK(taken(source, R"({"a":{"b":[0,7.0]},"d":"1.5","t":0})") ==
        "7 1.5000000000000000 1970-01-01T00:00:00Z");
  CHECK(taken(source, R"({"a":{"b":[0]},"d":null})") == "null null null");
  CHECK(taken(source, R"({"a":null})") == "null null null");
  CHECK(taken(source, "{}") == "null null null");
  CHECK(taken(source, "null") == "null null null");
  CHECK(taken(source, std::nullopt) == "null null null");
}

TEST_CASE("a text that is not UTF-8 breaks the rule of its own column alone") {
  const auto source = source_of(
      "a = { type = \"int64\", nullable = true, json = \"payload.a\" }\n"
      "b = { type = \"int64\", json = \"payload.b\" }\n");
  const auto checks = RowChecks::compile(source).value();
  data::Batch batch{source.schema, {}, 2};
  for (const auto& column : source.columns) {
    data::ColumnBuilder builder(column.type);
    if (column.name == "ts") builder.append_integer(0), builder.append_integer(1);
    if (column.name == "payload") {
      builder.append_string("{\"a\":\"\xFF\"}");
      builder.append_string(R"({"b":"x"})");
    }
    batch.columns.push_back(builder.finish());
  }
  std::vector<UnreadableValue> unreadable;
  JsonExtraction(source).fill(batch, unreadable);
  const auto screened =
      screen(*checks, source, batch, "f", 0, {.arrivals = {}, .unreadable = unreadable});
  REQUIRE(screened);
  REQUIRE(screened->quarantined.size() == 2);
  CHECK(screened->quarantined[0].rules == std::vector<std::string>{"payload.utf8"});
  CHECK(screened->quarantined[1].rules == std::vector<std::string>{"b.type"});
}

TEST_CASE("a value of another type and a way that leads nowhere are named with their path") {
  const auto source = source_of("a = { type = \"int32\", json = \"payload.a.b[1]\" }\n");
  CHECK(taken(source, R"({"a":{"b":[0,"7"]}})") ==
        "a.type a: payload.a.b[1]: expected int32, found a string: \"7\"");
  CHECK(taken(source, R"({"a":{"b":[0,3.5]}})") ==
        "a.type a: payload.a.b[1]: expected int32, found a number: 3.5");
  CHECK(taken(source, R"({"a":{"b":[0,3000000000]}})") ==
        "a.type a: payload.a.b[1]: does not fit int32: 3000000000");
  CHECK(taken(source, R"({"a":{"b":{"1":2}}})") ==
        "a.type a: payload.a.b: expected an array, found an object");
  CHECK(taken(source, R"({"a":[1]})") == "a.type a: payload.a: expected an object, found an array");
  CHECK(taken(source, "5") == "a.type a: payload: expected an object, found an integer");
}

TEST_CASE("text that is no JSON is a fault of the column that holds it") {
  const auto source =
      source_of("a = { type = \"int32\", nullable = true, json = \"payload.a\" }\n");
  CHECK(taken(source, "{\"a\":1").starts_with("payload.json payload: "));
  CHECK(taken(source, "").starts_with("payload.json payload: "));
  CHECK(taken(source, R"({"a":1,"a":2})").starts_with("payload.json payload: "));
  CHECK(taken(source, std::string(65, '[') + std::string(65, ']')).starts_with("payload.json"));
  CHECK(taken(source, std::string(JsonExtraction::kMaxTextBytes + 1, ' '))
            .starts_with("payload.json"));
}

TEST_CASE("a path is read as it is written") {
  const auto text = [](std::string_view written) {
    const auto path = data::parse_json_path(written);
    return path ? path->text() : "refused";
  };
  CHECK(text("payload.card.country") == "payload.card.country");
  CHECK(text("payload[0][12].a-b_c") == "payload[0][12].a-b_c");
  CHECK(text("payload.\"a b\".\"x\"\"y\".\"\".größe") == "payload.\"a b\".\"x\"\"y\".\"\".größe");
  CHECK(text("\"odd column\".a") == "\"odd column\".a");
  for (const char* bad :
       {"", "payload", "payload.", ".a", "payload..a", "payload[a]", "payload[-1]", "payload[0",
        "payload.a b", "payload.\"a", "payload[]", "payload a", "payload[99999999999]"})
    CHECK(text(bad) == "refused");
  std::string deep = "p";
  for (int i = 0; i < 65; ++i) deep += "[0]";
  CHECK(text(deep) == "refused");
}

TEST_CASE("whole columns are taken out, and each value at fault is named") {
  const auto source = source_of(
      "a = { type = \"int64\", nullable = true, json = \"payload.a\" }\n"
      "b = { type = \"string\", nullable = true, json = \"payload.b\" }\n");
  data::Batch batch;
  batch.schema = source.schema;
  batch.rows = 5;
  for (const auto& column : source.columns) {
    data::ColumnBuilder builder(column.type);
    for (std::int64_t row = 0; row < 5; ++row) {
      if (column.name == "ts") builder.append_integer(row);
      if (column.name != "payload") continue;
      constexpr std::string_view kTexts[] = {R"({"a":1,"b":"x"})", R"({"a":"y","b":2})", "", "{}",
                                             "{"};
      row == 2 ? builder.append_null() : builder.append_string(kTexts[row]);
    }
    batch.columns.push_back(builder.finish());
  }
  std::vector<UnreadableValue> unreadable;
  JsonExtraction(source).fill(batch, unreadable);
  REQUIRE(unreadable.size() == 4);
  const auto is = [&](std::size_t at, std::int64_t row, const char* column, const char* rule) {
    CHECK(unreadable[at].row == row);
    CHECK(unreadable[at].column == source.schema.index_of(column));
    CHECK(unreadable[at].rule == rule);
  };
  is(0, 1, "a", "a.type");
  is(1, 1, "b", "b.type");
  is(2, 4, "a", "payload.json");  // says it for both
  is(3, 4, "b", "");
  CHECK(unreadable[0].reason == "a: payload.a: expected int64, found a string: \"y\"");
  CHECK(unreadable[1].reason == "b: payload.b: expected string, found an integer: 2");
  CHECK(unreadable[2].reason.starts_with("payload: "));
  CHECK(batch.find("a")->integer(0) == 1);
  CHECK(batch.find("b")->string(0) == "x");
  for (const std::int64_t row : {1, 2, 3, 4}) {
    CHECK(batch.find("a")->is_null(row));
    CHECK(batch.find("b")->is_null(row));
  }
}

}  // namespace coeval::quality
