#include <cmath>
#include <filesystem>
#include <utility>

#include "base/byte_size.h"
#include "cli/commands.h"
#include "cli/out_file.h"
#include "quality/broken_rules.h"
#include "replay/feature_dataset.h"
#include "replay/labels.h"
#include "replay/log_schemas.h"
#include "replay/retention.h"
#include "stores/files.h"
#include "stores/pending_file.h"
#include "training/model_dataset.h"

namespace coeval::cli {

namespace {

void say_what_was_left_out(Context& context, int source, const quality::Conservation& counts) {
  if (counts.read == counts.accepted) return;
  context.terminal.say("source " + context.project->sources[static_cast<std::size_t>(source)].name +
                       ": " + quality::to_text(counts) +
                       "; coeval build writes why to the quarantine");
}

Result<replay::Past> load_past(Context& context, std::vector<int> sources,
                               const stores::EventLog* log) {
  replay::PastOptions options;
  options.sources = std::move(sources);
  options.log = log;
  if (!context.in.as_of.empty()) {
    COEVAL_ASSIGN(options.as_of_us, parse_time(context.in.as_of));
  }
  if (log != nullptr) {
    COEVAL_ASSIGN(const auto cut, replay::read_cut(*log));
    if (cut) options.cut_us = cut->cut_us;
  }
  COEVAL_ASSIGN(replay::Past past, replay::load_past(*context.project, context.formats, options));
  for (const auto& history : past.sources)
    say_what_was_left_out(context, history.source, history.conservation);
  return past;
}

// What is left takes as long as what was done, by its size. Said once there is something to go by.
std::string time_left(double seconds, std::int64_t done, std::int64_t left) {
  if (seconds < 1 || done <= 0) return {};
  const double more = seconds / static_cast<double>(done) * static_cast<double>(left);
  if (more < 90) return ", " + std::to_string(std::lround(more)) + " s left:";
  return ", " + std::to_string(std::lround(more / 60)) + " min left:";
}

Result<replay::AnswerOptions> answering(Context& context) {
  replay::AnswerOptions options;
  if (!context.in.bucket.empty()) {
    COEVAL_ASSIGN(options.bucket, replay::parse_bucket(context.in.bucket));
  }
  options.threads = context.threads();
  context.terminal.progress("dataset, reading", 0, 100);
  options.progress = [&context, began = monotonic_seconds(), first = std::int64_t{-1}](
                         std::int64_t done, std::int64_t all) mutable {
    if (first < 0) {  // nothing is known of how long what came before will have taken
      began = monotonic_seconds();
      first = done;
    }
    context.terminal.progress(
        "dataset" + time_left(monotonic_seconds() - began, done - first, all - done), done, all);
  };
  return options;
}

// Rows written, and how many questions among them were refused.
using Written = replay::FeatureRows;

Result<Written> of_model(Context& context, const stores::EventLog* log,
                         const replay::AnswerOptions& options) {
  COEVAL_ASSIGN(const define::Model* model, context.pick_model(context.in.model));
  COEVAL_ASSIGN(const replay::Past past,
                load_past(context, replay::sources_of(*context.project, *model), log));
  COEVAL_ASSIGN(const training::DatasetFacts facts,
                training::write_model_dataset(context.project, *model, past, context.formats,
                                              context.in.out, options));
  return Written{facts.counts.rows(), facts.counts.of(training::SplitPart::stale).rows};
}

// The rules that live questions are held to: those of the model's source, or of the views' sources.
Status check_rules(Context& context, const std::vector<int>& sources, const define::FeatureSet& set,
                   const replay::Questions& questions) {
  data::Schema columns = set.row.schema;
  columns.fields.resize(columns.fields.size() - set.row.view_features.size());
  auto kept = quality::check_questions(*context.project, sources, columns, questions.columns);
  if (kept) return {};
  return std::unexpected(
      std::move(kept).error().within("reading questions from " + context.in.questions));
}

// Retention may have removed what a question would have to see.
Status check_removed(Context& context, const define::FeatureSet& set,
                     const replay::Questions& questions, const replay::Past& past) {
  const auto views = replay::views_of(set.row);
  const replay::RemovedPast removed(*context.project, views, past.trim);
  std::int64_t unanswerable = 0;
  for (const std::int64_t at : questions.at_us) unanswerable += removed.is_seen_at(at) ? 1 : 0;
  if (unanswerable == 0) return {};
  return fail(Code::not_found,
              std::to_string(unanswerable) + " of " + std::to_string(questions.at_us.size()) +
                  " questions could see events that are not there any more; " +
                  replay::removed_text(*past.trim),
              "leave questions of that time out");
}

std::unexpected<Error> not_with_memory(const std::string& what) {
  return fail(Code::unsupported, what + ": not supported with --memory yet",
              "leave --memory out; --bucket makes parts that need less");
}

// Where spill files go: a folder that is there, or the project's own. It stays: another run may be
// about to use it.
Result<std::string> spill_folder(const Context& context) {
  if (context.in.spill_folder.empty()) {
    COEVAL_TRY(stores::make_folders(context.state_folder));
    return context.state_folder;
  }
  std::error_code none;
  if (!std::filesystem::is_directory(context.in.spill_folder, none))
    return fail(Code::no_such_file,
                "there is no folder '" + context.in.spill_folder + "' for --spill-folder",
                "mkdir -p '" + context.in.spill_folder + "' makes it");
  return context.in.spill_folder;
}

Result<Written> by_way_of_disk(Context& context, const stores::EventLog* log,
                               const std::vector<int>& sources, const replay::Questions& questions,
                               const define::FeatureSet& set,
                               const replay::AnswerOptions& options) {
  if (log != nullptr) return not_with_memory("a project whose server has a log");
  for (const int source : sources) {
    const std::string path = replay::source_path(*context.project, source);
    if (!path.empty() && std::filesystem::path(path).extension() != ".parquet")
      return not_with_memory("the text file '" + path + "', which is read as a whole");
  }
  replay::SpillOptions spill;
  COEVAL_ASSIGN(spill.memory_bytes, parse_bytes(context.in.memory));
  COEVAL_ASSIGN(spill.folder, spill_folder(context));
  if (!context.in.as_of.empty()) {
    COEVAL_ASSIGN(spill.as_of_us, parse_time(context.in.as_of));
  }
  spill.read = [&context](int source, const quality::Conservation& counts) {
    say_what_was_left_out(context, source, counts);
  };
  return replay::write_spilled_dataset(context.project, questions, set, context.formats,
                                       context.in.out, options, spill);
}

Result<Written> of_questions(Context& context, const stores::EventLog* log,
                             const replay::AnswerOptions& options) {
  COEVAL_ASSIGN(const auto own,
                replay::keys_in(*context.project, context.formats, context.in.questions));
  COEVAL_ASSIGN(const auto set,
                define::feature_set(*context.project, context.in.features, kFeaturesOption, own));
  COEVAL_ASSIGN(const auto questions, replay::read_questions(context.formats, context.in.questions,
                                                             context.in.at, set.row));
  const define::Model* model = context.project->find_model(context.in.features);
  auto sources = replay::sources_of(*context.project, replay::views_of(set.row));
  COEVAL_TRY(check_rules(context, model != nullptr ? std::vector{model->source} : sources, set,
                         questions));
  if (sources.empty())
    return fail(Code::usage, "the features '" + context.in.features + "' read no view",
                "name a view, or inputs that read one");
  if (!context.in.memory.empty())
    return by_way_of_disk(context, log, sources, questions, set, options);
  COEVAL_ASSIGN(const replay::Past past, load_past(context, std::move(sources), log));
  COEVAL_TRY(check_removed(context, set, questions, past));
  return replay::write_feature_dataset(context.project, past, questions, set, context.formats,
                                       context.in.out, options);
}

}  // namespace

int dataset(Context& context) {
  const bool own = !context.in.features.empty() || !context.in.questions.empty();
  if (own &&
      (context.in.features.empty() || context.in.questions.empty() || !context.in.model.empty()))
    return context.report(Error{Code::usage,
                                "a dataset is of a model, or of --features with --questions",
                                "coeval dataset MODEL --out F, or coeval dataset --features SET "
                                "--questions Q --out F",
                                {},
                                {}});
  if (const auto code = context.load_project()) return *code;
  std::error_code no_questions;
  if (!context.in.questions.empty() &&
      std::filesystem::equivalent(context.in.questions, context.in.out, no_questions))
    return context.report(
        Error{Code::usage, "--out is the file of the questions", "write to another file", {}, {}});
  if (auto writable = check_out(context.formats, context.in.out); !writable)
    return context.report(writable.error());
  for (std::size_t i = 0; i < context.project->sources.size(); ++i) {
    std::error_code none;
    const std::string path = replay::source_path(*context.project, static_cast<int>(i));
    if (!path.empty() && std::filesystem::equivalent(path, context.in.out, none))
      return context.report(
          Error{Code::usage,
                "--out is the file of source '" + context.project->sources[i].name + "'",
                "write to another file",
                {},
                {}});
  }
  const auto options = answering(context);
  if (!options) return context.report(options.error());
  if (!context.in.memory.empty()) {
    if (const auto bytes = parse_bytes(context.in.memory); !bytes)
      return context.report(Error(bytes.error()).within("reading --memory"));
    if (!own) return context.report(not_with_memory("the dataset of a model").error());
  }
  stores::remove_leftovers(context.in.out);
  if (auto readable = replay::check_logged_schemas(*context.project, context.log_folder());
      !readable)
    return context.report(readable.error());
  const auto log = context.open_log_if_any();
  if (!log) return context.report(log.error());
  const double started = monotonic_seconds();
  const auto rows =
      own ? of_questions(context, log->get(), *options) : of_model(context, log->get(), *options);
  if (!rows) return context.report(rows.error());
  const double seconds = monotonic_seconds() - started;
  if (context.terminal.json()) {
    data::Json json{data::Json::Object{}};
    json.set("out", context.in.out);
    json.set("rows_count", rows->rows);
    if (rows->refused > 0) json.set("refused_count", rows->refused);
    json.set("seconds", seconds);
    context.terminal.print_json(json);
  } else {
    char line[64];
    std::snprintf(line, sizeof line, " rows in %.2f s", seconds);
    context.terminal.print(context.in.out + ": " + std::to_string(rows->rows) + line);
    if (rows->refused > 0)
      context.terminal.print(std::to_string(rows->refused) +
                             " of them are refused: a feature with on_stale = \"refuse\" is stale");
  }
  return 0;
}

}  // namespace coeval::cli
