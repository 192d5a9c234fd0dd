#include <unistd.h>

#include <cerrno>
#include <filesystem>

#include "cli/commands.h"
#include "quality/broken_rules.h"
#include "replay/feature_dataset.h"
#include "replay/labels.h"
#include "stores/files.h"
#include "stores/pending_file.h"
#include "training/model_dataset.h"

namespace coeval::cli {

namespace {

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
  for (const auto& history : past.sources) {
    const auto& counts = history.conservation;
    if (counts.read == counts.accepted) continue;
    context.terminal.say(
        "source " + context.project->sources[static_cast<std::size_t>(history.source)].name + ": " +
        quality::to_text(counts) + "; coeval build writes why to the quarantine");
  }
  return past;
}

replay::AnswerOptions answering(Context& context) {
  replay::AnswerOptions options;
  options.threads = context.threads();
  options.progress = [&context](std::int64_t done, std::int64_t all) {
    context.terminal.progress("dataset", done, all);
  };
  return options;
}

// Rows written, and how many questions among them were refused.
using Written = replay::FeatureRows;

Result<Written> of_model(Context& context, const stores::EventLog* log) {
  COEVAL_ASSIGN(const define::Model* model, context.pick_model(context.in.model));
  COEVAL_ASSIGN(const replay::Past past,
                load_past(context, replay::sources_of(*context.project, *model), log));
  COEVAL_ASSIGN(const auto counts,
                training::write_model_dataset(context.project, *model, past, context.formats,
                                              context.in.out, answering(context)));
  return Written{past.sources[static_cast<std::size_t>(model->source)].rows.rows,
                 counts.of(training::SplitPart::stale).rows};
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

Result<Written> of_questions(Context& context, const stores::EventLog* log) {
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
  COEVAL_ASSIGN(const replay::Past past, load_past(context, std::move(sources), log));
  return replay::write_feature_dataset(context.project, past, questions, set, context.formats,
                                       context.in.out, answering(context));
}

// Whether --out can be written, asked before any work is done for it.
Status check_out(Context& context) {
  namespace fs = std::filesystem;
  const std::string& out = context.in.out;
  std::error_code none;
  if (fs::is_directory(out, none))
    return fail(Code::usage, "--out is a folder: " + out, "name a file in it");
  COEVAL_TRY(context.formats(out));
  const std::string folder = stores::folder_of(out);
  if (!fs::exists(folder, none))
    return fail(Code::no_such_file, "there is no folder '" + folder + "' to write --out into",
                "mkdir -p '" + folder + "' makes it");
  if (!fs::is_directory(folder, none))
    return fail(Code::usage, "--out is to be in '" + folder + "', which is no folder",
                "name a file in a folder");
  if (::access(folder.c_str(), W_OK | X_OK) != 0)
    return std::unexpected(stores::error_from_errno(errno, "write --out into", folder));
  return {};
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
  if (auto writable = check_out(context); !writable) return context.report(writable.error());
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
  stores::remove_leftovers(context.in.out);
  const auto log = context.open_log_if_any();
  if (!log) return context.report(log.error());
  const double started = monotonic_seconds();
  const auto rows = own ? of_questions(context, log->get()) : of_model(context, log->get());
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
