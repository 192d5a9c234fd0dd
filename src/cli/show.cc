#include <cmath>
#include <cstdio>

#include "cli/commands.h"
#include "cli/show_card.h"
#include "cli/show_feature.h"
#include "training/gates.h"

namespace coeval::cli {

namespace {

std::string fixed(const data::Json* json, int digits) {
  char text[32];
  const double value = json != nullptr && json->real() != nullptr ? *json->real()
                       : json != nullptr && json->integer() != nullptr
                           ? static_cast<double>(*json->integer())
                           : 0;
  std::snprintf(text, sizeof text, "%.*f", digits, value);
  return text;
}

int list_models(Context& context, stores::MetaStore& meta) {
  data::Json all{data::Json::Array{}};
  for (const auto& model : context.project->models) {
    const auto versions = meta.versions(model.name);
    const auto champion = meta.alias(model.name, "champion");
    if (!versions) return context.report(versions.error());
    if (!champion) return context.report(champion.error());
    data::Json one{data::Json::Object{}};
    one.set("model", model.name);
    one.set("inputs_count", model.inputs.size());
    one.set("versions_count", versions->size());
    if (*champion && **champion > 0) one.set("champion", **champion);
    if (!context.terminal.json())
      context.terminal.print(
          model.name + ": " + std::to_string(model.inputs.size()) + " inputs, " +
          std::to_string(versions->size()) + " versions, champion " +
          (*champion && **champion > 0 ? "v" + std::to_string(**champion) : "none"));
    all.push(std::move(one));
  }
  if (context.terminal.json()) context.terminal.print_json(all);
  return 0;
}

// One line a part: its name, then what a regression's metrics are.
void print_regression(Context& context, const data::Json& metrics) {
  const bool pinball = metrics.find("test")->find("pinball") != nullptr;
  context.terminal.print(
      std::string("part      rows      label mean   rmse         mae          r_squared  wape") +
      (pinball ? "     pinball" : ""));
  for (const char* part : {"train", "validate", "test"}) {
    const data::Json* one = metrics.find(part);
    if (one == nullptr) continue;
    char line[200];
    const auto text = [&](const char* name) {
      return one->find(name) == nullptr ? std::string("-") : fixed(one->find(name), 5);
    };
    std::snprintf(line, sizeof line, "%-9s %-9s %-12s %-12s %-12s %-10s %-8s %s", part,
                  fixed(one->find("rows"), 0).c_str(), text("label_mean").c_str(),
                  text("rmse").c_str(), text("mae").c_str(), text("r_squared").c_str(),
                  text("wape").c_str(), pinball ? text("pinball").c_str() : "");
    context.terminal.print(line);
  }
}

// One line a part, of kinds whose figures are numbers from 0 up.
void print_parts(Context& context, const data::Json& metrics,
                 const std::vector<std::string>& names) {
  std::string head = "part      rows     ";
  const auto width = [](const std::string& name) { return std::max<std::size_t>(name.size(), 8); };
  for (const std::string& name : names)
    head += ' ' + name + std::string(width(name) - name.size(), ' ');
  context.terminal.print(head);
  for (const char* part : {"train", "validate", "test"}) {
    const data::Json* one = metrics.find(part);
    if (one == nullptr) continue;
    char start[64];
    std::snprintf(start, sizeof start, "%-9s %-9s", part, fixed(one->find("rows"), 0).c_str());
    std::string line = start;
    for (const std::string& name : names) {
      const data::Json* value = one->find(name);
      const bool whole = value != nullptr && value->integer() != nullptr;
      std::string text = value == nullptr ? "-" : fixed(value, whole ? 0 : 5);
      text.resize(std::max(text.size(), width(name)), ' ');
      line += ' ' + text;
    }
    context.terminal.print(line);
  }
}

void print_metrics(Context& context, const data::Json& metrics) {
  const data::Json* of_test = metrics.find("test");
  if (of_test != nullptr && of_test->find("classes_with_auc") != nullptr)
    return print_parts(
        context, metrics,
        {"log_loss", "accuracy", "macro_f1", "weighted_f1", "macro_auc", "mean_cost"});
  if (of_test != nullptr && of_test->find("queries_without_relevant") != nullptr)
    return print_parts(context, metrics,
                       {"queries", "queries_without_relevant", "ndcg", "map", "mrr", "hit_rate"});
  if (const data::Json* test = metrics.find("test");
      test != nullptr && test->find("label_mean") != nullptr)
    return print_regression(context, metrics);
  context.terminal.print("part      rows      positives  auc      ap       log loss  brier    ece");
  for (const char* part : {"train", "validate", "test"}) {
    const data::Json* one = metrics.find(part);
    if (one == nullptr) continue;
    char line[160];
    std::snprintf(line, sizeof line, "%-9s %-9s %-10s %-8s %-8s %-9s %-8s %s", part,
                  fixed(one->find("rows"), 0).c_str(), fixed(one->find("positives"), 0).c_str(),
                  fixed(one->find("auc"), 5).c_str(),
                  fixed(one->find("average_precision"), 5).c_str(),
                  fixed(one->find("log_loss"), 5).c_str(), fixed(one->find("brier"), 5).c_str(),
                  fixed(one->find("calibration_error"), 5).c_str());
    context.terminal.print(line);
  }
}

double real_of(const data::Json* json) {
  if (json == nullptr) return std::nan("");
  if (json->real() != nullptr) return *json->real();
  return json->integer() != nullptr ? static_cast<double>(*json->integer()) : std::nan("");
}

// How sure the metrics of the test part are. Versions of before have no intervals.
void print_intervals(Context& context, const data::Json& metrics) {
  const data::Json* test = metrics.find("test");
  const data::Json* intervals = test == nullptr ? nullptr : test->find("intervals");
  if (intervals == nullptr || intervals->object() == nullptr) return;
  const data::Json* unit = test->find("interval_unit");
  context.terminal.print("test, with 95 % intervals drawn by " +
                         (unit != nullptr && unit->string() != nullptr ? *unit->string() : "?") +
                         " over " + fixed(test->find("interval_units"), 0) + " units:");
  for (const auto& [name, ends] : *intervals->object()) {
    const double value = real_of(test->find(name)), lower = real_of(ends.find("lower")),
                 upper = real_of(ends.find("upper"));
    context.terminal.print("  " + name + " " + training::interval_text(value, lower, upper));
  }
}

void print_version(Context& context, const stores::ModelVersion& version,
                   const define::Model& model, const data::Json& metrics, const data::Json& gates) {
  auto& out = context.terminal;
  out.print(version.model + "@v" + std::to_string(version.version) + ", made " +
            format_time(version.created_us) + ", in " + context.state_folder + "/" +
            version.folder);
  out.print("dataset " + version.dataset_id + "\nrecipe  " + version.recipe_id + "\nbits    " +
            version.bits_id + "\nfiles   " +
            (version.removed_us != 0 ? "removed by coeval gc at " + format_time(version.removed_us)
             : version.manifest_id.empty() ? "(not recorded)"
                                           : version.manifest_id) +
            "\nir      " + version.ir_hash +
            (version.ir_hash == model.ir_hash ? "" : "  (not the present definition)"));
  print_metrics(context, metrics);
  print_intervals(context, metrics);
  if (const data::Json* compared = metrics.find("runtime_rows_compared"))
    out.print("runtime against the trainer's own prediction: " + fixed(compared, 0) + " rows, " +
              fixed(metrics.find("runtime_differences"), 0) + " differ");
  if (gates.array() != nullptr)
    for (const auto& gate : *gates.array()) {
      const data::Json* passed = gate.find("passed");
      const data::Json* name = gate.find("gate");
      const data::Json* measured = gate.find("measured");
      out.print(
          "gate " +
          std::string(passed && passed->boolean() && *passed->boolean() ? "passed" : "FAILED") +
          "  " + (name && name->string() ? *name->string() : "") + "  (" +
          (measured && measured->string() ? *measured->string() : "") + ")");
    }
  std::string inputs;
  for (const auto& input : model.inputs) inputs += (inputs.empty() ? "" : ", ") + input.name;
  out.print("inputs (" + std::to_string(model.inputs.size()) + "): " + inputs);
}

}  // namespace

int show(Context& context) {
  // A model may be called "feature"; a second word is what makes it a question about one.
  if (context.in.model == "feature" && !context.in.subject.empty()) {
    if (context.in.card.empty()) return show_feature(context);
    return context.report(Error{
        Code::usage, "a feature has no model card", "coeval show MODEL --card card.html", {}, {}});
  }
  if (!context.in.subject.empty())
    return context.report(Error{Code::usage,
                                "one model at a time, found '" + context.in.subject + "' too",
                                "coeval show feature VIEW.FEATURE shows a feature",
                                {},
                                {}});
  if (const auto code = context.load_project()) return *code;
  if (!context.in.card.empty()) return show_card(context);
  const auto meta = context.open_meta_for_reading();
  if (!meta) return context.report(meta.error());
  if (context.in.model.empty()) return list_models(context, **meta);
  const auto model = context.pick_model(context.in.model);
  if (!model) return context.report(model.error());
  const auto versions = (*meta)->versions((*model)->name);
  if (!versions) return context.report(versions.error());
  for (auto at = versions->rbegin(); at != versions->rend(); ++at) {
    if (context.in.version != 0 && at->version != context.in.version) continue;
    const auto metrics = data::parse_json(at->metrics_json);
    const auto gates = data::parse_json(at->gates_json);
    if (!metrics || !gates)
      return context.report(
          Error{Code::metadata, "the record of this version cannot be read", {}, {}, {}});
    if (!context.terminal.json()) {
      print_version(context, *at, **model, *metrics, *gates);
      return 0;
    }
    data::Json json{data::Json::Object{}};
    json.set("model", at->model);
    json.set("version", at->version);
    json.set("ir_hash", at->ir_hash);
    json.set("dataset_id", at->dataset_id);
    json.set("recipe_id", at->recipe_id);
    json.set("bits_id", at->bits_id);
    json.set("manifest_id", at->manifest_id);
    if (at->removed_us != 0) json.set("removed", format_time(at->removed_us));
    json.set("gates_passed", at->gates_passed);
    json.set("metrics", *metrics);
    json.set("gates", *gates);
    context.terminal.print_json(json);
    return 0;
  }
  return context.report(Context::no_such_version((*model)->name, *versions, context.in.version));
}

}  // namespace coeval::cli
