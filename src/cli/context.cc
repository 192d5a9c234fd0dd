#include "cli/context.h"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <thread>

#include "adapters/onnxruntime/onnx_session.h"
#include "define/diagnostics.h"
#include "stores/files.h"
#include "training/registered_model.h"

namespace coeval::cli {

Context::Context(const Invocation& invocation, Terminal& out)
    : in(invocation),
      terminal(out),
      installation(find_installation()),
      formats(make_formats(installation)),
      openers{adapters::onnx_opener(installation.onnxruntime_folder)} {}

std::string Context::text_of(const SourcePosition& position) const {
  if (position.line == 0) return {};
  if (position.file == kFeaturesOption) return in.features;
  if (position.file == kArrivalOption) return in.arrival;
  if (position.file == stores::kFilterOption) return in.filter;
  return definition;
}

int Context::report(const Error& error) {
  terminal.error(error, text_of(error.position));
  return info(error.code).exit_code;
}

int Context::threads() const {
  if (in.threads > 0) return in.threads;
  return static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
}

std::optional<int> Context::load_project() {
  auto file = define::find_project_file(in.folder);
  if (!file) return report(file.error());
  if (auto text = stores::read_file(*file)) definition = std::move(*text);
  define::Checked checked = define::check_file(*file);
  if (!checked.project) {
    terminal.errors(checked.errors, definition);
    terminal.say(std::to_string(checked.errors.size()) +
                 (checked.errors.size() == 1 ? " error" : " errors") + " in " + *file);
    return checked.errors.empty() ? 1 : info(checked.errors.front().code).exit_code;
  }
  project = std::make_shared<const define::Project>(std::move(*checked.project));
  state_folder = (std::filesystem::path(project->folder) / ".coeval").lexically_normal().string();
  return std::nullopt;
}

Result<std::unique_ptr<stores::MetaStore>> Context::open_meta() {
  COEVAL_TRY(stores::make_folders(state_folder));
  return stores::open_meta_store(state_folder + "/meta.sqlite");
}

Result<std::unique_ptr<stores::MetaStore>> Context::open_meta_for_reading() {
  return stores::open_meta_store_for_reading(state_folder + "/meta.sqlite");
}

Result<std::unique_ptr<stores::RunStore>> Context::open_runs() {
  return stores::open_run_store(state_folder + "/runs.sqlite");
}

Result<std::unique_ptr<stores::RunStore>> Context::open_runs_for_reading() {
  return stores::open_run_store_for_reading(state_folder + "/runs.sqlite");
}

Result<std::unique_ptr<stores::EventLog>> Context::open_log_if_any() {
  if (!std::filesystem::exists(log_folder())) return nullptr;
  COEVAL_ASSIGN(auto log, stores::open_log_for_reading(log_folder()));
  if (log->next_position().value == 0) return nullptr;
  return log;
}

Result<std::vector<const define::Model*>> Context::pick_models(const std::string& name) {
  std::vector<const define::Model*> picked;
  std::vector<std::string> names;
  for (const auto& model : project->models) {
    names.push_back(model.name);
    if (name.empty() || model.name == name) picked.push_back(&model);
  }
  if (!picked.empty()) return picked;
  if (name.empty())
    return fail(Code::unknown_name, "the project defines no model", "add [model.NAME]");
  const std::string near = define::did_you_mean(name, names);
  return fail(Code::unknown_name, "no model '" + name + "' in " + project->file,
              near.empty() ? "coeval show lists the models" : near);
}

Result<const define::Model*> Context::pick_model(const std::string& name) {
  COEVAL_ASSIGN(const auto picked, pick_models(name));
  if (picked.size() == 1) return picked.front();
  std::string names;
  for (const auto* model : picked) names += (names.empty() ? "" : ", ") + model->name;
  return fail(Code::usage, "the project has several models", "name one of " + names);
}

Error Context::no_such_version(const std::string& model,
                               const std::vector<stores::ModelVersion>& versions, int version) {
  if (versions.empty())
    return {Code::not_built,
            "model '" + model + "' has no built version",
            "coeval build " + model,
            {},
            {}};
  const std::string newest = std::to_string(versions.back().version);
  return {Code::unknown_model,
          "model '" + model + "' has no version " + std::to_string(version),
          "its newest is " + newest + "; coeval show " + model + " --version N shows one",
          {},
          {}};
}

Result<stores::ModelVersion> Context::pick_version(stores::MetaStore& meta,
                                                   const std::string& name) {
  const std::size_t at = name.find("@v");
  int wanted = 0;
  if (at != std::string::npos) {
    const char* end = name.data() + name.size();
    const auto parsed = std::from_chars(name.data() + at + 2, end, wanted);
    if (parsed.ec != std::errc{} || parsed.ptr != end || wanted < 1)
      return fail(Code::usage, "not a version: '" + name + "'",
                  "write MODEL@vN, such as " + name.substr(0, at) + "@v1");
  }
  // A model that the definition has no more is still registered.
  std::string model = name.substr(0, at);
  COEVAL_ASSIGN(auto versions, meta.versions(model));
  if (versions.empty()) {
    COEVAL_ASSIGN(const auto* defined, pick_model(model));
    model = defined->name;
    COEVAL_ASSIGN(versions, meta.versions(model));
  }
  for (auto row = versions.rbegin(); row != versions.rend(); ++row)
    if (wanted == 0 || row->version == wanted) return *row;
  return std::unexpected(no_such_version(model, versions, wanted));
}

training::Workshop Context::workshop(stores::MetaStore& meta, const stores::EventLog* log) {
  training::Workshop shop;
  shop.project = project;
  shop.definition = definition;
  shop.state_folder = state_folder;
  shop.program = installation.program;
  shop.engine = kEngine;
  shop.formats = formats;
  shop.openers = openers;
  shop.meta = &meta;
  shop.log = log;
  shop.clock = &clock;
  shop.threads = threads();
  shop.say = [this](const std::string& line) { terminal.say(line); };
  shop.progress = [this](const std::string& what, std::int64_t done, std::int64_t all) {
    terminal.progress(what, done, all);
  };
  return shop;
}

Result<replay::AuditedModel> Context::find_version(stores::MetaStore& meta,
                                                   const std::string& model, int version) {
  COEVAL_ASSIGN(const auto versions, meta.versions(model));
  for (const auto& row : versions) {
    if (row.version != version) continue;
    replay::AuditedModel found;
    COEVAL_ASSIGN(found.served, training::load_version(state_folder, row, openers));
    const data::Json* text = found.served->card.details.find("definition");
    if (text == nullptr || text->string() == nullptr)
      return fail(Code::bad_model, "model folder " + row.folder + " holds no definition");
    auto checked = define::check_text(*text->string(), project->file);
    if (!checked.project)
      return fail(Code::bad_model,
                  "the definition kept in " + row.folder + " does not check any more");
    checked.project->folder = project->folder;
    found.model = checked.project->model_index(model);
    found.project = std::make_shared<const define::Project>(std::move(*checked.project));
    if (found.model < 0 || found.project->models[static_cast<std::size_t>(found.model)].ir_hash !=
                               found.served->card.ir_hash)
      return fail(Code::bad_model, "the definition kept in " + row.folder + " gives another hash");
    return found;
  }
  return fail(Code::unknown_model,
              "no version " + std::to_string(version) + " of model '" + model + "'",
              "coeval show " + model + " lists what was built");
}

}  // namespace coeval::cli
