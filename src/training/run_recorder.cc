#include "training/run_recorder.h"

#include <sys/utsname.h>

#include <algorithm>
#include <fstream>
#include <string_view>
#include <utility>

#include "training/git_commit.h"
#include "training/pipeline.h"

namespace coeval::training {
namespace {

constexpr int kDeepestMetric = 4;
constexpr std::size_t kLongestError = 10'000;

std::string number_text(double value) { return data::Json(value).dump(); }

std::string cpu_model() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with("model name")) continue;
    const std::size_t colon = line.find(": ");
    return colon == std::string::npos ? std::string() : line.substr(colon + 2);
  }
  return {};
}

// No host name, no user, no path: runs are shown to others.
std::map<std::string, std::string> environment_of(const Workshop& shop, int threads) {
  std::map<std::string, std::string> environment = {{"coeval", shop.engine},
                                                    {"threads", std::to_string(threads)}};
  if (const std::string cpu = cpu_model(); !cpu.empty()) environment["cpu"] = cpu;
  utsname system{};
  if (uname(&system) == 0)
    environment["kernel"] = std::string(system.sysname) + " " + system.release;
  if (const std::string commit = git_commit(shop.project->folder); !commit.empty())
    environment["git_commit"] = commit;
  return environment;
}

void take_split(const define::Split& split, std::map<std::string, std::string>& params) {
  const auto date = [&](const char* name, std::int64_t us) {
    if (us != 0) params[name] = format_time(us);
  };
  date("split.train_until", split.train_until_us);
  date("split.validate_until", split.validate_until_us);
  date("split.calibrate_until", split.calibrate_until_us);
  date("split.threshold_until", split.threshold_until_us);
  date("split.test_until", split.test_until_us);
  if (split.gap_us != 0) params["split.gap"] = format_duration(split.gap_us);
}

std::string monotone_text(const std::vector<define::Monotone>& monotone) {
  std::string text;
  for (const auto& each : monotone)
    text += (text.empty() ? "" : ", ") + std::string(each.direction > 0 ? "+" : "-") + each.input;
  return text;
}

void take_threshold(const define::Model& model, std::map<std::string, std::string>& params) {
  using Kind = define::ThresholdRule::Kind;
  const define::ThresholdRule& rule = model.training.threshold_rule;
  switch (rule.kind) {
    case Kind::fixed:
      params["threshold"] = number_text(model.threshold);
      return;
    case Kind::least_cost:
      params["threshold"] = "least cost, false positive " + number_text(rule.false_positive) +
                            ", false negative " + number_text(rule.false_negative);
      return;
    case Kind::precision:
      params["threshold"] = "precision >= " + number_text(rule.floor);
      return;
    case Kind::recall:
      params["threshold"] = "recall >= " + number_text(rule.floor);
      return;
  }
}

// Numbers of an object and of those within, by path. Lists and what else plots need are not for
// comparing runs, and the clip is the same for all.
void take_numbers(const data::Json& json, const std::string& path, int depth,
                  std::map<std::string, double>& metrics) {
  if (json.object() == nullptr || depth == kDeepestMetric) return;
  for (const auto& [name, value] : *json.object()) {
    if (name == "log_loss_clip" || name == "plots") continue;
    const std::string here = path.empty() ? name : path + "." + name;
    if (value.real() != nullptr)
      metrics[here] = *value.real();
    else if (value.integer() != nullptr)
      metrics[here] = static_cast<double>(*value.integer());
    else
      take_numbers(value, here, depth + 1, metrics);
  }
}

// Of each slice and metric the least and the greatest over its values: which of them is the worst
// depends on the metric.
void take_slices(const std::vector<SliceEvidence>& slices, std::map<std::string, double>& metrics) {
  for (const SliceEvidence& slice : slices) {
    for (const auto& [name, value] : slice.metrics) {
      const std::string path = "slice." + slice.slice + "." + name;
      const auto least = metrics.try_emplace(path + ".least", value).first;
      const auto most = metrics.try_emplace(path + ".most", value).first;
      least->second = std::min(least->second, value);
      most->second = std::max(most->second, value);
    }
  }
}

}  // namespace

std::map<std::string, std::string> training_parameters(const define::Model& model) {
  std::map<std::string, std::string> params(model.params.begin(), model.params.end());
  const define::TrainingOptions& options = model.training;
  params["trainer"] = model.trainer;
  params["rounds"] = std::to_string(model.rounds);
  params["early_stopping_rounds"] = std::to_string(model.early_stopping_rounds);
  params["seed"] = std::to_string(model.seed);
  params["inputs_count"] = std::to_string(model.inputs.size());
  take_split(model.split, params);
  if (model.kind == define::ModelKind::binary) {
    take_threshold(model, params);
  } else {
    params["kind"] = std::string(define::name(model.kind));
    if (model.kind == define::ModelKind::regression) params["loss"] = define::loss_text(model.loss);
  }
  if (options.calibration != define::Calibration::none)
    params["calibration"] = std::string(name(options.calibration));
  if (options.class_weights.balanced)
    params["class_weights"] = "balanced";
  else if (options.class_weights.given())
    params["class_weights"] = number_text(options.class_weights.negative) + ", " +
                              number_text(options.class_weights.positive);
  if (options.weight) params["weight"] = define::canonical(*options.weight);
  if (!options.monotone.empty()) params["monotone"] = monotone_text(options.monotone);
  return params;
}

