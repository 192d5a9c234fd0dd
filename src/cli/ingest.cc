#include <algorithm>

#include <filesystem>

#include "cli/commands.h"
#include "cli/log_upkeep.h"
#include "cli/running_server.h"
#include "cli/state_origin.h"
#include "data/row_codec.h"
#include "define/diagnostics.h"
#include "ingest/inspect.h"
#include "quality/checks.h"
#include "replay/log_schemas.h"
#include "stores/record_names.h"

namespace coeval::cli {

namespace {

// A log that nothing was served from starts before the first row that enters it, so that every row
// keeps its own known time.
Status start_log(Context& context, stores::EventLog& log, std::int64_t first_known_us) {
  if (log.next_position().value > 0) return {};
  replay::CutRecord cut;
  cut.cut_us = first_known_us;
  COEVAL_ASSIGN(cut.files, hash_source_files(*context.project));
  cut.log_id = replay::new_log_id();
  const std::string payload = replay::encode(cut);
  COEVAL_TRY(log.append({stores::RecordKind::cut, KnownTime{first_known_us - 1}, 0, 0, payload}));
  return {};
}

Status append(stores::EventLog& log, const define::Source& source,
              const replay::SourceHistory& rows) {
  const std::uint32_t tag = stores::source_tag(source.name);
  const std::uint32_t schema = stores::schema_tag(source.schema);
  for (const std::int64_t row : rows.order) {
    const std::string payload = data::encode_row(rows.rows, row);
    const KnownTime known{rows.known_us[static_cast<std::size_t>(row)]};
    COEVAL_TRY(log.append({stores::RecordKind::event, known, tag, schema, payload}));
  }
  return {};
}

Result<replay::SourceHistory> ingest_file(Context& context, int source, const std::string& path) {
  replay::HistoryOptions options;
  options.path = path;
  COEVAL_ASSIGN(auto rows,
                replay::load_history(*context.project, source, context.formats, options));
  if (!rows.conservation.holds())
    return fail(Code::internal, "rows were lost while reading " + path);
  COEVAL_TRY(quality::write_quarantine(context.state_folder, rows.quarantined));
  if (rows.order.empty()) return rows;
  COEVAL_ASSIGN(auto log, stores::open_log(context.log_folder()));
  COEVAL_TRY(replay::declare_schemas(*context.project, *log));
  COEVAL_TRY(start_log(context, *log, rows.known_us[static_cast<std::size_t>(rows.order.front())]));
  COEVAL_TRY(append(*log, context.project->sources[static_cast<std::size_t>(source)], rows));
  COEVAL_TRY(log->sync());
  return rows;
}

// Whether more than single rows is to be judged before a file may enter.
bool judges_batches(const define::Source& source) {
  return source.max_bad_rows || source.max_bad_ratio ||
         std::ranges::any_of(source.checks, [](const define::Check& check) {
           return check.kind != define::CheckKind::row || check.error_if;
         });
}

// A file enters as a whole, once every check that is not of a row alone has passed.
Status judge(Context& context, int source, const std::string& path) {
  const define::Source& declared = context.project->sources[static_cast<std::size_t>(source)];
  if (!judges_batches(declared)) return {};
  ingest::InspectOptions options;
  options.now_us = context.clock.now_us();
  COEVAL_ASSIGN(const quality::QualityReport report,
                ingest::inspect(*context.project, source, context.formats, path, options));
  std::string broken;
  for (const quality::RuleResult& rule : report.rules) {
    using Status = quality::RuleResult::Status;
    const bool is_red = rule.status == Status::failed || rule.status == Status::not_evaluated;
    const auto named = std::ranges::find(declared.checks, rule.name, &define::Check::rule_name);
    const bool of_row = rule.kind == "row" &&
                        (named == declared.checks.end() || named->kind == define::CheckKind::row);
    if (!is_red || of_row) continue;  // what is wrong with a row alone sends that row to quarantine
    broken +=
        (broken.empty() ? "" : "; ") + rule.name + ": " + rule.expected + ", " + rule.observed;
  }
  if (broken.empty()) return {};
  return fail(Code::check_failed, "nothing of '" + path + "' entered the log: " + broken,
              "coeval check --data " + declared.name + "=" + path +
                  " --html report.html shows rows; mend the file or the check");
}

}  // namespace

int ingest(Context& context) {
  if (const auto code = context.load_project()) return *code;
  const int source = context.project->source_index(context.in.source);
  if (source < 0) {
    std::vector<std::string> names;
    for (const auto& one : context.project->sources) names.push_back(one.name);
    const std::string near = define::did_you_mean(context.in.source, names);
    return context.report(
        Error{Code::unknown_name, "no source '" + context.in.source + "'", near, {}, {}});
  }
  if (auto readable = replay::check_logged_schemas(*context.project, context.log_folder());
      !readable)
    return context.report(readable.error());
  if (const auto server = find_running_server(context.state_folder))
    return context.report(Error{Code::log_locked,
                                "the server at " + server->url + " writes to this log",
                                "send the rows to POST /v1/events/" + context.in.source,
                                {},
                                {}});
  data::Json all{data::Json::Array{}};
  for (const auto& path : context.in.files) {
    if (const Status judged = judge(context, source, path); !judged)
      return context.report(judged.error());
    const auto rows = ingest_file(context, source, path);
    if (!rows) return context.report(rows.error());
    const auto& counts = rows->conservation;
    data::Json one{data::Json::Object{}};
    one.set("file", path);
    one.set("read_count", counts.read);
    one.set("accepted_count", counts.accepted);
    one.set("quarantined_count", counts.quarantined);
    one.set("duplicates_count", counts.duplicates);
    all.push(std::move(one));
    if (!context.terminal.json()) context.terminal.print(path + ": " + quality::to_text(counts));
  }
  if (context.terminal.json()) context.terminal.print_json(all);
  // The rows are in the log, whatever comes of this.
  if (std::filesystem::exists(context.log_folder()))
    if (auto kept_up = seal_and_trim(context, context.formats); !kept_up)
      context.terminal.say("warning: " + one_line(kept_up.error()));
  return 0;
}

}  // namespace coeval::cli
