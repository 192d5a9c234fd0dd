#include <algorithm>
#include <cmath>

#include "cli/commands.h"
#include "training/replay_verdicts.h"

namespace coeval::cli {

namespace {

using Lines = std::vector<std::string>;
constexpr std::size_t kWorstSlices = 5;

std::string number(double value) { return data::Json(value).dump(); }

// A regression has no positive rows.
std::string positives_text(const training::Evidence& evidence, std::int64_t positives) {
  if (evidence.kind != define::ModelKind::binary) return {};
  return ", " + std::to_string(positives) + " positive";
}

void add_metric(Lines& lines, const training::Evidence& evidence, const std::string& metric) {
  if (!evidence.test) return;
  const auto value = evidence.test->find(metric);
  if (value == evidence.test->end()) return;
  lines.push_back(metric + " = " + number(value->second) + " on " +
                  std::to_string(evidence.test_rows) + " test rows" +
                  positives_text(evidence, evidence.test_positives));
  const auto interval = evidence.intervals.find(metric);
  if (interval == evidence.intervals.end()) return;
  lines.push_back("95 % interval [" + number(interval->second.lower) + ", " +
                  number(interval->second.upper) + "], drawn by " + evidence.interval_unit +
                  " over " + std::to_string(evidence.interval_units) + " units");
  if (metric == "auc" && evidence.auc_delong)
    lines.push_back("DeLong's, by row: [" + number(evidence.auc_delong->lower) + ", " +
                    number(evidence.auc_delong->upper) + "]");
}

std::string interval_of(const training::SliceEvidence& slice, const std::string& metric) {
  const auto interval = slice.intervals.find(metric);
  if (interval == slice.intervals.end()) return {};
  return " [" + number(interval->second.lower) + ", " + number(interval->second.upper) + "]";
}

void add_slices(Lines& lines, const training::Evidence& evidence, const std::string& metric,
                bool up) {
  std::vector<const training::SliceEvidence*> slices;
  for (const auto& slice : evidence.slices)
    if (slice.metrics.contains(metric)) slices.push_back(&slice);
  std::ranges::stable_sort(slices, [&](const auto* a, const auto* b) {
    const double first = a->metrics.at(metric), second = b->metrics.at(metric);
    return up ? first < second : first > second;
  });
  for (std::size_t i = 0; i < std::min(kWorstSlices, slices.size()); ++i)
    lines.push_back((i == 0 ? "worst: " : "then: ") + slices[i]->slice + " = " + slices[i]->value +
                    ": " + number(slices[i]->metrics.at(metric)) + interval_of(*slices[i], metric) +
                    " on " + std::to_string(slices[i]->rows) + " rows" +
                    positives_text(evidence, slices[i]->positives));
  lines.push_back(std::to_string(evidence.slices.size()) + " slices judged, " +
                  std::to_string(evidence.small_slices) + " too small to be");
}

void add_comparison(Lines& lines, const training::Evidence& evidence, const std::string& metric) {
  if (evidence.first_model) return lines.push_back("there was no champion when it was built");
  const std::string champion = "champion v" + std::to_string(evidence.champion_version);
  const auto found = std::ranges::find(evidence.comparisons, metric, &training::Comparison::metric);
  if (found == evidence.comparisons.end()) return lines.push_back(champion + " was not compared");
  lines.push_back("candidate " + number(found->candidate) + ", " + champion + " " +
                  number(found->champion) + ", better by " + number(found->improvement));
  lines.push_back("95 % interval [" + number(found->lower) + ", " + number(found->upper) + "], p " +
                  number(found->p_value) + ", " + std::to_string(found->replicates) +
                  " replicates over " + std::to_string(found->units) + " units (" + found->unit +
                  ")");
  if (found->delong_p) lines.push_back("DeLong's p, by row: " + number(*found->delong_p));
  if (const auto& decisions = evidence.decisions)
    lines.push_back("right only by the candidate: " + std::to_string(decisions->candidate_only) +
                    ", only by the champion: " + std::to_string(decisions->champion_only) +
                    " decisions, McNemar's p " + number(decisions->p_value));
}

// Of the slices those that speak most against the candidate.
void add_slice_comparisons(Lines& lines, const training::Evidence& evidence,
                           const std::string& metric) {
  if (evidence.first_model) return lines.push_back("there was no champion when it was built");
  std::vector<const training::SliceComparison*> slices;
  for (const auto& slice : evidence.slice_comparisons)
    if (slice.comparison.metric == metric) slices.push_back(&slice);
  std::ranges::stable_sort(slices, [](const auto* a, const auto* b) {
    return a->comparison.improvement < b->comparison.improvement;
  });
  for (std::size_t i = 0; i < std::min(kWorstSlices, slices.size()); ++i) {
    const training::Comparison& found = slices[i]->comparison;
    lines.push_back((i == 0 ? "least: " : "then: ") + slices[i]->slice + " = " + slices[i]->value +
                    ": better by " + number(found.improvement) + " [" + number(found.lower) + ", " +
                    number(found.upper) + "], p " + number(found.p_value) + ", by Holm " +
                    number(slices[i]->adjusted_p) + ", over " + std::to_string(found.units) +
                    " units (" + found.unit + ")");
  }
  lines.push_back(std::to_string(slices.size()) + " slices compared with champion v" +
                  std::to_string(evidence.champion_version));
}

void add_value(Lines& lines, const std::optional<double>& value, const std::string& unit) {
  lines.push_back(value ? "measured " + number(*value) + unit : "not measured");
}

// The numbers behind the verdict of a gate that the definition has.
Lines numbers_of(const define::Gate& gate, const training::Evidence& evidence) {
  using Kind = define::Gate::Kind;
  Lines lines;
  if (gate.kind == Kind::better_than_champion || gate.kind == Kind::not_worse_than_champion)
    add_comparison(lines, evidence, gate.metric);
  else if (gate.kind == Kind::no_slice_worse || gate.kind == Kind::no_slice_worse_by)
    add_slice_comparisons(lines, evidence, gate.metric);
  else if (gate.worst_slice)
    add_slices(lines, evidence, gate.metric, gate.kind == Kind::at_least);
  else if (gate.metric == "latency")
    add_value(lines, evidence.latency_us, " us a row, the median in our runtime");
  else if (gate.metric == "size")
    add_value(lines, evidence.size_bytes, " bytes");
  else if (gate.metric == "cost_per_million")
    add_value(lines, evidence.cost_per_million, " for a million rows");
  else
    add_metric(lines, evidence, gate.metric);
  return lines;
}

data::Json as_json(const Lines& lines) {
  data::Json array{data::Json::Array{}};
  for (const auto& line : lines) array.push(line);
  return array;
}

data::Json answer(const stores::ModelVersion& version, const define::Model& model,
                  const training::ReplayedVerdicts& replayed) {
  data::Json json{data::Json::Object{}};
  json.set("model", version.model);
  json.set("version", version.version);
  json.set("passed", training::all_passed(replayed.verdicts));
  json.set("same", replayed.differences.empty());
  json.set("differences", as_json(replayed.differences));
  data::Json gates{data::Json::Array{}};
  for (std::size_t i = 0; i < replayed.verdicts.size(); ++i) {
    const auto& verdict = replayed.verdicts[i];
    data::Json one{data::Json::Object{}};
    one.set("gate", verdict.gate);
    one.set("passed", verdict.passed);
    one.set("measured", verdict.measured);
    if (i < model.gates.size())
      one.set("numbers", as_json(numbers_of(model.gates[i], replayed.evidence)));
    gates.push(std::move(one));
  }
  json.set("gates", std::move(gates));
  json.set("evidence", training::to_json(replayed.evidence));
  return json;
}

void print(Terminal& out, const stores::ModelVersion& version, const define::Model& model,
           const training::ReplayedVerdicts& replayed) {
  for (std::size_t i = 0; i < replayed.verdicts.size(); ++i) {
    const auto& verdict = replayed.verdicts[i];
    out.print(std::string(verdict.passed ? "passed" : "FAILED") + "  " + verdict.gate + "  (" +
              verdict.measured + ")");
    if (i < model.gates.size())
      for (const auto& line : numbers_of(model.gates[i], replayed.evidence))
        out.print("        " + line);
  }
  out.print(version.model + "@v" + std::to_string(version.version) + ": gates " +
            (training::all_passed(replayed.verdicts) ? "passed" : "NOT passed") +
            (replayed.differences.empty()
                 ? "; judged again from the stored evidence, every verdict "
                   "is byte for byte the stored one"
                 : "; judged again, they are NOT the stored verdicts:"));
  for (const auto& difference : replayed.differences) out.print("  " + difference);
}

}  // namespace

// Exit code 0 whether or not the gates passed, as `coeval show`: it reads. 3 when the replayed
// verdicts are not the stored ones.
int explain_gate(Context& context) {
  if (const auto code = context.load_project()) return *code;
  const auto meta = context.open_meta_for_reading();
  if (!meta) return context.report(meta.error());
  const auto version = context.pick_version(**meta, context.in.model);
  if (!version) return context.report(version.error());
  const auto then = context.find_version(**meta, version->model, version->version);
  if (!then) return context.report(then.error());
  const auto& model = then->project->models[static_cast<std::size_t>(then->model)];
  const auto replayed = training::replay_verdicts(*version, *then->served, model);
  if (!replayed) return context.report(replayed.error());
  if (context.terminal.json())
    context.terminal.print_json(answer(*version, model, *replayed));
  else
    print(context.terminal, *version, model, *replayed);
  return replayed->differences.empty() ? 0 : info(Code::audit_differs).exit_code;
}

}  // namespace coeval::cli
