#include "training/model_card_parts.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <initializer_list>
#include <limits>
#include <map>

#include "define/model_metrics.h"
#include "quality/proposal.h"
#include "training/gates.h"
#include "training/model_card_plots.h"
#include "training/model_card_words.h"

namespace coeval::training {
namespace {

using data::Json;

// In the order in which a report is read, with the names that people give them.
constexpr std::pair<const char*, const char*> kMetricNames[] = {
    {"auc", "AUC"},
    {"average_precision", "average precision"},
    {"log_loss", "log loss"},
    {"brier", "Brier score"},
    {"calibration_error", "calibration error"},
    {"accuracy", "accuracy"},
    {"precision", "precision"},
    {"recall", "recall"},
    {"f1", "F1"},
};
// The same of a regression.
constexpr std::pair<const char*, const char*> kNumberMetricNames[] = {
    {"rmse", "RMSE"},    {"mae", "MAE"},   {"pinball", "pinball loss"},
    {"r_squared", "R²"}, {"mape", "MAPE"}, {"wape", "WAPE"},
};

// The same of a multiclass model.
constexpr std::pair<const char*, const char*> kClassMetricNames[] = {
    {"log_loss", "log loss"},   {"accuracy", "accuracy"},       {"macro_f1", "macro F1"},
    {"macro_auc", "macro AUC"}, {"weighted_f1", "weighted F1"},
};

// The same of a ranking.
constexpr std::pair<const char*, const char*> kQueryMetricNames[] = {
    {"ndcg", "NDCG"}, {"map", "MAP"}, {"mrr", "MRR"}, {"hit_rate", "hit rate"}};

std::string metric_name(std::string_view metric) {
  for (const auto& [key, text] : kMetricNames)
    if (metric == key) return text;
  for (const auto& [key, text] : kNumberMetricNames)
    if (metric == key) return text;
  for (const auto& [key, text] : kClassMetricNames)
    if (metric == key) return text;
  for (const auto& [key, text] : kQueryMetricNames)
    if (metric == key) return text;
  return std::string(metric);
}

std::optional<double> number_of(const Json* json) {
  if (json == nullptr) return std::nullopt;
  if (json->real() != nullptr) return *json->real();
  if (json->integer() != nullptr) return static_cast<double>(*json->integer());
  return std::nullopt;
}

std::string signed_text(double value, int digits) {
  const std::string text = fixed_text(value, digits);
  return std::isfinite(value) && value >= 0 ? "+" + text : text;
}

std::vector<double> numbers_of(const Json& json, std::string_view key) {
  std::vector<double> numbers;
  const Json* found = json.find(key);
  if (found == nullptr || found->array() == nullptr) return numbers;
  for (const Json& each : *found->array()) numbers.push_back(number_of(&each).value_or(0));
  return numbers;
}

std::vector<PlotPoint> points_of(const Json& curves, std::string_view x_key,
                                 std::string_view y_key) {
  const auto x = numbers_of(curves, x_key), y = numbers_of(curves, y_key);
  std::vector<PlotPoint> points;
  for (std::size_t i = 0; i < std::min(x.size(), y.size()); ++i) points.push_back({x[i], y[i]});
  return points;
}

/// The four counts at the threshold.
struct Counts {
  double true_positives, false_positives, false_negatives, true_negatives;
};

std::optional<Counts> counts_at_threshold(const Json& part) {
  const Json* json = part.find("confusion");
  if (json == nullptr) return std::nullopt;
  std::array<double, 4> found{};
  constexpr std::array<const char*, 4> kKeys = {"true_positives", "false_positives",
                                                "false_negatives", "true_negatives"};
  for (std::size_t i = 0; i < kKeys.size(); ++i) {
    const auto count = number_of(json->find(kKeys[i]));
    if (!count) return std::nullopt;
    found[i] = *count;
  }
  return Counts{found[0], found[1], found[2], found[3]};
}

std::optional<PlotPoint> mark_at(double x_part, double x_all, double y_part, double y_all) {
  if (!(x_all > 0) || !(y_all > 0)) return std::nullopt;
  return PlotPoint{x_part / x_all, y_part / y_all, "at the threshold"};
}

CardPlot roc_plot(const Json& part, std::vector<PlotPoint> points) {
  CurvePlot plot{.title = "ROC curve",
                 .description =
                     "Share of the positives found against share of the negatives "
                     "flagged, on the test part; AUC " +
                     metric_text(part, "auc") + ".",
                 .x_name = "false positive rate",
                 .y_name = "true positive rate",
                 .points = std::move(points),
                 .guide = {{0, 0}, {1, 1}},
                 .mark = {}};
  if (const auto at = counts_at_threshold(part))
    plot.mark = mark_at(at->false_positives, at->false_positives + at->true_negatives,
                        at->true_positives, at->true_positives + at->false_negatives);
  return draw_curve(plot, 1);
}

CardPlot recall_plot(const Json& part, std::vector<PlotPoint> points) {
  CurvePlot plot{.title = "Precision and recall",
                 .description = "Precision against recall on the test part; average precision " +
                                metric_text(part, "average_precision") +
                                ". The dashed line is the share of positives.",
                 .x_name = "recall",
                 .y_name = "precision",
                 .points = std::move(points),
                 .guide = {},
                 .mark = {}};
  const auto rows = count_of(part, "rows"), positives = count_of(part, "positives");
  if (rows && positives && *rows > 0) {
    const double share = static_cast<double>(*positives) / static_cast<double>(*rows);
    plot.guide = {{0, share}, {1, share}};
  }
  if (const auto at = counts_at_threshold(part))
    plot.mark = mark_at(at->true_positives, at->true_positives + at->false_negatives,
                        at->true_positives, at->true_positives + at->false_positives);
  return draw_curve(plot, 2);
}

std::optional<CardPlot> calibration_plot(const Json& part) {
  const Json* bins = part.find("calibration_bins");
  if (bins == nullptr || bins->array() == nullptr) return std::nullopt;
  CurvePlot plot{.title = "Calibration",
                 .description =
                     "Share of positives against the mean score, in bins of equally many "
                     "test rows; on the dashed line scores are probabilities. "
                     "Calibration error " +
                     metric_text(part, "calibration_error") + ".",
                 .x_name = "mean score",
                 .y_name = "share of positives",
                 .points = {},
                 .guide = {},
                 .mark = {},
                 .dots = true,
                 .most = 0};
  for (const Json& bin : *bins->array()) {
    const auto score = number_of(bin.find("mean_score")),
               share = number_of(bin.find("positive_share"));
    const auto rows = count_of(bin, "count");
    if (!score || !share || !rows || *rows == 0) continue;
    plot.points.push_back({*score, *share,
                           quality::with_separators(*rows) + " rows: mean score " +
                               fixed_text(*score, 4) + ", share " + fixed_text(*share, 4)});
    plot.most = std::max({plot.most, *score, *share});
  }
  if (plot.points.empty()) return std::nullopt;
  const double end = std::min(plot.most, 1.0);
  plot.guide = {{0, 0}, {end, end}};
  return draw_curve(plot, 3);
}

std::string params_text(const Json& params) {
  std::string out;
  if (params.object() == nullptr) return "–";
  if (params.object()->empty()) return "as defined";
  for (const auto& [name, value] : *params.object())
    out += (out.empty() ? "" : ", ") + name + " = " +
           (value.string() != nullptr ? *value.string() : value.dump());
  return out;
}

}  // namespace

std::string fixed_text(double value, int digits) {
  if (!std::isfinite(value)) return "–";
  std::array<char, 400> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value,
                                 std::chars_format::fixed, digits);
  return {text.data(), end.ptr};
}

