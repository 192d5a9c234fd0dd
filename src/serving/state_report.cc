#include <utility>

#include "define/row_schemas.h"
#include "serving/engine_parts.h"

namespace coeval::serving {
namespace {

data::Json fields_json(const data::Schema& schema) {
  data::Json::Array fields;
  for (const data::Field& field : schema.fields) {
    data::Json json;
    json.set("name", field.name);
    json.set("type", data::name(field.type));
    fields.push_back(std::move(json));
  }
  return fields;
}

/// What a model that cannot be asked says of itself.
void set_not_ready(data::Json& json, const Error& reason) {
  json.set("ready", false);
  const data::Json why = error_json(reason);
  for (const auto& [key, value] : *why.object()) json.set(key, value);
}

data::Json plan_json(const ModelPlan& plan) {
  const models::ModelCard& card = plan.loaded.served->card;
  data::Json json;
  json.set("name", plan.name);
  json.set("version", plan.loaded.version);
  if (plan.unusable) {
    set_not_ready(json, *plan.unusable);
  } else {
    json.set("ready", true);
  }
  json.set("ir_hash", card.ir_hash);
  json.set("bits_id", card.bits_id);
  json.set("recipe_id", card.recipe_id);
  json.set("dataset_id", card.dataset_id);
  if (card.decides())
    json.set("threshold", card.threshold);
  else
    json.set("kind", card.kind);
  if (!card.classes.empty())
    json.set("classes", data::Json::Array(card.classes.begin(), card.classes.end()));
  if (plan.model != nullptr) {
    json.set("at", plan.model->at_column);
    json.set("question", fields_json(plan.given));
    json.set("inputs", fields_json(define::input_schema(plan.model->inputs)));
  }
  json.set("metrics", plan.loaded.served->metrics);
  return json;
}

data::Json absent_json(const std::string& name, const Error& reason) {
  data::Json json;
  json.set("name", name);
  set_not_ready(json, reason);
  return json;
}

void append_gauge(std::string& out, std::string_view name, std::string_view help, double value) {
  append_metric_head(out, name, "gauge", help);
  append_sample(out, name, {}, value);
}

using PerView = std::int64_t (kernel::Kernel::*)(int) const;

void append_view_metric(std::string& out, const kernel::Kernel& kernel, std::string_view name,
                        std::string_view type, std::string_view help, PerView value) {
  append_metric_head(out, name, type, help);
  for (const int view : kernel.views()) {
    const std::string& view_name = kernel.project().views[static_cast<std::size_t>(view)].name;
    append_sample(out, name, metric_label("view", view_name),
                  static_cast<double>((kernel.*value)(view)));
  }
}

void append_state(std::string& out, const kernel::Kernel& kernel,
                  const kernel::EvaluationCounts& inputs) {
  append_view_metric(out, kernel, "coeval_state_entities", "gauge",
                     "Entities that a view holds in memory.", &kernel::Kernel::entity_count);
  append_view_metric(out, kernel, "coeval_state_events", "gauge",
                     "Events that a view holds in memory.", &kernel::Kernel::event_count);
  append_view_metric(out, kernel, "coeval_state_dropped_late_total", "counter",
                     "Events that came later than the view's retention.",
                     &kernel::Kernel::dropped_late_count);
  append_metric_head(out, "coeval_state_looked_up_rows", "gauge",
                     "Rows held for events that look them up.");
  append_sample(out, "coeval_state_looked_up_rows", {},
                static_cast<double>(kernel.learned_count()));
  const kernel::EvaluationCounts& views = kernel.counts();
  append_metric_head(out, "coeval_nulls_from_arithmetic_total", "counter",
                     "Values that an expression had to turn into null.");
  append_sample(out, "coeval_nulls_from_arithmetic_total", metric_label("why", "overflow"),
                static_cast<double>(views.integer_overflows + inputs.integer_overflows));
  append_sample(out, "coeval_nulls_from_arithmetic_total", metric_label("why", "zero_division"),
                static_cast<double>(views.integer_zero_divisions + inputs.integer_zero_divisions));
  append_sample(out, "coeval_nulls_from_arithmetic_total", metric_label("why", "failed_cast"),
                static_cast<double>(views.failed_casts + inputs.failed_casts));
  append_sample(out, "coeval_nulls_from_arithmetic_total", metric_label("why", "long_text"),
                static_cast<double>(views.long_texts + inputs.long_texts));
  append_metric_head(out, "coeval_approximate_answers_total", "counter",
                     "Answers of sketches, beyond the cap of distinct values.");
  append_sample(out, "coeval_approximate_answers_total", "",
                static_cast<double>(views.approximate_answers));
}

}  // namespace

Answer Engine::models() const {
  data::Json::Array models;
  const std::shared_ptr<const PlanTable> plans = parts_->current_plans();
  for (const auto& [name, plan] : plans->served) models.push_back(plan_json(plan));
  for (const auto& [name, reason] : plans->absent) models.push_back(absent_json(name, reason));
  data::Json json;
  json.set("project", parts_->project->name);
  json.set("ir_hash", parts_->project->ir_hash);
  json.set("clock", parts_->options.data_clock ? "data" : "system");
  json.set("models", std::move(models));
  return {200, json.dump()};
}

Overview Engine::overview() const {
  Overview overview;
  overview.project = parts_->project->name;
  overview.ir_hash = parts_->project->ir_hash;
  overview.log_position = parts_->log.next_position().value;
  overview.last_known_us = parts_->last_known_us();
  overview.data_clock = parts_->options.data_clock;
  overview.writable = ready();
  const std::shared_ptr<const PlanTable> plans = parts_->current_plans();
  for (const auto& [name, plan] : plans->served) {
    overview.models.push_back({name, plan.loaded.version, plan.loaded.served->card.bits_id,
                               plan.unusable ? one_line(*plan.unusable) : "", plan.given});
  }
  for (const auto& [name, reason] : plans->absent) {
    overview.absent.emplace_back(name, one_line(reason));
  }
  const kernel::Kernel& kernel = *parts_->kernel;
  for (const int view : kernel.views()) {
    overview.views.push_back({kernel.project().views[static_cast<std::size_t>(view)].name,
                              kernel.entity_count(view), kernel.event_count(view)});
  }
  return overview;
}

Answer Engine::metrics() const {
  std::string text;
  parts_->counters.append(text);
  append_gauge(text, "coeval_log_position", "Position that the next record of the log will get.",
               static_cast<double>(parts_->log.next_position().value));
  if (const std::int64_t known_us = parts_->last_known_us(); known_us != INT64_MIN) {
    append_gauge(text, "coeval_last_known_time_seconds",
                 "Newest known time, seconds since the epoch.",
                 static_cast<double>(known_us) / 1e6);
  }
  append_gauge(text, "coeval_log_writable", "1 when the log can be written.", ready() ? 1 : 0);
  append_metric_head(text, "coeval_log_syncs_total", "counter", "Times that the log was fsynced.");
  append_sample(text, "coeval_log_syncs_total", {}, static_cast<double>(parts_->log.syncs()));
  append_state(text, *parts_->kernel, parts_->evaluation);
  if (parts_->paged) {
    append_gauge(text, "coeval_state_memory_bytes", "What entities take in memory, about.",
                 static_cast<double>(parts_->kernel->entity_bytes()));
    append_metric_head(text, "coeval_state_reads_total", "counter",
                       "Keys that were looked for in the stored state.");
    append_sample(text, "coeval_state_reads_total", {},
                  static_cast<double>(parts_->paged->keys_read()));
  }
  return {200, std::move(text)};
}

}  // namespace coeval::serving
