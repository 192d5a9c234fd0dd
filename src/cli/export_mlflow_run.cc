#include <cstdlib>
#include <map>

#include "adapters/http/http_client.h"
#include "adapters/mlflow/model_files.h"
#include "adapters/mlflow/run_export.h"
#include "cli/exports.h"
#include "cli/remote_server.h"
#include "cli/run_text.h"
#include "cli/show_card.h"
#include "training/registered_model.h"

namespace coeval::cli {

namespace {

namespace mlflow = adapters::mlflow;

constexpr const char* kModelArtifact = "model";

std::vector<std::string> aliases_at(const std::vector<stores::AliasMove>& moves, int version) {
  std::map<std::string, int> newest;
  for (const auto& move : moves) newest[move.alias] = move.version;
  std::vector<std::string> aliases;
  for (const auto& [alias, at] : newest)
    if (at == version) aliases.push_back(alias);
  return aliases;
}

std::string version_text(const stores::ModelVersion& version) {
  return version.model + "@v" + std::to_string(version.version);
}

std::string description_of(const stores::ModelVersion& version) {
  return version_text(version) + ", built by coeval. Its gates " +
         (version.gates_passed ? "passed" : "did not pass") +
         ". The run's artefacts hold its model card.";
}

// Its card, its definition, and itself as an MLflow model, which is what is registered. Returns why
// it cannot be one, where it cannot: then the run goes without.
Result<std::string> take_version(Context& context, stores::MetaStore& meta,
                                 const stores::ModelVersion& version, mlflow::RunExport& what) {
  COEVAL_ASSIGN(const auto served,
                training::load_version(context.state_folder, version, context.openers));
  if (const data::Json* text = served->card.details.find("definition"); text && text->string())
    what.artifacts.push_back({"coeval.toml", *text->string()});
  for (const bool html : {true, false}) {
    COEVAL_ASSIGN(std::string card, card_text(context, meta, version, html));
    what.artifacts.push_back({html ? "model_card.html" : "model_card.md", std::move(card)});
  }
  auto files = mlflow::mlflow_model({.model = *served,
                                     .folder = context.state_folder + "/" + version.folder,
                                     .version = version_text(version),
                                     .created_us = version.created_us});
  if (!files) {
    if (files.error().code == Code::unsupported) return files.error().message;
    return std::unexpected(std::move(files).error());
  }
  for (auto& file : *files)
    what.artifacts.push_back({kModelArtifact + ("/" + file.path), std::move(file.bytes)});
  COEVAL_ASSIGN(const auto moves, meta.alias_history(version.model));
  what.registration = mlflow::Registration{.model = version.model,
                                           .version = version.version,
                                           .description = description_of(version),
                                           .source = kModelArtifact,
                                           .aliases = aliases_at(moves, version.version)};
  return std::string();
}

struct Exported {
  stores::Run run;
  mlflow::ExportedRun at;
  std::string not_registered;  ///< why a version of ours is none there
  std::vector<std::string> aliases;
};

Result<Exported> export_one(Context& context, HttpExchange& http, stores::MetaStore& meta,
                            const ExportSubject& subject) {
  mlflow::RunExport what;
  what.run = subject.run;
  what.artifacts.push_back({"run.json", run_json(subject.run).dump_pretty() + "\n"});
  Exported exported;
  if (subject.version) {
    COEVAL_ASSIGN(exported.not_registered, take_version(context, meta, *subject.version, what));
  }
  if (what.registration) exported.aliases = what.registration->aliases;
  COEVAL_ASSIGN(exported.at, mlflow::export_run(http, what));
  exported.run = subject.run;
  return exported;
}

Result<std::vector<Exported>> export_all(Context& context) {
  const auto& words = context.in.words;
  COEVAL_ASSIGN(const auto http, open_remote_server(context.terminal, words.front(), kMlflow));
  COEVAL_ASSIGN(const auto meta, context.open_meta_for_reading());
  COEVAL_ASSIGN(const auto runs, context.open_runs_for_reading());
  COEVAL_ASSIGN(const auto subjects, export_subjects(context, *meta, *runs));
  std::vector<Exported> all;
  for (const ExportSubject& subject : subjects) {
    COEVAL_ASSIGN(Exported exported, export_one(context, *http, *meta, subject));
    all.push_back(std::move(exported));
  }
  return all;
}

data::Json texts(const std::vector<std::string>& list) {
  return data::Json::Array(list.begin(), list.end());
}

data::Json as_json(const std::vector<Exported>& all) {
  data::Json list{data::Json::Array{}};
  for (const Exported& each : all) {
    data::Json one{data::Json::Object{}};
    one.set("run", each.run.id);
    one.set("mlflow_run_id", each.at.run_id);
    one.set("mlflow_experiment_id", each.at.experiment_id);
    one.set("found", each.at.found);
    if (!each.at.version.empty()) {
      one.set("mlflow_version", each.at.version);
      one.set("version_found", each.at.version_found);
      one.set("aliases", texts(each.aliases));
    }
    if (!each.not_registered.empty()) one.set("not_registered", each.not_registered);
    one.set("cut", texts(each.at.cut));
    list.push(std::move(one));
  }
  return list;
}

void print(Terminal& out, const Exported& each) {
  out.print("run " + each.run.id + (each.at.found ? " is brought up to date" : " is written") +
            " as " + each.at.run_id + " in experiment '" + each.run.experiment + "'");
  if (!each.at.version.empty()) {
    std::string aliases;
    for (const auto& alias : each.aliases) aliases += (aliases.empty() ? ", alias " : ", ") + alias;
    out.print(
        each.run.model + "@v" + std::to_string(each.run.version) +
        (each.at.version_found ? " was registered as version " : " is registered as version ") +
        each.at.version + aliases);
  }
  if (!each.not_registered.empty()) out.say("not registered: " + each.not_registered);
  for (const std::string& name : each.at.cut)
    out.say(name + " is longer than MLflow takes: its beginning is there, all of it in run.json");
}

}  // namespace

int export_mlflow_run(Context& context) {
  const auto& words = context.in.words;
  if (words.empty()) return context.report(export_usage("mlflow-run"));
  const auto all = export_all(context);
  if (!all) return context.report(all.error());
  if (context.terminal.json()) {
    context.terminal.print_json(as_json(*all));
    return 0;
  }
  for (const Exported& each : *all) print(context.terminal, each);
  return 0;
}

}  // namespace coeval::cli
