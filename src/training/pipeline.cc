#include "training/pipeline.h"

#include <unistd.h>

#include <filesystem>

#include "data/hash.h"
#include "define/model_metrics.h"
#include "models/model_folder.h"
#include "quality/batch_checks.h"
#include "replay/labels.h"
#include "stores/files.h"
#include "stores/record_names.h"
#include "training/build_lock.h"
#include "training/build_steps.h"
#include "training/evaluate.h"
#include "training/fit_model.h"
#include "training/gather_evidence.h"
#include "training/given_model.h"
#include "training/make_dataset.h"
#include "training/project_metrics.h"
#include "training/recipe.h"
#include "training/registered_model.h"
#include "training/rolling_origin.h"
#include "training/run_recorder.h"
#include "training/search.h"
#include "training/training_rows.h"

namespace coeval::training {

namespace {

/// Test rows that every dataset has computed by the server's way too.
constexpr std::size_t kCheckedRows = 512;

std::string count_text(const PartCounts& counts) {
  std::string text;
  for (const SplitPart part :
       {SplitPart::train, SplitPart::validate, SplitPart::calibrate, SplitPart::threshold,
        SplitPart::test, SplitPart::gap, SplitPart::stale}) {
    const bool always = part == SplitPart::gap || part == SplitPart::validate ||
                        part == SplitPart::train || part == SplitPart::test;
    if (!always && counts.of(part).rows == 0) continue;
    text += (text.empty() ? "" : ", ") + std::to_string(counts.of(part).rows) + " " +
            std::string(name(part));
  }
  return text;
}

// What the budgets of the sources say of the rows that were read.
std::string faults_of(const define::Project& project, const std::vector<SourceFacts>& sources) {
  std::string faults;
  const auto add = [&](const std::string& fault) {
    faults += (faults.empty() ? "" : "; ") + fault;
  };
  for (const SourceFacts& facts : sources) {
    const int index = project.source_index(facts.source);
    const quality::BadRows rows{
        .read = facts.rows.read, .quarantined = facts.rows.quarantined, .by_rule = {}};
    const auto& source = project.sources[static_cast<std::size_t>(index)];
    for (const auto& finding : quality::judge_bad_rows(source, rows)) {
      const bool error = finding.severity == define::Severity::error;
      if (error && finding.outcome != quality::Outcome::passed)
        add("source " + facts.source + ": " + finding.rule + ": " + finding.observed);
    }
  }
  return faults;
}

SourceFacts facts_of(const define::Source& source, const replay::SourceHistory& history) {
  SourceFacts facts{.source = source.name, .rows = history.conservation};
  const auto times = history.rows.columns[static_cast<std::size_t>(source.time_index)];
  bool any = false;
  for (std::int64_t row = 0; row < times.size(); ++row) {
    if (times.is_null(row)) continue;
    const std::int64_t at = times.integer(row);
    facts.first_us = any ? std::min(facts.first_us, at) : at;
    facts.last_us = any ? std::max(facts.last_us, at) : at;
    any = true;
  }
  return facts;
}

// One model being built: the steps share what they found.
class Build {
 public:
  Build(const Workshop& shop, const define::Model& model)
      : shop_(shop), model_(model), recorder_(shop, model) {}

  Result<BuildOutcome> run() {
    COEVAL_ASSIGN(outcome_.plan, plan_build(shop_, model_));
    if (!outcome_.plan.train.hit) COEVAL_TRY(recorder_.start(outcome_.plan.dataset.key));
    const Status built = steps();
    const Status recorded = recorder_.end(built, outcome_);
    COEVAL_TRY(built);
    COEVAL_TRY(recorded);
    return std::move(outcome_);
  }

 private:
  Status steps() {
    COEVAL_TRY(dataset());
    return train();
  }

  void tell(const StepPlan& plan) const {
    shop_.say(model_.name + ": " + plan.step + " " + (plan.hit ? "hit" : "miss") + " (" + plan.why +
              ")");
  }

  std::string dataset_path() const {
    return shop_.state_folder + "/" + outcome_.plan.dataset.output;
  }

