#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/error.h"

namespace coeval::stores {

/// The file that errors in a filter name: its text is an option of the command line.
inline constexpr const char* kFilterOption = "--filter";

/// FIELD OP LITERAL, or FIELD is [not] null.
struct RunCondition {
  enum class Op : std::uint8_t {
    equal,
    unequal,
    less,
    at_most,
    greater,
    at_least,
    missing,
    present
  };
  std::string field;  ///< as written: "test.auc", "params.max_depth", "state"
  Op op = Op::equal;
  std::variant<double, std::string> literal;
  SourcePosition field_at, literal_at;
};

/// Which runs are meant. Nodes refer to each other by index; those of a node stand before it.
struct RunFilter {
  struct Node {
    enum class Kind : std::uint8_t { condition, all, any, none };
    Kind kind = Kind::condition;
    int left = -1, right = -1;  ///< `none`, a negation, has the left one only
    RunCondition condition;     ///< of `condition`
  };
  std::vector<Node> nodes;
  int root = -1;  ///< −1: every run
};

/// Reads
///
///     expression = term { "or" term }
///     term       = factor { "and" factor }
///     factor     = "not" factor | "(" expression ")" | condition
///     condition  = FIELD ( "=" | "!=" | "<" | "<=" | ">" | ">=" ) LITERAL | FIELD "is" [ "not" ]
///     "null"
///
/// FIELD is letters, digits, _ . @ (not a digit first), or any text in backquotes; LITERAL a
/// number, or a text in single or double quotes, in which the quote is doubled. The words in any
/// case. An empty text is every run. At most 10,000 bytes, 100 conditions, 50 levels. Errors:
/// expression_syntax, too_deep; with the place in the text.
Result<RunFilter> parse_run_filter(std::string_view text);

}  // namespace coeval::stores
