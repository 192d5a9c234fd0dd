#include <filesystem>
#include <optional>
#include <utility>

#include "cli/commands.h"
#include "cli/ingest_context.h"
#include "cli/ingest_follow.h"
#include "cli/input_files.h"
#include "cli/log_upkeep.h"
#include "ingest/follow.h"
#include "ingest/named_rows.h"
#include "ingest/standing.h"

namespace coeval::cli {

namespace {

int list_held(Context& context) {
  const auto held = ingest::held_batches(context.state_folder);
  data::Json all{data::Json::Array{}};
  for (const auto& batch : held.batches) {
    const auto& record = batch.record;
    if (!context.terminal.json()) {
      context.terminal.print(record.id + "  " + record.source + "  " +
                             ingest::origin_text(record.origin) + "  " +
                             quality::to_text(record.counts));
      for (const auto& reason : batch.reasons) context.terminal.print("  " + reason);
      continue;
    }
    data::Json one{data::Json::Object{}};
    one.set("batch", record.id);
    one.set("source", record.source);
    one.set("file", record.origin);
    one.set("read_count", record.counts.read);
    one.set("accepted_count", record.counts.accepted);
    one.set("quarantined_count", record.counts.quarantined);
    one.set("duplicates_count", record.counts.duplicates);
    one.set("reasons", data::Json::Array(batch.reasons.begin(), batch.reasons.end()));
    all.push(std::move(one));
  }
  if (context.terminal.json()) context.terminal.print_json(all);
  if (!context.terminal.json() && held.batches.empty() && held.damaged.empty())
    context.terminal.print("no batch is held");
  return report_damaged(context, held);
}

void print(Context& context, const ingest::Standing& standing) {
  const auto n = [](std::int64_t count) { return std::to_string(count); };
  context.terminal.print(
      standing.source + ": " + n(standing.read) + " read = " + n(standing.accepted) +
      " accepted + " + n(standing.quarantined) + " quarantined + " + n(standing.duplicates) +
      " duplicates + " + n(standing.replayed) + " replayed + " + n(standing.dropped) + " dropped" +
      (standing.lost == 0 ? "" : " + " + n(standing.lost) + " lost to damage") + "; " +
      n(standing.batches) + " batches");
  if (standing.missing() != 0) context.terminal.print("  BAD: " + ingest::missing_text(standing));
}

data::Json to_json(const ingest::Standing& standing) {
  data::Json json{data::Json::Object{}};
  json.set("source", standing.source);
  json.set("batches_count", standing.batches);
  json.set("read_count", standing.read);
  json.set("accepted_count", standing.accepted);
  json.set("quarantined_count", standing.quarantined);
  json.set("duplicates_count", standing.duplicates);
  json.set("replayed_count", standing.replayed);
  json.set("dropped_count", standing.dropped);
  json.set("lost_count", standing.lost);
  json.set("missing_count", standing.missing());
  return json;
}

int print_status(Context& context) {
  const auto log = context.open_log_if_any();
  if (!log) return context.report(log.error());
  const auto ledger = *log ? ingest::Ledger::read(**log) : ingest::Ledger{};
  if (!ledger) return context.report(ledger.error());
  data::Json all{data::Json::Array{}};
  bool sound = true;
  for (std::size_t i = 0; i < context.project->sources.size(); ++i) {
    const auto& source = context.project->sources[i];
    if (!context.in.source.empty() && source.name != context.in.source) continue;
    const auto duplicates = ingest::duplicates_of_requests(*context.project, static_cast<int>(i),
                                                           context.formats, log->get(), *ledger);
    if (!duplicates) return context.report(duplicates.error());
    const auto standing =
        ingest::standing_of(context.state_folder, source.name, *ledger, *duplicates);
    if (!standing) return context.report(standing.error());
    sound = sound && standing->missing() == 0;
    context.terminal.json() ? static_cast<void>(all.push(to_json(*standing)))
                            : print(context, *standing);
  }
  if (context.terminal.json()) context.terminal.print_json(all);
  return sound ? 0 : info(Code::check_failed).exit_code;
}

int settle_held(Context& context) {
  const bool releases = !context.in.release.empty();
  if (context.in.reason.empty())
    return context.report(
        Error{Code::usage,
              std::string(releases ? "--release" : "--discard") + " demands a reason",
              "add --reason \"…\": it is kept in the log",
              {},
              {}});
  auto ingestion = open_ingestion(context);
  if (!ingestion) return context.report(ingestion.error());
  const auto outcome = releases ? ingestion->release(context.in.release, context.in.reason)
                                : ingestion->discard(context.in.discard, context.in.reason);
  if (!outcome) return context.report(outcome.error());
  if (!releases && !context.terminal.json()) {
    context.terminal.print(ingest::origin_text(outcome->record.origin) + ": batch " +
                           outcome->record.id + " is discarded, " +
                           std::to_string(outcome->record.counts.read) + " rows");
    return 0;
  }
  OutcomeReport report(context);
  report.add(outcome->record.origin, *outcome);
  return report.finish();
}

Result<ingest::BatchOutcome> ingest_one(Context& context, ingest::Ingestion& ingestion, int source,
                                        const std::string& path) {
  if (path != "-")
    return ingestion.file(source, path, ingest::display_path(*context.project, path));
  COEVAL_ASSIGN(const auto spooled, spool_input(context, context.state_folder));
  auto outcome = ingestion.file(source, spooled.path(), std::string(ingest::kInputOrigin));
  if (!outcome) return std::unexpected(about_input(std::move(outcome).error(), spooled));
  return outcome;
}

Error usage(std::string message, std::string advice) {
  return {Code::usage, std::move(message), std::move(advice), {}, {}};
}

}  // namespace

int ingest(Context& context) {
  if (const auto code = context.load_project()) return *code;
  const auto& in = context.in;
  if (in.held) return list_held(context);
  if (in.status) return print_status(context);
  if (!in.release.empty() || !in.discard.empty()) return settle_held(context);
  if (in.source.empty() || (in.files.empty() && in.follow.empty()))
    return context.report(
        usage("no source or no files are named",
              "coeval ingest SOURCE FILE…, or coeval ingest SOURCE --follow DIR"));
  const auto source = pick_source(context, in.source);
  if (!source) return context.report(source.error());
  std::vector<std::string> files;
  for (const auto& pattern : in.files) {
    const auto some = files_of(pattern);
    if (!some) return context.report(some.error());
    files.insert(files.end(), some->begin(), some->end());
  }
  if (!in.follow.empty()) ingest::FolderWatch::block_signals();  // before any thread starts
  context.terminal.progress("ingesting: reading the log");
  auto ingestion = open_ingestion(context);
  // A full disk is what following waits for.
  const bool waits = !in.follow.empty() && files.empty() && !ingestion &&
                     ingestion.error().code == Code::disk_full;
  if (waits)
    context.terminal.say("waiting for room to open the log: " + one_line(ingestion.error()));
  else if (!ingestion)
    return context.report(ingestion.error());
  OutcomeReport report(context);
  for (const auto& file : files) {
    const auto outcome = ingest_one(context, *ingestion, *source, file);
    if (!outcome) return context.report(outcome.error());
    report.add(file, *outcome);
  }
  const int code = in.follow.empty()
                       ? report.finish()
                       : follow_folder(context,
                                       ingestion ? std::optional(std::move(*ingestion))
                                                 : std::optional<ingest::Ingestion>(),
                                       *source, report);
  if (!in.dry_run) keep_up_log(context);
  return code;
}

}  // namespace coeval::cli
