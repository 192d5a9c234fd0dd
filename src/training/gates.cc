#include "training/gates.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <string_view>

namespace coeval::training {
namespace {

/// A metric that a gate can name, and which way is better.
struct Metric {
  std::string_view name;
  double stats::BinaryMetrics::* value;
  bool higher_is_better;
};
constexpr Metric kMetrics[] = {
    {"auc", &stats::BinaryMetrics::auc, true},
    {"average_precision", &stats::BinaryMetrics::average_precision, true},
    {"log_loss", &stats::BinaryMetrics::log_loss, false},
    {"brier", &stats::BinaryMetrics::brier, false},
    {"calibration_error", &stats::BinaryMetrics::calibration_error, false},
};

const Metric* find_metric(std::string_view name) {
  const auto* found = std::ranges::find(kMetrics, name, &Metric::name);
  return found == std::end(kMetrics) ? nullptr : found;
}

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

std::string gate_text(const define::Gate& gate) {
  switch (gate.kind) {
    case define::Gate::Kind::at_least:
      return gate.metric + " >= " + exact_text(gate.bound);
    case define::Gate::Kind::at_most:
      return gate.metric + " <= " + exact_text(gate.bound);
    case define::Gate::Kind::better_than_champion:
      return "better_than champion";
  }
  return gate.metric;
}

/// A metric's number, or why there is none.
Result<double> number_of(const Metric& metric, const std::optional<stats::BinaryMetrics>& metrics,
                         const std::string& whose) {
  if (!metrics) return fail(Code::gate_failed, "not evaluated: no test metrics of " + whose);
  const double value = (*metrics).*metric.value;
  if (!std::isfinite(value)) {
    return fail(Code::gate_failed, "not evaluated: " + std::string(metric.name) + " of " + whose +
                                       " is undefined on the test part");
  }
  return value;
}

Verdict failed(std::string gate, std::string reason) {
  return {std::move(gate), false, std::move(reason)};
}

Verdict judge_bound(const define::Gate& gate, const Metric& metric, const Evidence& evidence) {
  const auto value = number_of(metric, evidence.test, "the candidate");
  if (!value) return failed(gate_text(gate), value.error().message);
  if (!std::isfinite(gate.bound)) return failed(gate_text(gate), "not evaluated: no finite bound");
  const bool passed =
      gate.kind == define::Gate::Kind::at_least ? *value >= gate.bound : *value <= gate.bound;
  return {gate_text(gate), passed, text_beside(*value, gate.bound)};
}

// Strictly better, on the same rows: an equal model is not worth a change. statistics: "No champion
// yet: absolute limits only, and the report says so."
Verdict judge_against_champion(const define::Gate& gate, const Metric& metric,
                               const Evidence& evidence) {
  const auto mine = number_of(metric, evidence.test, "the candidate");
  if (!mine) return failed(gate_text(gate), mine.error().message);
  if (evidence.first_model && !evidence.champion) {
    return {gate_text(gate), true, "no champion yet: absolute limits only"};
  }
  const auto theirs = number_of(metric, evidence.champion, "the champion");
  if (!theirs) return failed(gate_text(gate), theirs.error().message);
  const bool better = metric.higher_is_better ? *mine > *theirs : *mine < *theirs;
  return {gate_text(gate), better,
          std::string(metric.name) + " " + text_beside(*mine, *theirs) + ", champion " +
              text_beside(*theirs, *mine)};
}

Verdict judge_one(const define::Gate& gate, const Evidence& evidence) {
  const Metric* metric = find_metric(gate.metric);
  if (gate.kind == define::Gate::Kind::better_than_champion) {
    // The gate names whom to beat; on AUC, unless it names another metric.
    return judge_against_champion(gate, metric != nullptr ? *metric : kMetrics[0], evidence);
  }
  if (metric != nullptr) return judge_bound(gate, *metric, evidence);
  return failed(gate_text(gate), "not evaluated: unknown metric '" + gate.metric + "'");
}

Verdict judge_runtime(const std::optional<std::int64_t>& differences) {
  const std::string gate = "runtime equals trainer";
  if (!differences) return failed(gate, "not evaluated: scores were not compared");
  return {gate, *differences == 0, std::to_string(*differences) + " scores differ"};
}

}  // namespace

std::vector<Verdict> judge(const std::vector<define::Gate>& gates, const Evidence& evidence) {
  std::vector<Verdict> verdicts;
  verdicts.reserve(gates.size() + 1);
  for (const define::Gate& gate : gates) verdicts.push_back(judge_one(gate, evidence));
  verdicts.push_back(judge_runtime(evidence.runtime_differences));
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
