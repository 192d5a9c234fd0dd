#include <charconv>
#include <cmath>

#include "cli/commands.h"
#include "replay/server_check.h"
#include "replay/traffic.h"
#include "stats/metrics.h"
#include "stats/multiclass.h"
#include "stats/regression.h"

namespace coeval::cli {

namespace {

Result<double> parse_speed(const std::string& text) {
  if (text == "max") return 0.0;
  double factor = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), factor);
  const bool all =
      end == text.data() + text.size() || (end + 1 == text.data() + text.size() && *end == 'x');
  if (failure != std::errc{} || !all || factor <= 0)
    return fail(Code::usage, "not a speed: '" + text + "'", "write max, or a factor such as 1000x");
  return factor;
}

Result<replay::TrafficOptions> traffic_options(Context& context, const define::Model& model) {
  replay::TrafficOptions options;
  options.url = context.in.url;
  COEVAL_ASSIGN(options.from_us, parse_time(context.in.from));
  COEVAL_ASSIGN(options.to_us, parse_time(context.in.to));
  if (options.to_us <= options.from_us)
    return fail(Code::usage, "--to must be later than --from",
                "both are moments such as 2001-06-01");
  COEVAL_ASSIGN(options.speed, parse_speed(context.in.speed));
  if (!context.in.arrival.empty()) {
    const auto& schema = context.project->sources[static_cast<std::size_t>(model.source)].schema;
    COEVAL_ASSIGN(options.arrival,
                  define::compile_expression(context.in.arrival, schema, false, kArrivalOption,
                                             context.project.get()));
    if (options.arrival->type != data::Type::timestamp)
      return fail(Code::type_error, "--arrival must be a timestamp, found " +
                                        std::string(name(options.arrival->type)));
  }
  options.progress = [&context](std::int64_t done, std::int64_t all) {
    context.terminal.progress("replayed", done, all);
  };
  return options;
}

// A metric that the answers do not give, for want of rows or of one class, is null.
data::Json finite(double metric) {
  return std::isfinite(metric) ? data::Json(metric) : data::Json();
}

std::string metrics_text(const stats::BinaryMetrics& metrics) {
  if (!std::isfinite(metrics.auc))
    return std::to_string(metrics.rows) + " labelled answers, " +
           std::to_string(metrics.positives) + " of them positive: no AUC";
  char text[160];
  std::snprintf(text, sizeof text, "AUC %.5f, AP %.5f over %lld rows", metrics.auc,
                metrics.average_precision, static_cast<long long>(metrics.rows));
  return text;
}

struct Errors {
  double rmse = 0, mae = 0;
};

// How far a regression's answers were off.
Errors errors_of(const replay::AnsweredModel& model) {
  const std::vector<double> predictions(model.scores.begin(), model.scores.end());
  const stats::RegressionRows rows{.predictions = predictions, .targets = model.numbers};
  return {stats::rmse(rows), stats::mae(rows)};
}

// The rows of a multiclass model, and what they are made of.
struct AnsweredClasses {
  explicit AnsweredClasses(const replay::AnsweredModel& model)
      : labels(model.labels.begin(), model.labels.end()),
        rows{model.scores, labels, static_cast<int>(model.classes), {}} {}
  std::vector<std::int32_t> labels;
  stats::MulticlassRows rows;
};

std::string classes_text(const replay::AnsweredModel& model) {
  if (model.labels.empty()) return "no labelled answers";
  const AnsweredClasses answered(model);
  char text[160];
  std::snprintf(text, sizeof text, "log loss %.5f, accuracy %.5f over %lld rows",
                stats::log_loss(answered.rows), stats::accuracy(answered.rows),
                static_cast<long long>(model.labels.size()));
  return text;
}

std::string metrics_text(const replay::AnsweredModel& model) {
  if (model.kind == define::ModelKind::multiclass) return classes_text(model);
  if (model.kind == define::ModelKind::ranking)
    return std::to_string(model.numbers.size()) + " labelled answers";
  if (model.kind == define::ModelKind::binary)
    return metrics_text(stats::binary_metrics(model.scores, model.labels));
  if (model.numbers.empty()) return "no labelled answers";
  char text[160];
  const Errors errors = errors_of(model);
  std::snprintf(text, sizeof text, "RMSE %.5f, MAE %.5f over %lld rows", errors.rmse, errors.mae,
                static_cast<long long>(model.numbers.size()));
  return text;
}

