#include "replay/audit.h"
#include "cli/commands.h"
#include "cli/running_server.h"

namespace coeval::cli {

namespace {

data::Json as_json(const replay::AuditReport& report) {
  data::Json json{data::Json::Object{}};
  json.set("predictions_count", report.predictions);
  json.set("differ_count", report.differ);
  json.set("beyond_retention_count", report.beyond_retention);
  if (!report.removed.empty()) json.set("removed", report.removed);
  data::Json inputs{data::Json::Object{}};
  for (const auto& [name, count] : report.by_input) inputs.set(name, count);
  json.set("first_differing", std::move(inputs));
  data::Json doubts{data::Json::Array{}};
  for (const auto& doubt : report.doubts) doubts.push(doubt);
  json.set("doubts", std::move(doubts));
  data::Json list{data::Json::Array{}};
  for (const auto& difference : report.differences) {
    data::Json one{data::Json::Object{}};
    one.set("prediction_id", difference.prediction_id);
    one.set("model", difference.model);
    one.set("version", difference.version);
    one.set("at", format_time(difference.at_us));
    one.set("what", difference.what);
    one.set("served", difference.served);
    one.set("recomputed", difference.recomputed);
    data::Json lines{data::Json::Array{}};
    for (const auto& line : difference.explanation) lines.push(line);
    one.set("explanation", std::move(lines));
    list.push(std::move(one));
  }
  json.set("differences", std::move(list));
  return json;
}

void print(Context& context, const replay::AuditReport& report) {
  auto& out = context.terminal;
  out.print(std::to_string(report.predictions) + " predictions, " + std::to_string(report.differ) +
            " differ");
  if (!report.removed.empty()) out.print("  " + report.removed);
  if (report.beyond_retention > 0)
    out.print("  " + std::to_string(report.beyond_retention) +
              " predictions could see events that were removed, and were not recomputed");
  for (const auto& doubt : report.doubts) out.print("  doubt: " + doubt);
  for (const auto& [name, count] : report.by_input)
    out.print("  first differing in " + std::to_string(count) + ": " + name);
  for (const auto& difference : report.differences) {
    out.print("prediction " + difference.prediction_id + " of " + difference.model + "@v" +
              std::to_string(difference.version) + " at " + format_time(difference.at_us) + ": " +
              difference.what + " was served as " + difference.served + ", recomputed " +
              difference.recomputed);
    for (const auto& line : difference.explanation) out.print("  " + line);
  }
}

}  // namespace

int audit(Context& context) {
  if (const auto code = context.load_project()) return *code;
  const auto meta = context.open_meta_for_reading();
  if (!meta) return context.report(meta.error());
  const auto log = context.open_log_if_any();
  if (!log) return context.report(log.error());
  if (!*log)
    return context.report(Error{Code::not_found,
                                "there is no log to audit in " + context.log_folder(),
                                "coeval serve starts one",
                                {},
                                {}});
  replay::AuditOptions options;
  options.threads = context.threads();
  options.mode = context.in.against_dataset ? replay::AuditMode::dataset : replay::AuditMode::log;
  options.progress = [&](std::int64_t done) {
    context.terminal.progress("predictions audited", done, 0);
  };
  if (!context.in.since.empty()) {
    const auto since = parse_time(context.in.since);
    if (!since) return context.report(since.error());
    options.since_us = *since;
  }
  const replay::FindModel find = [&](const std::string& model, int version) {
    return context.find_version(**meta, model, version);
  };
  auto report = replay::audit(context.formats, **log, find, options);
  if (!report) return context.report(report.error());
  const auto inspected = stores::inspect_log(context.log_folder(), false);
  if (!inspected) return context.report(inspected.error());
  if (inspected->torn_bytes > 0 && !find_running_server(context.state_folder))
    report->doubts.push_back(std::to_string(inspected->torn_bytes) +
                             " bytes after the last sound record of the log are not in this audit");
  context.terminal.json() ? context.terminal.print_json(as_json(*report)) : print(context, *report);
  return report->differ == 0 && report->doubts.empty() ? 0 : info(Code::audit_differs).exit_code;
}

}  // namespace coeval::cli
