#include "quality/pattern_program.h"

#include <map>
#include <ranges>
#include <tuple>
#include <unordered_map>

namespace coeval::quality {

namespace {

using Bytes = PatternProgram::Bytes;
using Kind = PatternProgram::Kind;
using Step = PatternProgram::Step;

// Writes a pattern from its end to its beginning: each part is told what follows it.
class Compiler {
 public:
  explicit Compiler(std::size_t most_steps) : most_steps_(most_steps) {}

  std::optional<PatternProgram> compile(const Pattern& pattern) {
    program_.start = part(pattern, add({.kind = Kind::match}));
    if (too_large()) return std::nullopt;
    return std::move(program_);
  }

 private:
  bool too_large() const { return program_.steps.size() > most_steps_ || parts_ > 4 * most_steps_; }

  std::uint32_t add(const Step& step) {
    if (!too_large()) program_.steps.push_back(step);
    return static_cast<std::uint32_t>(program_.steps.size() - 1);
  }
  std::uint32_t fork(std::uint32_t next, std::uint32_t other) {
    return add({.kind = Kind::fork, .next = next, .other = other});
  }
  std::uint32_t take(const Bytes& bytes, std::uint32_t next) {
    const auto [at, added] =
        set_of_.emplace(bytes, static_cast<std::uint32_t>(program_.sets.size()));
    if (added) program_.sets.push_back(bytes);
    return add({.kind = Kind::bytes, .set = at->second, .next = next});
  }

  // Where the part begins that leads to `next`.
  std::uint32_t part(const Pattern& pattern, std::uint32_t next) {
    ++parts_;  // repeats of nothing take no steps, but time
    if (too_large()) return next;
    switch (pattern.kind) {
      case Pattern::Kind::characters:
        return characters(pattern.characters, next);
      case Pattern::Kind::byte:
        return take(Bytes().set(), next);
      case Pattern::Kind::assertion:
        program_.has_assertions = true;
        return add({.kind = Kind::assertion, .asserts = pattern.assertion, .next = next});
      case Pattern::Kind::sequence:
        for (const Pattern& inner : pattern.parts | std::views::reverse) next = part(inner, next);
        return next;
      case Pattern::Kind::choice:
        return choice(pattern, next);
      case Pattern::Kind::repeat:
        break;
    }
    return repeat(pattern, next);
  }

  std::uint32_t choice(const Pattern& pattern, std::uint32_t next) {
    std::uint32_t all = part(pattern.parts[0], next);
    for (std::size_t i = 1; i < pattern.parts.size(); ++i)
      all = fork(all, part(pattern.parts[i], next));
    return all;
  }

  std::uint32_t repeat(const Pattern& pattern, std::uint32_t next) {
    const Pattern& once = pattern.parts[0];
    if (pattern.most == Pattern::kEndless) {
      const std::uint32_t again = fork(next, next);
      const std::uint32_t body = part(once, again);
      program_.steps[again].next = body;
      next = again;
    } else {
      const std::uint32_t end = next;
      for (std::uint32_t i = pattern.least; i < pattern.most && !too_large(); ++i)
        next = fork(part(once, next), end);
    }
    for (std::uint32_t i = 0; i < pattern.least && !too_large(); ++i) next = part(once, next);
    return next;
  }

  // The texts of the characters share their ends, and what begins alike is one step.
  std::uint32_t characters(const CodePoints& points, std::uint32_t next) {
    std::map<std::tuple<ByteRange, std::uint32_t>, std::uint32_t> ends;
    std::map<std::uint32_t, Bytes> firsts;  // by what follows
    utf8_ranges(points, [&](std::span<const ByteRange> text) {
      std::uint32_t after = next;
      for (const ByteRange range : text.subspan(1) | std::views::reverse) {
        const auto [at, added] = ends.emplace(std::tuple(range, after), 0);
        if (added) at->second = take(bytes_of(range), after);
        after = at->second;
      }
      firsts[after] |= bytes_of(text[0]);
    });
    std::optional<std::uint32_t> all;
    for (const auto& [after, bytes] : firsts) {
      const std::uint32_t one = take(bytes, after);
      all = all ? fork(*all, one) : one;
    }
    return all ? *all : add({.kind = Kind::dead});
  }

  static Bytes bytes_of(ByteRange range) {
    Bytes bytes;
    for (unsigned byte = range.first; byte <= range.last; ++byte) bytes.set(byte);
    return bytes;
  }

  const std::size_t most_steps_;
  std::size_t parts_ = 0;
  PatternProgram program_;
  std::unordered_map<Bytes, std::uint32_t> set_of_;
};

}  // namespace

std::optional<PatternProgram> compile_pattern(const Pattern& pattern, std::size_t most_steps) {
  return Compiler(most_steps).compile(pattern);
}

}  // namespace coeval::quality