RunRecorder::RunRecorder(const Workshop& shop, const define::Model& model, stores::RunKind kind,
                         std::string parent)
    : shop_(shop), model_(model) {
  run_.model = model.name;
  run_.experiment = model.training.experiment;
  run_.kind = kind;
  run_.parent = std::move(parent);
}

Status RunRecorder::start(const std::string& dataset_id) {
  if (shop_.runs == nullptr) return {};
  const int own_threads = model_.training.limits.threads;
  run_.started_us = shop_.clock->now_us();
  run_.params = training_parameters(model_);
  run_.ids = {{"dataset_id", dataset_id}, {"ir_hash", model_.ir_hash}};
  run_.environment = environment_of(shop_, own_threads > 0 ? own_threads : shop_.threads);
  run_.tags = shop_.tags;
  auto id = shop_.runs->start(run_);
  if (!id) return std::unexpected(std::move(id).error().within("recording the run"));
  id_ = std::move(*id);
  return {};
}

void RunRecorder::trained(const FittedModel& fitted, const define::Model& by) {
  const auto given = training_parameters(model_);
  for (const auto& [name, text] : training_parameters(by)) {
    const auto found = given.find(name);
    if (found == given.end() || found->second != text) run_.params["chosen." + name] = text;
  }
  run_.environment["trainer"] = fitted.trained.engine;
  run_.metrics["rounds_used"] = fitted.trained.rounds_used;
  if (model_.kind == define::ModelKind::binary) run_.metrics["threshold"] = fitted.threshold;
  if (!fitted.trained.validation_curve.empty())
    run_.curves["validation"] = fitted.trained.validation_curve;
}

void RunRecorder::measured(const data::Json& metrics) {
  take_numbers(metrics, "", 0, run_.metrics);
}

void RunRecorder::judged(const Evidence& evidence, bool gates_passed) {
  auto& metrics = run_.metrics;
  const auto take = [&](const char* name, const auto& value) {
    if (value) metrics[name] = static_cast<double>(*value);
  };
  metrics["gates_passed"] = gates_passed ? 1 : 0;
  metrics["champion_version"] = evidence.champion_version;
  if (evidence.champion)
    for (const auto& [name, value] : *evidence.champion) metrics["champion." + name] = value;
  for (const Comparison& comparison : evidence.comparisons) {
    const std::string path = "improvement." + comparison.metric;
    metrics[path] = comparison.improvement;
    metrics[path + ".lower"] = comparison.lower;
    metrics[path + ".upper"] = comparison.upper;
    metrics[path + ".p_value"] = comparison.p_value;
  }
  for (const auto& [name, interval] : evidence.intervals) {
    metrics["test." + name + ".lower"] = interval.lower;
    metrics["test." + name + ".upper"] = interval.upper;
  }
  for (const SliceComparison& slice : evidence.slice_comparisons) {
    const std::string path = "improvement." + slice.comparison.metric + ".worst_slice";
    const auto worst = metrics.try_emplace(path, slice.comparison.improvement).first;
    worst->second = std::min(worst->second, slice.comparison.improvement);
  }
  if (evidence.decisions) metrics["decisions.p_value"] = evidence.decisions->p_value;
  take_slices(evidence.slices, metrics);
  take("runtime_differences", evidence.runtime_differences);
  take("golden_differences", evidence.golden_differences);
  take("skew_differences", evidence.skew_differences);
  take("latency_us", evidence.latency_us);
  take("size_bytes", evidence.size_bytes);
  take("cost_per_million", evidence.cost_per_million);
  take("leak_auc", evidence.leak_auc);
}

void RunRecorder::noted(const Metrics& numbers, const std::string& tag) {
  for (const auto& [name, value] : numbers) run_.metrics[name] = value;
  run_.tags.push_back(tag);
  std::ranges::sort(run_.tags);
  const auto twice = std::ranges::unique(run_.tags);
  run_.tags.erase(twice.begin(), twice.end());
}

Status RunRecorder::end(const Status& status, const BuildOutcome& outcome) {
  if (id_.empty()) return {};
  run_.state = status ? stores::RunState::finished : stores::RunState::failed;
  if (!status) run_.error = one_line(status.error()).substr(0, kLongestError);
  run_.ended_us = shop_.clock->now_us();
  run_.version = outcome.version;
  if (outcome.dataset_seconds > 0) run_.dataset_s = outcome.dataset_seconds;
  if (outcome.train_seconds > 0) run_.train_s = outcome.train_seconds;
  const stores::ModelVersion& made = outcome.registered;
  if (!made.recipe_id.empty()) run_.ids["recipe_id"] = made.recipe_id;
  if (!made.bits_id.empty()) run_.ids["bits_id"] = made.bits_id;
  auto ended = shop_.runs->end(id_, run_);
  if (!ended) return std::unexpected(std::move(ended).error().within("recording the run's end"));
  return {};
}

}  // namespace coeval::training
