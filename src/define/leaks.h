#pragma once

#include <vector>

#include "define/draft.h"
#include "define/inputs.h"
#include "define/question_keys.h"

namespace coeval::define {

// Leak analysis (semantics: D2). Everything that is read has a known time; it must be provable that
// it is not after the moment at which it is read. All errors have Code::leak and name the path.

/// Views: an event counts once its row is known, so each column that a view reads, or that finds
/// the key of a lookup for it, must be known by then. What a lookup says was known before the
/// event. (T3)
void check_view_leaks(const Draft& draft, Diagnostics& errors);

/// What checking needs of a label beyond the model: places and texts for messages.
struct LabelNotes {
  SourcePosition position;
  std::string matures_text;  ///< `known` as written
};

/// A model: question columns, and keys of views, known at the question's time, through all that
/// keys are found by; inputs that give the label away.
void check_model_leaks(const Draft& draft, const Model& model, const WideRow& row,
                       const std::vector<WideInput>& inputs, const QuestionKeys& keys,
                       const QuestionScope& scope, const LabelNotes& label, Diagnostics& errors);

/// When all of these columns of a row are known; null where the source's own known time is broken.
ExprPtr columns_known(const Source& source, const std::vector<int>& columns);

/// When a model's label is known: when the last column that it reads is and, for a label that
/// events bring, the event; not before its declared maturity.
ExprPtr label_known(const Draft& draft, const Model& model);

}  // namespace coeval::define
