#pragma once

#include <optional>
#include <string>
#include <vector>

#include "define/expression_text.h"
#include "define/syntax.h"

namespace coeval::define {

inline constexpr int kMaxNesting = 200;

/// An aggregate of a view as written: "mean(delay >= 15) where distance > 1000".
struct AggregateSyntax {
  std::string function;
  std::size_t begin = 0, end = 0;  ///< of the function's name
  std::vector<SyntaxPtr> args;
  SyntaxPtr where;
};

/// Parses a whole text; null after an error. A tree is at most kMaxNesting deep, so recursion over
/// it is safe. Errors: expression_syntax, too_deep, unsupported.
SyntaxPtr parse_expression(const ExpressionText& text, Diagnostics& errors);
/// Errors: as above, and bad_call when the text is not a call.
std::optional<AggregateSyntax> parse_aggregate(const ExpressionText& text, Diagnostics& errors);

}  // namespace coeval::define
