#include "training/gates.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <string_view>

#include "define/model_metrics.h"

namespace coeval::training {
namespace {

using define::Gate;

constexpr std::array<std::string_view, 8> kLowerIsBetter = {
    "log_loss", "brier", "calibration_error", "mae", "mape", "pinball", "rmse", "wape"};

/// The AUC, or concordance, of one input alone from which on it is taken for the label in disguise.
constexpr double kSuspicious = 0.98;
/// The same of an input that the champion does without, when it alone does better than the
/// champion.
constexpr double kSuspiciousIfNew = 0.9;

/// The fewest digits that read back to the same number.
std::string exact_text(double value) {
  char text[32];
  const auto end = std::to_chars(std::begin(text), std::end(text), value);
  return {std::begin(text), end.ptr};
}

std::string four_digits(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.4f", value);
  return text;
}

/// Four digits, or all of them where four would hide on which side of the other number it lies.
std::string text_beside(double value, double other) {
  if (value == other) return exact_text(value);
  const std::string text = four_digits(value);
  return text == four_digits(other) ? exact_text(value) : text;
}

std::string signed_text(double value) { return (value < 0 ? "" : "+") + four_digits(value); }

/// A bound in the unit that its gate is written in.
std::string bound_text(const Gate& gate) {
  if (gate.metric == "latency") return exact_text(gate.bound) + "us";
  if (gate.metric == "size") return exact_text(gate.bound / 1e6) + "MB";
  return exact_text(gate.bound);
}

std::string gate_text(const Gate& gate) {
  const std::string each = gate.worst_slice ? " on every slice" : "";
  switch (gate.kind) {
    case Gate::Kind::at_least:
      return gate.metric + " >= " + exact_text(gate.bound) + each;
    case Gate::Kind::at_most:
      return gate.metric + " <= " + bound_text(gate) + each;
    case Gate::Kind::better_than_champion:
      return gate.metric + " better_than champion";
    case Gate::Kind::not_worse_than_champion:
      return gate.metric + " not_worse_than champion by " + exact_text(gate.bound);
    case Gate::Kind::no_slice_worse:
      return gate.metric + " no_slice_worse_than champion";
    case Gate::Kind::no_slice_worse_by:
      return gate.metric + " no_slice_worse_than champion by " + exact_text(gate.bound);
  }
  return gate.metric;
}

Verdict failed(std::string gate, std::string reason) {
  return {std::move(gate), false, std::move(reason)};
}

std::string reason_for(const Evidence& evidence, const std::string& what) {
  const auto found = evidence.missing.find(what);
  return "not evaluated: " +
         (found == evidence.missing.end() ? what + " was not measured" : found->second);
}

bool holds(const Gate& gate, double value) {
  return gate.kind == Gate::Kind::at_least ? value >= gate.bound : value <= gate.bound;
}

Verdict judge_bound(const Gate& gate, const Evidence& evidence) {
  if (!evidence.test) return failed(gate_text(gate), reason_for(evidence, "test"));
  const auto value = evidence.test->find(gate.metric);
  if (value == evidence.test->end() || !std::isfinite(value->second))
    return failed(gate_text(gate),
                  "not evaluated: " + gate.metric + " is undefined on the test part");
  return {gate_text(gate), holds(gate, value->second), text_beside(value->second, gate.bound)};
}

std::string slice_text(const SliceEvidence& slice, double value, double bound) {
  return text_beside(value, bound) + " where " + slice.slice + " is " + slice.value + " (" +
         std::to_string(slice.rows) + " rows)";
}

std::string enough_rows(const Evidence& evidence) {
  return evidence.kind == define::ModelKind::binary ? "enough rows of both classes" : "enough rows";
}

// The worst of all slices must hold; one whose metric does not exist cannot be told to.
Verdict judge_slices(const Gate& gate, const Evidence& evidence) {
  const SliceEvidence* worst = nullptr;
  double worst_value = 0;
  for (const SliceEvidence& slice : evidence.slices) {
    const auto found = slice.metrics.find(gate.metric);
    if (found == slice.metrics.end() || !std::isfinite(found->second))
      return failed(gate_text(gate), "not evaluated: " + gate.metric + " is undefined where " +
                                         slice.slice + " is " + slice.value);
    const double value = found->second;
    const bool worse =
        gate.kind == Gate::Kind::at_least ? value < worst_value : value > worst_value;
    if (worst != nullptr && !worse) continue;
    worst = &slice;
    worst_value = value;
  }
  if (worst == nullptr)
    return failed(gate_text(gate), "not evaluated: no slice has " + enough_rows(evidence));
  return {gate_text(gate), holds(gate, worst_value), slice_text(*worst, worst_value, gate.bound)};
}

std::string comparison_text(const Comparison& comparison) {
  return signed_text(comparison.improvement) + " [" + signed_text(comparison.lower) + ", " +
         signed_text(comparison.upper) + "] by " + comparison.unit + " over " +
         std::to_string(comparison.units);
}

// statistics: block if the lower end is below −margin, promote if it is above 0, else "not shown
// better". "No champion yet: absolute limits only, and the report says so."
Verdict judge_against_champion(const Gate& gate, const Evidence& evidence) {
  if (evidence.first_model && !evidence.champion)
    return {gate_text(gate), true, "no champion yet: absolute limits only"};
  const auto found = std::ranges::find(evidence.comparisons, gate.metric, &Comparison::metric);
  if (found == evidence.comparisons.end())
    return failed(gate_text(gate), reason_for(evidence, "champion"));
  if (!std::isfinite(found->lower))
    return failed(gate_text(gate),
                  "not evaluated: the interval of the difference does not exist, over " +
                      std::to_string(found->units) + " units");
  const std::string text = comparison_text(*found);
  if (gate.kind == Gate::Kind::not_worse_than_champion)
    return {gate_text(gate), found->lower >= -gate.bound, text};
  const bool better = found->lower > 0;
  return {gate_text(gate), better, better ? text : text + ": not shown better"};
}

std::string where_text(const SliceComparison& slice) {
  return " where " + slice.slice + " is " + slice.value + " (p " + four_digits(slice.adjusted_p) +
         " by Holm)";
}

// Shown to be worse, at 5 % over all slices together.
bool is_shown_worse(const SliceComparison& slice) {
  return slice.comparison.improvement < 0 && slice.adjusted_p < 0.05;
}

bool holds_on(const SliceComparison& slice, const Gate& gate) {
  return gate.kind == Gate::Kind::no_slice_worse_by ? slice.comparison.lower >= -gate.bound
                                                    : !is_shown_worse(slice);
}

// The one that speaks most against the candidate.
bool is_worse(const SliceComparison& a, const SliceComparison& b, const Gate& gate) {
  if (gate.kind == Gate::Kind::no_slice_worse_by) return a.comparison.lower < b.comparison.lower;
  const bool shown_a = is_shown_worse(a), shown_b = is_shown_worse(b);
  if (shown_a != shown_b) return shown_a;
  return a.comparison.improvement < b.comparison.improvement;
}

// statistics: "several slices: Holm". With a margin each slice must hold by itself, which needs no
// correction: a candidate that is too much worse on one of them must be lucky on that one.
Verdict judge_slices_against_champion(const Gate& gate, const Evidence& evidence) {
  if (evidence.first_model && !evidence.champion)
    return {gate_text(gate), true, "no champion yet: absolute limits only"};
  if (!evidence.champion) return failed(gate_text(gate), reason_for(evidence, "champion"));
  const SliceComparison* worst = nullptr;
  std::int64_t compared = 0, bad = 0;
  for (const SliceComparison& slice : evidence.slice_comparisons) {
    if (slice.comparison.metric != gate.metric) continue;
    ++compared;
    if (!std::isfinite(slice.comparison.lower))
      return failed(gate_text(gate),
                    "not evaluated: the interval of the difference does not exist "
                    "where " +
                        slice.slice + " is " + slice.value);
    bad += holds_on(slice, gate) ? 0 : 1;
    if (worst == nullptr || is_worse(slice, *worst, gate)) worst = &slice;
  }
  if (worst == nullptr)
    return failed(gate_text(gate), "not evaluated: no slice has " + enough_rows(evidence) +
                                       " and enough units to be compared");
  const std::string of =
      std::to_string(bad) + " of " + std::to_string(compared) + " slices worse; ";
  return {gate_text(gate), bad == 0, of + comparison_text(worst->comparison) + where_text(*worst)};
}

// What the system costs, not how well it predicts.
struct Limit {
  std::string_view gate;
  std::optional<double> Evidence::* value;
  std::string_view member, unit;
  double scale;
};
constexpr std::array kLimits = {
    Limit{"latency", &Evidence::latency_us, "latency_us", "us", 1},
    Limit{"size", &Evidence::size_bytes, "size_bytes", "MB", 1e6},
    Limit{"cost_per_million", &Evidence::cost_per_million, "cost_per_million", "", 1},
};

Verdict judge_limit(const Gate& gate, const Limit& limit, const Evidence& evidence) {
  const auto& value = evidence.*limit.value;
  if (!value || !std::isfinite(*value))
    return failed(gate_text(gate), reason_for(evidence, std::string(limit.member)));
  return {gate_text(gate), *value <= gate.bound,
          text_beside(*value / limit.scale, gate.bound / limit.scale) + std::string(limit.unit)};
}

bool is_metric(std::string_view name) {
  const auto metrics = define::gate_metrics_of_any_kind();
  return std::ranges::count(metrics, name) > 0;
}

Verdict judge_one(const Gate& gate, const Evidence& evidence) {
  const auto limit = std::ranges::find(kLimits, std::string_view(gate.metric), &Limit::gate);
  if (limit != kLimits.end()) return judge_limit(gate, *limit, evidence);
  if (!is_metric(gate.metric) && !gate.of_project)
    return failed(gate_text(gate), "not evaluated: unknown metric '" + gate.metric + "'");
  if (!std::isfinite(gate.bound)) return failed(gate_text(gate), "not evaluated: no finite bound");
  if (gate.kind == Gate::Kind::better_than_champion ||
      gate.kind == Gate::Kind::not_worse_than_champion)
    return judge_against_champion(gate, evidence);
  if (gate.kind == Gate::Kind::no_slice_worse || gate.kind == Gate::Kind::no_slice_worse_by)
    return judge_slices_against_champion(gate, evidence);
  return gate.worst_slice ? judge_slices(gate, evidence) : judge_bound(gate, evidence);
}

Verdict judge_none(std::string gate, const std::optional<std::int64_t>& differences,
                   const std::string& member, const std::string& what, const Evidence& evidence) {
  if (!differences) return failed(std::move(gate), reason_for(evidence, member));
  return {std::move(gate), *differences == 0, std::to_string(*differences) + " " + what};
}

Verdict judge_data(const Evidence& evidence) {
  const std::string gate = "data checks";
  if (!evidence.data_faults) return failed(gate, reason_for(evidence, "data_faults"));
  return {gate, evidence.data_faults->empty(),
          evidence.data_faults->empty() ? "green" : *evidence.data_faults};
}

// Whether labels are ordered, so that an input's concordance stands for its AUC.
bool orders_labels(define::ModelKind kind) {
  return kind == define::ModelKind::regression || kind == define::ModelKind::ranking;
}

// How well the champion orders the rows.
std::optional<double> champion_auc(const Evidence& evidence) {
  if (orders_labels(evidence.kind)) return evidence.champion_concordance;
  if (!evidence.champion) return std::nullopt;
  const auto found = evidence.champion->find("auc");
  if (found == evidence.champion->end()) return std::nullopt;
  return found->second;
}

std::string alone_text(const Evidence& evidence, const std::string& input, double auc,
                       double beside) {
  const char* measure =
      orders_labels(evidence.kind) ? "' alone has concordance " : "' alone has AUC ";
  return "'" + input + measure + text_beside(auc, beside);
}

// What the definition says of known times was proven when it was checked; this is for what it was
// told wrongly. A new input that alone does better than the whole model that serves is more often a
// leak than luck; who knows better says so with a gate on `leak`.
Verdict judge_leaks(const std::vector<Gate>& gates, const Evidence& evidence) {
  const std::string gate = "leak analysis";
  const std::string question = ": is it known before the label?";
  if (!evidence.leak_auc) return failed(gate, reason_for(evidence, "leak_auc"));
  const auto own = std::ranges::find(gates, "leak", &Gate::metric);
  const double most = own == gates.end() ? kSuspicious : std::nextafter(own->bound, 2.0);
  const std::string text = alone_text(evidence, evidence.leak_input, *evidence.leak_auc, most);
  if (*evidence.leak_auc >= most) return failed(gate, text + question);
  const auto champion = champion_auc(evidence);
  if (own == gates.end() && champion && evidence.new_input_auc &&
      *evidence.new_input_auc >= kSuspiciousIfNew && *evidence.new_input_auc > *champion)
    return failed(
        gate, alone_text(evidence, evidence.new_input, *evidence.new_input_auc, *champion) +
                  ", more than the champion's " + text_beside(*champion, *evidence.new_input_auc) +
                  question);
  return {gate, true, text};
}

}  // namespace

std::string interval_text(double value, double lower, double upper) {
  const double width = upper - lower;
  int digits = 4;
  while (digits < 12 && width > 0 && width * std::pow(10.0, digits) < 10) ++digits;
  if (std::max(std::abs(lower), std::abs(upper)) >= 1000) digits = 2;
  const auto text = [&](double number) {
    char buffer[512];
    std::snprintf(buffer, sizeof buffer, "%.*f", digits, number);
    return std::string(buffer);
  };
  return text(value) + " [" + text(lower) + ", " + text(upper) + "]";
}

bool higher_is_better(std::string_view metric) {
  return std::ranges::count(kLowerIsBetter, metric) == 0;
}

std::vector<Verdict> judge(const std::vector<Gate>& gates, const Evidence& evidence) {
  std::vector<Verdict> verdicts;
  for (const Gate& gate : gates)
    if (gate.metric != "leak") verdicts.push_back(judge_one(gate, evidence));
  verdicts.push_back(judge_none(
      "runtime equals trainer", evidence.runtime_differences, "runtime_differences",
      evidence.runtime_compared.empty() ? "scores differ"
                                        : "scores differ, beside " + evidence.runtime_compared,
      evidence));
  verdicts.push_back(judge_none("golden rows", evidence.golden_differences, "golden_differences",
                                "rows differ", evidence));
  verdicts.push_back(judge_none(
      "serving equals dataset", evidence.skew_differences, "skew_differences",
      "of the inputs of " + std::to_string(evidence.skew_rows) + " rows differ", evidence));
  verdicts.push_back(judge_data(evidence));
  verdicts.push_back(judge_leaks(gates, evidence));
  return verdicts;
}

bool all_passed(const std::vector<Verdict>& verdicts) {
  return std::ranges::all_of(verdicts, &Verdict::passed);
}

data::Json to_json(const std::vector<Verdict>& verdicts) {
  data::Json::Array array;
  for (const Verdict& verdict : verdicts) {
    data::Json json;
    json.set("gate", verdict.gate);
    json.set("passed", verdict.passed);
    json.set("measured", verdict.measured);
    array.push_back(std::move(json));
  }
  return array;
}

}  // namespace coeval::training