std::optional<std::int64_t> count_of(const Json& json, std::string_view key) {
  const Json* found = json.find(key);
  if (found == nullptr || found->integer() == nullptr) return std::nullopt;
  return *found->integer();
}

std::string count_text(const Json& json, std::string_view key) {
  const auto found = count_of(json, key);
  return found ? quality::with_separators(*found) : "–";
}

std::string metric_text(const Json& json, std::string_view key) {
  const auto found = number_of(json.find(key));
  return found ? fixed_text(*found, 5) : "–";
}

std::string share_text(std::optional<std::int64_t> part, std::optional<std::int64_t> all) {
  if (!part || !all || *all <= 0) return "–";
  return fixed_text(100 * static_cast<double>(*part) / static_cast<double>(*all), 1) + " %";
}

CardText count(std::int64_t rows) { return number(quality::with_separators(rows)); }

std::optional<std::int64_t> end_of(const define::Split& split, SplitPart part) {
  const auto given = [](std::int64_t us) {
    return us == 0 ? std::optional<std::int64_t>() : std::optional(us);
  };
  switch (part) {
    case SplitPart::train:
      return split.train_until_us;
    case SplitPart::validate:
      return split.validate_until_us;
    case SplitPart::calibrate:
      return given(split.calibrate_until_us);
    case SplitPart::threshold:
      return given(split.threshold_until_us);
    case SplitPart::test:
      return split.test_until_us;
    default:
      return std::nullopt;
  }
}

