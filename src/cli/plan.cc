#include "cli/plan.h"

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <map>
#include <optional>

#include "cli/commands.h"
#include "cli/lock_file.h"
#include "cli/schema_changes.h"
#include "define/difference.h"
#include "replay/dataset.h"
#include "replay/plan_replay.h"
#include "replay/state_estimate.h"
#include "serving/model_plan.h"

namespace coeval::cli {

namespace {

using define::Change;

std::string version_name(const std::string& model, int version) {
  return model + "@v" + std::to_string(version);
}

/// The definition that a model was last built from, and what has changed since.
struct Compared {
  int version = 0;  // 0: never built
  std::optional<define::Difference> difference;
  std::vector<std::string> warnings;
  std::string obstacle;  // why there is none although a version is there
};

/// Whether the version that an alias points at can go on being served.
struct ChampionOutlook {
  int version = 0;  // 0: none
  bool can_serve = false;
  std::string obstacle;
};

struct StateOutlook {
  std::string view;
  std::optional<replay::StateEstimate> estimate;
  std::string unknown;  // why there is no estimate
};

/// One model's part of the plan.
struct ModelPlanned {
  const define::Model* model = nullptr;
  training::BuildPlan steps;
  Compared compared;
  ChampionOutlook champion;
  std::vector<StateOutlook> state;
  bool pending = false;

  const define::ModelDifference* own() const {
    if (!compared.difference) return nullptr;
    for (const auto& one : compared.difference->models)
      if (one.name == model->name) return &one;
    return nullptr;
  }
};

/// Makes the plan of each model; estimates of state are made once for each view.
class Planner {
 public:
  Planner(Context& context, stores::MetaStore& meta) : context_(context), meta_(meta) {
    const auto locked = locked_ir_hash(*context.project);
    built_as_is_ = !locked || *locked == context.project->ir_hash;
  }

  Result<ModelPlanned> plan(const training::Workshop& shop, const define::Model& model) {
    ModelPlanned planned;
    planned.model = &model;
    COEVAL_ASSIGN(planned.steps, training::plan_build(shop, model));
    planned.pending = planned.steps.pending();
    if (planned.pending || !built_as_is_) {
      COEVAL_ASSIGN(planned.compared, compare(model));
      const auto& difference = planned.compared.difference;
      planned.pending = planned.pending || (difference && !difference->empty());
      if (difference)
        for (const auto& view : difference->rebuilt_views) planned.state.push_back(outlook(view));
    }
    COEVAL_ASSIGN(planned.champion, champion(model));
    return planned;
  }

 private:
  Result<Compared> compare(const define::Model& model) {
    Compared compared;
    COEVAL_ASSIGN(const auto versions, meta_.versions(model.name));
    if (versions.empty()) return compared;
    compared.version = versions.back().version;
    const auto built = context_.find_version(meta_, model.name, compared.version);
    if (built) {
      compared.difference = define::difference(*built->project, *context_.project);
      compared.warnings = new_enum_values(*built->project, *context_.project);
    } else {
      compared.obstacle = built.error().message;
    }
    return compared;
  }

  Result<ChampionOutlook> champion(const define::Model& model) {
    ChampionOutlook outlook;
    COEVAL_ASSIGN(const auto alias, meta_.alias(model.name, "champion"));
    if (!alias || *alias <= 0) return outlook;
    outlook.version = *alias;
    const auto served = context_.find_version(meta_, model.name, *alias);
    if (!served)
      outlook.obstacle = served.error().message;
    else if (serving::same_request(served->served->card, *context_.project, model))
      outlook.can_serve = true;
    else
      outlook.obstacle = "its inputs are made in another way";
    return outlook;
  }

  StateOutlook outlook(const std::string& view) {
    const auto known = state_.find(view);
    if (known != state_.end()) return known->second;
    StateOutlook out{view, {}, {}};
    const int index = context_.project->view_index(view);
    const int source = context_.project->views[static_cast<std::size_t>(index)].source;
    const std::string path = replay::source_path(*context_.project, source);
    const int views[] = {index};
    replay::PastOptions options;
    options.sources = replay::sources_of(*context_.project, views);
    if (path.empty() || !std::filesystem::exists(path)) {
      out.unknown = path.empty() ? "its source has no file" : "there is no file " + path;
    } else if (auto past = replay::load_past(*context_.project, context_.formats, options); !past) {
      out.unknown = past.error().message;
    } else {
      out.estimate = replay::estimate_state(*context_.project, index, *past);
    }
    return state_.emplace(view, std::move(out)).first->second;
  }

