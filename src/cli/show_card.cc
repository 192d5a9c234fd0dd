#include "cli/show_card.h"

#include <filesystem>

#include "stores/files.h"
#include "training/model_card.h"

namespace coeval::cli {

std::string dataset_path(const Context& context, const std::string& model,
                         const std::string& dataset_id) {
  return context.state_folder + "/datasets/" + model + "-" + dataset_id.substr(0, 16) +
         training::kManifestEnding;
}

Result<std::string> card_text(Context& context, stores::MetaStore& meta,
                              const stores::ModelVersion& version, bool html) {
  COEVAL_ASSIGN(const auto found, context.find_version(meta, version.model, version.version));
  training::CardSubject subject{
      .project = *found.project,
      .model = found.project->models[static_cast<std::size_t>(found.model)],
      .card = found.served->card,
      .metrics = found.served->metrics,
      .version = version.version};
  // A dataset may be gone; one whose facts are damaged is an error.
  auto facts =
      training::read_dataset_facts(dataset_path(context, version.model, version.dataset_id));
  if (facts)
    subject.facts = std::move(*facts);
  else if (facts.error().code != Code::no_such_file)
    return std::unexpected(std::move(facts).error());
  auto importance =
      training::importance_of(context.state_folder + "/" + version.folder, version.bits_id);
  if (importance)
    subject.importance = std::move(*importance);
  else
    subject.no_importance = importance.error().message;
  const training::CardDocument card = training::model_card(subject);
  return html ? training::card_html(card) : training::card_markdown(card);
}

int show_card(Context& context) {
  const std::string ending = std::filesystem::path(context.in.card).extension().string();
  const bool html = ending == ".html";
  if (!html && ending != ".md")
    return context.report(Error{
        Code::usage,
        "a model card is Markdown or HTML, '" + context.in.card + "' ends in neither .md nor .html",
        "coeval show MODEL --card card.html",
        {},
        {}});
  const auto model = context.pick_model(context.in.model);
  if (!model) return context.report(model.error());
  const auto meta = context.open_meta_for_reading();
  if (!meta) return context.report(meta.error());
  const auto versions = (*meta)->versions((*model)->name);
  if (!versions) return context.report(versions.error());
  for (auto at = versions->rbegin(); at != versions->rend(); ++at) {
    if (context.in.version != 0 && at->version != context.in.version) continue;
    const auto text = card_text(context, **meta, *at, html);
    if (!text) return context.report(text.error());
    if (const auto written = stores::write_file_atomically(context.in.card, *text); !written)
      return context.report(written.error());
    if (context.terminal.json()) {
      data::Json json{data::Json::Object{}};
      json.set("model", at->model);
      json.set("version", at->version);
      json.set("card", context.in.card);
      context.terminal.print_json(json);
    } else {
      context.terminal.print("the card of " + at->model + "@v" + std::to_string(at->version) +
                             " is in " + context.in.card);
    }
    return 0;
  }
  return context.report(Context::no_such_version((*model)->name, *versions, context.in.version));
}

}  // namespace coeval::cli
