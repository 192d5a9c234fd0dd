#include "quality/text_automaton.h"

#include <doctest/doctest.h>
#include <re2/re2.h>

#include <random>
#include <string>
#include <vector>

namespace coeval::quality {
namespace {

bool by_re2(const std::string& pattern, std::string_view text) {
  const RE2 compiled(pattern, RE2::Quiet);
  REQUIRE_MESSAGE(compiled.ok(), pattern);
  return RE2::FullMatch(re2::StringPiece(text.data(), text.size()), compiled);
}

TEST_CASE("the shapes of codes and identifiers become automata") {
  for (const char* pattern :
       {"[A-Z0-9]{3}", "\\d{4}-\\d{2}", "N[0-9]{1,5}[A-Z]{0,2}", "ORD|ATL|[A-Z]{4}", "", "^a+$",
        "(ab|cd)*e?", "[^,]{1,5}", ".+@.+", "\\w+\\.csv", "a{2,}", "[]a-]+", "x{0}y", "(?:a|b)+?",
        "(a?){3}", "tx_[0-9a-f]{16}"})
    CHECK_MESSAGE(TextAutomaton::compile(pattern), pattern);
}

TEST_CASE("what is not of the simple kind is left to RE2") {
  for (const char* pattern : {"(?i)a", "a\\b", "\\pL+", "[[:alpha:]]+", "ä", "[ä]", "a^b", "a**",
                              "(?P<x>a)", "[0-9]{65}", "a{b", "(", "[", "a|*", "a{3,2}", "\\"})
    CHECK_MESSAGE(!TextAutomaton::compile(pattern), pattern);
  // Repeats of nothing take no room, but time.
  std::string nested = "()";
  for (int i = 0; i < 30; ++i) nested = "(" + nested + "){60}";
  CHECK(!TextAutomaton::compile(nested));
  // Sixty positions, a power of two of states.
  CHECK(!TextAutomaton::compile("[ab]*a[ab]{14}"));
}

// Patterns by a grammar, over few characters, so that random texts match often.
class Patterns {
 public:
  explicit Patterns(std::uint32_t seed) : random_(seed) {}
  std::string pattern(int depth = 0) {
    std::string out = sequence(depth);
    while (die(4) == 0) out += "|" + sequence(depth);
    return out;
  }
  std::string text() {
    static const std::vector<std::string> kCharacters = {"a",  "b", "c", "-", "1", "_",    ".",
                                                         "\n", "ä", "€", "𝄞", " ", "\x7F", "Z"};
    std::string out;
    for (int i = die(8); i > 0; --i)
      out += kCharacters[static_cast<std::size_t>(die(3) == 0 ? die(14) : die(3))];
    return out;
  }
  int die(int sides) { return static_cast<int>(random_() % static_cast<unsigned>(sides)); }

 private:
  std::string sequence(int depth) {
    std::string out;
    for (int i = die(4); i > 0; --i) out += atom(depth) + repeat();
    return out;
  }
  std::string atom(int depth) {
    static const std::vector<std::string> kAtoms = {
        "a",    "b",      "c",   "ab",    "[ab]",     "[a-c]",  "[^a]",     "[^b-c1]", ".", "\\d",
        "\\w",  "\\s",    "\\.", "[-a]",  "[a-]",     "[\\d_]", "[^\\w]",   "[]a]",    "-", "[+--]",
        "[^a]", "[a\\]]", "1",   "[ -~]", "[a-c1-3]", "\\-",    "[\\.\\w]", " "};
    if (depth < 3 && die(4) == 0) return (die(2) == 0 ? "(" : "(?:") + pattern(depth + 1) + ")";
    return kAtoms[static_cast<std::size_t>(die(static_cast<int>(kAtoms.size())))];
  }
  std::string repeat() {
    static const std::vector<std::string> kRepeats = {
        "*", "+", "?", "{2}", "{1,3}", "{0}", "{2,}", "{0,2}", "{0,}", "*?", "+?", "{1,2}?"};
    if (die(2) == 0) return "";
    return kRepeats[static_cast<std::size_t>(die(static_cast<int>(kRepeats.size())))];
  }
  std::mt19937 random_;
};

TEST_CASE("an automaton says of every text what RE2 says") {
  int compiled = 0, matched = 0, asked = 0;
  for (std::uint32_t seed = 1; seed <= 4000; ++seed) {
    Patterns patterns(seed);
    std::string pattern = patterns.pattern();
    if (patterns.die(5) == 0) pattern = "^" + pattern;
    if (patterns.die(5) == 0) pattern += "$";
    const RE2 regex(pattern, RE2::Quiet);
    REQUIRE_MESSAGE(regex.ok(), pattern);
    const auto automaton = TextAutomaton::compile(pattern);
    if (!automaton) continue;
    ++compiled;
    for (int i = 0; i < 60; ++i, ++asked) {
      const std::string text = patterns.text();
      const bool expected = RE2::FullMatch(text, regex);
      matched += expected ? 1 : 0;
      CAPTURE(pattern);
      CAPTURE(text);
      REQUIRE(automaton->matches(text) == expected);
    }
  }
  CHECK(compiled > 3000);
  CHECK(matched > asked / 10);
}

TEST_CASE("an automaton looks at bytes that a text may hold, NUL among them") {
  const auto any = TextAutomaton::compile(".{3}");
  REQUIRE(any);
  CHECK(any->matches(std::string_view("a\0b", 3)));
  CHECK(by_re2(".{3}", std::string_view("a\0b", 3)));
  CHECK(any->matches("äöü"));
  CHECK_FALSE(any->matches("äö"));
}

}  // namespace
}  // namespace coeval::quality
