#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace coeval::define {

/// Gathers the errors of one definition, so that a person sees all of them at once.
class Diagnostics {
 public:
  /// Adds an error. Past kMaxErrors nothing more is kept; such a file is broken as a whole.
  void report(Code code, SourcePosition position, std::string message, std::string advice = {});

  bool empty() const { return errors_.empty(); }
  /// Whether nothing more is kept, so that nothing more need be looked for.
  bool is_full() const { return errors_.size() >= kMaxErrors; }
  /// Whether the next error is still to come with a suggestion, which takes a look at every name
  /// there is: a definition with thousands of unknown names must not take their square in time.
  bool suggests() const { return before_ + errors_.size() < kMaxSuggestions; }
  /// A list of its own, for errors that may not count, which suggests no longer than this one.
  Diagnostics apart() const {
    Diagnostics own;
    own.before_ = before_ + errors_.size();
    return own;
  }
  std::size_t count() const { return errors_.size(); }
  /// The errors by position, each once: what two models say about one feature is said once.
  std::vector<Error> take();

  static constexpr std::size_t kMaxErrors = 1000;
  static constexpr std::size_t kMaxSuggestions = 50;

 private:
  std::vector<Error> errors_;
  std::size_t before_ = 0;  ///< errors of the list that this one is apart from
};

/// "did you mean 'amount'?" for the nearest candidate within a third of the word's length in edits,
/// or an empty string.
std::string did_you_mean(std::string_view word, const std::vector<std::string>& candidates);

/// "a, b, c" for advice that lists what exists; long lists are cut.
std::string listed(const std::vector<std::string>& names);

/// 'text' for a message: shortened, control characters replaced.
std::string in_quotes(std::string_view text);

}  // namespace coeval::define
