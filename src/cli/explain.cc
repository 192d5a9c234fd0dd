#include <algorithm>
#include <cmath>
#include <cstdio>
#include <functional>
#include <numeric>

#include "base/explanation.h"
#include "cli/commands.h"
#include "define/row_schemas.h"
#include "replay/dataset.h"
#include "replay/explain.h"
#include "replay/retention.h"
#include "training/margin_contributions.h"

namespace coeval::cli {

namespace {

data::Json as_json(const CodeInfo& code) {
  data::Json json{data::Json::Object{}};
  const Explanation more = explanation(code.code);
  json.set("code", code_name(code.code));
  json.set("name", std::string(code.name));
  json.set("explanation", std::string(code.explanation));
  json.set("details", std::string(more.text));
  if (!more.example.empty()) json.set("example", std::string(more.example));
  json.set("exit_code", code.exit_code);
  json.set("http_status", code.http_status);
  json.set("retryable", code.retryable);
  return json;
}

int explain_code(Context& context, const CodeInfo& code) {
  auto& out = context.terminal;
  if (out.json()) {
    out.print_json(as_json(code));
    return 0;
  }
  const Explanation more = explanation(code.code);
  out.print(code_name(code.code) + " (" + std::string(code.name) +
            "): " + std::string(code.explanation));
  out.print(std::string(more.text));
  if (!more.example.empty()) out.print("for example: " + std::string(more.example));
  out.print("exit code " + std::to_string(code.exit_code) + ", HTTP " +
            std::to_string(code.http_status) + (code.retryable ? ", a retry may help" : ""));
  return 0;
}

int list_codes(Context& context) {
  data::Json all{data::Json::Array{}};
  for (const auto& code : all_codes()) {
    all.push(as_json(code));
    if (!context.terminal.json())
      context.terminal.print(code_name(code.code) + "  " + std::string(code.name) + ": " +
                             std::string(code.explanation));
  }
  if (context.terminal.json()) context.terminal.print_json(all);
  return 0;
}

Result<stores::PredictionRecord> find_prediction(const stores::EventLog& log,
                                                 const std::string& id) {
  std::optional<stores::PredictionRecord> found;
  COEVAL_TRY(log.read(Position{0}, [&](const stores::Record& record) {
    if (record.kind != stores::RecordKind::prediction) return true;
    auto prediction = stores::decode_prediction(record.payload);
    if (!prediction || prediction->id != id) return true;
    found = std::move(*prediction);
    return false;
  }));
  if (found) return *found;
  COEVAL_ASSIGN(const auto trim, log.trim());
  return fail(Code::not_found, "no prediction '" + id + "' in the log" +
                                   (trim ? "; " + replay::removed_text(*trim) : ""));
}

std::string window_text(const replay::FeatureExplanation& feature) {
  const std::string from =
      feature.from_us < -(1LL << 60) ? "the beginning" : format_time(feature.from_us);
  return "[" + from + ", " + format_time(feature.to_us) + ")";
}

data::Json as_json(const replay::FeatureExplanation& feature) {
  data::Json json{data::Json::Object{}};
  json.set("feature", feature.feature);
  json.set("key", feature.key);
  json.set("window", window_text(feature));
  json.set("arithmetic", feature.arithmetic);
  data::Json events{data::Json::Array{}};
  for (const auto& event : feature.events) {
    data::Json one{data::Json::Object{}};
    one.set("place", event.place);
    one.set("row", event.content);
    one.set("known", format_time(event.known_us));
    events.push(std::move(one));
  }
  json.set("events", std::move(events));
  return json;
}

void print(Context& context, const replay::FeatureExplanation& feature, const std::string& served,
           bool events) {
  context.terminal.print(feature.feature + " = " + served + "  (" + feature.key + ", " +
                         window_text(feature) + ": " + feature.arithmetic + ")");
  if (!events) return;
  for (const auto& event : feature.events)
    context.terminal.print("  " + event.place + "  known " + format_time(event.known_us) + "  " +
                           event.content);
}

// How far each input moved the margin (of several classes, the decided one's), the farthest first;
// or why that cannot be told.
struct Why {
  std::optional<training::MarginContributions> contributions;
  std::string missing;
  std::string of = {};  ///< what the inputs moved: "the margin (log odds)"
};

std::string moved_of(const models::ModelCard& card, const stores::PredictionRecord& record) {
  if (card.decides()) return "the margin (log odds)";
  if (card.classes.empty()) return "the score";
  return "the margin of '" + card.classes.at(record.decided_class) + "'";
}

Why why(Context& context, stores::MetaStore& meta, const stores::PredictionRecord& record,
        const models::ServedModel& served, const data::Batch& inputs) {
  const auto versions = meta.versions(record.model);
  if (!versions) return {{}, versions.error().message};
  const auto version = std::ranges::find(*versions, record.version, &stores::ModelVersion::version);
  if (version == versions->end()) return {{}, "the version is not registered"};
  auto found =
      training::margin_contributions(context.state_folder + "/" + version->folder, version->bits_id,
                                     served.encoder, inputs, record.decided_class);
  if (!found) return {{}, found.error().message};
  return {std::move(*found), {}, moved_of(served.card, record)};
}

std::vector<std::size_t> by_size(const std::vector<double>& contributions) {
  std::vector<std::size_t> order(contributions.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, std::greater<>(),
                           [&](std::size_t i) { return std::abs(contributions[i]); });
  return order;
}

data::Json as_json(const Why& why, const data::Schema& inputs, double margin) {
  data::Json json{data::Json::Object{}};
  if (!why.contributions) {
    json.set("missing", why.missing);
    return json;
  }
  const auto& found = *why.contributions;
  json.set("bias", found.bias);
  data::Json list{data::Json::Array{}};
  for (const std::size_t i : by_size(found.by_input)) {
    data::Json one{data::Json::Object{}};
    one.set("input", inputs.fields[i].name);
    one.set("contribution", found.by_input[i]);
    list.push(std::move(one));
  }
  json.set("inputs", std::move(list));
  json.set("sum", found.sum);
  json.set("margin", margin);
  json.set("adds_up", found.adds_up_to(margin));
  return json;
}

std::string signed_text(double value) {
  char text[64];
  std::snprintf(text, sizeof text, "%+.6f", value);
  return text;
}

void print(Context& context, const Why& why, const data::Schema& inputs, double margin) {
  auto& out = context.terminal;
  if (!why.contributions)
    return out.print("what each input contributed is not told: " + why.missing);
  const auto& found = *why.contributions;
  out.print(why.of + ", by input (TreeSHAP):");
  for (const std::size_t i : by_size(found.by_input))
    out.print("  " + signed_text(found.by_input[i]) + "  " + inputs.fields[i].name);
  out.print("  " + signed_text(found.bias) + "  without knowing the row");
  out.print("  " + signed_text(found.sum) + "  in all; the margin that was served is " +
            signed_text(margin) + (found.adds_up_to(margin) ? "" : ": they do NOT add up"));
}

int explain_prediction(Context& context) {
  if (const auto code = context.load_project()) return *code;
  const auto meta = context.open_meta_for_reading();
  if (!meta) return context.report(meta.error());
  const auto log = context.open_log_if_any();
  if (!log) return context.report(log.error());
  if (!*log)
    return context.report(
        Error{Code::not_found, "there is no log, so no prediction to explain", {}, {}, {}});
  const auto record = find_prediction(**log, context.in.subject);
  if (!record) return context.report(record.error());
  const auto version = context.find_version(**meta, record->model, record->version);
  if (!version) return context.report(version.error());
  const auto& model = version->project->models[static_cast<std::size_t>(version->model)];
  replay::PastOptions options;
  options.sources = replay::sources_of(*version->project, replay::views_of(model.row));
  options.log = log->get();
  const auto cut = replay::read_cut(**log);
  if (!cut) return context.report(cut.error());
  if (*cut) options.cut_us = (*cut)->cut_us;
  replay::Past past;
  if (!options.sources.empty()) {
    auto loaded = replay::load_past(*version->project, context.formats, options);
    if (!loaded) return context.report(loaded.error());
    past = std::move(*loaded);
  }
  const auto views = replay::views_of(model.row);
  if (replay::RemovedPast(*version->project, views, past.trim).is_seen_at(record->at_us))
    return context.report(Error{Code::not_found,
                                "prediction '" + record->id +
                                    "' could see events that are not there any more; " +
                                    replay::removed_text(*past.trim),
                                "its answer stands in the log: GET /v1/predictions/" + record->id,
                                {},
                                {}});
  const auto features = replay::explain_prediction(*version->project, model, past, *record);
  if (!features) return context.report(features.error());
  const std::vector<std::string> rows = {record->features};
  const auto inputs = replay::decode_rows(define::input_schema(model.inputs), rows);
  if (!inputs) return context.report(inputs.error());
  const auto served = [&](const std::string& feature) {
    const data::Column* column = inputs->find(feature);
    return column == nullptr ? std::string("(not an input)")
                             : data::to_text(column->value(0), column->type());
  };
  const Why reasons = why(context, **meta, *record, *version->served, *inputs);
  const auto margin = static_cast<double>(record->raw_score);
  if (context.terminal.json()) {
    data::Json json{data::Json::Object{}};
    json.set("prediction_id", record->id);
    json.set("model", record->model);
    json.set("version", record->version);
    json.set("at", format_time(record->at_us));
    json.set("position", static_cast<std::int64_t>(record->position.value));
    json.set("score", static_cast<double>(record->score));
    data::Json list{data::Json::Array{}};
    for (const auto& feature : *features) {
      if (!context.in.feature.empty() && feature.feature != context.in.feature) continue;
      data::Json one = as_json(feature);
      one.set("served", served(feature.feature));
      list.push(std::move(one));
    }
    json.set("features", std::move(list));
    json.set("contributions", as_json(reasons, inputs->schema, margin));
    context.terminal.print_json(json);
    return 0;
  }
  context.terminal.print(
      "prediction " + record->id + " of " + record->model + "@v" + std::to_string(record->version) +
      " at " + format_time(record->at_us) + ", log position " +
      std::to_string(record->position.value) + ": score " +
      data::to_text(data::Value{static_cast<double>(record->score)}, data::Type::float64));
  for (std::size_t i = 0; i < inputs->columns.size(); ++i) {
    const auto& name = inputs->schema.fields[i].name;
    const bool from_view =
        std::any_of(features->begin(), features->end(),
                    [&](const auto& feature) { return feature.feature == name; });
    if (!from_view && context.in.feature.empty())
      context.terminal.print(name + " = " + served(name));
  }
  for (const auto& feature : *features)
    if (context.in.feature.empty() || feature.feature == context.in.feature)
      print(context, feature, served(feature.feature), !context.in.feature.empty());
  if (context.in.feature.empty()) print(context, reasons, inputs->schema, margin);
  return 0;
}

}  // namespace

int explain(Context& context) {
  const std::string& subject = context.in.subject;
  if (subject.empty()) return list_codes(context);
  // A prediction's id is a UUID, so the word is free.
  if (subject == "gate") return explain_gate(context);
  if (!context.in.model.empty())
    return context.report(Error{Code::usage,
                                "one subject at a time, found '" + context.in.model + "' too",
                                "coeval explain gate MODEL@vN explains the gates of a version",
                                {},
                                {}});
  if (subject.size() <= 5 && (subject[0] == 'C' || subject[0] == 'c')) {
    if (const auto code = find_code(subject)) return explain_code(context, *code);
    return context.report(
        Error{Code::usage, "no error code '" + subject + "'", "codes look like C0412", {}, {}});
  }
  return explain_prediction(context);
}

}  // namespace coeval::cli
