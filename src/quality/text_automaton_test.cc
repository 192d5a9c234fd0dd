#include "quality/text_automaton.h"

#include <doctest/doctest.h>
#include <re2/re2.h>

#include <array>
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

void require_same(const std::string& pattern, const std::vector<std::string>& texts) {
  const auto automaton = TextAutomaton::compile(pattern);
  REQUIRE_MESSAGE(automaton, pattern);
  for (const std::string& text : texts) {
    CAPTURE(pattern);
    CAPTURE(text);
    REQUIRE(automaton->matches(text) == by_re2(pattern, text));
  }
}

TEST_CASE("patterns of all kinds become automata") {
  for (const char* pattern : {"[A-Z0-9]{3}",
                              "\\d{4}-\\d{2}",
                              "N[0-9]{1,5}[A-Z]{0,2}",
                              "ORD|ATL|[A-Z]{4}",
                              "",
                              "^a+$",
                              "(ab|cd)*e?",
                              "[^,]{1,5}",
                              ".+@.+",
                              "\\w+\\.csv",
                              "a{2,}",
                              "[]a-]+",
                              "x{0}y",
                              "(?:a|b)+?",
                              "(a?){3}",
                              "tx_[0-9a-f]{16}",
                              "(?i)a",
                              "a\\b",
                              "\\pL+",
                              "\\p{Greek}{1,20}",
                              "[\\p{L} .'-]{1,5}",
                              "[[:alpha:]]+",
                              "ä",
                              "[ä]",
                              "a^b",
                              "(?P<x>a)",
                              "[0-9]{65}",
                              "a{b",
                              ".{1,1000}",
                              "(?i:[a-z0-9._%+-]+@[a-z0-9.-]+\\.[a-z]{2,})",
                              ".*\\berror\\b.*",
                              "(?m)^a$",
                              "\\Qa.b\\E+",
                              "\\C{4}"})
    CHECK_MESSAGE(TextAutomaton::compile(pattern), pattern);
}

TEST_CASE("patterns that take too much are left to RE2") {
  // Repeats of nothing take no room, but time.
  std::string nested = "()";
  for (int i = 0; i < 30; ++i) nested = "(" + nested + "){60}";
  CHECK(!TextAutomaton::compile(nested));
  // A power of two of states.
  CHECK(!TextAutomaton::compile("[ab]*a[ab]{14}"));
  CHECK(!TextAutomaton::compile(std::string(200, '(') + std::string(200, ')')));
  // More of Unicode's tables than a compilation may ask for.
  CHECK(!TextAutomaton::compile("(?i)äöüßéèàùîç"));
}

TEST_CASE("an automaton is minimal") {
  CHECK(TextAutomaton::compile("(a|b)*")->state_count() == 2);  // with the dead one
  CHECK(TextAutomaton::compile("abc|xbc|ybc")->state_count() == 5);
  CHECK(TextAutomaton::compile("[^\\x00-\\x{10FFFF}]")->state_count() == 1);
  CHECK(TextAutomaton::compile("\\Ba|\\ba")->state_count() == 3);
}

// Characters of each length, those that fold in odd ways, and pieces of ill-formed UTF-8.
const std::vector<std::string>& characters() {
  static const std::vector<std::string> kCharacters = {"a",
                                                       "b",
                                                       "c",
                                                       "k",
                                                       "K",
                                                       "s",
                                                       "S",
                                                       "A",
                                                       "\u212A",
                                                       "\u017F",
                                                       "ß",
                                                       "ẞ",
                                                       "é",
                                                       "É",
                                                       "σ",
                                                       "ς",
                                                       "Σ",
                                                       "1",
                                                       "7",
                                                       "_",
                                                       "-",
                                                       ".",
                                                       "\n",
                                                       "\r",
                                                       "\t",
                                                       "\v",
                                                       " ",
                                                       "\x7F",
                                                       "Z",
                                                       "z",
                                                       "€",
                                                       "\u0130",
                                                       "ı",
                                                       "𝄞",
                                                       "𐐀",
                                                       "𐐨",
                                                       "日",
                                                       "]",
                                                       "^",
                                                       "{",
                                                       "\\",
                                                       "ǅ",
                                                       "\u0345",
                                                       "ι",
                                                       "\xC3",
                                                       "\xA4",
                                                       "\xE2\x82",
                                                       "\xED\xA0\x80",
                                                       "\xF4\x90\x80\x80",
                                                       "\xC0\x80",
                                                       "\xFF",
                                                       std::string(1, '\0')};
  return kCharacters;
}

