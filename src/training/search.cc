#include "training/search.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <optional>

#include "data/hash.h"
#include "define/trainer_params.h"
#include "training/evaluate.h"
#include "training/fit_model.h"
#include "training/gates.h"
#include "training/json_member.h"
#include "training/param_space.h"
#include "training/pipeline.h"
#include "training/run_recorder.h"

namespace coeval::training {
namespace {

using data::Json;
using Params = std::vector<std::pair<std::string, std::string>>;

constexpr int kEarlyShare = 4;
constexpr std::size_t kTrialsToPruneBy = 4;

Json params_json(const Params& params) {
  Json json{Json::Object{}};
  for (const auto& [name, value] : params) json.set(name, value);
  return json;
}

Json trial_json(const Trial& trial) {
  Json json;
  json.set("trial", trial.number);
  json.set("state", trial.state);
  json.set("params", params_json(trial.params));
  json.set("early_loss", trial.early_loss);
  json.set("loss", trial.loss);
  json.set("latency_us", trial.latency_us);
  json.set("rounds_used", trial.rounds_used);
  if (!trial.reason.empty()) json.set("reason", trial.reason);
  return json;
}

// What was noted of a trial; its number and parameters are known.
Status read_trial(const std::string& text, Trial& trial) {
  COEVAL_ASSIGN(const Json json, data::parse_json(text));
  COEVAL_ASSIGN(trial.state, string_member(json, "state"));
  COEVAL_ASSIGN(trial.early_loss, number_member(json, "early_loss"));
  COEVAL_ASSIGN(trial.loss, number_member(json, "loss"));
  COEVAL_ASSIGN(trial.latency_us, number_member(json, "latency_us"));
  COEVAL_ASSIGN(const std::int64_t rounds, integer_member(json, "rounds_used"));
  trial.rounds_used = static_cast<int>(rounds);
  if (json.find("reason") != nullptr) {
    COEVAL_ASSIGN(trial.reason, string_member(json, "reason"));
  }
  return {};
}

// The model with a trial's parameters.
define::Model with_params(define::Model model, const Params& params, int rounds) {
  for (const auto& [name, value] : params)
    for (auto& param : model.params)
      if (param.first == name) param.second = value;
  if (!define::trains_in_rounds(model.trainer)) return model;
  model.rounds = rounds;
  if (model.early_stopping_rounds == 0)
    model.early_stopping_rounds = std::max(1, model.rounds / 10);
  return model;
}

double median_of(std::vector<double> values) {
  std::ranges::sort(values);
  const std::size_t half = values.size() / 2;
  return values.size() % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
}

class Searching {
 public:
  Searching(const Workshop& shop, const define::Model& model, const std::string& dataset_key,
            const TrainingRows& rows, const std::string& parent)
      : shop_(shop),
        model_(model),
        search_(model.training.search),
        dataset_key_(dataset_key),
        rows_(rows),
        parent_(parent),
        space_(search_space(model)) {}

  Result<SearchOutcome> run() {
    const auto began = std::chrono::steady_clock::now();
    for (int number = 0; number < search_.trials; ++number) {
      const std::chrono::duration<double, std::micro> took =
          std::chrono::steady_clock::now() - began;
      if (took.count() > static_cast<double>(search_.time_budget_us) && number > 0) {
        outcome_.out_of_time = true;
        shop_.say(model_.name + ": search stopped by its time budget after " +
                  std::to_string(number) + " of " + std::to_string(search_.trials) + " trials");
        break;
      }
      COEVAL_TRY(run_trial(number));
    }
    return choose();
  }

 private:
  Status run_trial(int number) {
    SpacePoint point;
    Trial trial;
    trial.number = number;
    if (number > 0) {
      point = next_point(space_.size(), model_.seed, number, tried_);
      trial.params = params_at(space_, point);
    }
    COEVAL_ASSIGN(const bool known, find(trial));
    if (!known) COEVAL_TRY(run_recorded(trial));
    tell(trial, known);
    if (trial.state != "failed") early_.push_back(trial.early_loss);
    if (number > 0) tried_.push_back(tried_point(std::move(point), trial));
    outcome_.trials.push_back(std::move(trial));
    return {};
  }