std::string threshold_text(const define::Model& model) {
  using Rule = define::ThresholdRule::Kind;
  const define::ThresholdRule& rule = model.training.threshold_rule;
  switch (rule.kind) {
    case Rule::least_cost:
      return "the cheapest of its own part, where a false positive costs " +
             fixed_text(rule.false_positive, 2) + " and a false negative " +
             fixed_text(rule.false_negative, 2);
    case Rule::precision:
      return "the one with the most recall of its own part that keeps a precision of " +
             fixed_text(rule.floor, 3);
    case Rule::recall:
      return "the one with the most precision of its own part that keeps a recall of " +
             fixed_text(rule.floor, 3);
    case Rule::fixed:
      break;
  }
  return "set in the definition";
}

CardTable training_table(const define::Model& model, const models::ModelCard& card) {
  CardTable table{"", {{"setting"}, {"value"}}, {}};
  const auto add = [&](std::string name, CardText value) {
    table.rows.push_back({{std::move(name)}, std::move(value)});
  };
  const define::TrainingOptions& options = model.training;
  add("trainer", {card.engine});
  std::string params;
  for (const auto& [name, value] : model.params)
    params += (params.empty() ? "" : ", ") + name + " = " + value;
  const bool searched = options.search.trials > 0;
  add(searched ? "parameters before the search" : "parameters", {params});
  if (const auto rounds = count_of(card.details, "rounds_used"))
    add("rounds", {std::to_string(*rounds) +
                   (model.early_stopping_rounds > 0 ? " kept by early stopping" : "")});
  add("seed", {std::to_string(model.seed)});
  if (options.weight) add("row weights", code(plain_text(*options.weight)));
  if (options.class_weights.balanced)
    add("class weights", {"balanced"});
  else if (options.class_weights.given())
    add("class weights", {"negative " + fixed_text(options.class_weights.negative, 3) +
                          ", positive " + fixed_text(options.class_weights.positive, 3)});
  for (const define::Monotone& monotone : options.monotone)
    add("monotone", {monotone.input + (monotone.direction > 0 ? " increasing" : " decreasing")});
  if (model.kind == define::ModelKind::regression)
    add("loss", {define::loss_text(model.loss)});
  else if (model.kind == define::ModelKind::ranking)
    add("loss", {"LambdaMART's, by NDCG"});
  else if (!card.calibration)
    add("calibration", {"none"});
  else if (card.calibration->kind == stats::CalibrationMap::Kind::platt)
    add("calibration", {"Platt's sigmoid"});
  else
    add("calibration", {"isotonic, " + std::to_string(card.calibration->scores.size()) + " knots"});
  return table;
}

CardTable trials_table(const Json::Array& trials, const std::string& metric, std::size_t most) {
  CardTable table{
      "The best of " + std::to_string(trials.size()) +
          " trials of the search, by the validation part's " + metric_name(metric),
      {{"trial"}, {"state"}, number(metric_name(metric)), number("us a row"), {"parameters"}},
      {}};
  for (std::size_t i = 0; i < std::min(trials.size(), most); ++i) {
    const Json& trial = trials[i];
    const Json* state = trial.find("state");
    const Json* params = trial.find("params");
    const std::string state_text =
        state != nullptr && state->string() != nullptr ? *state->string() : "–";
    const auto latency = number_of(trial.find("latency_us"));
    // A loss is what a search makes small: of a metric that should be high, its negative. A trial
    // that was given up has none.
    const auto loss = number_of(trial.find("loss"));
    const bool measured = loss && (state_text == "finished" || state_text == "too slow");
    table.rows.push_back(
        {{count_text(trial, "trial")},
         {state_text},
         number(measured ? fixed_text(higher_is_better(metric) ? -*loss : *loss, 5) : "–"),
         number(measured && latency ? fixed_text(*latency, 3) : "–"),
         {params == nullptr ? "–" : params_text(*params)}});
  }
  return table;
}

namespace {

void add_interval_column(CardTable& table, const Json& intervals,
                         const std::vector<std::string>& keys) {
  table.columns.push_back(number("95 % interval"));
  table.rows[0].push_back({""});
  table.rows[1].push_back({""});
  for (std::size_t i = 0; i < keys.size(); ++i) {
    const Json* ends = intervals.find(keys[i]);
    table.rows[i + 2].push_back(number(ends == nullptr ? "–"
                                                       : metric_text(*ends, "lower") + " to " +
                                                             metric_text(*ends, "upper")));
  }
}

}  // namespace

