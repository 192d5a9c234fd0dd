#include "data/plain_json_row.h"

#include <doctest/doctest.h>

#include <optional>
#include <random>
#include <string>

#include "data/json.h"
#include "data/row_codec.h"

namespace coeval::data {
namespace {

const Schema kSchema{{{"at", Type::timestamp, false},
                      {"day", Type::date, true},
                      {"place", Type::string, false},
                      {"note", Type::string, true},
                      {"small", Type::int32, false},
                      {"large", Type::int64, true},
                      {"narrow", Type::float32, true},
                      {"wide", Type::float64, true},
                      {"yes", Type::boolean, true},
                      {"price", decimal_type(9, 2), true}}};

std::vector<ColumnBuilder> builders() {
  std::vector<ColumnBuilder> made;
  for (const Field& field : kSchema.fields) made.emplace_back(field.type);
  return made;
}

std::string encoded(std::vector<ColumnBuilder>& made) {
  Batch batch{kSchema, {}, 1};
  for (ColumnBuilder& builder : made) batch.columns.push_back(builder.finish());
  return encode_row(batch, 0);
}

/// The row as PlainJsonRow reads it, when it is plain and the whole text.
std::optional<std::string> plain(PlainJsonRow& row, std::string_view text) {
  if (!row.read(text) || !text.empty()) return std::nullopt;
  auto made = builders();
  row.append_to(made);
  return encoded(made);
}

/// The same by way of the tree, or nothing where the row is at fault.
std::optional<std::string> by_tree(std::string_view text) {
  const auto json = parse_json(text, {}, {.numbers = true});
  if (!json || json->object() == nullptr) return std::nullopt;
  auto made = builders();
  for (std::size_t i = 0; i < made.size(); ++i) {
    const Json* member = json->find(kSchema.fields[i].name);
    if (member == nullptr || member->is_null()) {
      if (!kSchema.fields[i].nullable) return std::nullopt;
      made[i].append_null();
      continue;
    }
    const auto value = from_json(*member, kSchema.fields[i].type);
    if (!value) return std::nullopt;
    made[i].append(*value);
  }
  return encoded(made);
}

const std::string kMust = R"("at":"2001-06-01T12:30:00Z","place":"ATL","small":-7)";

TEST_CASE("plain rows are read as the tree reads them") {
  PlainJsonRow row(kSchema);
  for (const std::string& more :
       {std::string(),
        std::string(R"(,"day":"2001-02-28","note":"é 漢","large":123456789012345678)"),
        std::string(R"( , "narrow" : 0.1 , "wide" : -1.5e-7 , "yes" : true)"),
        std::string(R"(,"day":-1,"note":null,"yes":false,"price":12.50)"),
        std::string(R"(,"price":-3,"wide":-0,"narrow":-0.0,"large":0)"),
        std::string(R"(,"other":1,"more":"x","third":null,"fourth":-1.5)"),
        std::string(R"(,"wide":12345678901234567.25,"narrow":3)")}) {
    const std::string text = "{" + kMust + more + "}";
    INFO(text);
    const auto read = plain(row, text);
    REQUIRE(read);
    CHECK(*read == by_tree(text));
  }
}

TEST_CASE("times as most programs write them, at their limits, and otherwise") {
  PlainJsonRow row(kSchema);
  for (const char* at :
       {"\"2000-02-29T23:59:59Z\"", "\"2001-06-01T12:30:00.000001Z\"", "\"2001-06-01 12:30\"",
        "\"2001-06-01T12:30:00+02:00\"", "\"0000-01-01T00:00:00Z\"", "\"9999-12-31T23:59:59Z\"",
        "\"1969-12-31T00:00:00Z\"", "991398600000000", "-1", "\"2001-06-01\""}) {
    const std::string text = R"({"place":"x","small":1,"at":)" + std::string(at) + "}";
    INFO(text);
    const auto read = plain(row, text);
    REQUIRE(read);
    CHECK(*read == by_tree(text));
  }
  for (const char* at :
       {"\"2001-02-29T00:00:00Z\"", "\"2001-06-31T00:00:00Z\"", "\"2001-13-01T00:00:00Z\"",
        "\"2001-06-01T24:00:00Z\"", "\"2001-06-01T00:60:00Z\"", "\"2001-06-00T00:00:00Z\"",
        "\"991398600\"", "\"-5\"", "\"\"", "1.5", "true"}) {
    const std::string text = R"({"place":"x","small":1,"at":)" + std::string(at) + "}";
    INFO(text);
    CHECK_FALSE(plain(row, text));
    CHECK_FALSE(by_tree(text));
  }
}

TEST_CASE("what is not plain is left alone, and the next row is read") {
  PlainJsonRow row(kSchema);
  const std::string good = "{" + kMust + "}";
  for (const std::string& text : {std::string(),
                                  std::string("{"),
                                  std::string("[]"),
                                  std::string("7"),
                                  std::string("{}"),
                                  "{" + kMust,
                                  "{" + kMust + ",}",
                                  "{," + kMust + "}",
                                  "{" + kMust + " \"note\":\"x\"}",
                                  "{" + kMust + ",\"small\":1}",
                                  "{" + kMust + ",\"x\":1,\"x\":1}",
                                  "{" + kMust + R"(,"note":"a\nb"})",
                                  "{" + kMust + R"(,"n\u006fte":"a"})",
                                  "{" + kMust + ",\"note\":\"a\nb\"}",
                                  "{" + kMust + ",\"note\":\"a}",
                                  "{" + kMust + ",\"note\":1}",
                                  "{" + kMust + ",\"large\":\"1\"}",
                                  "{" + kMust + ",\"large\":1.0}",
                                  "{" + kMust + ",\"large\":1234567890123456789}",
                                  "{" + kMust + ",\"large\":01}",
                                  "{" + kMust + ",\"large\":+1}",
                                  "{" + kMust + ",\"large\":-}",
                                  "{" + kMust + ",\"wide\":1.}",
                                  "{" + kMust + ",\"wide\":.5}",
                                  "{" + kMust + ",\"wide\":1e}",
                                  "{" + kMust + ",\"wide\":1e400}",
                                  "{" + kMust + ",\"wide\":NaN}",
                                  "{" + kMust + ",\"wide\":\"NaN\"}",
                                  "{" + kMust + ",\"narrow\":1e39}",
                                  "{" + kMust + ",\"yes\":tru}",
                                  "{" + kMust + ",\"yes\":1}",
                                  "{" + kMust + ",\"price\":1.005}",
                                  "{" + kMust + ",\"price\":12345678.00}",
                                  "{" + kMust + ",\"other\":{}}",
                                  "{" + kMust + ",\"other\":[1]}",
                                  "{" + kMust + ",\"other\":1e999}",
                                  std::string(R"({"at":null,"place":"ATL","small":1})"),
                                  std::string(R"({"at":1,"place":"ATL","small":2147483648})")}) {
    INFO(text);
    std::string_view rest = text;
    const bool read = row.read(rest);
    CHECK_FALSE((read && rest.empty()));
    if (!read) CHECK(rest.size() == text.size());
    CHECK(plain(row, good).has_value());
  }
}

TEST_CASE("behind a row its text goes on") {
  PlainJsonRow row(kSchema);
  const std::string text = "{" + kMust + "} ,{";
  std::string_view rest = text;
  REQUIRE(row.read(rest));
  CHECK(rest == " ,{");
}

// The tree is the oracle: whatever a plain row is taken for, it says too.
TEST_CASE("rows with a few bytes changed are read as the tree reads them, or not at all") {
  std::mt19937_64 random(5);
  PlainJsonRow row(kSchema);
  const std::string base =
      "{" + kMust +
      R"(,"day":"2001-02-28","note":"ab","large":12,"narrow":0.5,"wide":1e3,"yes":true,"price":1.25,"z":3})";
  const std::string letters = "{}[]\":,.-+0123456789eEnulltrefasz \\\t";
  int plain_count = 0;
  for (int round = 0; round < 200'000; ++round) {
    std::string text = base;
    for (std::uint64_t i = random() % 3 + 1; i > 0; --i) {
      const std::size_t at = random() % text.size();
      switch (random() % 3) {
        case 0:
          text[at] = letters[random() % letters.size()];
          break;
        case 1:
          text.erase(at, random() % 4 + 1);
          break;
        default:
          text.insert(at, 1, letters[random() % letters.size()]);
      }
      if (text.empty()) text = "{";
    }
    const auto read = plain(row, text);
    if (!read) continue;
    ++plain_count;
    const auto expected = by_tree(text);
    const bool same = expected && *expected == *read;
    if (!same) FAIL(text);
  }
  CHECK(plain_count > 20'000);
}

}  // namespace
}  // namespace coeval::data
