#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "define/project.h"

namespace coeval::define {

/// The metrics that gates of a model can name, by name: those of its kind; of a quantile `pinball`
/// too.
std::vector<std::string_view> gate_metrics(const Model& model);
/// Those of models of any kind.
std::vector<std::string_view> gate_metrics_of_any_kind();
/// The metric by which two models are compared where nothing is named: `auc`, that of the loss of a
/// regression, `log_loss` of a multiclass model, `ndcg` of a ranking.
std::string_view primary_metric(const Model& model);
/// The metric of a search where none is named: `log_loss`, `ndcg` of a ranking, or that of a
/// regression's loss.
std::string_view validation_metric(const Model& model);
/// Advice for a name that models of another kind have: "auc is a metric of models of kind
/// \"binary\"; this one has mae, …". Empty where no kind has it.
std::string advice_for_other_kind(std::string_view metric, const Model& model);

}  // namespace coeval::define