  Context& context_;
  stores::MetaStore& meta_;
  bool built_as_is_ = true;
  std::map<std::string, StateOutlook> state_;
};

// --- as JSON

data::Json as_json(const std::vector<Change>& changes) {
  data::Json list{data::Json::Array{}};
  for (const auto& change : changes) {
    data::Json one{data::Json::Object{}};
    one.set("name", change.name);
    one.set("change", std::string(name(change.kind)));
    if (!change.before.empty()) one.set("before", change.before);
    if (!change.after.empty()) one.set("after", change.after);
    list.push(std::move(one));
  }
  return list;
}

data::Json as_json(const std::vector<std::string>& names) {
  data::Json list{data::Json::Array{}};
  for (const auto& one : names) list.push(one);
  return list;
}

data::Json changes_json(const define::Difference& difference, const define::ModelDifference* own) {
  data::Json json{data::Json::Object{}};
  json.set("project", as_json(difference.project));
  json.set("sources", as_json(difference.sources));
  json.set("views", as_json(difference.views));
  json.set("features", as_json(difference.features));
  json.set("expressions", as_json(difference.expressions));
  json.set("inputs", as_json(own == nullptr ? std::vector<Change>{} : own->inputs));
  json.set("inputs_reordered", own != nullptr && own->inputs_reordered);
  json.set("settings", as_json(own == nullptr ? std::vector<Change>{} : own->settings));
  json.set("columns_recomputed",
           as_json(own == nullptr ? std::vector<std::string>{} : own->columns_recomputed));
  json.set("request_changed", own != nullptr && own->request_changed);
  return json;
}

data::Json as_json(const std::vector<StateOutlook>& state) {
  data::Json list{data::Json::Array{}};
  for (const auto& outlook : state) {
    data::Json one{data::Json::Object{}};
    one.set("view", outlook.view);
    if (outlook.estimate) {
      one.set("events_count", outlook.estimate->events);
      one.set("entities_count", outlook.estimate->entities);
      one.set("state_bytes", outlook.estimate->bytes());
    } else {
      one.set("state_bytes", data::Json{});
      one.set("unknown", outlook.unknown);
    }
    list.push(std::move(one));
  }
  return list;
}

data::Json as_json(const ModelPlanned& planned) {
  data::Json json = plan_json(planned.model->name, planned.steps);
  json.set("pending", planned.pending);
  json.set("compared_with",
           planned.compared.version > 0 ? data::Json{planned.compared.version} : data::Json{});
  if (planned.compared.difference)
    json.set("changes", changes_json(*planned.compared.difference, planned.own()));
  if (!planned.compared.obstacle.empty()) json.set("not_compared", planned.compared.obstacle);
  json.set("warnings", as_json(planned.compared.warnings));
  json.set("state", as_json(planned.state));
  if (planned.champion.version > 0) {
    data::Json champion{data::Json::Object{}};
    champion.set("version", planned.champion.version);
    champion.set("can_be_served", planned.champion.can_serve);
    if (!planned.champion.can_serve) champion.set("why", planned.champion.obstacle);
    json.set("champion", std::move(champion));
  }
  return json;
}

// --- as text

std::string listed(const std::vector<std::string>& names) {
  std::string text;
  for (const auto& one : names) text += (text.empty() ? "" : ", ") + one;
  return text;
}

// A canonical text with its durations, whole µs, as a person writes them.
std::string readable(const std::string& text) {
  static constexpr std::string_view kDigits = "0123456789";
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find_first_not_of(kDigits, at), text.size());
    const bool apart = at == 0 || text[at - 1] == ' ' || text[at - 1] == '(';
    const bool is_duration = apart && end > at && end - at <= 18 &&
                             text.compare(end, 2, "us") == 0 &&
                             (end + 2 == text.size() || std::isalnum(text[end + 2]) == 0);
    if (is_duration) {
      out += format_duration(std::stoll(text.substr(at, end - at)));
      at = end + 2;
    } else {
      const std::size_t next = std::max(end, at + 1);
      out += text.substr(at, next - at);
      at = next;
    }
  }
  return out;
}

void print_changes(Terminal& out, const std::string& what, const std::vector<Change>& changes) {
  for (const auto& change : changes) {
    out.print("  " + what + " " + change.name + " " + std::string(name(change.kind)));
    if (!change.before.empty()) out.print("    - " + readable(change.before));
    if (!change.after.empty()) out.print("    + " + readable(change.after));
  }
}

void print_difference(Terminal& out, const define::Difference& difference) {
  print_changes(out, "project", difference.project);
  print_changes(out, "source", difference.sources);
  print_changes(out, "view", difference.views);
  print_changes(out, "feature", difference.features);
  print_changes(out, "expression", difference.expressions);
}

