#include "cli/check_data.h"
#include "cli/commands.h"
#include "replay/log_schemas.h"

namespace coeval::cli {

int check(Context& context) {
  if (const auto code = context.load_project()) return *code;
  const auto& project = *context.project;
  if (auto readable = replay::check_logged_schemas(project, context.log_folder()); !readable)
    return context.report(readable.error());
  if (context.in.data) return check_data(context);
  if (context.terminal.json()) {
    data::Json json{data::Json::Object{}};
    json.set("project", project.name);
    json.set("ir_hash", project.ir_hash);
    data::Json models{data::Json::Array{}};
    for (const auto& model : project.models) {
      data::Json one{data::Json::Object{}};
      one.set("model", model.name);
      one.set("ir_hash", model.ir_hash);
      one.set("inputs_count", model.inputs.size());
      models.push(std::move(one));
    }
    json.set("models", std::move(models));
    context.terminal.print_json(json);
    return 0;
  }
  context.terminal.print(project.file + ": ok, " + std::to_string(project.sources.size()) +
                         " sources, " + std::to_string(project.views.size()) + " views, " +
                         std::to_string(project.models.size()) + " models, definition " +
                         project.ir_hash.substr(0, 12));
  return 0;
}

}  // namespace coeval::cli
