#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "adapters/openlineage/run_events.h"
#include "cli/exports.h"
#include "cli/remote_server.h"
#include "cli/show_card.h"
#include "replay/history.h"
#include "replay/labels.h"
#include "stores/files.h"
#include "training/column_lineage.h"
#include "training/dataset_facts.h"
#include "training/model_card_words.h"

namespace coeval::cli {

namespace {

namespace lineage = adapters::openlineage;
namespace fs = std::filesystem;

constexpr const char* kEndpoint = "/api/v1/lineage";

bool is_url(const std::string& where) {
  return where.starts_with("http://") || where.starts_with("https://");
}

std::string absolute(const std::string& path) {
  std::error_code failed;
  const fs::path found = fs::weakly_canonical(path, failed);
  return failed ? path : found.string();
}

std::optional<std::int64_t> size_of(const std::string& path) {
  std::error_code failed;
  const auto size = fs::file_size(path, failed);
  if (failed) return std::nullopt;
  return static_cast<std::int64_t>(size);
}

std::string id_of(const stores::Run& run, const char* name) {
  const auto found = run.ids.find(name);
  return found == run.ids.end() ? std::string() : found->second;
}

// The definition that a run was built from: today's where its hash is the same, else the one that
// the version keeps; nothing where there is neither.
struct Definition {
  std::shared_ptr<const define::Project> project;
  const define::Model* model = nullptr;
  std::string text;
};

Definition definition_of(Context& context, stores::MetaStore& meta, const ExportSubject& subject) {
  const std::string hash = id_of(subject.run, "ir_hash");
  const define::Model* today = context.project->find_model(subject.run.model);
  if (today != nullptr && today->ir_hash == hash)
    return {context.project, today, context.definition};
  if (!subject.version) return {};
  const auto found = context.find_version(meta, subject.run.model, subject.version->version);
  if (!found) return {};
  const data::Json* text = found->served->card.details.find("definition");
  return {found->project, &found->project->models[static_cast<std::size_t>(found->model)],
          *text->string()};
}

std::pair<const char*, const char*> words_of(training::Dependence how) {
  switch (how) {
    case training::Dependence::identity:
      return {"DIRECT", "IDENTITY"};
    case training::Dependence::computed:
      return {"DIRECT", "TRANSFORMATION"};
    case training::Dependence::aggregated:
      return {"DIRECT", "AGGREGATION"};
    case training::Dependence::filtered_by:
      return {"INDIRECT", "FILTER"};
    case training::Dependence::grouped_by:
      return {"INDIRECT", "GROUP_BY"};
    case training::Dependence::windowed_by:
      return {"INDIRECT", "WINDOW"};
    case training::Dependence::joined_by:
      return {"INDIRECT", "JOIN"};
  }
  return {"INDIRECT", "CONDITIONAL"};
}

// One run's lineage, of what is still known.
class Gathering {
 public:
  Gathering(Context& context, stores::MetaStore& meta, const ExportSubject& subject)
      : context_(context),
        meta_(meta),
        subject_(subject),
        dataset_id_(id_of(subject.run, "dataset_id")) {}

  Result<lineage::BuildLineage> run() {
    out_.run = subject_.run;
    out_.project = context_.project->name;
    out_.engine = kEngine;
    COEVAL_TRY(read_facts());
    const Definition definition = definition_of(context_, meta_, subject_);
    if (definition.model != nullptr) {
      out_.definition = definition.text;
      for (const auto& line : training::comments_of(definition.text, definition.model->name))
        out_.purpose += (out_.purpose.empty() ? "" : "\n") + line;
      COEVAL_TRY(take_sources(*definition.project, *definition.model));
      take_columns(*definition.project, *definition.model);
    }
    take_rows();
    take_model();
    return std::move(out_);
  }

 private:
  Status read_facts() {
    auto facts =
        training::read_dataset_facts(dataset_path(context_, subject_.run.model, dataset_id_));
    if (facts)
      facts_ = std::move(*facts);
    else if (facts.error().code != Code::no_such_file)
      return std::unexpected(std::move(facts).error());
    return {};
  }

  // With the hashes that their files had when the rows were made.
  Status take_sources(const define::Project& project, const define::Model& model) {
    COEVAL_ASSIGN(const auto step, meta_.find_step(dataset_id_));
    data::Json inputs;
    if (step) {
      COEVAL_ASSIGN(inputs, data::parse_json(step->inputs_json));
    }
    for (const int index : replay::sources_of(project, model)) {
      // The source of the questions may be one of the views', too.
      if (!places_.try_emplace(index, out_.sources.size()).second) continue;
      const auto& source = project.sources[static_cast<std::size_t>(index)];
      lineage::Dataset dataset;
      const std::string path = replay::source_path(project, index);
      dataset.space = path.empty() ? "coeval" : "file";
      dataset.name = path.empty() ? project.name + "/" + source.name : absolute(path);
      if (const data::Json* hash = inputs.find("file:" + source.name); hash && hash->string())
        dataset.version = *hash->string();
      for (const auto& column : source.columns)
        dataset.fields.push_back({column.name, std::string(data::name(column.type)), ""});
      take_count(source.name, dataset);
      out_.sources.push_back(std::move(dataset));
    }
    return {};
  }

  void take_count(const std::string& source, lineage::Dataset& dataset) const {
    if (!facts_) return;
    for (const auto& each : facts_->sources)
      if (each.source == source) dataset.rows_count = each.rows.read;
  }

