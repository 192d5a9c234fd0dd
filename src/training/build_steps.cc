#include "training/build_steps.h"

#include <filesystem>

#include "base/time.h"
#include "data/hash.h"
#include "define/ir.h"
#include "replay/dataset.h"
#include "replay/labels.h"
#include "training/external_trainer.h"
#include "training/given_model.h"
#include "training/registered_model.h"

namespace coeval::training {

namespace {

std::string source_text(const define::Source& source) {
  std::string text = source.name + " time " + source.time_column + " known " +
                     define::canonical(*source.known) + "\n";
  for (const auto& column : source.columns) {
    text += column.name + " " + std::string(name(column.type)) + (column.nullable ? " null" : "");
    const auto decides = [&](std::string_view rule) {
      return column.severity_of(rule) == define::Severity::error;
    };
    if (column.min && decides("min")) text += " min " + data::to_text(*column.min, column.type);
    if (column.max && decides("max")) text += " max " + data::to_text(*column.max, column.type);
    if (column.pattern && decides("pattern")) text += " pattern " + *column.pattern;
    if (decides("enum"))
      for (const auto& word : column.allowed) text += " enum " + word;
    text += "\n";
  }
  return text + define::further_rules_ir(source);
}

std::string inputs_text(const define::Model& model) {
  std::string text = "at " + model.at_column + "\n";
  for (const auto& key : model.row.keys)
    text += "key " + key.value.name + " = " + define::canonical(*key.value.expr) + "\n";
  for (const auto& input : model.inputs)
    text += input.name + " = " + define::canonical(*input.expr) + "\n";
  return text;
}

// What the dataset holds of the question's row besides inputs and label.
std::string beside_text(const define::Model& model) {
  const define::TrainingOptions& options = model.training;
  std::string text;
  if (options.weight) text += "weight " + define::canonical(*options.weight) + "\n";
  if (options.resampling.expr) text += "unit " + define::canonical(*options.resampling.expr) + "\n";
  if (options.rolling.folds > 0) text += "label_known\n";
  for (const auto& field : define::columns_of(model.metrics)) text += "column " + field.name + "\n";
  for (const auto& slice : options.slices)
    text += "slice " + slice.name + " = " + define::canonical(*slice.expr) + "\n";
  return text;
}

std::string label_text(const define::Project& project, const define::Model& model) {
  if (model.label_matures || model.label_events) return define::label_ir(project, model);
  return define::canonical(*model.label) + " known " + define::canonical(*model.label_known);
}

// "changed: view:origin, split" by comparing named inputs with those of the last time.
std::string what_changed(const data::Json& now, const std::string& then_text) {
  const auto then = data::parse_json(then_text);
  if (!then) return "the record of the last build cannot be read";
  std::string names;
  for (const auto& input : differing_inputs(now, *then))
    names += (names.empty() ? "" : ", ") + input;
  return names.empty() ? "its output was missing" : "changed: " + names;
}

}  // namespace

std::string split_text(const define::Split& split) {
  std::string text = format_time(split.train_until_us) + " " + format_time(split.validate_until_us);
  if (split.calibrate_until_us != 0) text += " calibrate " + format_time(split.calibrate_until_us);
  if (split.threshold_until_us != 0) text += " threshold " + format_time(split.threshold_until_us);
  if (split.gap_us != 0) text += " gap " + format_duration(split.gap_us);
  return text + " " + format_time(split.test_until_us);
}

std::vector<std::string> differing_inputs(const data::Json& now, const data::Json& then) {
  std::vector<std::string> names;
  if (now.object() == nullptr || then.object() == nullptr) return {"all of them"};
  for (const auto& [key, value] : *now.object()) {
    const data::Json* old = then.find(key);
    if (old == nullptr || old->dump() != value.dump()) names.push_back(key);
  }
  for (const auto& [key, value] : *then.object())
    if (now.find(key) == nullptr) names.push_back(key + " (gone)");
  return names;
}

Recipe recipe_of(const Workshop& shop, const define::Model& model, const std::string& dataset_id,
                 const std::string& engine) {
  return {dataset_id,
          model.ir_hash,
          model.split,
          model.params,
          model.seed,
          model.rounds,
          model.early_stopping_rounds,
          shop.given != nullptr ? "file" : model.trainer,
          engine,
          shop.engine};
}

// Everything that a dataset's bytes depend on, by name, so that a miss can say which one changed.
Result<data::Json> dataset_inputs(const Workshop& shop, const define::Model& model) {
  const auto& project = *shop.project;
  std::vector<int> views = replay::views_of(model.row);
  const std::vector<int> sources = replay::sources_of(project, model);
  data::Json json{data::Json::Object{}};
  for (const int index : sources) {
    const auto& source = project.sources[static_cast<std::size_t>(index)];
    json.set("source:" + source.name, data::sha256_hex(source_text(source)));
    const std::string path = replay::source_path(project, index);
    if (path.empty()) continue;
    COEVAL_ASSIGN(std::string sha256, data::sha256_of_file(path));
    json.set("file:" + source.name, std::move(sha256));
  }
  for (const int view : views)
    json.set("view:" + project.views[static_cast<std::size_t>(view)].name,
             define::view_hash(project, view));
  json.set("inputs", data::sha256_hex(inputs_text(model)));
  json.set("label", label_text(project, model));
  json.set("split", split_text(model.split));
  if (const std::string beside = beside_text(model); !beside.empty())
    json.set("weights_and_slices", data::sha256_hex(beside));
  json.set("engine", shop.engine);
  if (shop.log != nullptr) {
    COEVAL_ASSIGN(const auto cut, replay::read_cut(*shop.log));
    if (cut) {
      json.set("cut", format_time(cut->cut_us));
      json.set("log", static_cast<std::int64_t>(shop.log->next_position().value));
      COEVAL_ASSIGN(const auto trim, shop.log->trim());
      if (trim) json.set("log_from", static_cast<std::int64_t>(trim->first.value));
    }
  }
  return json;
}

Result<data::Json> train_inputs(const Workshop& shop, const define::Model& model,
                                const std::string& dataset_key) {
  data::Json json{data::Json::Object{}};
  json.set("dataset", dataset_key);
  if (shop.given != nullptr) json.set("model_file", shop.given->sha256);
  json.set("trainer", model.trainer);
  json.set("rounds", model.rounds);
  json.set("early_stopping_rounds", model.early_stopping_rounds);
  json.set("seed", std::to_string(model.seed));
  for (const auto& [key, value] : model.params) json.set("param:" + key, value);
  if (model.trainer == define::kExternalTrainer) {
    COEVAL_ASSIGN(const auto command, define::external_trainer(model));
    COEVAL_ASSIGN(const auto files, command_files(shop.project->folder, command));
    for (const CommandFile& file : files) json.set("script:" + file.name, file.sha256);
  }
  if (model.kind == define::ModelKind::binary) {
    json.set("threshold", model.threshold);
  } else {
    json.set("kind", define::name(model.kind));
    if (model.kind == define::ModelKind::regression)
      json.set("loss", define::loss_text(model.loss));
  }
  json.set("ir", model.ir_hash);
  return json;
}

Result<StepPlan> plan_step(const Workshop& shop, const define::Model& model,
                           const std::string& step, data::Json inputs) {
  StepPlan plan;
  plan.step = step;
  plan.inputs = std::move(inputs);
  plan.key = data::sha256_hex(step + " 2\n" + plan.inputs.dump());
  COEVAL_ASSIGN(const auto cached, shop.meta->find_step(plan.key));
  if (cached && std::filesystem::exists(shop.state_folder + "/" + cached->output)) {
    plan.hit = true;
    plan.why = "inputs unchanged";
    plan.output = cached->output;
    return plan;
  }
  COEVAL_ASSIGN(const auto last, shop.meta->latest_step(step, model.name));
  plan.why = last ? what_changed(plan.inputs, last->inputs_json) : "first build";
  return plan;
}

Status remember(const Workshop& shop, const define::Model& model, const StepPlan& plan) {
  return shop.meta->put_step(
      {plan.key, plan.step, model.name, plan.inputs.dump(), plan.output, shop.clock->now_us()});
}

}  // namespace coeval::training
