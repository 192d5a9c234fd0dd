#pragma once

#include <memory>
#include <string>
#include <vector>

#include "data/value.h"
#include "define/expr.h"

namespace coeval::define {

/// An expression as written, before names and types are known.
struct Syntax {
  enum class Kind : std::uint8_t {
    literal,   ///< type and value
    name,      ///< text: "delay", "origin.late_3h"
    at,        ///< the question's time
    unary,     ///< op, one argument
    binary,    ///< op, two arguments
    between,   ///< value, low, high; `negated` for not between
    in,        ///< value, then the candidates; `negated` for not in
    like,      ///< value, pattern, and perhaps the escape; `negated` for not like
    distinct,  ///< two arguments; `negated` for is not distinct from
    case_of,   ///< the operand if `has_operand`, then condition (or candidate) and value in turn,
               ///< then the rest if `has_else`
    cast,      ///< value; `type` is the target, text "cast" or "try_cast"
    call,      ///< text: the function; arguments
    list,      ///< the elements
  };
  Kind kind = Kind::literal;
  std::size_t begin = 0, end = 0;  ///< bytes of the text
  Op op = Op::literal;
  bool negated = false;
  bool parenthesised = false;
  bool has_operand = false, has_else = false;
  data::Type type = data::Type::null;
  data::Value value;
  std::string text;
  std::vector<std::unique_ptr<Syntax>> args;
  int depth = 1;
};
using SyntaxPtr = std::unique_ptr<Syntax>;

}  // namespace coeval::define
