#include "training/evidence.h"

#include <cmath>
#include <utility>

#include "training/json_member.h"

namespace coeval::training {
namespace {

using data::Json;

Json metrics_json(const Metrics& metrics) {
  Json json{Json::Object{}};
  for (const auto& [name, value] : metrics)
    if (std::isfinite(value)) json.set(name, value);
  return json;
}

// JSON has no NaN: an interval that does not exist was written as null.
Result<double> number_or_nan(const Json& json, const std::string& name) {
  const Json* member = json.find(name);
  if (member != nullptr && member->is_null()) return std::nan("");
  return number_member(json, name);
}

Result<Metrics> metrics_from(const Json& json) {
  if (json.object() == nullptr) return fail(Code::bad_json, "metrics are not an object");
  Metrics metrics;
  for (const auto& [name, value] : *json.object()) {
    COEVAL_ASSIGN(metrics[name], number_member(json, name));
  }
  return metrics;
}

Json intervals_json(const Intervals& intervals) {
  Json json{Json::Object{}};
  for (const auto& [name, interval] : intervals) {
    Json ends;
    ends.set("lower", interval.lower);
    ends.set("upper", interval.upper);
    json.set(name, std::move(ends));
  }
  return json;
}

// Versions of before have none.
Result<Intervals> intervals_from(const Json& json) {
  Intervals intervals;
  const Json* members = json.find("intervals");
  if (members == nullptr) return intervals;
  if (members->object() == nullptr) return fail(Code::bad_json, "'intervals' are not an object");
  for (const auto& [name, ends] : *members->object()) {
    COEVAL_ASSIGN(intervals[name].lower, number_member(ends, "lower"));
    COEVAL_ASSIGN(intervals[name].upper, number_member(ends, "upper"));
  }
  return intervals;
}

void set_number(Json& json, const std::string& name, double value) {
  json.set(name, std::isfinite(value) ? Json(value) : Json());
}

Json comparison_json(const Comparison& comparison) {
  Json json;
  json.set("metric", comparison.metric);
  set_number(json, "candidate", comparison.candidate);
  set_number(json, "champion", comparison.champion);
  set_number(json, "improvement", comparison.improvement);
  set_number(json, "lower", comparison.lower);
  set_number(json, "upper", comparison.upper);
  set_number(json, "p_value", comparison.p_value);
  json.set("units", comparison.units);
  json.set("replicates", comparison.replicates);
  json.set("unit", comparison.unit);
  if (comparison.delong_p) json.set("delong_p", *comparison.delong_p);
  return json;
}

Result<Comparison> comparison_from(const Json& json) {
  Comparison comparison;
  COEVAL_ASSIGN(comparison.metric, string_member(json, "metric"));
  COEVAL_ASSIGN(comparison.candidate, number_or_nan(json, "candidate"));
  COEVAL_ASSIGN(comparison.champion, number_or_nan(json, "champion"));
  COEVAL_ASSIGN(comparison.improvement, number_or_nan(json, "improvement"));
  COEVAL_ASSIGN(comparison.lower, number_or_nan(json, "lower"));
  COEVAL_ASSIGN(comparison.upper, number_or_nan(json, "upper"));
  COEVAL_ASSIGN(comparison.p_value, number_or_nan(json, "p_value"));
  COEVAL_ASSIGN(comparison.units, integer_member(json, "units"));
  COEVAL_ASSIGN(comparison.replicates, integer_member(json, "replicates"));
  COEVAL_ASSIGN(comparison.unit, string_member(json, "unit"));
  if (json.find("delong_p") != nullptr) {
    COEVAL_ASSIGN(comparison.delong_p, number_member(json, "delong_p"));
  }
  return comparison;
}

Json slice_comparison_json(const SliceComparison& slice) {
  Json json;
  json.set("slice", slice.slice);
  json.set("value", slice.value);
  json.set("comparison", comparison_json(slice.comparison));
  json.set("adjusted_p", slice.adjusted_p);
  return json;
}

Result<SliceComparison> slice_comparison_from(const Json& json) {
  SliceComparison slice;
  COEVAL_ASSIGN(slice.slice, string_member(json, "slice"));
  COEVAL_ASSIGN(slice.value, string_member(json, "value"));
  const Json* comparison = json.find("comparison");
  if (comparison == nullptr) return fail(Code::bad_json, "'comparison' of a slice is missing");
  COEVAL_ASSIGN(slice.comparison, comparison_from(*comparison));
  COEVAL_ASSIGN(slice.adjusted_p, number_member(json, "adjusted_p"));
  return slice;
}

Json decisions_json(const DecisionComparison& decisions) {
  Json json;
  json.set("candidate_only", decisions.candidate_only);
  json.set("champion_only", decisions.champion_only);
  json.set("p_value", decisions.p_value);
  return json;
}

Json delong_json(const DeLongInterval& interval) {
  Json json;
  json.set("standard_error", interval.standard_error);
  json.set("lower", interval.lower);
  json.set("upper", interval.upper);
  return json;
}

// What versions before this one did not measure.
Status read_later_members(const Json& json, Evidence& evidence) {
  COEVAL_ASSIGN(evidence.intervals, intervals_from(json));
  if (json.find("interval_unit") != nullptr) {
    COEVAL_ASSIGN(evidence.interval_unit, string_member(json, "interval_unit"));
    COEVAL_ASSIGN(evidence.interval_units, integer_member(json, "interval_units"));
  }
  if (const Json* delong = json.find("auc_delong")) {
    DeLongInterval& interval = evidence.auc_delong.emplace();
    COEVAL_ASSIGN(interval.standard_error, number_member(*delong, "standard_error"));
    COEVAL_ASSIGN(interval.lower, number_member(*delong, "lower"));
    COEVAL_ASSIGN(interval.upper, number_member(*delong, "upper"));
  }
  if (json.find("slice_comparisons") != nullptr) {
    COEVAL_ASSIGN(const auto* slices, array_member(json, "slice_comparisons"));
    for (const Json& each : *slices) {
      COEVAL_ASSIGN(auto slice, slice_comparison_from(each));
      evidence.slice_comparisons.push_back(std::move(slice));
    }
  }
  if (const Json* decisions = json.find("decisions")) {
    DecisionComparison& found = evidence.decisions.emplace();
    COEVAL_ASSIGN(found.candidate_only, integer_member(*decisions, "candidate_only"));
    COEVAL_ASSIGN(found.champion_only, integer_member(*decisions, "champion_only"));
    COEVAL_ASSIGN(found.p_value, number_member(*decisions, "p_value"));
  }
  return {};
}

Json slice_json(const SliceEvidence& slice, define::ModelKind kind) {
  Json json;
  json.set("slice", slice.slice);
  json.set("value", slice.value);
  json.set("rows", slice.rows);
  if (kind == define::ModelKind::binary) json.set("positives", slice.positives);
  json.set("metrics", metrics_json(slice.metrics));
  json.set("intervals", intervals_json(slice.intervals));
  return json;
}

Result<SliceEvidence> slice_from(const Json& json, define::ModelKind kind) {
  SliceEvidence slice;
  COEVAL_ASSIGN(slice.slice, string_member(json, "slice"));
  COEVAL_ASSIGN(slice.value, string_member(json, "value"));
  COEVAL_ASSIGN(slice.rows, integer_member(json, "rows"));
  if (kind == define::ModelKind::binary) {
    COEVAL_ASSIGN(slice.positives, integer_member(json, "positives"));
  }
  const Json* metrics = json.find("metrics");
  if (metrics == nullptr) return fail(Code::bad_json, "'metrics' of a slice is missing");
  COEVAL_ASSIGN(slice.metrics, metrics_from(*metrics));
  COEVAL_ASSIGN(slice.intervals, intervals_from(json));
  return slice;
}

// Evidence without a kind is of a binary model, as all was before there were others.
Result<define::ModelKind> kind_from(const Json& json) {
  if (json.find("kind") == nullptr) return define::ModelKind::binary;
  COEVAL_ASSIGN(const std::string text, string_member(json, "kind"));
  for (const auto kind : define::kModelKinds)
    if (text == define::name(kind)) return kind;
  return fail(Code::bad_json, "'kind' is unknown: '" + text + "'");
}

using Count = std::optional<std::int64_t> Evidence::*;
constexpr std::pair<const char*, Count> kCounts[] = {
    {"runtime_differences", &Evidence::runtime_differences},
    {"golden_differences", &Evidence::golden_differences},
    {"skew_differences", &Evidence::skew_differences},
};
using Number = std::optional<double> Evidence::*;
constexpr std::pair<const char*, Number> kNumbers[] = {
    {"latency_us", &Evidence::latency_us},
    {"size_bytes", &Evidence::size_bytes},
    {"cost_per_million", &Evidence::cost_per_million},
    {"leak_auc", &Evidence::leak_auc},
    {"new_input_auc", &Evidence::new_input_auc},
    {"champion_concordance", &Evidence::champion_concordance},
};

Status read_measured(const Json& json, Evidence& evidence) {
  for (const auto& [name, member] : kCounts) {
    if (json.find(name) == nullptr) continue;
    COEVAL_ASSIGN(evidence.*member, integer_member(json, name));
  }
  for (const auto& [name, member] : kNumbers) {
    if (json.find(name) == nullptr) continue;
    COEVAL_ASSIGN(evidence.*member, number_or_nan(json, name));
  }
  if (json.find("runtime_compared") != nullptr) {
    COEVAL_ASSIGN(evidence.runtime_compared, string_member(json, "runtime_compared"));
  }
  if (json.find("data_faults") != nullptr) {
    COEVAL_ASSIGN(evidence.data_faults, string_member(json, "data_faults"));
  }
  const Json* missing = json.find("missing");
  if (missing == nullptr || missing->object() == nullptr) return {};
  for (const auto& [name, reason] : *missing->object()) {
    if (reason.string() == nullptr)
      return fail(Code::bad_json, "a reason in 'missing' is not a string");
    evidence.missing[name] = *reason.string();
  }
  return {};
}

}  // namespace

Json to_json(const Evidence& evidence) {
  const bool binary = evidence.kind == define::ModelKind::binary;
  Json json;
  if (!binary) json.set("kind", define::name(evidence.kind));
  if (evidence.test) json.set("test", metrics_json(*evidence.test));
  json.set("test_rows", evidence.test_rows);
  if (binary) json.set("test_positives", evidence.test_positives);
  json.set("intervals", intervals_json(evidence.intervals));
  json.set("interval_unit", evidence.interval_unit);
  json.set("interval_units", evidence.interval_units);
  if (evidence.auc_delong) json.set("auc_delong", delong_json(*evidence.auc_delong));
  json.set("first_model", evidence.first_model);
  json.set("champion_version", evidence.champion_version);
  if (evidence.champion) json.set("champion", metrics_json(*evidence.champion));
  Json comparisons{Json::Array{}};
  for (const auto& comparison : evidence.comparisons) comparisons.push(comparison_json(comparison));
  json.set("comparisons", std::move(comparisons));
  Json slice_comparisons{Json::Array{}};
  for (const auto& slice : evidence.slice_comparisons)
    slice_comparisons.push(slice_comparison_json(slice));
  json.set("slice_comparisons", std::move(slice_comparisons));
  if (evidence.decisions) json.set("decisions", decisions_json(*evidence.decisions));
  Json slices{Json::Array{}};
  for (const auto& slice : evidence.slices) slices.push(slice_json(slice, evidence.kind));
  json.set("slices", std::move(slices));
  json.set("small_slices", evidence.small_slices);
  for (const auto& [name, member] : kCounts)
    if (evidence.*member) json.set(name, *(evidence.*member));
  if (!evidence.runtime_compared.empty()) json.set("runtime_compared", evidence.runtime_compared);
  json.set("skew_rows", evidence.skew_rows);
  for (const auto& [name, member] : kNumbers)
    if (evidence.*member && std::isfinite(*(evidence.*member))) json.set(name, *(evidence.*member));
  if (evidence.data_faults) json.set("data_faults", *evidence.data_faults);
  json.set("leak_input", evidence.leak_input);
  json.set("new_input", evidence.new_input);
  Json missing{Json::Object{}};
  for (const auto& [name, reason] : evidence.missing) missing.set(name, reason);
  json.set("missing", std::move(missing));
  return json;
}

Result<Evidence> evidence_from_json(const Json& json) {
  Evidence evidence;
  COEVAL_ASSIGN(evidence.kind, kind_from(json));
  const bool binary = evidence.kind == define::ModelKind::binary;
  if (const Json* test = json.find("test")) {
    COEVAL_ASSIGN(evidence.test, metrics_from(*test));
  }
  if (const Json* champion = json.find("champion")) {
    COEVAL_ASSIGN(evidence.champion, metrics_from(*champion));
  }
  COEVAL_ASSIGN(evidence.test_rows, integer_member(json, "test_rows"));
  if (binary) {
    COEVAL_ASSIGN(evidence.test_positives, integer_member(json, "test_positives"));
  }
  const Json* first = json.find("first_model");
  if (first == nullptr || first->boolean() == nullptr)
    return fail(Code::bad_json, "'first_model' is not true or false");
  evidence.first_model = *first->boolean();
  COEVAL_ASSIGN(const std::int64_t version, integer_member(json, "champion_version"));
  evidence.champion_version = static_cast<int>(version);
  COEVAL_ASSIGN(const auto* comparisons, array_member(json, "comparisons"));
  for (const Json& each : *comparisons) {
    COEVAL_ASSIGN(auto comparison, comparison_from(each));
    evidence.comparisons.push_back(std::move(comparison));
  }
  COEVAL_ASSIGN(const auto* slices, array_member(json, "slices"));
  for (const Json& each : *slices) {
    COEVAL_ASSIGN(auto slice, slice_from(each, evidence.kind));
    evidence.slices.push_back(std::move(slice));
  }
  COEVAL_ASSIGN(evidence.small_slices, integer_member(json, "small_slices"));
  COEVAL_ASSIGN(evidence.skew_rows, integer_member(json, "skew_rows"));
  COEVAL_ASSIGN(evidence.leak_input, string_member(json, "leak_input"));
  COEVAL_ASSIGN(evidence.new_input, string_member(json, "new_input"));
  COEVAL_TRY(read_measured(json, evidence));
  COEVAL_TRY(read_later_members(json, evidence));
  return evidence;
}

}  // namespace coeval::training