// Patterns by RE2's grammar, over few characters, so that random texts match often. What needs
// Unicode's tables takes long to compile: one in forty may use them.
class Patterns {
 public:
  explicit Patterns(std::uint32_t seed)
      : random_(seed), tables_(seed % 40 == 0), folds_(tables_ || seed % 2 == 0) {}

  std::string pattern(int depth = 0) {
    std::string out = sequence(depth);
    while (die(4) == 0) out += "|" + sequence(depth);
    return out;
  }
  std::string text() {
    std::string out;
    for (int i = die(8); i > 0; --i) out += die(3) == 0 ? any(characters()) : any(kFew);
    return out;
  }
  int die(int sides) { return static_cast<int>(random_() % static_cast<unsigned>(sides)); }

 private:
  template <class List>
  std::string any(const List& list) {
    return std::string(list[static_cast<std::size_t>(die(static_cast<int>(std::size(list))))]);
  }

  std::string sequence(int depth) {
    std::string out;
    if (die(12) == 0) out += folds_ && die(2) == 0 ? any(kFoldFlags) : any(kFlags);
    for (int i = die(4); i > 0; --i) out += part(depth) + repeat();
    return out;
  }
  std::string part(int depth) {
    if (depth < 3 && die(4) == 0)
      return (folds_ && die(3) == 0 ? "(?i:" : any(kGroups)) + pattern(depth + 1) + ")";
    if (die(8) == 0) return any(kAssertions);
    if (die(4) == 0) return bracketed();
    if (tables_ && die(4) == 0) return any(kTables);
    return has_wide() ? any(kWide) : any(kAtoms);
  }
  std::string bracketed() {
    std::string out = die(3) == 0 ? "[^" : "[";
    for (int i = 1 + die(3); i > 0; --i)
      out += tables_ && die(4) == 0 ? any(kTables) : has_wide() ? any(kWideItems) : any(kItems);
    return out + "]";
  }
  bool has_wide() { return (tables_ || !folds_) && die(3) == 0; }
  std::string repeat() { return die(2) == 0 ? "" : any(kRepeats); }

  static constexpr std::array kFew = {"a", "b", "a", "k", "1", "é"};
  static constexpr std::array kFlags = {"(?s)", "(?m)", "(?-i)", "(?U)", "(?m-s)"};
  static constexpr std::array kFoldFlags = {"(?i)", "(?is)", "(?i-m)"};
  static constexpr std::array kGroups = {"(", "(?:", "(?s:", "(?m:", "(?-i:", "(?P<name>"};
  static constexpr std::array kAssertions = {"^", "$", "\\A", "\\z", "\\b", "\\B"};
  static constexpr std::array kAtoms = {
      "a",      "b",    "c",   "ab",  "k",     "s",        ".",        "\\d",
      "\\w",    "\\s",  "\\D", "\\W", "\\S",   "\\.",      "-",        "1",
      " ",      "\\n",  "\\t", "\\v", "\\x61", "\\101",    "\\C",      "{",
      "a{",     "{,2}", "}",   "]",   "\\-",   "K",        "[a-c]",    "\\0",
      "[a\\]]", "S",    "a{1", ".",   "\\w",   "\\Qa.\\E", "\\Qab\\E", "[^\\x00-\\x{10FFFF}]"};
  static constexpr std::array kWide = {
      "é", "ß", "σ", "日", "𝄞", "\\x{212A}", "\\Qé\\E", "[\\x{D000}-\\x{E000}]", "[^é]"};
  static constexpr std::array kTables = {"\\pL",     "\\PL",       "\\p{Lu}",
                                         "\\p{^Lu}", "\\p{Greek}", "\\pN"};
  static constexpr std::array kItems = {
      "a",         "b",         "a-c",        "k",   "s",   "\\d",       "\\w",        "\\s",
      "\\D",       "\\W",       "\\S",        "\\.", "-a",  "+--",       " -~",        "\\]",
      "\\n",       "[:alpha:]", "K",          "A-Z", "\\-", "[:upper:]", "[:^digit:]", "[:space:]",
      "[:punct:]", "[:word:]",  "[:^lower:]", "1-3", "["};
  static constexpr std::array kWideItems = {
      "é",  "à-ÿ", "\\x{370}-\\x{3FF}",   "\\x{80}-\\x{10FFFF}", "σ", "\\x00-\\x{10FFFE}",
      "日", "€",   "\\x{e000}-\\x{ffff}", "\\x{7F}-\\x{10000}"};
  static constexpr std::array kRepeats = {"*",     "+",    "?",  "{2}", "{1,3}",  "{0}", "{2,}",
                                          "{0,2}", "{0,}", "*?", "+?",  "{1,2}?", "??"};
  std::mt19937 random_;
  const bool tables_, folds_;
};

