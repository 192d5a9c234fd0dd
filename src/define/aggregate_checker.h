#pragma once

#include "define/diagnostics.h"
#include "define/expression_text.h"
#include "define/project.h"
#include "define/scope.h"

namespace coeval::define {

/// Fills all but the name of an aggregate; false after an error. (semantics: A7)
bool check_aggregate(const ExpressionText& text, Scope& scope, Aggregate& out, Diagnostics& errors);

}  // namespace coeval::define