void print_own(Terminal& out, const ModelPlanned& planned) {
  const define::ModelDifference* own = planned.own();
  if (own == nullptr) {
    if (planned.compared.difference) out.print("  nothing that the model reads changed");
    return;
  }
  print_changes(out, "input", own->inputs);
  if (own->inputs_reordered) out.print("  inputs stand in another order");
  print_changes(out, "setting", own->settings);
  out.print("  columns of the dataset with other values: " +
            (own->columns_recomputed.empty()
                 ? "none"
                 : std::to_string(own->columns_recomputed.size()) + " of " +
                       std::to_string(planned.model->inputs.size() + 1) + ": " +
                       listed(own->columns_recomputed)));
}

void print_state(Terminal& out, const StateOutlook& outlook) {
  const std::string what = "  state of view " + outlook.view + " is built anew: ";
  if (!outlook.estimate) return out.print(what + "size unknown, " + outlook.unknown);
  const auto& estimate = *outlook.estimate;
  out.print(what + "about " + std::to_string(estimate.bytes()) + " bytes (" +
            std::to_string(estimate.events) + " events of " +
            std::to_string(estimate.bytes_per_event) + ", " + std::to_string(estimate.entities) +
            " entities of " + std::to_string(estimate.bytes_per_entity) + ")");
}

void print_champion(Terminal& out, const ModelPlanned& planned) {
  if (planned.champion.version == 0) return;
  const std::string who =
      "  champion " + version_name(planned.model->name, planned.champion.version);
  out.print(planned.champion.can_serve
                ? who + " can go on being served under this definition"
                : who + " cannot be served under this definition: " + planned.champion.obstacle +
                      "; a running server keeps its own until it is restarted");
}

void print(Terminal& out, const ModelPlanned& planned) {
  for (const auto* step : {&planned.steps.dataset, &planned.steps.train})
    out.print(planned.model->name + ": " + step->step + " " + (step->hit ? "hit" : "miss") + " (" +
              step->why + ")");
  if (!planned.compared.obstacle.empty())
    out.print("  not compared with " + version_name(planned.model->name, planned.compared.version) +
              ": " + planned.compared.obstacle);
  for (const auto& warning : planned.compared.warnings) out.print("  warning: " + warning);
  if (planned.compared.difference && !planned.compared.difference->empty()) {
    out.print("  compared with the definition of " +
              version_name(planned.model->name, planned.compared.version) + ":");
    print_difference(out, *planned.compared.difference);
    print_own(out, planned);
    for (const auto& outlook : planned.state) print_state(out, outlook);
  }
  if (planned.pending) print_champion(out, planned);
}

// --- what logged predictions would have been

data::Json as_json(const replay::PlanReplayVersion& version) {
  data::Json json{data::Json::Object{}};
  json.set("model", version.model);
  json.set("version", version.version);
  json.set("predictions_count", version.predictions);
  json.set("comparable", version.obstacles.empty());
  if (!version.obstacles.empty()) {
    json.set("why_not", as_json(version.obstacles));
    return json;
  }
  json.set("features_differ_count", version.features_differ);
  json.set("scores_differ_count", version.scores_differ);
  json.set("decisions_differ_count", version.decisions_differ);
  if (version.refused > 0) json.set("refused_count", version.refused);
  if (version.beyond_retention > 0) json.set("beyond_retention_count", version.beyond_retention);
  data::Json examples{data::Json::Array{}};
  for (const auto& example : version.examples) {
    data::Json one{data::Json::Object{}};
    one.set("prediction_id", example.prediction_id);
    one.set("at", format_time(example.at_us));
    one.set("score_before", static_cast<double>(example.score_before));
    one.set("score_after", static_cast<double>(example.score_after));
    one.set("decision_before", example.decision_before);
    one.set("decision_after", example.decision_after);
    if (!example.feature.empty()) {
      one.set("feature", example.feature);
      one.set("before", example.before);
      one.set("after", example.after);
    }
    examples.push(std::move(one));
  }
  json.set("examples", std::move(examples));
  return json;
}

std::string score_text(float score) {
  return data::to_text(data::Value{static_cast<double>(score)}, data::Type::float64);
}

