#include <algorithm>
#include <charconv>
#include <filesystem>

#include "cli/commands.h"
#include "cli/generated_output.h"
#include "cli/generator_of.h"
#include "generate/example_project.h"
#include "generate/produce.h"
#include "stores/files.h"

namespace coeval::cli {

namespace {

namespace fs = std::filesystem;
constexpr std::int64_t kMostShards = 1'000'000;

std::unexpected<Error> bad_shard(const std::string& text) {
  return fail(Code::usage, "--shard is no part: '" + text + "'",
              "0/8 to 7/8 are the eight parts of the whole, at most " +
                  std::to_string(kMostShards) + " of them");
}

Result<std::int64_t> number_in(std::string_view part, const std::string& whole) {
  std::int64_t value = -1;
  const char* end = part.data() + part.size();
  const auto read = std::from_chars(part.data(), end, value);
  if (read.ec != std::errc{} || read.ptr != end) return bad_shard(whole);
  return value;
}

Result<generate::Portion> portion_of(const GenerateWords& words) {
  generate::Portion portion;
  portion.rows = words.rows;
  if (words.shard.empty()) return portion;
  const std::string_view text = words.shard;
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos) return bad_shard(words.shard);
  COEVAL_ASSIGN(portion.shard, number_in(text.substr(0, slash), words.shard));
  COEVAL_ASSIGN(portion.shards, number_in(text.substr(slash + 1), words.shard));
  if (portion.shards < 1 || portion.shards > kMostShards || portion.shard < 0 ||
      portion.shard >= portion.shards)
    return bad_shard(words.shard);
  return portion;
}

// Where things go: the data, and the project if one is asked for.
struct Targets {
  std::string out, definition;
};

Result<Targets> targets_of(Context& context) {
  const std::string& folder = context.in.generate.project;
  Targets targets{context.in.out, {}};
  if (folder.empty()) {
    if (targets.out.empty())
      return fail(Code::usage, "neither --out nor --project says where the rows go",
                  "coeval gen " + context.in.subject + " --out " + context.in.subject + ".parquet");
    return targets;
  }
  if (!context.in.generate.shard.empty())
    return fail(Code::usage, "--project is of all data, not of a --shard", "leave one of them out");
  if (is_no_file(targets.out))
    return fail(Code::usage, "--project needs its data in a file, not in '" + targets.out + "'",
                "leave --out out, or name a file");
  targets.definition = (fs::path(folder) / "coeval.toml").lexically_normal().string();
  std::error_code none;
  if (fs::exists(targets.definition, none))
    return fail(Code::usage, targets.definition + " is there already", "nothing was changed");
  COEVAL_TRY(stores::make_folders(folder));
  if (targets.out.empty())
    targets.out = (fs::path(folder) / (context.in.subject + ".parquet")).string();
  return targets;
}

// What is known of the rows once all are written.
struct Summary {
  generate::Produced produced;
  std::string label;
  std::int64_t last_us = generate::kStartUs - 1;
  double seconds = 0;

  std::int64_t days() const { return (last_us - generate::kStartUs + kDayUs) / kDayUs; }
};

void note_last(const data::Batch& batch, std::int64_t& last_us) {
  for (const std::int64_t ts : batch.find("ts")->values<std::int64_t>())
    last_us = std::max(last_us, ts);
}

Result<Summary> write_rows(Context& context, const std::string& out) {
  const double started = monotonic_seconds();
  Summary summary;
  COEVAL_ASSIGN(const generate::Portion portion, portion_of(context.in.generate));
  COEVAL_ASSIGN(const auto generator, generator_of(context.in));
  COEVAL_ASSIGN(const generate::PieceRange range, generate::pieces_of(*generator, portion));
  COEVAL_ASSIGN(const auto writer,
                open_generated(context, out, generator->schema(range.first, range.end)));
  const auto take = [&](const data::Batch& batch) {
    note_last(batch, summary.last_us);
    return writer->write(batch);
  };
  const auto done = [&](std::int64_t pieces, std::int64_t all) {
    context.terminal.progress(context.in.subject, pieces, all);
  };
  COEVAL_ASSIGN(summary.produced,
                generate::produce(*generator, range, context.threads(), take, done));
  COEVAL_TRY(writer->close());
  summary.label = generator->label();
  summary.seconds = monotonic_seconds() - started;
  return summary;
}

// The data's path as the definition says it: from its own folder, where that can be told.
std::string path_from(const std::string& folder, const std::string& out) {
  std::error_code failed;
  const fs::path near = fs::relative(out, folder, failed);
  return failed || near.empty() ? fs::absolute(out, failed).string() : near.string();
}

std::string command_of(const Invocation& in) {
  std::string text = "coeval gen " + in.subject + " --seed " + std::to_string(in.generate.seed);
  for (const auto& [name, value] : said_options(in.generate)) text += " " + name + " " + value;
  return text;
}

Status write_project(Context& context, const Targets& targets, const Summary& summary) {
  if (summary.produced.rows == 0)
    return fail(Code::no_rows, "there are no rows to make a project of",
                "ask for more: --rows, --days");
  const GenerateWords& words = context.in.generate;
  generate::ExampleProject project;
  project.command = command_of(context.in);
  project.path = path_from(words.project, targets.out);
  project.days = summary.days();
  if (!words.label_delay.empty()) {
    COEVAL_ASSIGN(const auto delay, generate::parse_label_delay(words.label_delay));
    project.label_delay_days = delay.days;
  }
  project.has_copies = words.duplicates.value_or(0) > 0;
  project.has_entry_mode = words.schema_change && *words.schema_change < project.days;
  return stores::write_file_atomically(targets.definition,
                                       generate::example_definition(context.in.subject, project));
}

void print(Context& context, const Targets& targets, const Summary& summary) {
  if (context.terminal.json()) {
    data::Json json{data::Json::Object{}};
    json.set("kind", context.in.subject);
    json.set("out", targets.out);
    json.set("rows_count", summary.produced.rows);
    json.set("label", summary.label);
    json.set("positives_count", summary.produced.positives);
    json.set("days_count", summary.days());
    json.set("seconds", summary.seconds);
    if (!targets.definition.empty()) json.set("definition", targets.definition);
    context.terminal.print_json(json);
    return;
  }
  char took[64];
  std::snprintf(took, sizeof took, " in %.2f s", summary.seconds);
  const std::string line = targets.out + ": " + std::to_string(summary.produced.rows) + " rows, " +
                           std::to_string(summary.produced.positives) + " of them " +
                           summary.label + took;
  if (targets.out == kStandardOutput) return context.terminal.say(line);
  context.terminal.print(line);
  if (!targets.definition.empty())
    context.terminal.print("wrote " + targets.definition + "; next: coeval build -C " +
                           context.in.generate.project);
}

}  // namespace

int gen(Context& context) {
  if (context.in.out == kStandardOutput && context.terminal.json())
    return context.report(Error{Code::usage,
                                "--json and --out - would both write to standard output",
                                "leave one of them out, or name a file",
                                {},
                                {}});
  const auto targets = targets_of(context);
  if (!targets) return context.report(targets.error());
  const auto summary = write_rows(context, targets->out);
  if (!summary) return context.report(summary.error());
  if (!targets->definition.empty())
    if (auto written = write_project(context, *targets, *summary); !written)
      return context.report(written.error());
  print(context, *targets, *summary);
  return 0;
}

}  // namespace coeval::cli