  // Whatever the loss's unit is, who was given up early is behind those that were finished.
  static TriedPoint tried_point(SpacePoint point, const Trial& trial) {
    if (trial.state == "finished") return {std::move(point), trial.loss, 0};
    if (trial.state == "pruned") return {std::move(point), trial.early_loss, 1};
    return {std::move(point), 0, 2};
  }

  Status run_recorded(Trial& trial) {
    const define::Model model = with_params(model_, trial.params, model_.rounds);
    RunRecorder recorder(shop_, model, stores::RunKind::trial, parent_);
    COEVAL_TRY(recorder.start(dataset_key_));
    try_params(trial);
    recorder.noted({{"trial", trial.number},
                    {"trial.early_loss", trial.early_loss},
                    {"trial.loss", trial.loss},
                    {"latency_us", trial.latency_us},
                    {"rounds_used", trial.rounds_used}},
                   trial.state);
    const Status outcome =
        trial.state == "failed" ? Status(fail(Code::training_failed, trial.reason)) : Status();
    COEVAL_TRY(recorder.end(outcome, {}));
    return note(trial);
  }

  void try_params(Trial& trial) const {
    if (!define::trains_in_rounds(model_.trainer)) return try_whole(trial);
    const int early_rounds = std::max(1, model_.rounds / kEarlyShare);
    const auto early = fit(with_params(model_, trial.params, early_rounds), trial);
    if (!early) return failed(trial, early.error());
    trial.early_loss = *early;
    if (early_.size() >= kTrialsToPruneBy && trial.early_loss > median_of(early_)) {
      trial.state = "pruned";
      return;
    }
    try_whole(trial);
  }

  // Without rounds there is no early look: the whole is what is known of the trial.
  void try_whole(Trial& trial) const {
    const auto whole = fit(with_params(model_, trial.params, model_.rounds), trial);
    if (!whole) return failed(trial, whole.error());
    trial.loss = *whole;
    if (!define::trains_in_rounds(model_.trainer)) trial.early_loss = *whole;
    const bool slow = search_.max_latency_ns > 0 &&
                      trial.latency_us * 1000 > static_cast<double>(search_.max_latency_ns);
    trial.state = slow ? "too slow" : "finished";
  }

  static void failed(Trial& trial, const Error& error) {
    trial.state = "failed";
    trial.reason = error.message;
  }

  // The loss of a model on the validation part.
  Result<double> fit(const define::Model& model, Trial& trial) const {
    COEVAL_ASSIGN(const TrainedModel trained, train_on(shop_, model, rows_, training_range(rows_)));
    COEVAL_ASSIGN(const auto runtime, runtime_of(shop_, model, trained, rows_));
    const TrainingRows::Range part = rows_.part(SplitPart::validate);
    std::vector<float> margins(part.count * runtime.outputs()),
        scores(part.count * runtime.outputs());
    COEVAL_TRY(runtime.predict(rows_.values_of(part), margins, scores));
    const Metrics metrics =
        all_metrics({.scores = scores,
                     .labels = rows_.labels.span().subspan(part.from, part.count),
                     .threshold = model.threshold,
                     .quantile = quantile_of(model),
                     .class_names = model.classes,
                     .cost_matrix = model.cost_matrix,
                     .queries = rows_.units_of(part),
                     .rank_k = model.rank_k});
    const auto found = metrics.find(search_.metric);
    if (found == metrics.end())
      return fail(Code::training_failed, search_.metric + " is undefined on the validation part");
    trial.rounds_used = trained.rounds_used;
    COEVAL_ASSIGN(trial.latency_us, median_latency_us(runtime, rows_.values_of(part), rows_.width));
    return higher_is_better(search_.metric) ? -found->second : found->second;
  }

  std::string key_of(const Trial& trial) const {
    Json json;
    json.set("dataset", dataset_key_);
    json.set("ir", model_.ir_hash);
    json.set("trial", trial.number);
    json.set("params", params_json(trial.params));
    json.set("seed", std::to_string(model_.seed));
    json.set("engine", shop_.engine);
    return data::sha256_hex("trial 1\n" + json.dump());
  }