void set_metrics(data::Json& json, const replay::AnsweredModel& model) {
  if (model.kind == define::ModelKind::ranking) {
    json.set("rows", static_cast<std::int64_t>(model.numbers.size()));
    return;
  }
  if (model.kind == define::ModelKind::multiclass) {
    const AnsweredClasses answered(model);
    json.set("rows", static_cast<std::int64_t>(model.labels.size()));
    json.set("log_loss", finite(stats::log_loss(answered.rows)));
    json.set("accuracy", finite(stats::accuracy(answered.rows)));
    return;
  }
  if (model.kind == define::ModelKind::regression) {
    const Errors errors = errors_of(model);
    json.set("rows", static_cast<std::int64_t>(model.numbers.size()));
    json.set("rmse", finite(errors.rmse));
    json.set("mae", finite(errors.mae));
    return;
  }
  const auto metrics = stats::binary_metrics(model.scores, model.labels);
  json.set("rows", metrics.rows);
  json.set("positives", metrics.positives);
  json.set("auc", finite(metrics.auc));
  json.set("average_precision", finite(metrics.average_precision));
}

void print_json(Context& context, const replay::TrafficReport& report) {
  data::Json json{data::Json::Object{}};
  json.set("events_count", report.events);
  json.set("refused_count", report.refused);
  json.set("seconds", report.seconds);
  data::Json models{data::Json::Object{}};
  for (const auto& model : report.models) {
    data::Json one{data::Json::Object{}};
    one.set("questions_count", model.questions);
    one.set("last_prediction_id", model.last_prediction_id);
    set_metrics(one, model);
    models.set(model.model, std::move(one));
  }
  json.set("models", std::move(models));
  context.terminal.print_json(json);
}

void print(Context& context, const replay::TrafficReport& report) {
  std::int64_t questions = 0;
  for (const auto& model : report.models) questions += model.questions;
  char line[200];
  std::snprintf(line, sizeof line,
                "%lld events and %lld questions in %.1f s (%.0f a second), %lld refused",
                static_cast<long long>(report.events), static_cast<long long>(questions),
                report.seconds, static_cast<double>(report.events + questions) / report.seconds,
                static_cast<long long>(report.refused));
  context.terminal.print(line);
  for (const auto& model : report.models) {
    context.terminal.print(
        model.model + ", as served against the labels: " + metrics_text(model) +
        (model.last_prediction_id.empty() ? "" : ", last prediction " + model.last_prediction_id));
  }
}

Result<std::vector<const define::Model*>> models_to_ask(Context& context) {
  std::vector<const define::Model*> models;
  for (const auto& model : context.in.models) {
    COEVAL_ASSIGN(const define::Model* one, context.pick_model(model));
    models.push_back(one);
  }
  if (models.empty()) {
    COEVAL_ASSIGN(const define::Model* one, context.pick_model(""));
    models.push_back(one);
  }
  for (const auto* model : models)
    if (model->source != models.front()->source)
      return fail(Code::usage, "the models ask from different sources",
                  "replay them one after the other");
  return models;
}

}  // namespace

int replay_traffic(Context& context) {
  if (const auto code = context.load_project()) return *code;
  const auto models = models_to_ask(context);
  if (!models) return context.report(models.error());
  const auto options = traffic_options(context, *models->front());
  if (!options) return context.report(options.error());
  if (auto fit = replay::check_server(context.in.url, *models, context.in.from); !fit)
    return context.report(fit.error());
  const auto history =
      replay::load_history(*context.project, models->front()->source, context.formats, {});
  if (!history) return context.report(history.error());
  const auto report = replay::play(*context.project, *models, *history, *options);
  if (!report) return context.report(report.error());
  context.terminal.json() ? print_json(context, *report) : print(context, *report);
  if (report->refused == 0) return 0;
  context.terminal.say("first refusal: " + report->first_refusal);
  return 3;
}

}  // namespace coeval::cli
