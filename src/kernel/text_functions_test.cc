#include "kernel/text_functions.h"

#include <doctest/doctest.h>

#include <clocale>
#include <cwctype>

#include "kernel/evaluated_for_tests.h"
#include "kernel/letter_case.h"

namespace coeval::kernel {
namespace {

using data::Type;
using data::Value;
using testing::batch_of;
using testing::evaluated;
using testing::value_of;

struct Case {
  std::string expression;
  Value value;
};

void check(const std::vector<Case>& cases) {
  for (const auto& [expression, value] : cases) {
    CAPTURE(expression);
    CHECK(data::to_text(value_of(expression), Type::null) == data::to_text(value, Type::null));
  }
}

Value text(const char* value) { return std::string(value); }

TEST_CASE("parts of a text are those of DuckDB 2.0.1") {
  check({{"substr('hello', 0, 3)", text("he")},
         {"substr('hello', -3, 2)", text("ll")},
         {"substr('hello', -3)", text("llo")},
         {"substr('hello', -10, 7)", text("he")},
         {"substr('hello', -10)", text("hello")},
         {"substr('hello', 7, 2)", text("")},
         {"substr('héllo', 2, 2)", text("él")},
         {"split_part('a,b,c', ',', 0)", text("")},
         {"split_part('a,b,c', ',', -1)", text("c")},
         {"split_part('a,b,c', ',', -3)", text("a")},
         {"split_part('a,b,c', ',', -4)", text("")},
         {"split_part('a,b,c', ',', 4)", text("")},
         {"split_part('a---b', '--', 2)", text("-b")},
         {"split_part('', 'x', 1)", text("")},
         {"length('🤦🏼‍♂️')", std::int64_t{5}},
         {"replace('aaa', '', 'x')", text("aaa")},
         {"replace('aXbX', 'X', 'yy')", text("ayybyy")},
         {"trim('\t a \u00A0')", text("\t a")},
         {"trim('\u00A0a\u2003')", text("a")},
         {"contains('abc', '')", true},
         {"starts_with('abc', '')", true},
         {"upper('ᾳǆŉ')", text("ᾼǄŉ")},
         {"lower('İΑΣ')", text("iασ")}});
}

TEST_CASE("what DuckDB leaves to chance or refuses has a value") {
  check({{"substr('hello', 3, -2)", text("")},
         {"substr('hello', 2, 9223372036854775807)", text("ello")},
         {"substr('hello', -9223372036854775807, 3)", text("")},
         {"substr('hello', 9223372036854775807, 9223372036854775807)", text("")},
         {"split_part('abc', '', 1)", text("abc")},
         {"split_part('abc', '', 2)", text("")},
         {"split_part('abc', '', -1)", text("abc")},
         {"split_part('a,b', ',', -9223372036854775807)", text("")},
         {"concat('a', null, 'b')", Value{}}});
}

TEST_CASE("like follows SQL, over characters and line breaks") {
  check({{"'abc' like '%'", true},
         {"'a\nb' like 'a_b'", true},
         {"'é' like '_'", true},
         {"'é' like '__'", false},
         {"'日本' like '_本'", true},
         {"'a%' like 'a!%' escape '!'", true},
         {"'ab' like 'a!%' escape '!'", false},
         {"'a!' like 'a!!' escape '!'", true},
         {"'a_' like 'aé_' escape 'é'", true},
         {"'' like ''", true},
         {"'' like '_'", false},
         {"'a.c' like 'a.c'", true},
         {"'abc' like 'a.c'", false},
         {"'ABC' like 'abc'", false},
         {"'xay' like 'a'", false},
         {"null like 'a'", Value{}},
         {"'abc' not like 'b%'", true}});
}

TEST_CASE("regular expressions are RE2's, anywhere in the text") {
  check({{"regexp_like('hello', 'l+')", true},
         {"regexp_like('a\nb', 'a.b')", false},
         {"regexp_like('a\nb', '^b')", false},
         {"regexp_like('日本', '^..$')", true},
         {"regexp_like('', '')", true},
         {"regexp_like('ABC', '(?i)b')", true}});
}

TEST_CASE("combinations that differ have texts that differ") {
  check({{"cross('a|b', 'c')", text("a\\|b|c")},
         {"cross('a', 'b|c')", text("a|b\\|c")},
         {"cross('a\\', 'b')", text("a\\\\|b")},
         {"cross('', '')", text("|")},
         {"cross(1, 2.5, true, date '2001-06-01')", text("1|2.5|true|2001-06-01")},
         {"cross(0.0, -0.0)", text("0|-0")},
         {"cross('a', null)", Value{}}});
}

// Byte strings that no UTF-8 text contains.
TEST_CASE("bytes that are no UTF-8 stay, and belong to a character") {
  const data::Batch batch = batch_of(Type::string, {std::string("\x80z"), std::string("A\xFF"),
                                                    std::string("É\x82"), std::string("\xC3")});
  EvaluationCounts counts;
  const auto at = [&](const char* expression, std::int64_t row) {
    return evaluated(expression, batch, counts).value(row);
  };
  CHECK(at("lower(x)", 1) == Value{std::string("a\xFF")});
  CHECK(at("lower(x)", 2) == Value{std::string("é\x82")});
  CHECK(at("upper(x)", 0) == Value{std::string("\x80Z")});
  CHECK(at("length(x)", 0) == Value{std::int64_t{2}});
  CHECK(at("length(x)", 2) == Value{std::int64_t{1}});
  CHECK(at("substr(x, 1, 1)", 0) == Value{std::string("\x80")});
  CHECK(at("substr(x, 1, 1)", 2) == Value{std::string("É\x82")});
  CHECK(at("length(x)", 3) == Value{std::int64_t{1}});
  CHECK(at("x like '%'", 1) == Value{true});
  CHECK(at("x like 'A_'", 1) == Value{true});
}

// glibc keeps its own copy of Unicode's tables.
TEST_CASE("letter case is glibc's for every code point") {
  const locale_t unicode = newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr);
  REQUIRE(unicode != nullptr);
  int letters = 0;
  for (std::uint32_t code = 0; code < 0x110000; ++code) {
    if (code >= 0xD800 && code < 0xE000) continue;
    CAPTURE(code);
    const std::uint32_t lower = mapped(LetterCase::lower, code);
    const std::uint32_t upper = mapped(LetterCase::upper, code);
    REQUIRE(lower == static_cast<std::uint32_t>(towlower_l(static_cast<wint_t>(code), unicode)));
    REQUIRE(upper == static_cast<std::uint32_t>(towupper_l(static_cast<wint_t>(code), unicode)));
    letters += lower != code || upper != code ? 1 : 0;
  }
  freelocale(unicode);
  CHECK(letters > 2700);
}

TEST_CASE("a text beyond its limit is null, and counted") {
  const std::string long_text(kMaxTextBytes / 2, 'a');
  const data::Batch batch = batch_of(Type::string, {long_text, std::string("a"), Value{}});
  EvaluationCounts counts;
  // On the way.
  CHECK(evaluated("length(concat(x, x))", batch, counts).value(0) == Value{std::int64_t{1} << 20});
  CHECK(counts.long_texts == 0);
  for (const char* expression : {"length(concat(x, x, 'b'))", "length(replace(x, 'a', 'bcd'))",
                                 "length(cross(x, x))", "length(upper(concat(x, x, 'é')))"}) {
    CAPTURE(expression);
    counts = {};
    const data::Column found = evaluated(expression, batch, counts);
    CHECK(found.is_null(0));
    CHECK_FALSE(found.is_null(1));
    CHECK(counts.long_texts == 1);
  }
  // As a result; a bare column stays what it is.
  counts = {};
  CHECK(evaluated("trim(x)", batch, counts).is_null(0));
  CHECK(counts.long_texts == 1);
  CHECK(evaluated("substr(x, 1, 16384)", batch, counts).value(0) ==
        Value{long_text.substr(0, kMaxResultBytes)});
  CHECK(evaluated("x", batch, counts).value(0) == Value{long_text});
  CHECK(counts.long_texts == 1);
}

TEST_CASE(
    "a block that makes more text than its budget is evaluated in parts, with equal results") {
  std::vector<Value> texts;
  for (int row = 0; row < 600; ++row)
    texts.emplace_back(std::string(static_cast<std::size_t>(row % 7 == 0 ? 90'000 : 40'000), 'a'));
  const data::Batch batch = batch_of(Type::string, texts);
  EvaluationCounts counts;
  const data::Column found = evaluated(
      "length(concat(x, x, x, x, x, x, x, x, x, x, x)) + "
      "case when length(x) > 50000 then 9223372036854775807 else 0 end",
      batch, counts);
  std::int64_t overflows = 0;
  for (std::int64_t row = 0; row < batch.rows; ++row) {
    const bool is_long = row % 7 == 0;
    REQUIRE(found.is_null(row) == is_long);
    if (!is_long) REQUIRE(found.integer(row) == 440'000);
    overflows += is_long ? 1 : 0;
  }
  CHECK(counts.integer_overflows == overflows);
  CHECK(counts.long_texts == 0);
}

}  // namespace
}  // namespace coeval::kernel