  Result<bool> find(Trial& trial) const {
    COEVAL_ASSIGN(const auto noted, shop_.meta->find_step(key_of(trial)));
    if (!noted) return false;
    COEVAL_TRY(read_trial(noted->output, trial));
    return true;
  }

  Status note(const Trial& trial) const {
    return shop_.meta->put_step({key_of(trial), "trial", model_.name,
                                 params_json(trial.params).dump(), trial_json(trial).dump(),
                                 shop_.clock->now_us()});
  }

  void tell(const Trial& trial, bool known) const {
    std::string text = model_.name + ": trial " + std::to_string(trial.number) + " " + trial.state;
    if (trial.state == "finished" || trial.state == "too slow")
      text += ", " + search_.metric + " " + std::to_string(std::abs(trial.loss)) + ", " +
              std::to_string(trial.latency_us) + " us a row";
    if (!trial.reason.empty()) text += ": " + trial.reason;
    shop_.say(text + (known ? " (known from before)" : ""));
  }

  Result<SearchOutcome> choose() {
    const Trial* best = nullptr;
    for (const Trial& trial : outcome_.trials)
      if (trial.state == "finished" && (best == nullptr || trial.loss < best->loss)) best = &trial;
    if (best == nullptr)
      return fail(Code::training_failed,
                  "none of " + std::to_string(outcome_.trials.size()) + " trials of model '" +
                      model_.name + "' gave a model: trial 0 is " + outcome_.trials[0].state +
                      (outcome_.trials[0].reason.empty() ? "" : ", " + outcome_.trials[0].reason),
                  "raise max_latency, give the search more trials, or train without it");
    outcome_.chosen = with_params(model_, best->params, model_.rounds);
    shop_.say(model_.name + ": trial " + std::to_string(best->number) + " of " +
              std::to_string(outcome_.trials.size()) + " chosen");
    return std::move(outcome_);
  }

  const Workshop& shop_;
  const define::Model& model_;
  const define::Search& search_;
  const std::string& dataset_key_;
  const TrainingRows& rows_;
  const std::string& parent_;
  std::vector<SpaceDimension> space_;
  std::vector<TriedPoint> tried_;
  std::vector<double> early_;
  SearchOutcome outcome_;
};

}  // namespace

Result<SearchOutcome> search_params(const Workshop& shop, const define::Model& model,
                                    const std::string& dataset_key, const TrainingRows& rows,
                                    const std::string& parent) {
  return Searching(shop, model, dataset_key, rows, parent).run();
}

Result<define::Model> chosen_then(const define::Model& model, const Json& details) {
  const Json* trials = details.find("trials");
  if (trials == nullptr) return model;
  if (trials->array() == nullptr || trials->array()->empty())
    return fail(Code::bad_json, "'trials' has none");
  const Json* params = trials->array()->front().find("params");  // the best one
  if (params == nullptr || params->object() == nullptr)
    return fail(Code::bad_json, "the chosen trial has no 'params'");
  Params chosen;
  for (const auto& [name, value] : *params->object()) {
    if (value.string() == nullptr) return fail(Code::bad_json, "'" + name + "' is not a string");
    chosen.emplace_back(name, *value.string());
  }
  return with_params(model, chosen, model.rounds);
}

Json leaderboard_json(const SearchOutcome& outcome) {
  std::vector<const Trial*> order;
  for (const Trial& trial : outcome.trials) order.push_back(&trial);
  const auto rank = [](const Trial* trial) { return trial->state == "finished" ? 0 : 1; };
  std::ranges::stable_sort(order, [&](const Trial* a, const Trial* b) {
    if (rank(a) != rank(b)) return rank(a) < rank(b);
    return rank(a) == 0 && a->loss < b->loss;
  });
  Json json{Json::Array{}};
  for (const Trial* trial : order) json.push(trial_json(*trial));
  return json;
}

}  // namespace coeval::training
