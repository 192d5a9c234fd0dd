#include "define/document.h"

#include <doctest/doctest.h>

#include <chrono>

#include "define/nesting.h"
#include "define/project.h"

namespace coeval::define {
namespace {

Error error_of(const std::string& text) {
  Diagnostics errors;
  CHECK_FALSE(parse_document(text, "f.toml", errors));
  const auto found = errors.take();
  REQUIRE(found.size() == 1);
  return found[0];
}

TEST_CASE("malformed TOML is a syntax error with its place") {
  for (const auto& [text, line] : std::vector<std::pair<std::string, int>>{{"a = 1\nb = \n", 2},
                                                                           {"a = \"open\n", 1},
                                                                           {"[t\nx = 1", 1},
                                                                           {"a = 1\na = 2\n", 2},
                                                                           {"x = { a = 1", 1},
                                                                           {"= 3", 1},
                                                                           {"a = 2001-13-01", 1},
                                                                           {"a = [1, 2", 1},
                                                                           {"\xff = 1", 1},
                                                                           {"a = 1 b = 2", 1}}) {
    CAPTURE(text);
    const Error error = error_of(text);
    CHECK(error.code == Code::syntax);
    CHECK(error.position.line == line);
    CHECK(error.position.column >= 1);
    CHECK(error.position.file == "f.toml");
  }
}

TEST_CASE("keys, values and the insides of strings have places") {
  Diagnostics errors;
  const auto document = parse_document(
      "[source.flights]\nname = \"größe\"\nlit  = 'a'\nesc = \"a\\tb\"\nlong = "
      "\"\"\"\none\ntwo\"\"\"\nin = { key = 7 }\n",
      "f.toml", errors);
  REQUIRE(document);
  const auto& flights = document->find("source")->value.entries[0];
  CHECK(flights.position.line == 1);
  CHECK(flights.position.column == 9);
  const auto place = [&](const char* key) { return flights.value.find(key)->value.text_position; };
  REQUIRE(place("name"));
  CHECK(place("name")->column == 9);
  CHECK(place("lit")->column == 9);
  CHECK_FALSE(place("esc"));
  CHECK(place("long")->line == 6);
  CHECK(place("long")->column == 1);
  const auto& inner = flights.value.find("in")->value.entries[0];
  CHECK(inner.position.line == 8);
  CHECK(inner.position.column == 8);
}

TEST_CASE("times are UTC unless an offset is given, and no finer than a microsecond") {
  Diagnostics errors;
  const auto document = parse_document(
      "a = 1970-01-02\nb = 1970-01-01T01:00:00.000001\nc = 1970-01-01T01:00:00+01:00\n", "f.toml",
      errors);
  REQUIRE(document);
  CHECK(document->find("a")->value.integer == 86'400'000'000);
  CHECK(document->find("a")->value.whole_day);
  CHECK(document->find("b")->value.integer == 3'600'000'001);
  CHECK(document->find("c")->value.integer == 0);
  parse_document("a = 1970-01-01T01:00:00.0000001\n", "f.toml", errors);
  REQUIRE(errors.count() == 1);
  CHECK(errors.take()[0].code == Code::bad_toml_value);
}

TEST_CASE("deep nesting of every kind is refused, never a crash") {
  const std::string many(1'000'000, '[');
  std::string dotted = "a", header = "[a";
  for (int i = 0; i < 500'000; ++i) dotted += ".a", header += " . a";
  std::string tables = "x = ";
  for (int i = 0; i < 100'000; ++i) tables += "{a=";
  for (const auto& text :
       {"x = " + many, dotted + " = 1", header + "]", tables, "x = {" + dotted + " = 1}"}) {
    const Error error = error_of(text);
    CAPTURE(error.message);
    CHECK((error.code == Code::too_deep || error.code == Code::syntax));
  }
}

TEST_CASE("dots in strings and comments are no keys") {
  const std::string dots(100, '.');
  CHECK_FALSE(line_of_deep_key("a = \"" + dots + "\" # " + dots + "\nb = '''" + dots + "\n" + dots +
                               "'''\n"));
  CHECK_FALSE(line_of_deep_key("a = \"\"\"x\"\"\"\"\nb = 1 # \"" + dots));
  CHECK_FALSE(line_of_deep_key("a = [1.5, 2.5, 3.5, 1.5]\n"));
  CHECK(line_of_deep_key("a = 1\n[b" + std::string(dots) + "]") == 2);
}

TEST_CASE("ten megabytes are refused at once, four are read in reasonable time") {
  CHECK(error_of(std::string(10 << 20, 'a')).code == Code::too_deep);
  std::string big;
  while (big.size() < (4u << 20) - 100) big += "k" + std::to_string(big.size()) + " = \"a.b.c\"\n";
  const auto before = std::chrono::steady_clock::now();
  CHECK(check_text(big, "f.toml").errors.size() >= 2);
  CHECK(std::chrono::steady_clock::now() - before < std::chrono::seconds(20));
}

}  // namespace
}  // namespace coeval::define
