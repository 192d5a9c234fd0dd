#include <filesystem>

#include "adapters/mlflow/model_files.h"
#include "cli/exports.h"
#include "models/new_folder.h"
#include "training/registered_model.h"

namespace coeval::cli {

namespace {

// Nothing is overwritten: NewFolder refuses a folder with files, and this says so before any work.
Status check_free(const std::string& folder) {
  std::error_code failed;
  const auto status = std::filesystem::symlink_status(folder, failed);
  if (!std::filesystem::exists(status)) return {};
  if (std::filesystem::is_directory(status) && std::filesystem::is_empty(folder, failed) && !failed)
    return {};
  return fail(Code::usage, "'" + folder + "' is there already, and is no empty folder",
              "name a new folder, or remove this one");
}

Status write(const std::string& folder, const std::vector<adapters::mlflow::ModelFile>& files) {
  COEVAL_ASSIGN(models::NewFolder target, models::NewFolder::create(folder));
  for (const auto& file : files) COEVAL_TRY(target.write(file.path, file.bytes));
  return std::move(target).publish();
}

Result<stores::ModelVersion> export_model(Context& context, const std::string& name,
                                          const std::string& folder) {
  COEVAL_TRY(check_free(folder));
  COEVAL_ASSIGN(const auto meta, context.open_meta_for_reading());
  COEVAL_ASSIGN(auto version, context.pick_version(*meta, name));
  COEVAL_ASSIGN(const auto served,
                training::load_version(context.state_folder, version, context.openers));
  if (served->card.outputs() != 1)
    return fail(Code::unsupported,
                version.model + "@v" + std::to_string(version.version) +
                    " has several classes, whose export as an MLflow model is not in this version",
                "its own file is in " + context.state_folder + "/" + version.folder);
  COEVAL_ASSIGN(const auto files,
                adapters::mlflow::mlflow_model(
                    {.model = *served,
                     .folder = context.state_folder + "/" + version.folder,
                     .version = version.model + "@v" + std::to_string(version.version),
                     .created_us = version.created_us}));
  COEVAL_TRY(write(folder, files));
  return version;
}

}  // namespace

int export_mlflow_model(Context& context) {
  const auto& words = context.in.words;
  if (words.empty() || words.size() > 2) return context.report(export_usage("mlflow-model"));
  const std::string& folder = words.back();
  const auto version = export_model(context, words.size() == 2 ? words.front() : "", folder);
  if (!version) return context.report(version.error());
  if (context.terminal.json()) {
    data::Json json{data::Json::Object{}};
    json.set("model", version->model);
    json.set("version", version->version);
    json.set("folder", folder);
    context.terminal.print_json(json);
    return 0;
  }
  context.terminal.print(version->model + "@v" + std::to_string(version->version) +
                         " is an MLflow model in " + folder + ": mlflow.pyfunc.load_model(\"" +
                         folder + "\")");
  return 0;
}

}  // namespace coeval::cli