void print(Terminal& out, const replay::PlanReplayVersion& version) {
  const std::string who = version_name(version.model, version.version) + ": " +
                          std::to_string(version.predictions) + " logged predictions, ";
  if (!version.obstacles.empty()) {
    out.print(who + "which cannot be computed under this definition:");
    for (const auto& obstacle : version.obstacles) out.print("  " + obstacle);
    return;
  }
  out.print(
      who + std::to_string(version.features_differ) + " with other features, " +
      std::to_string(version.scores_differ) + " with another score, " +
      std::to_string(version.decisions_differ) + " with another decision" +
      (version.refused > 0 ? ", " + std::to_string(version.refused) + " refused as stale" : ""));
  if (version.beyond_retention > 0)
    out.print("  " + std::to_string(version.beyond_retention) +
              " of them could see events that retention has removed, and were not computed anew");
  for (const auto& example : version.examples) {
    std::string line = "  " + example.prediction_id + " at " + format_time(example.at_us) +
                       ": score " + score_text(example.score_before) + " -> " +
                       score_text(example.score_after);
    const std::string before = example.decision_before.dump(),
                      after = example.decision_after.dump();
    if (before != after) line += ", decision " + before + " -> " + after;
    if (!example.feature.empty())
      line += ", " + example.feature + " " + example.before + " -> " + example.after;
    out.print(line);
  }
}

Result<replay::PlanReplay> replayed(Context& context, stores::MetaStore& meta) {
  COEVAL_ASSIGN(const auto log, context.open_log_if_any());
  if (!log) return replay::PlanReplay{};
  replay::PlanReplayOptions options;
  options.threads = context.threads();
  options.progress = [&](std::int64_t done) {
    context.terminal.progress("predictions computed anew", done, 0);
  };
  if (!context.in.since.empty()) {
    COEVAL_ASSIGN(options.since_us, parse_time(context.in.since));
  }
  const replay::FindModel find = [&](const std::string& model, int version) {
    return context.find_version(meta, model, version);
  };
  return replay::plan_replay(context.project, context.formats, *log, find, options);
}

int print_replay(Context& context, stores::MetaStore& meta) {
  const auto report = replayed(context, meta);
  if (!report) return context.report(report.error());
  std::int64_t predictions = 0;
  data::Json versions{data::Json::Array{}};
  for (const auto& version : report->versions) {
    if (!context.in.model.empty() && version.model != context.in.model) continue;
    predictions += version.predictions;
    versions.push(as_json(version));
    if (!context.terminal.json()) print(context.terminal, version);
  }
  if (context.terminal.json()) {
    data::Json json{data::Json::Object{}};
    json.set("predictions_count", predictions);
    json.set("versions", std::move(versions));
    context.terminal.print_json(json);
  } else if (predictions == 0) {
    context.terminal.print(
        "no predictions are logged" +
        std::string(context.in.since.empty() ? "" : " from " + context.in.since + " on") +
        ", so there is nothing to compare");
  }
  return 0;
}

}  // namespace

data::Json plan_json(const std::string& model, const training::BuildPlan& plan) {
  data::Json json{data::Json::Object{}};
  json.set("model", model);
  for (const auto* step : {&plan.dataset, &plan.train}) {
    data::Json one{data::Json::Object{}};
    one.set("hit", step->hit);
    one.set("why", step->why);
    one.set("key", step->key);
    json.set(step->step, std::move(one));
  }
  return json;
}

int plan(Context& context) {
  if (const auto code = context.load_project()) return *code;
  const auto logged = stores::read_log_schemas(context.log_folder());
  if (!logged) return context.report(logged.error());
  const auto changes = replay::changes_of_schemas(*context.project, *logged);
  if (const auto refused = replay::refused_changes(changes)) return context.report(*refused);
  const auto models = context.pick_models(context.in.model);
  if (!models) return context.report(models.error());
  const auto meta = context.open_meta_for_reading();
  if (!meta) return context.report(meta.error());
  if (context.in.replay) return print_replay(context, **meta);
  const auto log = context.open_log_if_any();
  if (!log) return context.report(log.error());
  const training::Workshop shop = context.workshop(**meta, log->get());
  Planner planner(context, **meta);
  for (const auto& line : as_lines(changes))
    if (!context.terminal.json()) context.terminal.print("log: " + line);
  bool pending = false;
  data::Json all{data::Json::Array{}};
  for (const auto* model : *models) {
    const auto planned = planner.plan(shop, *model);
    if (!planned) return context.report(planned.error());
    pending = pending || planned->pending;
    if (context.terminal.json()) {
      data::Json one = as_json(*planned);
      one.set("log_changes", as_json(changes));
      all.push(std::move(one));
    } else {
      print(context.terminal, *planned);
    }
  }
  if (context.terminal.json()) context.terminal.print_json(all);
  return pending && context.in.exit_code ? info(Code::changes_pending).exit_code : 0;
}

}  // namespace coeval::cli
