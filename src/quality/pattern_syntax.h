#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "quality/code_points.h"

namespace coeval::quality {

/// A pattern taken apart. What only says which of several matches is meant (lazy repeats, what is
/// captured) is left out: a whole text matches or it does not.
struct Pattern {
  enum class Kind : std::uint8_t {
    characters,  ///< one of `characters`
    byte,        ///< any one byte
    assertion,   ///< nothing, but it holds here
    sequence,    ///< the parts one after the other; the empty text if there are none
    choice,      ///< one of the parts
    repeat,      ///< the only part, `least` to `most` times
  };
  enum class Assertion : std::uint8_t {
    text_begin,
    text_end,
    line_begin,
    line_end,
    word_boundary,
    no_word_boundary,
  };
  static constexpr std::uint32_t kEndless = UINT32_MAX;

  Kind kind = Kind::sequence;
  Assertion assertion = Assertion::text_begin;
  std::uint32_t least = 0, most = 0;
  CodePoints characters = {};
  std::vector<Pattern> parts = {};
};

/// Reads a pattern that RE2 accepts (with its default options) as RE2 reads it. Nothing for one
/// that is nested deeper than 100 groups or needs more of Unicode's tables than UnicodeClasses
/// answers. What RE2 refuses may or may not be read.
/// Source: RE2's description of its syntax; text_automaton_test.cc asks RE2 itself.
std::optional<Pattern> read_pattern(std::string_view pattern);

}  // namespace coeval::quality