CardTable metrics_table(const Json& metrics, std::span<const SplitPart> parts,
                        const define::Model& model) {
  const bool regression = model.kind == define::ModelKind::regression;
  const bool multiclass = model.kind == define::ModelKind::multiclass;
  const bool ranking = model.kind == define::ModelKind::ranking;
  CardTable table{"",
                  {{"metric"}},
                  {{{"rows"}},
                   {{regression   ? "mean of the label"
                     : multiclass ? "classes with an AUC"
                     : ranking    ? "queries with a relevant row"
                                  : "positive"}}}};
  std::vector<std::string> keys;
  const auto add = [&](const auto& names) {
    for (const auto& [key, text] : names) {
      const auto own = define::gate_metrics(model);
      if (std::ranges::count(own, std::string_view(key)) == 0) continue;
      table.rows.push_back({{text}});
      keys.emplace_back(key);
    }
  };
  if (multiclass)
    add(kClassMetricNames);
  else if (ranking)
    add(kQueryMetricNames);
  else
    regression ? add(kNumberMetricNames) : add(kMetricNames);
  for (const define::Metric& metric : model.metrics) {
    table.rows.push_back({code(metric.name)});
    keys.push_back(metric.name);
  }
  for (const SplitPart part : parts) {
    const Json* json = metrics.find(name(part));
    if (json == nullptr) continue;
    table.columns.push_back(number(std::string(name(part))));
    table.rows[0].push_back(number(count_text(*json, "rows")));
    table.rows[1].push_back(number(regression   ? metric_text(*json, "label_mean")
                                   : multiclass ? count_text(*json, "classes_with_auc")
                                   : ranking    ? count_text(*json, "queries")
                                                : count_text(*json, "positives")));
    std::size_t row = 2;
    for (const auto& key : keys) table.rows[row++].push_back(number(metric_text(*json, key)));
    if (part == SplitPart::test && json->find("intervals") != nullptr)
      add_interval_column(table, *json->find("intervals"), keys);
  }
  return table;
}

std::optional<CardTable> confusion_table(const Json& part) {
  const auto at = counts_at_threshold(part);
  if (!at) return std::nullopt;
  const auto cell = [](double value) { return count(std::llround(value)); };
  return CardTable{"Decisions on the test part at the threshold",
                   {{"label"}, number("decided true"), number("decided false")},
                   {{{"true"}, cell(at->true_positives), cell(at->false_negatives)},
                    {{"false"}, cell(at->false_positives), cell(at->true_negatives)}}};
}

CardTable comparison_table(const std::vector<Comparison>& comparisons) {
  CardTable table{"95 % intervals by the paired bootstrap",
                  {{"metric"},
                   number("this"),
                   number("champion"),
                   number("improvement"),
                   number("interval"),
                   number("p"),
                   {"drawn"}},
                  {}};
  for (const Comparison& each : comparisons)
    table.rows.push_back({{metric_name(each.metric)},
                          number(fixed_text(each.candidate, 5)),
                          number(fixed_text(each.champion, 5)),
                          number(signed_text(each.improvement, 5)),
                          number(signed_text(each.lower, 5) + " to " + signed_text(each.upper, 5)),
                          number(fixed_text(each.p_value, 4)),
                          {quality::with_separators(each.units) + " by " + each.unit + ", " +
                           quality::with_separators(each.replicates) + " times"}});
  return table;
}

CardTable slice_comparison_table(const std::vector<SliceComparison>& comparisons, std::size_t most,
                                 const std::function<bool(const std::string&)>& hides) {
  CardTable table{"Slice by slice, the least better first; p by Holm over all slices",
                  {{"slice"},
                   {"value"},
                   {"metric"},
                   number("improvement"),
                   number("interval"),
                   number("p"),
                   number("p by Holm"),
                   {"drawn"}},
                  {}};
  std::vector<const SliceComparison*> order;
  for (const SliceComparison& each : comparisons) order.push_back(&each);
  std::ranges::stable_sort(order, [](const auto* a, const auto* b) {
    return a->comparison.improvement < b->comparison.improvement;
  });
  for (std::size_t i = 0; i < std::min(order.size(), most); ++i) {
    const Comparison& each = order[i]->comparison;
    table.rows.push_back({code(order[i]->slice),
                          {hides(order[i]->slice) ? "(personal: not shown)" : order[i]->value},
                          {metric_name(each.metric)},
                          number(signed_text(each.improvement, 5)),
                          number(signed_text(each.lower, 5) + " to " + signed_text(each.upper, 5)),
                          number(fixed_text(each.p_value, 4)),
                          number(fixed_text(order[i]->adjusted_p, 4)),
                          {quality::with_separators(each.units) + " by " + each.unit}});
  }
  return table;
}

