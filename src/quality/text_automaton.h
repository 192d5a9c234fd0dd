#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace coeval::quality {

/// A pattern as a deterministic automaton over bytes, for the shapes that codes and identifiers
/// have: characters, classes, groups, alternatives, repeats, "." (any character but a line feed).
/// It says of well-formed UTF-8 what RE2::FullMatch says, at one table look-up a byte and whatever
/// the text; text_automaton_test.cc compares the two. Of other text it says nothing of use.
class TextAutomaton {
 public:
  /// Nothing for a pattern with anything else in it (flags, assertions inside, character classes by
  /// name, characters beyond ASCII), or too large: RE2 is asked then.
  static std::optional<TextAutomaton> compile(std::string_view pattern);

  bool matches(std::string_view text) const {
    unsigned state = kStart;
    for (const char c : text) {
      state = next_[state * classes_ + class_of_[static_cast<unsigned char>(c)]];
      if (state == kDead) return false;
    }
    return accepting_[state] != 0;
  }
  std::size_t state_count() const { return accepting_.size(); }

 private:
  static constexpr unsigned kDead = 0, kStart = 1;
  TextAutomaton() = default;
  friend class AutomatonBuilder;
  std::array<std::uint8_t, 256> class_of_{};  // bytes that no state tells apart are of one class
  unsigned classes_ = 0;
  std::vector<std::uint8_t> next_;  // by state and class
  std::vector<std::uint8_t> accepting_;
};

}  // namespace coeval::quality