  Status dataset() {
    StepPlan& plan = outcome_.plan.dataset;
    tell(plan);
    if (plan.hit) return {};
    const double started = monotonic_seconds();
    plan.output = "datasets/" + model_.name + "-" + plan.key.substr(0, 16) + kManifestEnding;
    COEVAL_TRY(stores::make_folders(shop_.state_folder + "/datasets"));
    COEVAL_ASSIGN(const replay::Past past, shop_.load_past(*shop_.project, model_));
    std::vector<SourceFacts> sources;
    for (const auto& history : past.sources) {
      if (history.source < 0) continue;
      const auto& source = shop_.project->sources[static_cast<std::size_t>(history.source)];
      COEVAL_TRY(report(source, history));
      sources.push_back(facts_of(source, history));
    }
    replay::AnswerOptions options;
    options.threads = shop_.threads;
    options.progress = [&](std::int64_t done, std::int64_t all) {
      shop_.progress(model_.name + " dataset", done, all);
    };
    COEVAL_ASSIGN(DatasetFacts facts,
                  make_dataset(shop_, model_, plan, past, dataset_path(), options, kCheckedRows));
    COEVAL_TRY(check_parts(facts.counts, model_));
    facts.sources = std::move(sources);
    facts.faults = faults_of(*shop_.project, facts.sources);
    COEVAL_TRY(write_dataset_facts(dataset_path(), facts));
    outcome_.dataset_seconds = monotonic_seconds() - started;
    shop_.say(model_.name + ": rows " + count_text(facts.counts));
    return remember(shop_, model_, plan);
  }

  // Of the sources that the rows were made from, as records of the log carry them.
  data::Json schema_versions() const {
    data::Json json{data::Json::Object{}};
    for (const int index : replay::sources_of(*shop_.project, model_)) {
      const auto& source = shop_.project->sources[static_cast<std::size_t>(index)];
      json.set(source.name, static_cast<std::int64_t>(stores::schema_tag(source.schema)));
    }
    return json;
  }

  Status report(const define::Source& source, const replay::SourceHistory& history) {
    const auto& counts = history.conservation;
    if (!counts.holds())
      return fail(Code::internal, "rows were lost while reading " + history.path);
    shop_.say("source " + source.name + ": " + quality::to_text(counts));
    if (history.after_cut > 0)
      shop_.say("  " + std::to_string(history.after_cut) +
                " of the accepted are known at or after the log's cut and not used: the log goes "
                "on from there");
    return quality::write_quarantine(shop_.state_folder, history.quarantined);
  }

  Status train() {
    StepPlan& plan = outcome_.plan.train;
    tell(plan);
    if (plan.hit) return found_model();
    const double started = monotonic_seconds();
    COEVAL_ASSIGN(const TrainingRows rows,
                  read_training_rows(shop_.formats, dataset_path(), model_, nullptr));
    for (const auto& input : rows.null_inputs)
      shop_.say(model_.name + ": warning: input '" + input +
                "' is null in all training rows, so the model learns nothing from it");
    COEVAL_TRY(search(rows));
    COEVAL_ASSIGN(const FittedModel fitted, fit_model(shop_, chosen_, rows));
    for (const std::string& note : fitted.trained.notes)
      shop_.say(model_.name + ": warning: " + note);
    outcome_.train_seconds = monotonic_seconds() - started;
    recorder_.trained(fitted, chosen_);
    COEVAL_TRY(judge_and_save(rows, fitted));
    return remember(shop_, model_, plan);
  }

  Status found_model() {
    COEVAL_ASSIGN(const auto versions, shop_.meta->versions(model_.name));
    for (const auto& version : versions) {
      if (version.folder != outcome_.plan.train.output) continue;
      outcome_.registered = version;
      outcome_.version = version.version;
    }
    if (outcome_.version == 0)
      return fail(Code::metadata,
                  "the model in " + outcome_.plan.train.output + " is not registered",
                  "delete that folder and build again");
    return {};
  }

  // The parameters that are built with: the definition's, or the best that a search found.
  Status search(const TrainingRows& rows) {
    chosen_ = model_;
    if (model_.training.search.trials == 0 || shop_.given != nullptr) return {};
    COEVAL_ASSIGN(SearchOutcome found,
                  search_params(shop_, model_, outcome_.plan.dataset.key, rows, recorder_.id()));
    leaderboard_ = leaderboard_json(found);
    chosen_ = std::move(found.chosen);
    return {};
  }

  // What the test part says, and how sure that is.
  void tell_intervals(const Evidence& evidence) const {
    std::string text;
    for (const auto& [metric, interval] : evidence.intervals) {
      const auto value = evidence.test->find(metric);
      const bool shown = metric == "auc" || metric == "log_loss" || metric == "mae" ||
                         metric == define::primary_metric(model_) ||
                         std::ranges::count(model_.metrics, metric, &define::Metric::name) > 0;
      if (!shown || value == evidence.test->end()) continue;
      text += (text.empty() ? "" : ", ") + metric + " " +
              interval_text(value->second, interval.lower, interval.upper);
    }
    if (!text.empty())
      shop_.say(model_.name + ": test part with 95 % intervals, drawn by " +
                evidence.interval_unit + ": " + text);
  }

