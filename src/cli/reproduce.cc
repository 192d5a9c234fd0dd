#include "training/reproduce.h"

#include "cli/commands.h"

namespace coeval::cli {

namespace {

data::Json as_json(const stores::ModelVersion& version, const training::Reproduction& found) {
  data::Json json{data::Json::Object{}};
  json.set("model", version.model);
  json.set("version", version.version);
  json.set("same", found.same());
  json.set("same_bits", found.same_bits());
  data::Json ids{data::Json::Array{}};
  for (const auto& id : found.ids) {
    data::Json one{data::Json::Object{}};
    one.set("name", id.name);
    one.set("same", id.same());
    one.set("registered", id.registered);
    one.set("made", id.made);
    ids.push(std::move(one));
  }
  json.set("ids", std::move(ids));
  json.set("inputs_recorded", found.inputs_recorded);
  data::Json changed{data::Json::Array{}};
  for (const auto& input : found.changed) changed.push(input);
  json.set("changed", std::move(changed));
  return json;
}

std::string verdict_of(const training::Reproduction& found) {
  const std::string bits = found.same_bits() ? "same bits" : "other bits";
  if (found.same()) return bits;
  std::string changed;
  for (const auto& input : found.changed) changed += (changed.empty() ? "" : ", ") + input;
  if (!changed.empty()) return bits + "; changed: " + changed;
  if (!found.inputs_recorded)
    return bits + "; what the version was made from was not recorded, so no input can be named";
  return bits +
         "; every recorded input is the same, so what trains is not: another build of the "
         "trainer's library, or another processor";
}

void print(Terminal& out, const stores::ModelVersion& version,
           const training::Reproduction& found) {
  for (const auto& id : found.ids)
    out.print(
        id.name + "  " +
        (id.same() ? "same  " + id.made : "OTHER  " + id.made + " instead of " + id.registered));
  out.print(version.model + "@v" + std::to_string(version.version) + ": " + verdict_of(found));
}

}  // namespace

int reproduce(Context& context) {
  if (const auto code = context.load_project()) return *code;
  const auto meta = context.open_meta_for_reading();
  if (!meta) return context.report(meta.error());
  const auto version = context.pick_version(**meta, context.in.model);
  if (!version) return context.report(version.error());
  const auto then = context.find_version(**meta, version->model, version->version);
  if (!then) return context.report(then.error());
  const auto log = context.open_log_if_any();
  if (!log) return context.report(log.error());
  training::Workshop shop = context.workshop(**meta, log->get());
  shop.project = then->project;
  const auto& model = then->project->models[static_cast<std::size_t>(then->model)];
  const auto found = training::reproduce(shop, *version, *then->served, model);
  if (!found) return context.report(found.error());
  if (context.terminal.json())
    context.terminal.print_json(as_json(*version, *found));
  else
    print(context.terminal, *version, *found);
  return found->same() ? 0 : info(Code::audit_differs).exit_code;
}

}  // namespace coeval::cli
