#include "cli/ingest_context.h"

#include <algorithm>
#include <cstdio>
#include <utility>

#include "base/byte_size.h"
#include "base/clock.h"
#include "cli/running_server.h"
#include "data/printable.h"
#include "define/diagnostics.h"
#include "replay/log_schemas.h"

namespace coeval::cli {

namespace {

constexpr std::size_t kRulesTold = 8;

using State = ingest::BatchOutcome::State;

const char* state_name(State state) {
  switch (state) {
    case State::published:
      return "published";
    case State::held:
      return "held";
    case State::known:
      return "known";
    case State::counted:
      return "counted";
    case State::nothing:
      return "nothing";
  }
  return "";
}

// The line about a file, without its name.
std::string sentence(const ingest::BatchOutcome& outcome) {
  const auto& record = outcome.record;
  const std::string counts = quality::to_text(record.counts);
  switch (outcome.state) {
    case State::published:
      return counts + ", batch " + record.id;
    case State::held:
      return counts + ", held as batch " + record.id;
    case State::known:
      return "nothing new: it is batch " + record.id + ", of " +
             data::printable(ingest::origin_text(record.origin)) + " (" + counts + ")";
    case State::counted:
      return counts + (outcome.reasons.empty() ? ", would be published" : ", would be held");
    case State::nothing:
      return counts + ", nothing to add";
  }
  return {};
}

// The rules that most rows broke first.
std::string by_rule(const std::map<std::string, std::int64_t>& rules) {
  std::vector<std::pair<std::int64_t, std::string>> most;
  for (const auto& [rule, rows] : rules) most.emplace_back(-rows, rule);
  std::ranges::sort(most);
  std::string text;
  for (std::size_t i = 0; i < std::min(most.size(), kRulesTold); ++i)
    text += (i == 0 ? "" : ", ") + most[i].second + " " + std::to_string(-most[i].first);
  if (most.size() > kRulesTold)
    text += ", and " + std::to_string(most.size() - kRulesTold) + " rules more";
  return text;
}

data::Json texts(const std::vector<std::string>& list) {
  return data::Json::Array(list.begin(), list.end());
}

}  // namespace

Result<int> pick_source(const Context& context, const std::string& name) {
  const int source = context.project->source_index(name);
  if (source >= 0) return source;
  std::vector<std::string> names;
  for (const auto& one : context.project->sources) names.push_back(one.name);
  std::string advice = define::did_you_mean(name, names);
  if (advice.empty()) advice = "the sources are " + define::listed(names);
  return fail(Code::unknown_name, "no source '" + name + "'", advice);
}

Result<ingest::Ingestion> open_ingestion(Context& context) {
  ingest::IngestOptions options;
  options.dry_run = context.in.dry_run;
  options.log_id = context.in.log_id;
  options.now_us = [&context] { return context.clock.now_us(); };
  options.budgets = {context.in.max_bad_rows, context.in.max_bad_ratio};
  if (!context.in.memory.empty()) {
    COEVAL_ASSIGN(const std::int64_t bytes, parse_bytes(context.in.memory));
    options.memory_bytes = static_cast<std::size_t>(bytes);
  }
  options.progress = [&context, started = monotonic_seconds(),
                      before = std::int64_t{0}](std::int64_t rows) mutable {
    if (rows < before) started = monotonic_seconds();  // the next file
    before = rows;
    const double seconds = monotonic_seconds() - started;
    char line[96];
    std::snprintf(line, sizeof line, "ingesting: %lld rows, %.0f rows/s",
                  static_cast<long long>(rows),
                  seconds > 0 ? static_cast<double>(rows) / seconds : 0.0);
    context.terminal.progress(line);
  };
  COEVAL_TRY(replay::check_logged_schemas(*context.project, context.log_folder()));
  if (!options.dry_run) {
    if (const auto server = find_running_server(context.state_folder))
      return fail(Code::log_locked, "the server at " + server->url + " writes to this log",
                  "stop it, or send it the rows: POST /v1/events/SOURCE");
  }
  COEVAL_ASSIGN(auto ingestion, ingest::Ingestion::open(context.project, context.formats,
                                                        context.state_folder, options));
  for (const auto& held : ingestion.damaged_held())
    context.terminal.say("warning: held batch " + held.id + ": " + one_line(held.error));
  if (ingestion.taken_back() > 0)
    context.terminal.say("log: a batch that was not finished is taken back, " +
                         std::to_string(ingestion.taken_back()) + " records that nobody saw");
  return ingestion;
}

void OutcomeReport::add(const std::string& file, const ingest::BatchOutcome& outcome) {
  held_ = held_ || outcome.state == State::held ||
          (outcome.state == State::counted && !outcome.reasons.empty());
  const auto& record = outcome.record;
  if (!context_.terminal.json()) {
    context_.terminal.print(data::printable(file) + ": " + sentence(outcome));
    if (!outcome.note.empty()) context_.terminal.print("  " + outcome.note);
    if (!outcome.quarantined.empty())
      context_.terminal.print("  quarantined: " + by_rule(outcome.quarantined));
    for (const auto& reason : outcome.reasons) context_.terminal.print("  held: " + reason);
    for (const auto& warning : outcome.warnings) context_.terminal.print("  warning: " + warning);
    std::fflush(stdout);  // who reads it need not wait for the next file, nor for the sealing
    return;
  }
  data::Json one{data::Json::Object{}};
  one.set("file", file);
  one.set("state", state_name(outcome.state));
  if (!record.id.empty()) {  // a dry run makes no batch
    one.set("batch", record.id);
    one.set("sha256", record.sha256);
  }
  one.set("read_count", record.counts.read);
  one.set("accepted_count", record.counts.accepted);
  one.set("quarantined_count", record.counts.quarantined);
  one.set("duplicates_count", record.counts.duplicates);
  if (record.first_line > 0) one.set("first_line", record.first_line);
  if (!outcome.note.empty()) one.set("note", outcome.note);
  data::Json rules{data::Json::Object{}};
  for (const auto& [rule, rows] : outcome.quarantined) rules.set(rule, rows);
  one.set("quarantined_by_rule", std::move(rules));
  one.set("reasons", texts(outcome.reasons));
  one.set("warnings", texts(outcome.warnings));
  list_.push(std::move(one));
}

int OutcomeReport::finish() {
  if (context_.terminal.json()) context_.terminal.print_json(list_);
  return held_ ? info(Code::check_failed).exit_code : 0;
}

int report_damaged(Context& context, const ingest::HeldBatches& held) {
  int code = 0;
  for (const auto& batch : held.damaged) {
    context.terminal.say("held batch " + batch.id + ": " + one_line(batch.error));
    code = info(batch.error.code).exit_code;
  }
  return code;
}

Result<ingest::Ledger> read_ledger(Context& context) {
  COEVAL_ASSIGN(const auto log, context.open_log_if_any());
  if (!log) return ingest::Ledger{};
  return ingest::Ledger::read(*log);
}

}  // namespace coeval::cli
