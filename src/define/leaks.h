#pragma once

#include <vector>

#include "define/draft.h"
#include "define/inputs.h"

namespace coeval::define {

// Leak analysis (semantics: D2). Everything that is read has a known time; it must be provable that
// it is not after the moment at which it is read. All errors have Code::leak and name the path.

/// Views: an event counts once its row is known, so each column that a view reads must be known by
/// then. (T3)
void check_view_leaks(const Draft& draft, Diagnostics& errors);

/// A model: question columns, and keys of views, known at the question's time; inputs that give the
/// label away.
void check_model_leaks(const Draft& draft, const Model& model, const WideRow& row,
                       const std::vector<WideInput>& inputs, const QuestionScope& scope,
                       const SourcePosition& label, Diagnostics& errors);

/// When a model's label is known: when the last column that it reads is.
ExprPtr label_known(const Draft& draft, const Model& model);

}  // namespace coeval::define
