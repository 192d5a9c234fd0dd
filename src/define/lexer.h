#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "define/expression_text.h"

namespace coeval::define {

/// A word of the expression language. Keywords are case-insensitive; names are not.
struct Token {
  enum class Kind : std::uint8_t {
    end,
    integer,
    real,
    duration,
    string,
    name,
    quoted_name,
    keyword,
    symbol
  };
  Kind kind = Kind::end;
  std::string_view text;  ///< as written; keywords in lower case, "==" as "=", "!=" as "<>"
  std::size_t begin = 0, end = 0;

  bool is(Kind k, std::string_view wanted) const { return kind == k && text == wanted; }
  bool is_symbol(std::string_view wanted) const { return is(Kind::symbol, wanted); }
  bool is_keyword(std::string_view wanted) const { return is(Kind::keyword, wanted); }
};

inline constexpr std::size_t kMaxExpressionBytes = std::size_t{64} << 10;

/// Splits an expression into tokens, the last of kind `end`. Empty after an error.
/// Errors: expression_syntax, too_deep (longer than kMaxExpressionBytes).
std::vector<Token> tokenize(std::string_view text, ExpressionErrors& errors);

/// Whether a name can stand bare in an expression: letters, digits, underscore, no keyword.
bool is_plain_name(std::string_view name);

}  // namespace coeval::define
