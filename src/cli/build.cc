#include <algorithm>

#include "cli/commands.h"
#include "cli/lock_file.h"
#include "cli/plan.h"
#include "replay/log_schemas.h"
#include "training/given_model.h"

namespace coeval::cli {

namespace {

void print_verdicts(Context& context, const training::BuildOutcome& outcome,
                    const std::string& model) {
  const std::string name = model + "@v" + std::to_string(outcome.version);
  for (const auto& verdict : outcome.verdicts)
    context.terminal.say("  " + std::string(verdict.passed ? "passed" : "FAILED") + "  " +
                         verdict.gate + "  (" + verdict.measured + ")");
  context.terminal.print(name + (outcome.fresh ? " built" : " unchanged") + ", gates " +
                         (outcome.registered.gates_passed ? "passed" : "NOT passed") + ", recipe " +
                         outcome.registered.recipe_id.substr(0, 12) + ", bits " +
                         outcome.registered.bits_id.substr(0, 12));
}

// Sorted, each once.
Result<std::vector<std::string>> tags_of(std::vector<std::string> tags) {
  constexpr std::size_t kLongest = 100;
  for (const auto& tag : tags)
    if (tag.empty() || tag.size() > kLongest)
      return fail(Code::usage, "a tag has 1 to 100 bytes", "coeval build --tag nightly");
  std::ranges::sort(tags);
  tags.erase(std::unique(tags.begin(), tags.end()), tags.end());
  return tags;
}

// The models asked for, and the open stores that building them needs.
struct Session {
  std::vector<const define::Model*> models;
  std::unique_ptr<stores::MetaStore> meta;
  std::unique_ptr<stores::RunStore> runs;
  std::unique_ptr<stores::EventLog> log;  // null when there is none yet
  training::Workshop shop;
};

Result<Session> open_session(Context& context) {
  Session session;
  COEVAL_TRY(replay::check_logged_schemas(*context.project, context.log_folder()));
  COEVAL_ASSIGN(session.models, context.pick_models(context.in.model));
  COEVAL_ASSIGN(session.meta, context.open_meta());
  COEVAL_ASSIGN(session.log, context.open_log_if_any());
  COEVAL_ASSIGN(session.runs, context.open_runs());
  session.shop = context.workshop(*session.meta, session.log.get());
  session.shop.runs = session.runs.get();
  COEVAL_ASSIGN(session.shop.tags, tags_of(context.in.tags));
  return session;
}

int build_all(Context& context, const Session& session) {
  bool all_passed = true;
  data::Json all{data::Json::Array{}};
  for (const auto* model : session.models) {
    const auto built = training::build_model(session.shop, *model);
    if (!built) return context.report(built.error());
    all_passed = all_passed && built->registered.gates_passed;
    data::Json one = plan_json(model->name, built->plan);
    one.set("version", built->version);
    one.set("fresh", built->fresh);
    one.set("gates_passed", built->registered.gates_passed);
    one.set("recipe_id", built->registered.recipe_id);
    one.set("bits_id", built->registered.bits_id);
    one.set("dataset_seconds", built->dataset_seconds);
    one.set("train_seconds", built->train_seconds);
    all.push(std::move(one));
    if (!context.terminal.json()) print_verdicts(context, *built, model->name);
  }
  if (context.terminal.json()) context.terminal.print_json(all);
  if (auto written = write_lock_file(context, *session.meta); !written)
    return context.report(written.error());
  return all_passed ? 0 : info(Code::gate_failed).exit_code;
}

}  // namespace

int build(Context& context) {
  if (const auto code = context.load_project()) return *code;
  const auto session = open_session(context);
  if (!session) return context.report(session.error());
  return build_all(context, *session);
}

int register_model(Context& context) {
  if (const auto code = context.load_project()) return *code;
  const auto given = training::read_given_model(context.in.model_file);
  if (!given) return context.report(given.error());
  auto session = open_session(context);
  if (!session) return context.report(session.error());
  session->shop.given = &*given;
  return build_all(context, *session);
}

}  // namespace coeval::cli
