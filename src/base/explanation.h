#pragma once

#include <string_view>

#include "base/error_code.h"

namespace coeval {

/// What `coeval explain C0412` says beyond the sentence in the table of codes.
struct Explanation {
  /// What it means, a typical cause, and what to do: whole sentences.
  std::string_view text;
  /// Of codes about a definition: lines of coeval.toml, or a part of them, that give the error, and
  /// behind "→" what to write instead. Empty for others.
  std::string_view example;
};
Explanation explanation(Code code);

}  // namespace coeval
