#pragma once

#include "define/diagnostics.h"
#include "define/expression_text.h"
#include "define/scope.h"
#include "define/syntax.h"

namespace coeval::define {

/// Bounds on a typed expression with every feature written out.
inline constexpr int kMaxDepth = 400;
inline constexpr int kMaxNodes = 100'000;

/// Gives names and types to what was parsed and inserts casts as expr.h says. Null after an error;
/// the errors of all its parts are reported. Errors: unknown_column, unknown_name, type_error,
/// bad_call, too_deep.
ExprPtr check_syntax(const Syntax& syntax, Scope& scope, const ExpressionText& text,
                     Diagnostics& errors);

/// As check_syntax, and the result must have type `wanted`: a literal null is given it. `what` is
/// "the known time of source 'flights'", `advice` says what to write.
ExprPtr check_syntax_of(data::Type wanted, const Syntax& syntax, Scope& scope,
                        const ExpressionText& text, const std::string& what,
                        const std::string& advice, Diagnostics& errors);

/// Parses and checks in one go.
ExprPtr check_expression(const ExpressionText& text, Scope& scope, Diagnostics& errors);

/// The same for check_syntax_of.
ExprPtr check_expression_of(data::Type wanted, const ExpressionText& text, Scope& scope,
                            const std::string& what, const std::string& advice,
                            Diagnostics& errors);

}  // namespace coeval::define
