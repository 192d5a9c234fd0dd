#pragma once

#include <memory>
#include <optional>
#include <string_view>

#include "base/error.h"

namespace coeval::define {

/// A constant pattern, compiled once when the definition is checked.
/// Complexity: matching takes time linear in the text, and memory bounded by the pattern (RE2).
/// Threading: safe to use from any thread.
class TextPattern {
 public:
  static constexpr std::size_t kMaxCharacters = 1000;

  /// RE2's syntax, found anywhere in the text; `.` is any character but a line break.
  /// Errors: bad_call for what is no regular expression, is too long, or needs too much memory.
  static Result<std::shared_ptr<const TextPattern>> regular(std::string_view pattern);

  /// SQL's like: `%` is any text, `_` one character, both also over line breaks; the pattern is
  /// the whole text. After `escape`, a character of its own, the next one means itself.
  /// Errors: bad_call as above, and for an escape before nothing or before what needs none.
  static Result<std::shared_ptr<const TextPattern>> like(std::string_view pattern,
                                                         std::optional<std::string_view> escape);

  ~TextPattern();
  bool matches(std::string_view text) const;

 private:
  struct Compiled;
  explicit TextPattern(std::unique_ptr<Compiled> compiled);
  std::unique_ptr<Compiled> compiled_;
};

}  // namespace coeval::define
