#include <algorithm>
#include <filesystem>

#include "cli/commands.h"
#include "cli/log_upkeep.h"
#include "cli/running_server.h"
#include "cli/schema_changes.h"
#include "replay/log_schemas.h"
#include "stores/log_scan.h"
#include "stores/record_names.h"

namespace coeval::cli {

namespace {

// Ends the open segment, so that it can be sealed too. Beside a server that is its writer's to do.
Status close_open_segment(Context& context) {
  std::uint64_t cut_bytes = 0;
  stores::LogOptions options;
  options.new_segment = true;
  options.cut_bytes = &cut_bytes;
  COEVAL_ASSIGN(const auto log, stores::open_log(context.log_folder(), options));
  if (cut_bytes > 0)
    context.terminal.say("log: " + std::to_string(cut_bytes) +
                         " bytes after the last sound record were cut off");
  return {};
}

data::Json as_json(const stores::SealReport& report) {
  data::Json json{data::Json::Object{}};
  json.set("sealed_count", report.sealed);
  json.set("already_sealed_count", report.already);
  json.set("rows_count", report.rows);
  data::Json files{data::Json::Array{}};
  for (const auto& segment : report.segments)
    for (const auto& file : segment.files) {
      data::Json one{data::Json::Object{}};
      one.set("path", file.path);
      one.set("source", file.source);
      one.set("rows_count", file.rows);
      one.set("sha256", file.sha256);
      files.push(std::move(one));
    }
  json.set("files", std::move(files));
  if (report.open_from)
    json.set("open_from_position", static_cast<std::int64_t>(report.open_from->value));
  return json;
}

int seal(Context& context) {
  const bool has_server = find_running_server(context.state_folder).has_value();
  if (!has_server)
    if (auto closed = close_open_segment(context); !closed) return context.report(closed.error());
  const auto report = seal_log(context);
  if (!report) return context.report(report.error());
  if (context.terminal.json()) {
    context.terminal.print_json(as_json(*report));
    return 0;
  }
  context.terminal.print(std::to_string(report->sealed) + " segments sealed, " +
                         std::to_string(report->rows) + " events, " +
                         std::to_string(report->already) + " were sealed already");
  for (const auto& segment : report->segments) {
    for (const auto& file : segment.files)
      context.terminal.print("  " + context.log_folder() + "/" + file.path + ": " +
                             std::to_string(file.rows) + " rows");
    if (segment.unsealed > 0)
      context.terminal.print("  " + std::to_string(segment.unsealed) +
                             " events are in no table: nobody kept their schema");
  }
  if (has_server && report->open_from)
    context.terminal.print("  the segment from position " +
                           std::to_string(report->open_from->value) +
                           " on is being written by the server");
  return 0;
}

data::Json as_json(const replay::TrimReport& report) {
  data::Json json{data::Json::Object{}};
  json.set("segments_count", report.removed.size());
  json.set("events_count", report.events);
  json.set("predictions_count", report.predictions);
  json.set("first_position", static_cast<std::int64_t>(report.trim.first.value));
  json.set("stopped", report.stopped);
  return json;
}

int trim(Context& context) {
  replay::TrimOptions options;
  options.dry_run = context.in.dry_run;
  if (!context.in.keep_predictions.empty()) {
    const auto keep = parse_duration(context.in.keep_predictions);
    if (!keep) return context.report(Error(keep.error()).within("reading --keep-predictions"));
    options.keep_predictions_us = *keep;
  }
  const auto report = trim_by_retention(context, options);
  if (!report) return context.report(report.error());
  if (context.terminal.json()) {
    context.terminal.print_json(as_json(*report));
    return 0;
  }
  context.terminal.print(
      std::to_string(report->removed.size()) +
      (options.dry_run ? " segments would go, " : " segments removed, ") +
      std::to_string(report->events) + " events, " + std::to_string(report->predictions) +
      " predictions; the log begins at position " + std::to_string(report->trim.first.value));
  context.terminal.print("  " + report->stopped);
  for (const auto& source : replay::retention_of(*context.project))
    context.terminal.print("  source " + source.source + ": " +
                           (source.keep_us ? "kept for " + format_duration(*source.keep_us)
                                           : std::string("kept for ever")) +
                           " (" + source.why + ")");
  return 0;
}

int accept(Context& context) {
  const int index = context.project->source_index(context.in.source);
  if (index < 0)
    return context.report(Error{Code::unknown_name,
                                "no source '" + context.in.source + "'",
                                "coeval log accept SOURCE",
                                {},
                                {}});
  const auto& source = context.project->sources[static_cast<std::size_t>(index)];
  const auto log = stores::open_log(context.log_folder());
  if (!log) return context.report(log.error());
  const auto logged = (*log)->schemas();
  if (!logged) return context.report(logged.error());
  std::vector<replay::SourceChanges> changes;
  for (const auto& one : *logged)
    if (one.source == source.name)
      changes.push_back(
          {one.source, one.tag, one.since, data::schema_changes(one.schema, source.schema, false)});
  if (const auto refused = replay::refused_changes(changes)) return context.report(*refused);
  const stores::LogSchema fresh{source.name, stores::schema_tag(source.schema),
                                (*log)->next_position(), source.schema};
  if (auto written = stores::write_log_schema(context.log_folder(), fresh); !written)
    return context.report(written.error());
  context.terminal.say("source " + source.name + ": the definition's columns are the newest now");
  for (const auto& line : as_lines(changes)) context.terminal.say("  " + line);
  return 0;
}

data::Json as_json(const stores::LogSchema& schema) {
  data::Json json{data::Json::Object{}};
  json.set("source", schema.source);
  json.set("schema_version", static_cast<std::int64_t>(schema.tag));
  json.set("since_position", static_cast<std::int64_t>(schema.since.value));
  data::Json columns{data::Json::Object{}};
  for (const auto& field : schema.schema.fields)
    columns.set(field.name, data::name(field.type) + (field.nullable ? "?" : ""));
  json.set("columns", std::move(columns));
  return json;
}

int schemas(Context& context) {
  const auto logged = stores::read_log_schemas(context.log_folder());
  if (!logged) return context.report(logged.error());
  data::Json all{data::Json::Array{}};
  for (const auto& schema : *logged) {
    all.push(as_json(schema));
    if (context.terminal.json()) continue;
    context.terminal.print(schema.source + " " + stores::tag_text(schema.tag) +
                           ", since position " + std::to_string(schema.since.value));
    for (const auto& field : schema.schema.fields)
      context.terminal.print("  " + field.name + " " + data::name(field.type) +
                             (field.nullable ? "?" : ""));
  }
  if (context.terminal.json()) context.terminal.print_json(all);
  return 0;
}

}  // namespace

Result<stores::SealReport> seal_log(Context& context) {
  COEVAL_ASSIGN(stores::TableFiles * tables, context.formats("x.parquet"));
  return stores::seal_closed_segments(context.log_folder(), *tables, context.threads());
}

namespace {

Result<bool> has_unsealed(const std::string& log_folder) {
  COEVAL_ASSIGN(const stores::SegmentFiles files, stores::find_segments(log_folder));
  if (files.segments.size() < 2) return false;
  COEVAL_ASSIGN(const auto sealed, stores::list_sealed(log_folder));
  for (std::size_t i = 0; i + 1 < files.segments.size(); ++i)
    if (stores::find_sealed(sealed, files.segments[i].first, files.segments[i + 1].first) ==
        nullptr)
      return true;
  return false;
}

}  // namespace

Status seal_and_trim(Context& context, const replay::OpenFormat& formats, int threads) {
  const std::string folder = context.log_folder();
  COEVAL_ASSIGN(const bool unsealed, has_unsealed(folder));
  if (!unsealed) return {};
  COEVAL_ASSIGN(stores::TableFiles * tables, formats("x.parquet"));
  COEVAL_ASSIGN(const auto sealed, stores::seal_closed_segments(folder, *tables, threads));
  if (sealed.segments.empty()) return {};
  replay::TrimOptions options;
  options.now_us = sealed.segments.back().last_known.us;
  COEVAL_ASSIGN(const auto trimmed, replay::trim_log(*context.project, folder, options));
  if (!trimmed.removed.empty()) context.terminal.say("log: " + replay::removed_text(trimmed.trim));
  return {};
}

void keep_up_log(Context& context) {
  if (!std::filesystem::exists(context.log_folder())) return;
  if (const auto kept_up = seal_and_trim(context, context.formats, context.threads()); !kept_up)
    context.terminal.say("warning: " + one_line(kept_up.error()));
}

Result<replay::TrimReport> trim_by_retention(Context& context, replay::TrimOptions options) {
  COEVAL_ASSIGN(const auto log, stores::open_log_for_reading(context.log_folder()));
  options.now_us = log->last_known().us;
  return replay::trim_log(*context.project, context.log_folder(), options);
}

int log(Context& context) {
  if (const auto code = context.load_project()) return *code;
  if (!std::filesystem::exists(context.log_folder()))
    return context.report(Error{Code::not_found,
                                "there is no log in " + context.log_folder(),
                                "coeval serve or coeval ingest starts one",
                                {},
                                {}});
  if (context.in.subject == "seal") return seal(context);
  if (context.in.subject == "trim") return trim(context);
  if (context.in.subject == "accept") return accept(context);
  return schemas(context);
}

}  // namespace coeval::cli
