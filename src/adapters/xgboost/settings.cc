#include "adapters/xgboost/settings.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <string_view>

namespace coeval::adapters::xgboost {
namespace {

using Params = std::vector<std::pair<std::string, std::string>>;

/// Parameters that are not the user's: the first column is the name, the second where to say it.
struct Reserved {
  std::string_view name, instead;
};
constexpr Reserved kReserved[] = {
    {"nthread", "threads are chosen when the model is built; they do not change it"},
    {"n_jobs", "threads are chosen when the model is built; they do not change it"},
    {"seed", "set `seed` of the model"},
    {"random_state", "set `seed` of the model"},
    {"num_boost_round", "set `rounds` of the model"},
    {"early_stopping_rounds", "set `early_stopping_rounds` of the model"},
    {"validate_parameters", "parameters are always validated"},
    {"verbosity", "it is fixed: warnings are read for unknown parameters"},
    {"num_class", "write the model's `classes`"},
    {"device", "models are trained on the CPU, whose results repeat bit for bit"},
};

/// What an objective is to XGBoost, and the metric that fits it.
struct Words {
  std::string_view objective;
  std::string metric;
};
Words words_of(const training::Objective& objective) {
  switch (objective.kind) {
    case training::Objective::Kind::binary:
      break;
    case training::Objective::Kind::squared:
      return {"reg:squarederror", "rmse"};
    case training::Objective::Kind::absolute:
      return {"reg:absoluteerror", "mae"};
    case training::Objective::Kind::quantile:
      return {"reg:quantileerror", "quantile"};
    case training::Objective::Kind::multiclass:
      return {"multi:softprob", "mlogloss"};
    case training::Objective::Kind::ranking:
      return {"rank:ndcg", "ndcg@" + std::to_string(objective.rank_k)};
  }
  return {"binary:logistic", "logloss"};
}

/// Metrics of a binary label, and which way is better.
struct Metric {
  std::string_view name;
  bool higher_is_better;
};
constexpr Metric kMetrics[] = {
    {"logloss", false}, {"error", false}, {"rmse", false}, {"auc", true}, {"aucpr", true}};

const std::string* find(const Params& params, std::string_view name) {
  const auto found = std::ranges::find(params, name, &Params::value_type::first);
  return found == params.end() ? nullptr : &found->second;
}

Status check_names(const Params& params) {
  for (const auto& [name, value] : params) {
    const auto* reserved = std::ranges::find(kReserved, name, &Reserved::name);
    if (reserved == std::end(kReserved)) continue;
    return fail(Code::training_failed, "the parameter '" + name + "' cannot be set here",
                std::string(reserved->instead));
  }
  return {};
}

// One output and a score of the label's kind: what the runtime serves and the gates judge.
Status check_objective(const Params& params, std::string_view needed) {
  const std::string* objective = find(params, "objective");
  if (objective == nullptr || *objective == needed) return {};
  return fail(Code::unsupported,
              std::string(needed == "binary:logistic"  ? "the label is boolean"
                          : needed == "multi:softprob" ? "the label is one of several classes"
                          : needed == "rank:ndcg"      ? "the label is a grade of relevance"
                                                       : "the label is a number") +
                  std::string(", so the objective is ") + std::string(needed) + ", not " +
                  *objective,
              "remove `objective` from the model's params");
}

Result<int> bins_of(const Params& params) {
  const std::string* text = find(params, "max_bin");
  if (text == nullptr) return 256;
  int bins = 0;
  const auto [end, fault] = std::from_chars(text->data(), text->data() + text->size(), bins);
  if (fault == std::errc{} && end == text->data() + text->size() && bins >= 2) return bins;
  return fail(Code::training_failed, "max_bin must be a whole number from 2 up, is " + *text);
}

Result<bool> direction_of(const Params& params, const Words& words) {
  const std::string* name = find(params, "eval_metric");
  if (name == nullptr || *name == words.metric) return words.objective == "rank:ndcg";
  if (words.objective != "binary:logistic")
    return fail(Code::unsupported, "eval_metric " + *name + " is not that of the model's loss",
                "use " + words.metric);
  const auto* metric = std::ranges::find(kMetrics, *name, &Metric::name);
  if (metric != std::end(kMetrics)) return metric->higher_is_better;
  return fail(Code::unsupported, "eval_metric " + *name + " is not one for a boolean label",
              "use logloss, error, rmse, auc or aucpr");
}

std::string number_text(double value) {
  std::array<char, 32> text{};
  return {text.data(), std::to_chars(text.data(), text.data() + text.size(), value).ptr};
}

void set_default(Params& params, const std::string& name, const std::string& value) {
  if (find(params, name) == nullptr) params.emplace_back(name, value);
}

}  // namespace

Result<Settings> settings_of(const training::TrainingPlan& plan) {
  Settings settings{.params = plan.params};
  COEVAL_TRY(check_names(plan.params));
  const Words words = words_of(plan.objective);
  COEVAL_TRY(check_objective(plan.params, words.objective));
  COEVAL_ASSIGN(settings.bins, bins_of(plan.params));
  COEVAL_ASSIGN(settings.higher_is_better, direction_of(plan.params, words));
  set_default(settings.params, "objective", std::string(words.objective));
  set_default(settings.params, "tree_method", "hist");
  set_default(settings.params, "eval_metric", words.metric);
  if (plan.objective.kind == training::Objective::Kind::quantile)
    settings.params.emplace_back("quantile_alpha", number_text(plan.objective.quantile));
  if (plan.objective.kind == training::Objective::Kind::multiclass)
    settings.params.emplace_back("num_class", std::to_string(plan.objective.classes));
  settings.params.emplace_back("nthread", std::to_string(plan.threads));
  settings.params.emplace_back("seed", std::to_string(plan.seed));
  settings.params.emplace_back("validate_parameters", "1");
  settings.params.emplace_back("verbosity", "1");
  return settings;
}

}  // namespace coeval::adapters::xgboost
