#include "data/text_decoder.h"

#include <doctest/doctest.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>

#include "base/rounds_for_tests.h"
#include "data/csv_marks.h"
#include "data/json_marks.h"
#include "data/pieces_for_tests.h"

namespace coeval::data {
namespace {

using namespace std::literals;

Schema wide_schema() {
  return {{{"b", Type::boolean, true},
           {"i", Type::int32, true},
           {"l", Type::int64, false},
           {"f", Type::float32, true},
           {"d", Type::float64, true},
           {"s", Type::string, true},
           {"t", Type::timestamp, true},
           {"y", Type::date, true},
           {"m", decimal_type(9, 2), true}}};
}

Schema json_schema() {
  Schema schema = wide_schema();
  schema.fields.push_back({"p", Type::string, true});
  schema.fields.push_back({"v", list_of(Type::float32), true});
  return schema;
}

// Reads a text both ways, the decoder's in pieces of random sizes.
void check_csv(const std::string& text, const Schema& schema, std::mt19937_64& random,
               char delimiter = ',') {
  const auto plain = read_csv(text, schema, delimiter);
  for (const std::size_t most : {std::size_t{7}, std::size_t{200}, text.size() + 1}) {
    TextOptions options;
    options.delimiter = delimiter;
    options.code_strings = random() % 2 == 0;
    auto decoder = make_csv_decoder(schema, options).value();
    const auto read = decode_in_pieces(
        *decoder, text, [&] { return random() % most; },
        [&] { return static_cast<std::int64_t>(random() % 5 == 0 ? 1 : 1000); });
    INFO(text);
    REQUIRE(difference(plain, read) == "");
  }
}

void check_jsonl(const std::string& text, const Schema& schema, std::mt19937_64& random) {
  const std::vector<std::string> held = {"p"};
  const auto plain = read_jsonl(text, schema, held);
  for (const std::size_t most : {std::size_t{7}, std::size_t{200}, text.size() + 1}) {
    TextOptions options;
    options.json_columns = held;
    options.code_strings = random() % 2 == 0;
    auto decoder = make_jsonl_decoder(schema, options);
    const auto read = decode_in_pieces(
        *decoder, text, [&] { return random() % most; },
        [&] { return static_cast<std::int64_t>(random() % 5 == 0 ? 1 : 1000); });
    INFO(text);
    REQUIRE(difference(plain, read) == "");
  }
}

template <class... Choices>
std::string one_of(std::mt19937_64& random, Choices... choices) {
  const std::string_view all[] = {choices...};
  return std::string(all[random() % sizeof...(choices)]);
}

std::string number(std::mt19937_64& random) {
  std::string text = one_of(random, "", "", "", "-");
  for (auto i = random() % (random() % 8 == 0 ? 25 : 9) + 1; i > 0; --i)
    text += static_cast<char>('0' + random() % 10);
  if (random() % 2 == 0) {
    text += '.';
    for (auto i = random() % (random() % 8 == 0 ? 25 : 6) + (random() % 20 == 0 ? 0 : 1); i > 0;
         --i)
      text += static_cast<char>('0' + random() % 10);
  }
  if (random() % 8 == 0)
    text += one_of(random, "e5", "E-7", "e+12", "e400", "e", "e-400", "x", "e300", " ");
  return text;
}

std::string time_text(std::mt19937_64& random) {
  return one_of(random, "2001-06-01", "2001-06-01T12:30:00Z", "2001-06-01 12:30:00",
                "2001-06-01T12:30:00.25Z", "2001-06-01T12:30:00.1234567Z", "2001-02-29T00:00:00Z",
                "2001-06-01T12:30:00+02:00", "2001-06-01T24:00:00Z", "991353600000000", "-5",
                "2001-06-01T12:30Z", "2001-06-01T12:30:00.Z", "2001-06-01T12:3a:00Z", "soon",
                "1969-12-31T23:59:59.999999Z", "0000-01-01", "2001-13-01", "20010-6-01",
                "2001-06-01T12:30:00Zx", "2001-06-01T12:30:00.000000000Z");
}

std::string csv_field(std::mt19937_64& random) {
  switch (random() % 12) {
    case 0:
      return {};
    case 1:
    case 2:
    case 3:
      return number(random);
    case 4:
    case 5:
      return time_text(random);
    case 6:
      return one_of(random, "true", "False", "TRUE", "yes", "nan", "-inf", "NaN", "Infinity");
    case 7:
      return "\"" + one_of(random, "a,b", "", "a\"\"b", "two\nlines", "crlf\r\nin", "12", "1,5") +
             "\"";
    case 8:
      return one_of(random, "é", "\xFF", "caf\xE9", "日本", "a b", "\r", "x\ry", "\x01", "a\"b",
                    "\"a\"b", "\"open", ";", "\t", "a\0b"sv);
    default:
      return one_of(random, "AA", "DL", "UA", "a longer string than sixteen bytes", "WN", "x");
  }
}

TEST_CASE("CSV in pieces reads as it does in one, rows, faults and positions") {
  std::mt19937_64 random(6);
  const std::string header = one_of(random, "b,i,l,f,d,s,t,y,m");
  for (int round = 0; round < test_rounds(400); ++round) {
    std::string text = random() % 4 == 0 ? "\xEF\xBB\xBF" : "";
    text += "b,i,l,x,f,d,s,t,y,m" + one_of(random, "\n", "\r\n");
    for (auto rows = random() % 30; rows > 0; --rows) {
      const auto fields = random() % 15 == 0 ? random() % 12 : 10;
      const bool usual = random() % 2 == 0;
      for (std::size_t i = 0; i < fields; ++i) {
        if (i > 0) text += ',';
        constexpr std::string_view kUsual[] = {
            "true",       "-12", "345", "x", "1.5", "2.25e3", "AA", "2001-06-01T12:30:00Z",
            "2001-06-01", "1.25"};
        text += usual && random() % 20 != 0 ? std::string(kUsual[i % 10]) : csv_field(random);
      }
      if (rows > 1 || random() % 2 == 0) text += one_of(random, "\n", "\n", "\r\n", "\n\n");
    }
    check_csv(text, wide_schema(), random);
  }
}

TEST_CASE("CSV of bytes that mean something, in any order, reads as it does in one piece") {
  std::mt19937_64 random(7);
  const Schema one = {{{"s", Type::string, true}}},
               two = {{{"s", Type::string, true}, {"i", Type::int32, true}}};
  for (int round = 0; round < 3000; ++round) {
    std::string text = round % 2 == 0 ? "s\n" : "i;s\n";
    for (auto i = random() % 60; i > 0; --i)
      text +=
          one_of(random, "\"", "\"", ";", ";", "\n", "\n", "\r", "\r\n", "a", "7", "\"\"", "\0"sv);
    check_csv(text, round % 2 == 0 ? one : two, random, ';');
  }
}

std::string json_value(std::mt19937_64& random, int depth = 0) {
  switch (random() % 14) {
    case 0:
      return "null";
    case 1:
    case 2:
    case 3:
      return number(random);
    case 4:
    case 5:
      return "\"" + time_text(random) + "\"";
    case 6:
      return one_of(random, "true", "false", "nul", "True", "NaN", "-", "01", "1.", "-0", "-0.0",
                    "3.0", "9007199254740993", "9223372036854775808", "1e999", "1e-999");
    case 7:
      return one_of(random, "\"NaN\"", "\"-Infinity\"", "\"12.5\"", "\"7\"", "\"1,5\"");
    case 8:
      return one_of(random, R"("a\"b")", R"("\u00e9")", R"("\ud83d\ude00")", R"("\ud83d")",
                    R"("\x")", R"("a\\")", "\"tab\there\"", "\"\xFF\"", "\"日本\"", "\"open",
                    R"("\u00")", "\"\0\""sv, R"("\n\/\b")");
    case 9:
      if (depth > 2) return "[]";
      return "[" + json_value(random, depth + 1) + one_of(random, ",", ", ") +
             json_value(random, depth + 1) + one_of(random, "]", "]", "}");
    case 10:
      if (depth > 2) return "{}";
      return "{\"a\":" + json_value(random, depth + 1) + one_of(random, ",\"b\" : ", ",\"a\":") +
             json_value(random, depth + 1) + "}";
    default:
      return one_of(random, "\"AA\"", "\"DL\"", "\"a longer string than sixteen bytes\"", "\"x\"");
  }
}

TEST_CASE("JSON lines in pieces read as they do in one, rows, faults and positions") {
  std::mt19937_64 random(8);
  constexpr std::string_view kKeys[] = {"b", "i", "l", "f", "d", "s", "t", "y", "m", "p", "v", "x"};
  constexpr std::string_view kUsual[] = {"true",
                                         "-12",
                                         "345",
                                         "1.5",
                                         "2.25e3",
                                         "\"AA\"",
                                         "\"2001-06-01T12:30:00Z\"",
                                         "\"2001-06-01\"",
                                         "1.25",
                                         "{\"k\":[1,2]}",
                                         "[1,2.5]",
                                         "\"q\""};
  for (int round = 0; round < test_rounds(600); ++round) {
    std::string text = random() % 4 == 0 ? "\xEF\xBB\xBF" : "";
    const std::string colon = one_of(random, ":", ": "), comma = one_of(random, ",", ", ");
    for (auto rows = random() % 30; rows > 0; --rows) {
      const bool usual = random() % 2 == 0;
      std::string line = one_of(random, "", "", "", " ", "\t") + "{";
      bool first = true;
      for (std::size_t i = 0; i < 12; ++i) {
        if (random() % 12 == 0) continue;
        if (!first) line += random() % 40 == 0 ? " , " : comma;
        first = false;
        const std::size_t key = usual || random() % 10 != 0 ? i : random() % 12;
        line += random() % 30 == 0 ? "\"\\u00" + std::string("6") + "9\""
                                   : "\"" + std::string(kKeys[key]) + "\"";
        line += random() % 30 == 0 ? " :" : colon;
        line += usual && random() % 20 != 0 ? std::string(kUsual[key]) : json_value(random);
      }
      line += one_of(random, "}", "}", "}", "}", "}", "} ", "},", "");
      if (random() % 40 == 0) line = json_value(random);
      text += line;
      if (rows > 1 || random() % 2 == 0)
        text += one_of(random, "\n", "\n", "\r\n", "\n\n", "\n \r\n");
    }
    check_jsonl(text, json_schema(), random);
  }
}

TEST_CASE("the seeds of the fuzzers read alike in pieces") {
  std::mt19937_64 random(9);
  int files = 0;
  for (const char* folder : {"csv", "json"})
    for (const auto& entry : std::filesystem::directory_iterator(
             std::filesystem::path(COEVAL_SOURCE_DIR) / "fuzz" / "corpus" / folder)) {
      std::ifstream file(entry.path(), std::ios::binary);
      const std::string text((std::istreambuf_iterator<char>(file)), {});
      check_csv(text, wide_schema(), random);
      check_csv("b,i,l,f,d,s,t,y,m\n" + text, wide_schema(), random);
      check_csv("s\n" + text, {{{"s", Type::string, true}}}, random);
      check_jsonl(text, json_schema(), random);
      ++files;
    }
  CHECK(files > 0);
}

TEST_CASE("every instruction set finds the marks that the plain loop finds") {
  std::mt19937_64 random(10);
  REQUIRE(all_csv_marks().size() >= 1);
  for (int round = 0; round < 200; ++round) {
    std::string text(random() % 400, 'x');
    for (char& c : text)
      if (random() % 3 == 0) c = "\",\n;\r\x00\xFF\x2B"[random() % 8];
    std::vector<std::uint32_t> expected(text.size() + 64);
    expected.resize(plain_csv_marks().find(text, ',', expected.data()));
    for (const CsvMarks* marks : all_csv_marks()) {
      CAPTURE(marks->name);
      std::vector<std::uint32_t> found(text.size() + 64);
      found.resize(marks->find(text, ',', found.data()));
      REQUIRE(found == expected);
    }
  }
}

TEST_CASE("every instruction set finds the marks of JSON that the plain loop finds") {
  std::mt19937_64 random(11);
  for (int round = 0; round < 2000; ++round) {
    std::string text(random() % 400, 'x');
    const auto density = random() % 4 + 1;
    for (char& c : text)
      if (random() % density == 0) c = "\",}\n\\\\\"{:\x00\xFF\x1F"[random() % 12];
    std::vector<std::uint32_t> expected(text.size() + 64);
    expected.resize(plain_json_marks().find(text, expected.data()));
    for (const JsonMarks* marks : all_json_marks()) {
      CAPTURE(marks->name);
      std::vector<std::uint32_t> found(text.size() + 64);
      found.resize(marks->find(text, found.data()));
      REQUIRE(found == expected);
    }
  }
}

// A cell of each type: nearly always one that is read at a glance, now and then any other.
std::string usual_cell(Type type, std::mt19937_64& random, bool json) {
  const std::string quote = json ? "\"" : "";
  const auto digits = [&](std::uint64_t most) { return std::to_string(random() % most); };
  const std::string sign = one_of(random, "", "", "-");
  if (random() % 60 == 0) return json ? "null" : "";
  if (random() % 400 == 0)
    return one_of(random, "007", "-0", "0", "1.", ".5", "00.5", "-", "1e2", "-0.0", "3.0", "12x",
                  "99999999999999999999", "123456789012345678", "\"a,b\"", "\"\"", "\"\xC3\xA4\"",
                  "\"\xC3\"", "true", "\"a\\\"b\"", "[1,2]", "\"2001-06-01T12:30:60Z\"");
  switch (type) {
    case Type::boolean:
      return one_of(random, "true", "false");
    case Type::int32:
      return sign + digits(4000);
    case Type::int64:
      return sign + digits(std::uint64_t{1} << random() % 60);
    case Type::float32:
      return sign + digits(1000) + "." + digits(1000);
    case Type::float64:
      return sign + digits(std::uint64_t{1} << random() % 30) + one_of(random, "", ".", ".0") +
             digits(std::uint64_t{1} << random() % 60);
    case Type::timestamp:
      return quote + "2001-06-0" + digits(9) + "T1" + digits(10) + ":3" + digits(10) + ":05Z" +
             quote;
    case Type::date:
      return quote + "2001-06-1" + digits(10) + quote;
    case Type::string:
      return quote + one_of(random, "AA", "DL", "x", "twelve bytes", "more than sixteen bytes") +
             (random() % 3 == 0 ? digits(5000) : "") + (random() % 50 == 0 ? "\xC3\xA4" : "") +
             quote;
    default:
      return digits(1000) + "." + digits(100);
  }
}

TEST_CASE("many rows alike, with a few among them that are not, read as one by one") {
  std::mt19937_64 random(12);
  for (int round = 0; round < test_rounds(30); ++round) {
    const bool json = round % 2 == 0;
    const std::string line_end = one_of(random, "\n", "\n", "\r\n");
    const std::string blank = one_of(random, "", "", " ");
    Schema schema = wide_schema();
    std::string text;
    if (!json) {
      for (const Field& field : schema.fields) text += (text.empty() ? "" : ",") + field.name;
      text += line_end;
    }
    for (int row = 0; row < 1500; ++row) {
      std::string line;
      for (const Field& field : schema.fields) {
        if (field.name == "d" && json && random() % 200 == 0) continue;  // the key is left out
        line += line.empty() ? "" : "," + blank;
        if (json) line += "\"" + field.name + "\":" + blank;
        line += usual_cell(field.type, random, json);
        if (field.name == "i" && json)
          line += ",\"unknown\": " + usual_cell(Type::string, random, true);
      }
      text += json ? "{" + line + "}" : line;
      text += random() % 200 == 0 ? one_of(random, "\n", "\r\n", "\n\n", "}\n", ",\n") : line_end;
    }
    json ? check_jsonl(text, schema, random) : check_csv(text, schema, random);
  }
}

TEST_CASE("strings that repeat are coded, and others are not") {
  Schema schema = {{{"s", Type::string, true}, {"u", Type::string, false}}};
  std::string text = "s,u\n";
  for (int row = 0; row < 5000; ++row)
    text += "v" + std::to_string(row % 7) + ",unique " + std::to_string(row) + "\n";
  auto decoder = make_csv_decoder(schema, {.json_columns = {}, .code_strings = true}).value();
  text.append(kTextPadding, '\0');
  const std::string_view view = std::string_view(text).substr(0, text.size() - kTextPadding);
  std::size_t taken = 0;
  REQUIRE(decoder->begin(view, true, taken).value());
  const TextRows rows = decoder->decode(view.substr(taken), true, 1 << 20).value();
  REQUIRE(rows.batch.rows == 5000);
  CHECK(rows.batch.columns[0].is_coded());
  CHECK(rows.batch.columns[0].dictionary().size() == 7);
  CHECK_FALSE(rows.batch.columns[1].is_coded());
  for (int row = 0; row < 5000; ++row) {
    REQUIRE(rows.batch.columns[0].string(row) == "v" + std::to_string(row % 7));
    REQUIRE(rows.batch.columns[1].string(row) == "unique " + std::to_string(row));
  }
}

}  // namespace
}  // namespace coeval::data
