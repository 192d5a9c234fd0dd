#include "adapters/lightgbm/settings.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <iterator>
#include <string_view>

namespace coeval::adapters::lightgbm {
namespace {

using Params = std::vector<std::pair<std::string, std::string>>;

/// Parameters that are not the user's, and where to say what they say.
struct Reserved {
  std::string_view name, instead;
};
constexpr Reserved kReserved[] = {
    {"num_threads", "threads are chosen when the model is built; they do not change it"},
    {"num_thread", "threads are chosen when the model is built; they do not change it"},
    {"nthread", "threads are chosen when the model is built; they do not change it"},
    {"nthreads", "threads are chosen when the model is built; they do not change it"},
    {"n_jobs", "threads are chosen when the model is built; they do not change it"},
    {"seed", "set `seed` of the model"},
    {"random_state", "set `seed` of the model"},
    {"random_seed", "set `seed` of the model"},
    {"num_iterations", "set `rounds` of the model"},
    {"num_boost_round", "set `rounds` of the model"},
    {"n_estimators", "set `rounds` of the model"},
    {"early_stopping_round", "set `early_stopping_rounds` of the model"},
    {"early_stopping_rounds", "set `early_stopping_rounds` of the model"},
    {"categorical_feature", "the inputs' types say which of them are categories"},
    {"verbosity", "it is fixed: warnings are read for unknown parameters"},
    {"deterministic", "it is always on"},
    {"force_col_wise", "it is always on, so that the result repeats bit for bit"},
    {"force_row_wise", "columns are always taken one by one, so that the result repeats"},
    {"device_type", "models are trained on the CPU, whose results repeat bit for bit"},
    {"device", "models are trained on the CPU, whose results repeat bit for bit"},
};

struct Metric {
  std::string_view name;
  bool higher_is_better;
};
constexpr Metric kMetrics[] = {
    {"binary_logloss", false}, {"binary_error", false}, {"auc", true}, {"average_precision", true}};

const std::string* find(const Params& params, std::string_view name) {
  const auto found = std::ranges::find(params, name, &Params::value_type::first);
  return found == params.end() ? nullptr : &found->second;
}

Status check_names(const Params& params) {
  for (const auto& [name, value] : params) {
    const auto* reserved = std::ranges::find(kReserved, name, &Reserved::name);
    if (reserved != std::end(kReserved)) {
      return fail(Code::training_failed, "the parameter '" + name + "' cannot be set here",
                  std::string(reserved->instead));
    }
    const std::string both = name + value;
    if (both.find_first_of(" \t\n\r=#") != std::string::npos) {
      return fail(Code::training_failed,
                  "the parameter '" + name + "' has a space, '=' or '#' in it: '" + value + "'",
                  "write a plain number or word");
    }
  }
  return {};
}

/// What an objective is to LightGBM, and the metric that fits it.
struct Words {
  std::string_view objective, metric;
};
Words words_of(training::Objective::Kind kind) {
  switch (kind) {
    case training::Objective::Kind::binary:
      break;
    case training::Objective::Kind::squared:
      return {"regression", "rmse"};
    case training::Objective::Kind::absolute:
      return {"regression_l1", "l1"};
    case training::Objective::Kind::quantile:
      return {"quantile", "quantile"};
    case training::Objective::Kind::multiclass:
      return {"multiclass", "multi_logloss"};
    case training::Objective::Kind::ranking:
      return {"lambdarank", "ndcg"};
  }
  return {"binary", "binary_logloss"};
}

// One output and a score of the label's kind: what the runtime serves and the gates judge.
Status check_objective(const Params& params, std::string_view needed) {
  const std::string* objective = find(params, "objective");
  if (objective != nullptr && *objective != needed) {
    return fail(Code::unsupported,
                std::string(needed == "binary"       ? "the label is boolean"
                            : needed == "multiclass" ? "the label is one of several classes"
                            : needed == "lambdarank" ? "the label is a grade of relevance"
                                                     : "the label is a number") +
                    std::string(", so the objective is ") + std::string(needed) + ", not " +
                    *objective,
                "remove `objective` from the model's params");
  }
  const std::string* linear = find(params, "linear_tree");
  if (linear != nullptr && *linear != "false" && *linear != "0") {
    return fail(Code::unsupported, "linear trees are not served", "remove linear_tree");
  }
  const std::string* quantised = find(params, "use_quantized_grad");
  if (quantised != nullptr && *quantised != "false" && *quantised != "0") {
    return fail(Code::unsupported,
                "with use_quantized_grad the model depends on the number of threads",
                "remove use_quantized_grad");
  }
  return {};
}

Result<bool> direction_of(const Params& params, const Words& words) {
  const std::string* name = find(params, "metric");
  if (name == nullptr || *name == words.metric) return words.objective == "lambdarank";
  if (words.objective != "binary")
    return fail(Code::unsupported, "metric " + *name + " is not that of the model's loss",
                "use " + std::string(words.metric));
  const auto* metric = std::ranges::find(kMetrics, *name, &Metric::name);
  if (metric != std::end(kMetrics)) return metric->higher_is_better;
  return fail(Code::unsupported, "metric " + *name + " is not one for a boolean label",
              "use binary_logloss, binary_error, auc or average_precision");
}

std::string number_text(double value) {
  std::array<char, 32> text{};
  return {text.data(), std::to_chars(text.data(), text.data() + text.size(), value).ptr};
}

std::string categorical_columns(const training::TrainingTable& table) {
  std::string columns;
  for (std::size_t i = 0; i < table.width; ++i) {
    if (table.categorical[i]) columns += (columns.empty() ? "" : ",") + std::to_string(i);
  }
  return columns;
}

/// "1,0,-1".
std::string directions_text(const std::vector<int>& directions) {
  std::string text;
  for (const int direction : directions)
    text += (text.empty() ? "" : ",") + std::to_string(direction);
  return text;
}

}  // namespace

Result<Settings> settings_of(const training::TrainingTable& table,
                             const training::TrainingPlan& plan) {
  COEVAL_TRY(check_names(plan.params));
  const Words words = words_of(plan.objective.kind);
  COEVAL_TRY(check_objective(plan.params, words.objective));
  Settings settings;
  COEVAL_ASSIGN(settings.higher_is_better, direction_of(plan.params, words));
  Params all = plan.params;
  if (find(all, "objective") == nullptr) all.emplace_back("objective", words.objective);
  if (find(all, "metric") == nullptr) all.emplace_back("metric", words.metric);
  if (plan.objective.kind == training::Objective::Kind::quantile)
    all.emplace_back("alpha", number_text(plan.objective.quantile));
  if (plan.objective.kind == training::Objective::Kind::multiclass)
    all.emplace_back("num_class", std::to_string(plan.objective.classes));
  if (plan.objective.kind == training::Objective::Kind::ranking)
    all.emplace_back("eval_at", std::to_string(plan.objective.rank_k));
  all.emplace_back("seed", std::to_string(plan.seed));
  all.emplace_back("deterministic", "true");
  all.emplace_back("force_col_wise", "true");
  all.emplace_back("verbosity", "0");
  const std::string columns = categorical_columns(table);
  if (!columns.empty()) all.emplace_back("categorical_feature", columns);
  if (!table.monotone.empty())
    all.emplace_back("monotone_constraints", directions_text(table.monotone));
  for (const auto& [name, value] : all) settings.text += name + "=" + value + " ";
  return settings;
}

}  // namespace coeval::adapters::lightgbm
