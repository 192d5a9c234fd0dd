#include <algorithm>
#include <iterator>
#include <map>
#include <tuple>

#include "cli/commands.h"
#include "cli/ingest_context.h"
#include "data/printable.h"
#include "define/diagnostics.h"
#include "ingest/held.h"
#include "ingest/quarantine_files.h"
#include "quality/examination.h"
#include "quality/personal_data.h"
#include "quality/quarantine_line.h"

namespace coeval::cli {

namespace {

bool is_asked(const Context& context, const quality::QuarantinedRow& row) {
  const auto& rule = context.in.rule;
  return rule.empty() || std::ranges::find(row.rules, rule) != row.rules.end();
}

// The sources named, or all.
Result<std::vector<int>> sources_of(Context& context) {
  std::vector<int> sources;
  if (!context.in.source.empty()) {
    COEVAL_ASSIGN(sources.emplace_back(), pick_source(context, context.in.source));
    return sources;
  }
  for (std::size_t i = 0; i < context.project->sources.size(); ++i)
    sources.push_back(static_cast<int>(i));
  return sources;
}

using Visit = std::function<Status(const quality::QuarantinedRow& row, bool is_held)>;

// Rows of the quarantine that the command line asks for, and of batches that are held, without the
// log's lock. Damaged lines are named on stderr, and held batches that cannot be read; for those
// the exit code is not 0.
Result<int> visit_rows(Context& context, const Visit& visit) {
  ingest::DamagedLines damaged;
  COEVAL_ASSIGN(const auto ledger, read_ledger(context));
  const auto held = ingest::held_batches(context.state_folder);
  COEVAL_ASSIGN(const auto sources, sources_of(context));
  for (const int source : sources) {
    const auto& name = context.project->sources[static_cast<std::size_t>(source)].name;
    COEVAL_ASSIGN(auto files, ingest::quarantine_files(context.state_folder, name, ledger));
    std::ranges::move(
        ingest::held_quarantine_files(context.state_folder, name, ledger, held.batches),
        std::back_inserter(files));
    for (const auto& file : files) {
      COEVAL_TRY(ingest::read_rows(
          file, {[&](const quality::QuarantinedRow& row, std::string_view) {
                   return is_asked(context, row) ? visit(row, file.held) : Status{};
                 },
                 [&](const ingest::DamagedLine& line, std::string_view) -> Status {
                   damaged.add(line);
                   return {};
                 }}));
    }
  }
  for (const std::string& text : damaged.texts()) context.terminal.say("warning: " + text);
  return report_damaged(context, held);
}

int list_rows(Context& context) {
  // By source, rule, file, batch if it is held: a row that breaks several rules counts for each.
  std::map<std::tuple<std::string, std::string, std::string, std::string>, std::int64_t> counts;
  std::int64_t rows = 0, held_rows = 0;
  const auto done =
      visit_rows(context, [&](const quality::QuarantinedRow& row, bool is_held) -> Status {
        ++(is_held ? held_rows : rows);
        for (const auto& rule : row.rules)
          if (context.in.rule.empty() || rule == context.in.rule)
            ++counts[{row.source, rule, row.origin, is_held ? row.batch : std::string()}];
        return {};
      });
  if (!done) return context.report(done.error());
  data::Json all{data::Json::Array{}};
  for (const auto& [key, count] : counts) {
    const auto& [source, rule, origin, held_batch] = key;
    data::Json one{data::Json::Object{}};
    one.set("source", source);
    one.set("rule", rule);
    one.set("file", origin);
    one.set("rows_count", count);
    if (!held_batch.empty()) one.set("held_batch", held_batch);
    all.push(std::move(one));
    if (!context.terminal.json())
      context.terminal.print(data::printable(
          source + "  " + rule + "  " + ingest::origin_text(origin) + "  " + std::to_string(count) +
          (held_batch.empty() ? "" : "  held as batch " + held_batch)));
  }
  data::Json answer{data::Json::Object{}};
  answer.set("rows_count", rows);
  answer.set("held_rows_count", held_rows);
  answer.set("by_rule", std::move(all));
  if (context.terminal.json())
    context.terminal.print_json(answer);
  else
    context.terminal.print(
        std::to_string(rows) + (rows == 1 ? " row" : " rows") + " in quarantine" +
        (held_rows == 0
             ? ""
             : ", " + std::to_string(held_rows) + " of held batches (coeval ingest --held)"));
  return *done;
}

// As a report would show it.
quality::QuarantinedRow without_personal(const Context& context, quality::QuarantinedRow row) {
  const int source = context.project->source_index(row.source);
  if (source < 0) return row;
  const auto personal =
      quality::personal_columns(context.project->sources[static_cast<std::size_t>(source)]);
  if (personal.empty()) return row;
  row.raw = quality::masked(row.raw, personal);
  row.reason = "(not shown: the source has personal columns; --raw shows rows as they are)";
  row.observed = {};
  return row;
}

int show_rows(Context& context) {
  std::int64_t shown = 0, left = 0;
  data::Json all{data::Json::Array{}};
  const auto done =
      visit_rows(context, [&](const quality::QuarantinedRow& row, bool is_held) -> Status {
        if (shown >= context.in.limit) {
          ++left;
          return {};
        }
        ++shown;
        const quality::QuarantinedRow seen = context.in.raw ? row : without_personal(context, row);
        if (context.terminal.json()) {
          data::Json one = quality::quarantine_json(seen);
          if (is_held) one.set("held", true);
          all.push(std::move(one));
          return {};
        }
        context.terminal.print(data::printable(
            seen.source + "  " + ingest::origin_text(seen.origin) +
            (seen.row >= 0 ? ":" + std::to_string(seen.row) : "") + "  " +
            define::listed(seen.rules) + (is_held ? "  held as batch " + seen.batch : "")));
        context.terminal.print("  " + data::printable(seen.reason));
        context.terminal.print("  " + data::printable(seen.raw));
        return {};
      });
  if (!done) return context.report(done.error());
  if (context.terminal.json()) context.terminal.print_json(all);
  if (left > 0)
    context.terminal.say(std::to_string(left) + " more; --limit shows more, --rule fewer");
  return *done;
}

int replay_rows(Context& context) {
  const auto sources = sources_of(context);
  if (!sources) return context.report(sources.error());
  if (!context.in.rule.empty())
    return context.report(Error{Code::usage,
                                "replay checks all rows of a source; --rule is for list, show "
                                "and drop",
                                "leave --rule out: rows that still break a rule stay",
                                {},
                                {}});
  auto ingestion = open_ingestion(context);
  if (!ingestion) return context.report(ingestion.error());
  OutcomeReport report(context);
  for (const int source : *sources) {
    const auto outcome = ingestion->replay_quarantine(source);
    if (!outcome) return context.report(outcome.error());
    report.add(context.project->sources[static_cast<std::size_t>(source)].name, *outcome);
  }
  return report.finish();
}

int drop_rows(Context& context) {
  if (context.in.source.empty() || context.in.reason.empty())
    return context.report(
        Error{Code::usage,
              context.in.source.empty() ? "drop wants a source" : "drop demands a reason",
              "coeval quarantine drop SOURCE --reason \"…\": it is kept in the log",
              {},
              {}});
  if (const auto source = pick_source(context, context.in.source); !source)
    return context.report(source.error());
  auto ingestion = open_ingestion(context);
  if (!ingestion) return context.report(ingestion.error());
  const auto note =
      ingestion->drop_quarantine(context.in.source, context.in.rule, context.in.reason);
  if (!note) return context.report(note.error());
  data::Json answer{data::Json::Object{}};
  answer.set("source", note->source);
  answer.set("rule", note->rule);
  answer.set("reason", note->reason);
  answer.set("dropped_count", note->rows);
  if (context.terminal.json())
    context.terminal.print_json(answer);
  else
    context.terminal.print(note->source + ": " + std::to_string(note->rows) +
                           (context.in.dry_run ? " rows would be dropped" : " rows dropped"));
  return 0;
}

}  // namespace

int quarantine(Context& context) {
  if (const auto code = context.load_project()) return *code;
  const std::string& action = context.in.action;
  if (action == "list") return list_rows(context);
  if (action == "show") return show_rows(context);
  return action == "replay" ? replay_rows(context) : drop_rows(context);
}

}  // namespace coeval::cli