  Status judge_and_save(const TrainingRows& rows, const FittedModel& fitted) {
    COEVAL_ASSIGN(const DatasetFacts facts, read_dataset_facts(dataset_path()));
    std::vector<ScoredPart> parts;
    for (const SplitPart each : {SplitPart::train, SplitPart::test, SplitPart::validate,
                                 SplitPart::calibrate, SplitPart::threshold}) {
      const TrainingRows::Range range = rows.part(each);
      const bool needed = each == SplitPart::train || each == SplitPart::test;
      if (range.count == 0 && !needed) continue;
      const auto scores = fitted.scores_of(range);
      parts.push_back({std::string(name(each)),
                       {.scores = scores,
                        .labels = rows.labels.span().subspan(range.from, range.count),
                        .threshold = fitted.threshold,
                        .quantile = quantile_of(model_),
                        .class_names = model_.classes,
                        .cost_matrix = model_.cost_matrix,
                        .queries = rows.units_of(range),
                        .rank_k = model_.rank_k}});
      ProjectMetrics(model_, rows, range, scores, {fitted.threshold, model_.cost_matrix})
          .add_to(parts.back().further);
    }
    COEVAL_ASSIGN(data::Json metrics, evaluation_report(parts));
    recorder_.measured(metrics);
    COEVAL_ASSIGN(const Evidence evidence,
                  gather_evidence(shop_, model_, dataset_path(), facts, rows, fitted));
    add_intervals(metrics, evidence);
    tell_intervals(evidence);
    outcome_.verdicts = judge(model_.gates, evidence);
    recorder_.judged(evidence, all_passed(outcome_.verdicts));
    if (model_.training.rolling.folds > 0 && shop_.given == nullptr) {
      COEVAL_ASSIGN(auto folds, evaluate_rolling(shop_, chosen_, fitted.trained.rounds_used, rows));
      metrics.set("rolling", std::move(folds));
    }
    if (evidence.runtime_differences) {
      metrics.set("runtime_differences", *evidence.runtime_differences);
      metrics.set("runtime_rows_compared", evidence.runtime_rows);
    }
    return save(rows, fitted, std::move(metrics), to_json(evidence));
  }

  // Whether the folder of a version holds it already. What lies there and is no registered model is
  // the rest of a build that did not end, or was changed since: it is moved away.
  Result<bool> settle_folder(const stores::ModelVersion& made) {
    const std::string folder = shop_.state_folder + "/" + made.folder;
    if (!std::filesystem::exists(folder)) return false;
    COEVAL_ASSIGN(const auto versions, shop_.meta->versions(model_.name));
    for (const auto& version : versions) {
      if (version.folder != made.folder ||
          !load_version(shop_.state_folder, version, shop_.openers))
        continue;
      if (version.bits_id == made.bits_id) return true;
      return fail(Code::training_failed,
                  "the recipe of version " + std::to_string(version.version) +
                      " gave another model this time: bits id " + made.bits_id + " instead of " +
                      version.bits_id,
                  "training must give the same bits each time; is the trainer's library the same?");
    }
    COEVAL_ASSIGN(const std::string aside, set_aside(folder));
    shop_.say(model_.name + ": " + folder + " is no registered model, moved to " + aside);
    return false;
  }

  models::ModelCard card_of(const FittedModel& fitted) const {
    models::ModelCard card;
    card.name = model_.name;
    card.ir_hash = model_.ir_hash;
    card.ir = model_.ir;
    card.dataset_id = outcome_.plan.dataset.key;
    card.bits_id = data::sha256_hex(fitted.trained.bytes);
    card.recipe_id = recipe_id(recipe_of(shop_, chosen_, card.dataset_id, fitted.trained.engine));
    card.engine = fitted.trained.engine;
    card.kind = std::string(define::name(model_.kind));
    card.classes = model_.classes;
    card.cost_matrix = model_.cost_matrix;
    card.threshold = fitted.threshold;
    card.calibration = fitted.calibration;
    card.details.set("definition", shop_.definition);
    card.details.set("schema_versions", schema_versions());
    card.details.set("request_hash", define::request_hash(*shop_.project, model_));
    card.details.set("rounds_used", fitted.trained.rounds_used);
    if (const auto& notes = fitted.trained.notes; !notes.empty())
      card.details.set("training_notes", data::Json::Array(notes.begin(), notes.end()));
    if (shop_.given != nullptr) card.details.set("model_file", shop_.given->name);
    if (leaderboard_.array() != nullptr) card.details.set("trials", leaderboard_);
    card.details.set("created", format_time(shop_.clock->now_us()));
    card.details.set("gates", to_json(outcome_.verdicts));
    return card;
  }

