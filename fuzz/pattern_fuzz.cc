#include <re2/re2.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "quality/text_automaton.h"

// A pattern, a line feed, and texts, one a line. What RE2 accepts and an automaton is compiled for
// has RE2's verdict over each text, each of its beginnings and each text with a byte changed.

namespace {

using coeval::quality::TextAutomaton;

void compare(const TextAutomaton& automaton, const RE2& regex, std::string_view text) {
  const bool expected = RE2::FullMatch(re2::StringPiece(text.data(), text.size()), regex);
  if (automaton.matches(text) != expected) std::abort();
}

void compare_alike(const TextAutomaton& automaton, const RE2& regex, std::string_view text) {
  text = text.substr(0, 64);
  for (std::size_t size = 0; size <= text.size(); ++size)
    compare(automaton, regex, text.substr(0, size));
  std::string changed(text);
  for (std::size_t i = 0; i < changed.size(); ++i) {
    for (const unsigned flip : {0x20u, 0x01u, 0x80u}) {
      changed[i] = static_cast<char>(static_cast<unsigned char>(text[i]) ^ flip);
      compare(automaton, regex, changed);
    }
    changed[i] = text[i];
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  std::string_view rest(reinterpret_cast<const char*>(bytes), size);
  const std::string_view pattern = rest.substr(0, rest.find('\n'));
  rest.remove_prefix(std::min(rest.size(), pattern.size() + 1));
  if (pattern.size() > 60) return 0;
  RE2::Options options(RE2::Quiet);
  options.set_max_mem(std::int64_t{1} << 22);
  const RE2 regex(re2::StringPiece(pattern.data(), pattern.size()), options);
  if (!regex.ok()) return 0;
  const auto automaton = TextAutomaton::compile(pattern);
  if (!automaton) return 0;
  compare(*automaton, regex, rest);
  for (int lines = 0; lines < 8 && !rest.empty(); ++lines) {
    const std::string_view text = rest.substr(0, rest.find('\n'));
    compare_alike(*automaton, regex, text);
    rest.remove_prefix(std::min(rest.size(), text.size() + 1));
  }
  return 0;
}
