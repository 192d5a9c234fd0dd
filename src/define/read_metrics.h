#pragma once

#include <string_view>

#include "define/draft.h"

namespace coeval::define {

/// Types the metric of that name over the rows of the model's source and adds it to the model,
/// unless it is there. `score`, `decision` and `label` are the model's answer and its truth, also
/// where the row has columns of these names. False where the project has no such metric. Errors:
/// unknown_column, type_error.
bool use_metric(std::string_view name, const Draft& draft, Model& model, Diagnostics& errors);

/// The names in `metrics = [...]` of a model, and those that its gates name. Errors: unknown_name.
void read_model_metrics(const TomlEntry* list, const TomlEntry* gates, const Draft& draft,
                        Model& model, Diagnostics& errors);

/// A metric that no model names must still make sense for the questions of one, or for the rows of
/// some source where there are no models. Errors: those of its types.
void check_unused_metrics(const Draft& draft, Diagnostics& errors);

}  // namespace coeval::define