  void take_columns(const define::Project& project, const define::Model& model) {
    for (auto& column : training::column_lineage(project, model)) {
      fields_.push_back({column.column, std::string(data::name(column.type)), column.made_of});
      lineage::Column made{column.column, column.made_of, {}};
      for (const auto& origin : column.origins) {
        const auto place = places_.find(origin.source);
        if (place == places_.end()) continue;
        const auto [type, subtype] = words_of(origin.how);
        made.origins.push_back({place->second, origin.column, type, subtype});
      }
      out_.columns.push_back(std::move(made));
    }
  }

  // Of the files that hold the rows' columns; nothing where one is gone.
  std::optional<std::int64_t> size_of_columns(const fs::path& folder) const {
    std::set<std::string> files;
    for (const auto& column : facts_->columns) files.insert(column.file);
    std::optional<std::int64_t> bytes;
    for (const auto& file : files) {
      const auto size = size_of((folder / file).string());
      if (!size) return std::nullopt;
      bytes = bytes.value_or(0) + *size;
    }
    return bytes;
  }

  void take_rows() {
    if (dataset_id_.empty()) return;
    const std::string path = dataset_path(context_, subject_.run.model, dataset_id_);
    lineage::Dataset rows{
        .space = "file", .name = absolute(path), .version = dataset_id_, .fields = fields_};
    if (facts_) {
      using training::SplitPart;
      rows.rows_count = facts_->counts.rows();
      rows.size_bytes = size_of_columns(fs::path(path).parent_path());
      std::int64_t labelled = 0, positives = 0;
      for (const SplitPart part : {SplitPart::train, SplitPart::validate, SplitPart::calibrate,
                                   SplitPart::threshold, SplitPart::test}) {
        labelled += facts_->counts.of(part).rows;
        positives += facts_->counts.of(part).positives;
      }
      rows.labelled_count = labelled;
      if (!subject_.run.params.contains("kind")) rows.positives_count = positives;  // binary
    }
    out_.rows = std::move(rows);
  }

  void take_model() {
    if (!subject_.version) return;
    out_.model =
        lineage::Dataset{.space = "file",
                         .name = absolute(context_.state_folder + "/" + subject_.version->folder),
                         .version = subject_.version->bits_id};
  }

  Context& context_;
  stores::MetaStore& meta_;
  const ExportSubject& subject_;
  std::string dataset_id_;
  std::optional<training::DatasetFacts> facts_;
  std::map<int, std::size_t> places_;  // source → index in out_.sources
  std::vector<lineage::Field> fields_;
  lineage::BuildLineage out_;
};

Status send(Terminal& terminal, const std::string& url, const std::vector<data::Json>& events) {
  const auto slashes = url.find("//");
  const bool has_path = url.find('/', slashes + 2) != std::string::npos &&
                        url.find('/', slashes + 2) + 1 != url.size();
  COEVAL_ASSIGN(const auto http, open_remote_server(terminal, url, kOpenLineage));
  const std::string target = has_path ? "" : kEndpoint;
  for (std::size_t i = 0; i < events.size(); ++i) {
    const std::string sent =
        std::to_string(i) + " of " + std::to_string(events.size()) + " events were taken before";
    auto answer = http->send({"POST", target, "application/json", events[i].dump()});
    if (!answer) return std::unexpected(std::move(answer).error().within(sent));
    if (answer->status >= 200 && answer->status < 300) continue;
    std::string line = answer->body.substr(0, answer->body.find('\n')).substr(0, 500);
    return fail(answer->status >= 500 ? Code::unavailable : Code::bad_request,
                "the server refused an event: status " + std::to_string(answer->status) +
                    (line.empty() ? "" : ": " + line) + "; " + sent,
                answer->status == 401 || answer->status == 403
                    ? "set OPENLINEAGE_API_KEY"
                    : "is this the address that takes OpenLineage events? without a path it is "
                      "/api/v1/lineage");
  }
  return {};
}

Status write(const std::string& path, const std::vector<data::Json>& events) {
  std::string lines;
  for (const auto& event : events) lines += event.dump() + "\n";
  return stores::write_file_atomically(path, lines);
}

Result<std::size_t> export_events(Context& context) {
  const auto& words = context.in.words;
  const std::string& where = words.front();
  COEVAL_ASSIGN(const auto meta, context.open_meta_for_reading());
  COEVAL_ASSIGN(const auto runs, context.open_runs_for_reading());
  COEVAL_ASSIGN(const auto subjects, export_subjects(context, *meta, *runs));
  std::vector<data::Json> events;
  for (const ExportSubject& subject : subjects) {
    COEVAL_ASSIGN(const auto build, Gathering(context, *meta, subject).run());
    if (build.definition.empty())
      context.terminal.say("run " + subject.run.id +
                           ": the definition that it was built from is not kept any more, so its "
                           "events name no sources and columns");
    for (auto& event : lineage::run_events(build)) events.push_back(std::move(event));
  }
  COEVAL_TRY(is_url(where) ? send(context.terminal, where, events) : write(where, events));
  return events.size();
}

}  // namespace

int export_openlineage(Context& context) {
  const auto& words = context.in.words;
  if (words.empty()) return context.report(export_usage("openlineage"));
  const auto count = export_events(context);
  if (!count) return context.report(count.error());
  if (context.terminal.json()) {
    data::Json json{data::Json::Object{}};
    json.set("events_count", *count);
    json.set("to", words.front());
    context.terminal.print_json(json);
    return 0;
  }
  context.terminal.print(std::to_string(*count) + " events are " +
                         (is_url(words.front()) ? "taken by " : "in ") + words.front());
  return 0;
}

}  // namespace coeval::cli
