#pragma once

#include "define/draft.h"
#include "define/leaks.h"

namespace coeval::define {

/// Reads `label` of a model whose question has been read: an expression, or a table with a maturity
/// (`known`) or with the events that bring it (`from`, `by`, `within`). Errors: type_error,
/// unknown_name, unknown_column, bad_window, and what checking an expression gives.
LabelNotes read_label(const TomlEntry& entry, const Draft& draft, Model& model,
                      Diagnostics& errors);

/// semantics: D3. A validation part in which no label can be known by its end has no rows.
/// Errors: bad_split.
void check_maturity(const TomlEntry& split, const Draft& draft, const Model& model,
                    Diagnostics& errors);

}  // namespace coeval::define
