#include "base/explanation.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <string>

#include "base/error.h"

namespace coeval {
namespace {

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](unsigned char c) { return std::tolower(c); });
  return out;
}

// Sentences end with a full stop before a blank or the end.
int sentences(std::string_view text) {
  int count = 0;
  for (std::size_t i = 0; i < text.size(); ++i)
    count += text[i] == '.' && (i + 1 == text.size() || text[i + 1] == ' ') ? 1 : 0;
  return count;
}

// What to do begins a sentence, or a part of one, with one of these.
constexpr std::array kActions = {"run",     "write",  "correct", "check",   "declare", "use",
                                 "give",    "add",    "delete",  "replace", "repair",  "copy",
                                 "look at", "go to",  "split",   "rename",  "compare", "convert",
                                 "read",    "state",  "move",    "ask",     "restore", "improve",
                                 "retry",   "change", "remove",  "switch",  "send",    "wait"};

TEST_CASE("each error code is explained: what it means, why, and what to do") {
  REQUIRE(all_codes().size() > 50);
  for (const auto& code : all_codes()) {
    CAPTURE(code.name);
    const std::string text(explanation(code.code).text);
    CHECK(text.size() >= 120);
    CHECK(text.size() <= 600);
    CHECK(sentences(text) >= 2);
    CHECK(text.ends_with('.'));
    CHECK(std::isupper(static_cast<unsigned char>(text[0])));
    CHECK(text.find("  ") == std::string::npos);
    const std::string words = " " + lower(text);
    CHECK(std::ranges::any_of(kActions, [&](const char* action) {
      const std::string verb(action);
      for (const char* before : {". ", ", ", "; ", "and ", "or "})
        if (words.find(before + verb + " ") != std::string::npos) return true;
      return false;
    }));
    CHECK(code.explanation.ends_with('.'));
  }
}

TEST_CASE("codes about definitions show what is wrong and what to write") {
  for (const auto& code : all_codes()) {
    CAPTURE(code.name);
    const int range = static_cast<int>(code.code) / 100;
    const std::string_view example = explanation(code.code).example;
    if (range < 3 || range > 5) continue;
    REQUIRE_FALSE(example.empty());
    if (code.code != Code::no_project) CHECK(example.find(" → ") != std::string_view::npos);
  }
}

TEST_CASE("no two codes have the same text") {
  for (const auto& a : all_codes())
    for (const auto& b : all_codes())
      if (a.code != b.code) CHECK(explanation(a.code).text != explanation(b.code).text);
}

}  // namespace
}  // namespace coeval
