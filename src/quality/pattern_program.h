#pragma once

#include <bitset>
#include <cstdint>
#include <optional>
#include <vector>

#include "quality/pattern_syntax.h"

namespace coeval::quality {

/// A pattern as a non-deterministic automaton over bytes: a text matches if some way from `start`
/// to a match takes all its bytes.
/// Source: K. Thompson, Regular expression search algorithm, 1968.
struct PatternProgram {
  using Bytes = std::bitset<256>;
  enum class Kind : std::uint8_t {
    match,
    bytes,      ///< takes a byte of `sets[set]`, on to `next`
    fork,       ///< takes nothing, on to `next` and to `other`
    assertion,  ///< takes nothing, on to `next` where `asserts` holds
    dead,       ///< leads nowhere
  };
  struct Step {
    Kind kind = Kind::dead;
    Pattern::Assertion asserts = Pattern::Assertion::text_begin;
    std::uint32_t set = 0, next = 0, other = 0;
  };
  std::vector<Step> steps;
  std::vector<Bytes> sets;  ///< no two alike
  std::uint32_t start = 0;
  bool has_assertions = false;
};

/// Nothing when it would take more than `most_steps`.
std::optional<PatternProgram> compile_pattern(const Pattern& pattern, std::size_t most_steps);

}  // namespace coeval::quality