CardTable slices_table(std::span<const SliceEvidence* const> slices, define::ModelKind kind,
                       const std::string& metric, std::size_t most,
                       const std::function<bool(const std::string&)>& hides) {
  const bool regression = kind == define::ModelKind::regression;
  const bool binary = kind == define::ModelKind::binary;
  std::vector<std::string> shown = {"auc", "average_precision", "log_loss", "calibration_error"};
  if (kind == define::ModelKind::multiclass) shown = {"log_loss", "accuracy", "macro_f1"};
  if (kind == define::ModelKind::ranking) shown = {"ndcg", "map", "mrr"};
  if (regression) shown = {"rmse", "mae", "r_squared"};
  if (std::ranges::find(shown, metric) == shown.end()) shown.insert(shown.begin(), metric);
  CardTable table{"Of the test part, the worst " + metric_name(metric) + " first",
                  {{"slice"}, {"value"}, number("rows")},
                  {}};
  if (binary) table.columns.push_back(number("positive"));
  for (const std::string& each : shown) table.columns.push_back(number(metric_name(each)));
  for (std::size_t i = 0; i < std::min(slices.size(), most); ++i) {
    const SliceEvidence& slice = *slices[i];
    std::vector<CardText> row = {code(slice.slice),
                                 {hides(slice.slice) ? "(personal: not shown)" : slice.value},
                                 count(slice.rows)};
    if (binary) row.push_back(number(share_text(slice.positives, slice.rows)));
    for (const std::string& each : shown) {
      const auto found = slice.metrics.find(each);
      const auto interval = slice.intervals.find(each);
      std::string text = found == slice.metrics.end() ? "–" : fixed_text(found->second, 5);
      if (interval != slice.intervals.end())
        text += " [" + fixed_text(interval->second.lower, 4) + ", " +
                fixed_text(interval->second.upper, 4) + "]";
      row.push_back(number(text));
    }
    table.rows.push_back(std::move(row));
  }
  return table;
}

