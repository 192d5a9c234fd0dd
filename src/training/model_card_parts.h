#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "data/json.h"
#include "define/project.h"
#include "models/model_folder.h"
#include "training/evidence.h"
#include "training/model_card_document.h"
#include "training/model_card_importance.h"
#include "training/split.h"

namespace coeval::training {

// Tables and charts of a model card, each from what one file of the folder says. A number that is
// not there, or is none, is a dash.

std::string fixed_text(double value, int digits);  ///< "–" where it is not finite
std::optional<std::int64_t> count_of(const data::Json& json, std::string_view key);
std::string count_text(const data::Json& json, std::string_view key);   ///< "12,345"
std::string metric_text(const data::Json& json, std::string_view key);  ///< "0.67857"
std::string share_text(std::optional<std::int64_t> part,
                       std::optional<std::int64_t> all);  ///< "11.2 %"
CardText count(std::int64_t rows);

/// Where a part ends; nothing when the split has no such part.
std::optional<std::int64_t> end_of(const define::Split& split, SplitPart part);
/// "fixed in the definition", "the cheapest of its part …".
std::string threshold_text(const define::Model& model);

CardTable training_table(const define::Model& model, const models::ModelCard& card);
CardTable trials_table(const data::Json::Array& trials, const std::string& metric,
                       std::size_t most);
/// One column a part, after the test part its intervals where there are some; one row a metric,
/// those of its kind first, those of the project last.
CardTable metrics_table(const data::Json& metrics, std::span<const SplitPart> parts,
                        const define::Model& model);
/// What the threshold does to the rows of a part.
std::optional<CardTable> confusion_table(const data::Json& part);
CardTable comparison_table(const std::vector<Comparison>& comparisons);
/// The first `most` slices, those on which it is least better first; `hides` as below.
CardTable slice_comparison_table(const std::vector<SliceComparison>& comparisons, std::size_t most,
                                 const std::function<bool(const std::string&)>& hides);
/// The first `most` of them; `hides` says of which slices no value is shown.
/// Of a multiclass model's test part: each class by itself, and of its rows what was decided; of
/// more than 20 classes those with most rows.
CardTable classes_table(const data::Json& test, const std::vector<std::string>& classes);
CardTable decided_table(const data::Json& test, const std::vector<std::string>& classes);

CardTable slices_table(std::span<const SliceEvidence* const> slices, define::ModelKind kind,
                       const std::string& metric, std::size_t most,
                       const std::function<bool(const std::string&)>& hides);

/// ROC, precision and recall, calibration, scores by class; of a regression predicted and actual,
/// residuals: those whose points are there.
std::vector<CardPlot> test_plots(const data::Json& part, double threshold);
CardPlot importance_plot(const define::Model& model, const Importance& importance);

}  // namespace coeval::training