  Status save(const TrainingRows& rows, const FittedModel& fitted, data::Json metrics,
              data::Json evidence) {
    models::ModelCard card = card_of(fitted);
    card.details.set("evidence", std::move(evidence));

    stores::ModelVersion version;
    version.model = model_.name;
    version.folder = "models/" + model_.name + "/" + card.recipe_id.substr(0, 16);
    version.ir_hash = card.ir_hash;
    version.dataset_id = card.dataset_id;
    version.recipe_id = card.recipe_id;
    version.bits_id = card.bits_id;
    version.gates_passed = all_passed(outcome_.verdicts);
    version.metrics_json = metrics.dump();
    version.gates_json = to_json(outcome_.verdicts).dump();
    version.created_us = shop_.clock->now_us();

    const std::string folder = shop_.state_folder + "/" + version.folder;
    COEVAL_ASSIGN(const BuildLock lock,
                  BuildLock::registering(shop_.state_folder + "/models/" + model_.name));
    COEVAL_ASSIGN(const bool is_there, settle_folder(version));
    if (!is_there)
      COEVAL_TRY(models::save_model(folder, card, rows.encoder, fitted.trained.bytes, metrics,
                                    golden_rows(rows, fitted), shop_.openers));
    COEVAL_ASSIGN(const auto saved, models::load_model(folder, {}, shop_.openers));
    version.manifest_id = saved->manifest_id;
    outcome_.plan.train.output = version.folder;
    COEVAL_ASSIGN(outcome_.version, shop_.meta->register_version(version));
    version.version = outcome_.version;
    outcome_.registered = std::move(version);
    outcome_.fresh = true;
    return {};
  }

  const Workshop& shop_;
  const define::Model& model_;
  RunRecorder recorder_;
  BuildOutcome outcome_;
  define::Model chosen_;
  data::Json leaderboard_;
};

}  // namespace

std::string Workshop::work_folder(const std::string& name) const {
  return work_path(state_folder) + "/" + name + "-" + std::to_string(getpid());
}

Result<replay::Past> Workshop::load_past(const define::Project& of,
                                         const define::Model& model) const {
  replay::PastOptions options;
  options.sources = replay::sources_of(of, model);
  options.log = log;
  if (log != nullptr) {
    COEVAL_ASSIGN(const auto cut, replay::read_cut(*log));
    if (cut) options.cut_us = cut->cut_us;
  }
  return replay::load_past(of, formats, options);
}

namespace {

// A dataset that was found is worth nothing without each of its files.
void doubt_dataset(const Workshop& shop, StepPlan& dataset) {
  if (!dataset.hit) return;
  const Status whole = check_dataset(shop.state_folder + "/" + dataset.output);
  if (whole) return;
  dataset.hit = false;
  dataset.why = "its output cannot be used: " + whole.error().message;
}

// A model that was found is worth nothing when it cannot be loaded any more.
Status doubt(const Workshop& shop, const define::Model& model, StepPlan& train) {
  if (!train.hit) return {};
  COEVAL_ASSIGN(const auto versions, shop.meta->versions(model.name));
  for (const auto& version : versions) {
    if (version.folder != train.output) continue;
    const auto loaded = load_version(shop.state_folder, version, shop.openers);
    if (loaded) continue;
    train.hit = false;
    train.why = "its output cannot be used: " + loaded.error().message;
  }
  return {};
}

}  // namespace

Result<BuildPlan> plan_build(const Workshop& shop, const define::Model& model) {
  BuildPlan plan;
  COEVAL_ASSIGN(auto inputs, dataset_inputs(shop, model));
  COEVAL_ASSIGN(plan.dataset, plan_step(shop, model, "dataset", std::move(inputs)));
  doubt_dataset(shop, plan.dataset);
  COEVAL_ASSIGN(auto train, train_inputs(shop, model, plan.dataset.key));
  COEVAL_ASSIGN(plan.train, plan_step(shop, model, "train", std::move(train)));
  COEVAL_TRY(doubt(shop, model, plan.train));
  return plan;
}

Result<BuildOutcome> build_model(const Workshop& shop, const define::Model& model) {
  COEVAL_ASSIGN(const BuildLock lock, BuildLock::share(shop.state_folder));
  return Build(shop, model).run();
}

}  // namespace coeval::training