namespace {

// Ends of an axis that holds these numbers.
std::pair<double, double> ends_of(std::initializer_list<const std::vector<double>*> lists) {
  double least = std::numeric_limits<double>::infinity(), most = -least;
  for (const auto* list : lists)
    for (const double value : *list) {
      least = std::min(least, value);
      most = std::max(most, value);
    }
  return {least, most};
}

// What a regression's test part holds for its plots, by bins of the prediction.
struct PredictionBins {
  explicit PredictionBins(const Json& plots)
      : counts(numbers_of(plots, "count")),
        predictions(numbers_of(plots, "mean_prediction")),
        labels(numbers_of(plots, "mean_label")),
        lower(numbers_of(plots, "lower_label")),
        upper(numbers_of(plots, "upper_label")) {}
  bool usable() const {
    const std::size_t size = predictions.size();
    return size > 0 && counts.size() == size && labels.size() == size && lower.size() == size &&
           upper.size() == size;
  }
  // Each list, less the prediction where residuals are drawn.
  std::vector<double> drawn(const std::vector<double>& of, bool residuals) const {
    std::vector<double> all;
    for (std::size_t i = 0; i < of.size(); ++i)
      all.push_back(residuals ? of[i] - predictions[i] : of[i]);
    return all;
  }
  std::vector<double> counts, predictions, labels, lower, upper;
};

CardPlot bins_plot(const PredictionBins& bins, bool residuals, int id) {
  const auto labels = bins.drawn(bins.labels, residuals), lower = bins.drawn(bins.lower, residuals),
             upper = bins.drawn(bins.upper, residuals);
  const auto [least_x, most_x] = ends_of({&bins.predictions});
  const auto [least_y, most_y] = residuals ? ends_of({&labels, &lower, &upper})
                                           : ends_of({&labels, &lower, &upper, &bins.predictions});
  BandPlot plot{.title = residuals ? "Residuals" : "Predicted and actual",
                .description =
                    residuals
                        ? "Label less prediction against the prediction, in bins of equally many "
                          "test rows: mean, and the band of the middle 80 % of them. On the dashed "
                          "line predictions are right."
                        : "The label against the prediction, in bins of equally many test rows: "
                          "mean, and the band of the middle 80 % of labels. On the dashed line "
                          "predictions are right.",
                .x_name = "prediction",
                .y_name = residuals ? "label less prediction" : "label",
                .points = {},
                .lower = {},
                .upper = {},
                .guide = {{least_x, residuals ? 0 : least_x}, {most_x, residuals ? 0 : most_x}}};
  for (std::size_t i = 0; i < labels.size(); ++i) {
    plot.points.push_back({bins.predictions[i], labels[i],
                           quality::with_separators(std::llround(bins.counts[i])) +
                               " rows: mean prediction " + fixed_text(bins.predictions[i], 4) +
                               ", mean label " + fixed_text(bins.labels[i], 4)});
    plot.lower.push_back({bins.predictions[i], lower[i]});
    plot.upper.push_back({bins.predictions[i], upper[i]});
  }
  plot.least_x = least_x;
  plot.most_x = most_x;
  plot.least_y = residuals ? std::min(least_y, 0.0) : least_y;
  plot.most_y = residuals ? std::max(most_y, 0.0) : most_y;
  return draw_band(plot, id);
}

std::vector<CardPlot> regression_plots(const Json& plots) {
  std::vector<CardPlot> drawn;
  if (const PredictionBins bins(plots); bins.usable()) {
    drawn.push_back(bins_plot(bins, false, 1));
    drawn.push_back(bins_plot(bins, true, 2));
  }
  const auto counts = numbers_of(plots, "residuals");
  const auto least = number_of(plots.find("residual_least")),
             most = number_of(plots.find("residual_most"));
  if (!counts.empty() && least && most)
    drawn.push_back(
        draw_numbers({.title = "Distribution of the residuals",
                      .description = "Test rows by label less prediction; the first and "
                                     "the last bar hold what lies beyond.",
                      .x_name = "label less prediction",
                      .counts = counts,
                      .least = *least,
                      .most = *most},
                     3));
  return drawn;
}

}  // namespace

std::vector<CardPlot> test_plots(const Json& part, double threshold) {
  if (const Json* plots = part.find("plots")) return regression_plots(*plots);
  std::vector<CardPlot> plots;
  const Json* curves = part.find("curves");
  if (curves != nullptr) {
    auto roc = points_of(*curves, "false_positive_rate", "true_positive_rate");
    if (!roc.empty()) plots.push_back(roc_plot(part, std::move(roc)));
    auto recall = points_of(*curves, "recall", "precision");
    if (!recall.empty()) plots.push_back(recall_plot(part, std::move(recall)));
  }
  if (auto plot = calibration_plot(part)) plots.push_back(std::move(*plot));
  if (curves == nullptr) return plots;
  ClassHistogram histogram{
      .title = "Scores by class",
      .description =
          "How the test part's scores are spread, as shares of each class; the "
          "dashed line is the threshold.",
      .positives = numbers_of(*curves, "histogram_positives"),
      .negatives = numbers_of(*curves, "histogram_negatives"),
      .threshold = threshold};
  if (!histogram.positives.empty() && histogram.positives.size() == histogram.negatives.size())
    plots.push_back(draw_histogram(histogram, 4));
  return plots;
}

CardPlot importance_plot(const define::Model& model, const Importance& importance) {
  constexpr std::size_t kMostBars = 25;
  RankedBars plot{
      .title = "Importance of the inputs",
      .description = std::string("Mean size of each input's contribution to ") +
                     (model.kind == define::ModelKind::regression   ? "the prediction; "
                      : model.kind == define::ModelKind::multiclass ? "the margins of all classes; "
                      : model.kind == define::ModelKind::ranking    ? "the score; "
                                                                    : "the margin, in log odds; ") +
                     "the table above has the same numbers.",
      .bars = {}};
  for (std::size_t i = 0; i < std::min(model.inputs.size(), importance.mean_size.size()); ++i)
    plot.bars.push_back(
        {model.inputs[i].name, fixed_text(importance.mean_size[i], 4), importance.mean_size[i]});
  std::ranges::stable_sort(plot.bars, std::greater<>(), &RankedBars::Bar::length);
  if (plot.bars.size() > kMostBars) {
    plot.bars.resize(kMostBars);
    plot.title += ", the first " + std::to_string(kMostBars);
  }
  return draw_bars(plot, 5);
}

}  // namespace coeval::training