TEST_CASE("an automaton says of every text what RE2 says") {
  int refused = 0, too_large = 0, matched = 0, asked = 0;
  for (std::uint32_t seed = 1; seed <= 4600; ++seed) {
    Patterns patterns(seed);
    const std::string pattern = patterns.pattern();
    const RE2 regex(pattern, RE2::Quiet);
    if (!regex.ok()) {
      ++refused;
      continue;
    }
    const auto automaton = TextAutomaton::compile(pattern);
    if (!automaton) {
      ++too_large;
      continue;
    }
    for (int i = 0; i < 50; ++i, ++asked) {
      const std::string text = i == 0 ? "" : patterns.text();
      const bool expected = RE2::FullMatch(text, regex);
      matched += expected ? 1 : 0;
      CAPTURE(pattern);
      CAPTURE(text);
      REQUIRE(automaton->matches(text) == expected);
    }
  }
  INFO(refused << " refused, " << too_large << " too large, " << matched << " of " << asked);
  CHECK(refused < 300);
  CHECK(too_large < 40);
  CHECK(asked >= 200'000);
  CHECK(matched > asked / 10);
}

TEST_CASE("of single characters an automaton says what RE2 says, of all bytes too") {
  for (const char* pattern : {".",
                              "(?s).",
                              "[^a]",
                              "(?i)k",
                              "(?i)[^k]",
                              "(?i)[a-z]",
                              "(?i)\\w",
                              "(?i)\\W",
                              "(?i)[\\W]",
                              "(?i)[[:lower:]]",
                              "(?i)[[:^lower:]]",
                              "\\pL",
                              "(?i)\\p{Lu}",
                              "(?i)\\P{Lu}",
                              "(?i)ß",
                              "(?i)[à-ÿ]",
                              "[^à-ÿ]",
                              "\\p{Greek}",
                              "[\\x{7F}-\\x{800}]",
                              "[\\x{D7FF}-\\x{10000}]",
                              "\\C",
                              "\\s",
                              "[[:space:]]",
                              "[[:punct:]]",
                              "[[:cntrl:]]",
                              "[[:graph:]]",
                              "[[:print:]]",
                              "[[:blank:]]",
                              "[[:xdigit:]]",
                              "[[:ascii:]]",
                              "(?i)σ",
                              "(?i)\\x{1C5}"}) {
    std::vector<std::string> texts = characters();
    for (int byte = 0; byte < 256; ++byte) {
      texts.emplace_back(1, static_cast<char>(byte));
      for (const char* begin :
           {"\xC3", "\xE0", "\xED", "\xE2\x84", "\xF0\x90\x90", "\xF4", "\xF4\x8F\xBF"})
        texts.push_back(begin + std::string(1, static_cast<char>(byte)));
    }
    require_same(pattern, texts);
  }
}

TEST_CASE("assertions look at both sides") {
  require_same("(?m)^a$\\n^$\\n?b?$", {"a\n\n", "a\n", "a\n\nb", "a\nb", "a"});
  require_same("a\\b.*", {"a", "ab", "a-", "a\n", "a_", "aé"});
  require_same(".*\\bk\\b.*", {"k", "ak", "a k", "a k b", "k-", "ké", "\u212A"});
  require_same("(?:\\b|a)+\\B.", {"a", "aa", "-", "a-", ""});
  require_same("^*a$*", {"a", "aa"});
  require_same("a(?i)*", {"", "a", "aa", "A"});
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
