#include "serving/model_plan.h"

#include <algorithm>
#include <utility>

#include "define/row_schemas.h"

namespace coeval::serving {
namespace {

Error not_servable(Code code, std::string message, std::string advice) {
  return Error{code, std::move(message), std::move(advice), {}, {}};
}

std::optional<Error> mismatch(const ModelPlan& plan, const kernel::Kernel& kernel) {
  if (plan.model == nullptr) {
    return not_servable(Code::unknown_model, "the definition has no model '" + plan.name + "'",
                        "add it to coeval.toml, or remove it from the registry");
  }
  const models::ServedModel& served = *plan.loaded.served;
  if (!same_request(served.card, kernel.project(), *plan.model)) {
    return not_servable(Code::changes_pending,
                        "model '" + plan.name + "' was built from another definition (" +
                            served.card.ir_hash.substr(0, 12) + ", now " +
                            plan.model->ir_hash.substr(0, 12) + ")",
                        "run `coeval build`, or serve with the definition that it was built from");
  }
  const std::size_t inputs = plan.model->inputs.size();
  if (served.encoder.width() != inputs || served.runtime.width() != inputs) {
    return not_servable(Code::bad_model,
                        "model '" + plan.name + "' reads " +
                            std::to_string(served.runtime.width()) + " columns, its encoder " +
                            std::to_string(served.encoder.width()) + ", its definition " +
                            std::to_string(inputs),
                        "run `coeval build`");
  }
  for (const int view : plan.views) {
    if (std::ranges::find(kernel.views(), view) == kernel.views().end()) {
      return not_servable(Code::internal, "the state lacks a view that '" + plan.name + "' reads",
                          {});
    }
  }
  return std::nullopt;
}

ModelPlan::Asked& asked_of(ModelPlan& plan, int view) {
  const auto found = std::ranges::find(plan.asked, view, &ModelPlan::Asked::view);
  if (found != plan.asked.end()) return *found;
  plan.views.push_back(view);
  return plan.asked.emplace_back(ModelPlan::Asked{view, {}});
}

void plan_views(ModelPlan& plan) {
  const std::vector<define::ViewFeature>& features = plan.model->row.view_features;
  for (std::size_t i = 0; i < features.size(); ++i) {
    asked_of(plan, features[i].view)
        .uses.push_back({static_cast<std::size_t>(features[i].feature), i});
  }
}

void plan_question(ModelPlan& plan, const define::Project& project) {
  plan.question = define::question_schema(*plan.model);
  plan.at_slot = plan.question.index_of(plan.model->at_column);
  plan.extraction = std::make_shared<const quality::JsonExtraction>(
      project.sources[static_cast<std::size_t>(plan.model->source)],
      plan.model->row.question_columns);
  for (std::size_t i = 0; i < plan.question.fields.size(); ++i) {
    const int holder = plan.extraction->holder_at(i);
    data::Field field = plan.question.fields[i];
    if (holder >= 0)
      field = {plan.extraction->holders()[static_cast<std::size_t>(holder)], data::Type::string,
               field.nullable};
    if (plan.given.index_of(field.name) >= 0) continue;
    plan.keys.push_back(field.name);
    plan.given.fields.push_back(std::move(field));
  }
  if (plan.at_slot < 0) plan.keys.push_back(plan.model->at_column);
  plan.keys.emplace_back("at");
}

std::optional<Error> plan_rules(ModelPlan& plan, const define::Project& project) {
  const auto source = static_cast<std::size_t>(plan.model->source);
  auto rules = quality::RowChecks::compile(
      project.sources[source], plan.model->row.question_columns, define::Environment::serve);
  if (!rules) return std::move(rules).error();
  plan.rules = std::move(*rules);
  return std::nullopt;
}

}  // namespace

bool same_request(const models::ModelCard& card, const define::Project& project,
                  const define::Model& model) {
  if (card.ir_hash == model.ir_hash) return true;
  const data::Json* built = card.details.find("request_hash");
  return built != nullptr && built->string() != nullptr &&
         *built->string() == define::request_hash(project, model);
}

ModelPlan plan_model(const std::string& name, LoadedModel loaded, const define::Project& project,
                     const kernel::Kernel& kernel) {
  ModelPlan plan;
  plan.name = name;
  plan.loaded = std::move(loaded);
  plan.model = project.find_model(name);
  if (plan.model != nullptr) {
    plan_question(plan, project);
    plan_views(plan);
    plan.unusable = plan_rules(plan, project);
  }
  if (!plan.unusable) plan.unusable = mismatch(plan, kernel);
  return plan;
}

}  // namespace coeval::serving
