#include <doctest/doctest.h>

#include <random>

#include "data/json.h"
#include "data/json_fault.h"

namespace coeval::data {
namespace {

using namespace std::literals;

std::string message_of(std::string_view text, JsonLimits limits = {}) {
  const auto json = parse_json(text, limits);
  return json ? "no error" : json.error().message;
}
Code code_of(std::string_view text, JsonLimits limits = {}) {
  return parse_json(text, limits).error().code;
}

TEST_CASE("a document of every kind reads") {
  const auto json = parse_json(
      " { \"a\" : [ 1 , -2.5e3 , true , false , null , \"\\u00e9\\ud83d\\ude00\\n\" ] , \"b\" : { "
      "} } ");
  REQUIRE(json);
  CHECK(json->dump() == "{\"a\":[1,-2500.0,true,false,null,\"é😀\\n\"],\"b\":{}}");
  CHECK(*parse_json("7")->integer() == 7);
  CHECK(*parse_json("\xEF\xBB\xBF\"bom\"")->string() == "bom");
}

TEST_CASE("the first fault is named with its line and column") {
  CHECK(message_of("{\"a\": 1,\n \"b\" 2}") == "expected ':' at line 2, column 6, found '2'");
  CHECK(message_of("[1, 2") ==
        "expected ',' or ']' at line 1, column 6, found the end of the text");
  CHECK(message_of("") == "expected a value at line 1, column 1, found the end of the text");
  CHECK(message_of("[1,]") == "expected a value at line 1, column 4, found ']'");
  CHECK(message_of("{\"é\": tru}") == "expected a value at line 1, column 7, found 't'");
  CHECK(message_of("{} x") ==
        "expected nothing after the JSON value at line 1, column 4, found 'x'");
  CHECK(message_of("[\"ab") == "a string that is never closed at line 1, column 2");
  CHECK(message_of("[01]") == "expected ',' or ']' at line 1, column 3, found '1'");
  CHECK(message_of("[1.]") == "expected a digit at line 1, column 4, found ']'");
  CHECK(message_of("{a:1}") == "expected a key in quotes at line 1, column 2, found 'a'");
  CHECK(message_of("[\"\\x\"]") == "an unknown escape at line 1, column 3");
  CHECK(message_of("[\"\\u12g4\"]") ==
        "expected four hexadecimal digits at line 1, column 7, found 'g'");
  CHECK(message_of("[\"a\nb\"]").starts_with("a control character inside a string"));
  CHECK(message_of("[\"\xFF\"]") == "a byte that is not UTF-8 at line 1, column 3");
  CHECK(message_of("\n\n  é").starts_with("expected a value at line 3, column 3"));
}

TEST_CASE("half of a surrogate pair is refused in every arrangement") {
  for (const char* text : {R"(["\ud800"])", R"(["\udc00"])", R"(["\ud800\ud800"])",
                           R"(["\ud800x"])", R"(["\udfff\ud800"])", R"(["\ud83d\n"])"})
    CHECK(code_of(text) == Code::bad_json);
}

TEST_CASE("a repeated key is refused in small and large objects, however it is spelled") {
  CHECK(message_of("{\"a\":1,\n\"b\":2, \"\\u0061\":3}") ==
        "repeated key at line 2, column 8: 'a'");
  std::string large = "{";
  for (int i = 0; i < 100; ++i)
    large += "\"k" + std::to_string(i) + "\":" + std::to_string(i) + ",";
  CHECK(parse_json(large + "\"k\":0}"));
  CHECK(code_of(large + "\"k57\":0}") == Code::bad_json);
  CHECK(parse_json("{\"a\":{\"a\":1}}"));
}

TEST_CASE("integers must fit 64 bits unless written as a real number") {
  CHECK(*parse_json("9223372036854775807")->integer() == INT64_MAX);
  CHECK(*parse_json("-9223372036854775808")->integer() == INT64_MIN);
  for (const char* text : {"9223372036854775808", "18446744073709551616", "-9223372036854775809",
                           "[1, 100000000000000000000000000000]"})
    CHECK(code_of(text) == Code::out_of_range);
  CHECK(*parse_json("9223372036854775808.0")->real() == 9223372036854775808.0);
  CHECK(*parse_json("1e20")->real() == 1e20);
  CHECK(message_of("[1, 9223372036854775808]") ==
        "an integer that does not fit 64 bits at line 1, column 5: 9223372036854775808");
}

TEST_CASE("a real number may underflow to zero but not overflow") {
  CHECK(*parse_json("1e-400")->real() == 0.0);
  CHECK(*parse_json("0." + std::string(400, '0') + "1")->real() == 0.0);
  CHECK(*parse_json("1" + std::string(400, '0') + "e-400")->real() == 1.0);
  CHECK(code_of("1e400") == Code::out_of_range);
  CHECK(code_of("1" + std::string(400, '0') + ".0") == Code::out_of_range);
  CHECK(code_of("[1e99999999999999999999]") == Code::out_of_range);
}

TEST_CASE("depth is limited exactly, in arrays and objects") {
  const auto nested = [](int depth) { return std::string(depth, '[') + std::string(depth, ']'); };
  for (const int limit : {0, 1, 5, 64}) {
    CHECK(parse_json(nested(limit == 0 ? 1 : limit), {1u << 20, limit == 0 ? 1 : limit}));
    CHECK(code_of(nested(limit + 1), {1u << 20, limit}) == Code::too_deep);
    CHECK(code_of(nested(limit + 9), {1u << 20, limit}) == Code::too_deep);
  }
  CHECK(parse_json("{\"a\":{\"b\":1}}", {100, 2}));
  CHECK(code_of("{\"a\":{\"b\":[1]}}", {100, 2}) == Code::too_deep);
  CHECK(code_of(std::string(1 << 20, '[')) == Code::too_deep);
  CHECK(*parse_json("1", {100, 0})->integer() == 1);
}

TEST_CASE("a text beyond the size limit is refused unread") {
  CHECK(code_of("[1,2,3]", {6, 64}) == Code::body_too_large);
  CHECK(parse_json("[1,2,3]", {7, 64}));
}

TEST_CASE("a parser reads many texts, bad ones between, and counts lines from where it is told") {
  JsonParser parser;
  for (int i = 0; i < 50; ++i) {
    const std::string text =
        "[" + std::string(static_cast<std::size_t>(i * 37 % 50), ' ') + std::to_string(i) + "]";
    REQUIRE(parser.parse(text)->dump() == "[" + std::to_string(i) + "]");
    REQUIRE_FALSE(parser.parse(text.substr(1)));
  }
  CHECK(parser.parse("[1", {}, 12).error().message.find("line 12, column 3") != std::string::npos);
}

// One random edit of a text: a byte replaced, removed, doubled, or the tail cut off.
std::string mutated(std::string text, std::mt19937& random) {
  constexpr std::string_view kBytes = "{}[],:\"\\u0019ef.-+ tn\n\x01\xC3\xA9\xFF";
  const std::size_t at = random() % text.size();
  switch (random() % 4) {
    case 0:
      text[at] = kBytes[random() % kBytes.size()];
      break;
    case 1:
      text.erase(at, 1);
      break;
    case 2:
      text.insert(at, 1, kBytes[random() % kBytes.size()]);
      break;
    default:
      text.resize(at);
  }
  return text;
}

TEST_CASE("the fast parser and the fault finder agree about every mutation of a text") {
  const std::string good =
      R"({"a":[1,-2.5e3,1E+2,true,false,null],"é":"\u00e9\ud83d\ude00\n","b":{"c":[[{}]],"d":0.10}})";
  std::mt19937 random(13);
  int accepted = 0;
  for (int i = 0; i < 50000; ++i) {
    std::string text = mutated(good, random);
    if (i % 2 == 0 && !text.empty()) text = mutated(text, random);
    const auto json = parse_json(text, {1000, 5});
    REQUIRE_MESSAGE(json.has_value() == !find_json_fault(text, {1000, 5}).has_value(), text);
    accepted += json.has_value() ? 1 : 0;
  }
  CHECK(accepted > 1000);
}

}  // namespace
}  // namespace coeval::data
