#include <cerrno>
#include <csignal>
#include <cstring>
#include <utility>

#include "cli/commands.h"
#include "cli/running_server.h"
#include "training/registered_model.h"

namespace coeval::cli {

namespace {

int move(Context& context, stores::MetaStore& meta, const std::string& model, int version,
         const std::string& reason) {
  const stores::AliasMove move{model, context.in.alias, version, reason, context.clock.now_us()};
  if (auto moved = meta.move_alias(move); !moved) return context.report(moved.error());
  if (context.terminal.json()) {
    data::Json json{data::Json::Object{}};
    json.set("model", model);
    json.set("alias", context.in.alias);
    json.set("version", version);
    context.terminal.print_json(json);
  } else {
    context.terminal.print(model + " " + context.in.alias + " -> v" + std::to_string(version));
  }
  if (const auto server = find_running_server(context.state_folder)) {
    const bool told = kill(server->pid, SIGHUP) == 0;
    context.terminal.say(told ? "told the server at " + server->url + " to load it"
                              : "the server at " + server->url + " could not be told (" +
                                    std::strerror(errno) + "): send SIGHUP to process " +
                                    std::to_string(server->pid));
  }
  return 0;
}

}  // namespace

int promote(Context& context) {
  if (const auto code = context.load_project()) return *code;
  if (auto named = stores::check_alias_name(context.in.alias); !named)
    return context.report(named.error());
  const auto model = context.pick_model(context.in.model);
  if (!model) return context.report(model.error());
  const auto meta = context.open_meta();
  if (!meta) return context.report(meta.error());
  const auto versions = (*meta)->versions((*model)->name);
  if (!versions) return context.report(versions.error());
  for (auto at = versions->rbegin(); at != versions->rend(); ++at) {
    if (context.in.version != 0 && at->version != context.in.version) continue;
    if (at->removed_us != 0)
      return context.report(training::load_version(context.state_folder, *at, context.openers).error());
    if (!at->gates_passed)
      return context.report(
          Error{Code::gate_failed,
                at->model + "@v" + std::to_string(at->version) + " did not pass its gates",
                "coeval show " + at->model + " names them; nothing is promoted past a gate",
                {},
                {}});
    return move(context, **meta, at->model, at->version, context.in.reason);
  }
  return context.report(Context::no_such_version((*model)->name, *versions, context.in.version));
}

int rollback(Context& context) {
  if (const auto code = context.load_project()) return *code;
  if (auto named = stores::check_alias_name(context.in.alias); !named)
    return context.report(named.error());
  const auto model = context.pick_model(context.in.model);
  if (!model) return context.report(model.error());
  const auto meta = context.open_meta();
  if (!meta) return context.report(meta.error());
  const auto history = (*meta)->alias_history((*model)->name);
  if (!history) return context.report(history.error());
  int now = 0;
  int before = 0;
  for (const auto& row : *history) {  // oldest first
    if (row.alias != context.in.alias || row.version == now) continue;
    before = std::exchange(now, row.version);
  }
  if (before == 0)
    return context.report(
        Error{Code::not_built,
              context.in.alias + " of '" + (*model)->name + "' never pointed elsewhere",
              "coeval promote moves it",
              {},
              {}});
  const std::string reason =
      context.in.reason.empty() ? "rollback" : "rollback: " + context.in.reason;
  return move(context, **meta, (*model)->name, before, reason);
}

}  // namespace coeval::cli
