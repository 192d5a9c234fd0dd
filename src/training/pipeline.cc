#include "training/pipeline.h"

#include <bit>
#include <filesystem>

#include "data/hash.h"
#include "define/ir.h"
#include "models/model_folder.h"
#include "replay/labels.h"
#include "stores/files.h"
#include "stores/record_names.h"
#include "training/evaluate.h"
#include "training/model_dataset.h"
#include "training/recipe.h"
#include "training/registered_model.h"
#include "training/trainer.h"
#include "training/training_rows.h"

namespace coeval::training {

namespace {

constexpr std::size_t kGoldenRows = 64;

std::string source_text(const define::Source& source) {
  std::string text = source.name + " time " + source.time_column + " known " +
                     define::canonical(*source.known) + "\n";
  for (const auto& column : source.columns) {
    text += column.name + " " + std::string(name(column.type)) + (column.nullable ? " null" : "");
    const auto decides = [&](std::string_view rule) {
      return column.severity_of(rule) == define::Severity::error;
    };
    if (column.min && decides("min")) text += " min " + data::to_text(*column.min, column.type);
    if (column.max && decides("max")) text += " max " + data::to_text(*column.max, column.type);
    if (column.pattern && decides("pattern")) text += " pattern " + *column.pattern;
    if (decides("enum"))
      for (const auto& word : column.allowed) text += " enum " + word;
    text += "\n";
  }
  return text + define::further_rules_ir(source);
}

std::string inputs_text(const define::Model& model) {
  std::string text = "at " + model.at_column + "\n";
  for (const auto& key : model.row.keys)
    text += "key " + key.value.name + " = " + define::canonical(*key.value.expr) + "\n";
  for (const auto& input : model.inputs)
    text += input.name + " = " + define::canonical(*input.expr) + "\n";
  return text;
}

std::string label_text(const define::Project& project, const define::Model& model) {
  if (model.label_matures || model.label_events) return define::label_ir(project, model);
  return define::canonical(*model.label) + " known " + define::canonical(*model.label_known);
}

// Everything that a dataset's bytes depend on, by name, so that a miss can say which one changed.
Result<data::Json> dataset_inputs(const Workshop& shop, const define::Model& model) {
  const auto& project = *shop.project;
  std::vector<int> views = replay::views_of(model.row);
  const std::vector<int> sources = replay::sources_of(project, model);
  data::Json json{data::Json::Object{}};
  for (const int index : sources) {
    const auto& source = project.sources[static_cast<std::size_t>(index)];
    json.set("source:" + source.name, data::sha256_hex(source_text(source)));
    const std::string path = replay::source_path(project, index);
    if (path.empty()) continue;
    COEVAL_ASSIGN(std::string sha256, data::sha256_of_file(path));
    json.set("file:" + source.name, std::move(sha256));
  }
  for (const int view : views)
    json.set("view:" + project.views[static_cast<std::size_t>(view)].name,
             define::view_hash(project, view));
  json.set("inputs", data::sha256_hex(inputs_text(model)));
  json.set("label", label_text(project, model));
  json.set("split", format_time(model.split.train_until_us) + " " +
                        format_time(model.split.validate_until_us) + " " +
                        format_time(model.split.test_until_us));
  json.set("engine", shop.engine);
  if (shop.log != nullptr) {
    COEVAL_ASSIGN(const auto cut, replay::read_cut(*shop.log));
    if (cut) {
      json.set("cut", format_time(cut->cut_us));
      json.set("log", static_cast<std::int64_t>(shop.log->next_position().value));
      COEVAL_ASSIGN(const auto trim, shop.log->trim());
      if (trim) json.set("log_from", static_cast<std::int64_t>(trim->first.value));
    }
  }
  return json;
}

data::Json train_inputs(const define::Model& model, const std::string& dataset_key) {
  data::Json json{data::Json::Object{}};
  json.set("dataset", dataset_key);
  json.set("trainer", model.trainer);
  json.set("rounds", model.rounds);
  json.set("early_stopping_rounds", model.early_stopping_rounds);
  json.set("seed", std::to_string(model.seed));
  for (const auto& [key, value] : model.params) json.set("param:" + key, value);
  json.set("threshold", model.threshold);
  json.set("ir", model.ir_hash);
  return json;
}

// "changed: view:origin, split" by comparing named inputs with those of the last time.
std::string what_changed(const data::Json& now, const std::string& then_text) {
  const auto then = data::parse_json(then_text);
  if (!then) return "the record of the last build cannot be read";
  std::string names;
  const auto note = [&](const std::string& input) { names += (names.empty() ? "" : ", ") + input; };
  for (const auto& [key, value] : *now.object()) {
    const data::Json* old = then->find(key);
    if (old == nullptr || old->dump() != value.dump()) note(key);
  }
  if (then->object() != nullptr)
    for (const auto& [key, value] : *then->object())
      if (now.find(key) == nullptr) note(key + " (gone)");
  return names.empty() ? "its output was missing" : "changed: " + names;
}

Result<StepPlan> plan_step(const Workshop& shop, const define::Model& model,
                           const std::string& step, data::Json inputs) {
  StepPlan plan;
  plan.step = step;
  plan.inputs = std::move(inputs);
  plan.key = data::sha256_hex(step + " 1\n" + plan.inputs.dump());
  COEVAL_ASSIGN(const auto cached, shop.meta->find_step(plan.key));
  if (cached && std::filesystem::exists(shop.state_folder + "/" + cached->output)) {
    plan.hit = true;
    plan.why = "inputs unchanged";
    plan.output = cached->output;
    return plan;
  }
  COEVAL_ASSIGN(const auto last, shop.meta->latest_step(step, model.name));
  plan.why = last ? what_changed(plan.inputs, last->inputs_json) : "first build";
  return plan;
}

Status remember(const Workshop& shop, const define::Model& model, const StepPlan& plan) {
  return shop.meta->put_step(
      {plan.key, plan.step, model.name, plan.inputs.dump(), plan.output, shop.clock->now_us()});
}

std::string count_text(const PartCounts& counts) {
  std::string text;
  std::vector<SplitPart> parts = {SplitPart::train, SplitPart::validate, SplitPart::test,
                                  SplitPart::gap};
  if (counts.of(SplitPart::stale).rows > 0) parts.push_back(SplitPart::stale);
  for (const SplitPart part : parts)
    text += (text.empty() ? "" : ", ") + std::to_string(counts.of(part).rows) + " " +
            std::string(name(part));
  return text;
}

// One model being built: the steps share what they found.
class Build {
 public:
  Build(const Workshop& shop, const define::Model& model) : shop_(shop), model_(model) {}

  Result<BuildOutcome> run() {
    COEVAL_ASSIGN(outcome_.plan, plan_build(shop_, model_));
    COEVAL_TRY(dataset());
    COEVAL_TRY(train());
    return std::move(outcome_);
  }

 private:
  void tell(const StepPlan& plan) const {
    shop_.say(model_.name + ": " + plan.step + " " + (plan.hit ? "hit" : "miss") + " (" + plan.why +
              ")");
  }

  Status dataset() {
    StepPlan& plan = outcome_.plan.dataset;
    tell(plan);
    if (plan.hit) return {};
    const double started = monotonic_seconds();
    plan.output = "datasets/" + model_.name + "-" + plan.key.substr(0, 16) + ".parquet";
    COEVAL_TRY(stores::make_folders(shop_.state_folder + "/datasets"));
    COEVAL_ASSIGN(const replay::Past past, load());
    replay::AnswerOptions options;
    options.threads = shop_.threads;
    options.progress = [&](std::int64_t done, std::int64_t all) {
      shop_.progress(model_.name + " dataset", done, all);
    };
    COEVAL_ASSIGN(const PartCounts counts,
                  write_model_dataset(shop_.project, model_, past, shop_.formats,
                                      shop_.state_folder + "/" + plan.output, options));
    COEVAL_TRY(check_parts(counts, model_.early_stopping_rounds));
    outcome_.dataset_seconds = monotonic_seconds() - started;
    shop_.say(model_.name + ": rows " + count_text(counts));
    return remember(shop_, model_, plan);
  }

  Result<replay::Past> load() {
    replay::PastOptions options;
    options.sources = replay::sources_of(*shop_.project, model_);
    options.log = shop_.log;
    if (shop_.log != nullptr) {
      COEVAL_ASSIGN(const auto cut, replay::read_cut(*shop_.log));
      if (cut) options.cut_us = cut->cut_us;
    }
    COEVAL_ASSIGN(replay::Past past, replay::load_past(*shop_.project, shop_.formats, options));
    for (const auto& history : past.sources) {
      if (history.source < 0) continue;
      COEVAL_TRY(report(history));
    }
    return past;
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

  Status report(const replay::SourceHistory& history) {
    const auto& counts = history.conservation;
    if (!counts.holds())
      return fail(Code::internal, "rows were lost while reading " + history.path);
    shop_.say("source " + shop_.project->sources[static_cast<std::size_t>(history.source)].name +
              ": " + quality::to_text(counts));
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
    const std::string path = shop_.state_folder + "/" + outcome_.plan.dataset.output;
    COEVAL_ASSIGN(const TrainingRows rows,
                  read_training_rows(shop_.formats, path, model_, nullptr));
    COEVAL_ASSIGN(const TrainedModel trained, fit(rows));
    outcome_.train_seconds = monotonic_seconds() - started;
    COEVAL_TRY(judge_and_save(rows, trained));
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

  std::string work_folder(const std::string& name) const {
    return shop_.state_folder + "/work/" + model_.name + "-" + name;
  }

  Result<TrainedModel> fit(const TrainingRows& rows) {
    TrainingTable table;
    table.rows = rows.train + rows.validate;
    table.train_rows = rows.train;
    table.width = rows.width;
    for (const auto& column : rows.encoder.columns()) {
      table.names.push_back(column.name);
      table.categorical.push_back(false);  // docs/adr/0003: ordinal codes of the sorted dictionary
    }
    table.values = rows.values.data();
    table.labels = rows.labels.data();
    TrainingPlan plan{model_.params, model_.rounds, model_.early_stopping_rounds, model_.seed,
                      shop_.threads};
    const std::string folder = work_folder("train");
    COEVAL_TRY(stores::make_folders(folder));
    auto trained = train_in_child(shop_.program, folder, model_.trainer, table, plan, {}, nullptr);
    std::error_code ignored;
    std::filesystem::remove_all(folder, ignored);
    return trained;
  }

  Status judge_and_save(const TrainingRows& rows, const TrainedModel& trained) {
    COEVAL_ASSIGN(const models::Forest forest, models::Forest::read(trained.bytes));
    const std::int64_t test_from = rows.train + rows.validate;
    std::vector<float> margins(rows.labels.size()), scores(rows.labels.size());
    forest.predict(rows.values, margins, scores);

    Evidence evidence;
    COEVAL_ASSIGN(evidence.runtime_differences, count_differences(rows, trained, margins, scores));
    const auto part = [&](const char* part_name, std::int64_t from, std::int64_t count) {
      return ScoredPart{
          part_name,
          std::span(scores).subspan(static_cast<std::size_t>(from),
                                    static_cast<std::size_t>(count)),
          std::span(rows.labels)
              .subspan(static_cast<std::size_t>(from), static_cast<std::size_t>(count))};
    };
    std::vector<ScoredPart> parts = {part("train", 0, rows.train),
                                     part("test", test_from, rows.test)};
    if (rows.validate > 0) parts.push_back(part("validate", rows.train, rows.validate));
    COEVAL_ASSIGN(data::Json metrics, evaluation_report(parts));
    COEVAL_ASSIGN(evidence.test, evaluate(parts[1]));
    COEVAL_TRY(weigh_champion(rows, evidence));
    outcome_.verdicts = judge(model_.gates, evidence);
    metrics.set("runtime_differences", *evidence.runtime_differences);
    metrics.set("runtime_rows_compared", rows.test);
    return save(rows, trained, margins, scores, std::move(metrics));
  }

  // Bits of our runtime against the trainer's own prediction, over the whole test part.
  Result<std::int64_t> count_differences(const TrainingRows& rows, const TrainedModel& trained,
                                         const std::vector<float>& margins,
                                         const std::vector<float>& scores) {
    const std::string folder = work_folder("predict");
    COEVAL_TRY(stores::make_folders(folder));
    const std::int64_t from = rows.train + rows.validate;
    auto vendor = predict_in_child(shop_.program, folder, model_.trainer, trained.bytes,
                                   rows.row(from), rows.test, rows.width);
    std::error_code ignored;
    std::filesystem::remove_all(folder, ignored);
    if (!vendor) return std::unexpected(std::move(vendor).error());
    std::int64_t differences = 0;
    for (std::size_t i = 0; i < static_cast<std::size_t>(rows.test); ++i) {
      const std::size_t ours = static_cast<std::size_t>(from) + i;
      const bool same = std::bit_cast<std::uint32_t>(vendor->margins[i]) ==
                            std::bit_cast<std::uint32_t>(margins[ours]) &&
                        std::bit_cast<std::uint32_t>(vendor->scores[i]) ==
                            std::bit_cast<std::uint32_t>(scores[ours]);
      differences += same ? 0 : 1;
    }
    shop_.say(model_.name + ": runtime equals " + trained.engine + " on " +
              std::to_string(rows.test) + " test rows: " + std::to_string(differences) + " differ");
    return differences;
  }

  // The champion on the same rows, when this dataset has all that it reads.
  Status weigh_champion(const TrainingRows& rows, Evidence& evidence) {
    COEVAL_ASSIGN(const auto champion, shop_.meta->alias(model_.name, "champion"));
    evidence.first_model = !champion || *champion == 0;
    if (evidence.first_model) return {};
    COEVAL_ASSIGN(const auto versions, shop_.meta->versions(model_.name));
    for (const auto& version : versions) {
      if (version.version != *champion) continue;
      auto loaded = load_version(shop_.state_folder, version);
      if (!loaded) return {};  // no evidence: the gate that needs it fails and says so
      const models::Encoder& encoder = (*loaded)->encoder;
      if (!same_columns(encoder, rows.encoder)) return {};
      const std::string path = shop_.state_folder + "/" + outcome_.plan.dataset.output;
      COEVAL_ASSIGN(const TrainingRows as_champion,
                    read_training_rows(shop_.formats, path, model_, &encoder));
      const auto from = static_cast<std::size_t>(as_champion.train + as_champion.validate);
      const auto test = std::span(as_champion.values).subspan(from * as_champion.width);
      std::vector<float> margins(static_cast<std::size_t>(as_champion.test));
      std::vector<float> scores(margins.size());
      (*loaded)->forest.predict(test, margins, scores);
      COEVAL_ASSIGN(evidence.champion,
                    evaluate({"test", scores, std::span(as_champion.labels).subspan(from)}));
    }
    return {};
  }

  static bool same_columns(const models::Encoder& a, const models::Encoder& b) {
    if (a.width() != b.width()) return false;
    for (std::size_t i = 0; i < a.width(); ++i)
      if (a.columns()[i].name != b.columns()[i].name || a.columns()[i].type != b.columns()[i].type)
        return false;
    return true;
  }

  // 64 test rows chosen by the hash of their place, the same for every build of the same rows.
  static std::vector<models::GoldenRow> golden_rows(const TrainingRows& rows,
                                                    const std::vector<float>& margins,
                                                    const std::vector<float>& scores) {
    std::vector<models::GoldenRow> golden;
    const std::int64_t from = rows.train + rows.validate;
    for (std::size_t i = 0; i < kGoldenRows && rows.test > 0; ++i) {
      const std::uint64_t hash = data::xxh3_64("golden", i);
      const std::int64_t at =
          from + static_cast<std::int64_t>(hash % static_cast<std::uint64_t>(rows.test));
      golden.push_back({std::vector<float>(rows.row(at), rows.row(at) + rows.width),
                        margins[static_cast<std::size_t>(at)],
                        scores[static_cast<std::size_t>(at)]});
    }
    return golden;
  }

  // Whether the folder of a version holds it already. What lies there and is no registered model is
  // the rest of a build that did not end, or was changed since: it is moved away.
  Result<bool> settle_folder(const stores::ModelVersion& made) {
    const std::string folder = shop_.state_folder + "/" + made.folder;
    if (!std::filesystem::exists(folder)) return false;
    COEVAL_ASSIGN(const auto versions, shop_.meta->versions(model_.name));
    for (const auto& version : versions) {
      if (version.folder != made.folder || !load_version(shop_.state_folder, version)) continue;
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

  Status save(const TrainingRows& rows, const TrainedModel& trained,
              const std::vector<float>& margins, const std::vector<float>& scores,
              data::Json metrics) {
    models::ModelCard card;
    card.name = model_.name;
    card.ir_hash = model_.ir_hash;
    card.ir = model_.ir;
    card.dataset_id = outcome_.plan.dataset.key;
    card.bits_id = data::sha256_hex(trained.bytes);
    card.recipe_id = recipe_id({card.dataset_id, model_.ir_hash, model_.split, model_.params,
                                model_.seed, model_.rounds, model_.early_stopping_rounds,
                                model_.trainer, trained.engine, shop_.engine});
    card.engine = trained.engine;
    card.threshold = model_.threshold;
    card.details.set("definition", shop_.definition);
    card.details.set("schema_versions", schema_versions());
    card.details.set("request_hash", define::request_hash(*shop_.project, model_));
    card.details.set("rounds_used", trained.rounds_used);
    card.details.set("created", format_time(shop_.clock->now_us()));
    card.details.set("gates", to_json(outcome_.verdicts));

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
    COEVAL_TRY(stores::make_folders(shop_.state_folder + "/models/" + model_.name));
    COEVAL_ASSIGN(const bool is_there, settle_folder(version));
    if (!is_there)
      COEVAL_TRY(models::save_model(folder, card, rows.encoder, trained.bytes, metrics,
                                    golden_rows(rows, margins, scores)));
    COEVAL_ASSIGN(const auto saved, models::load_model(folder));
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
  BuildOutcome outcome_;
};

}  // namespace

namespace {

// A model that was found is worth nothing when it cannot be loaded any more.
Status doubt(const Workshop& shop, const define::Model& model, StepPlan& train) {
  if (!train.hit) return {};
  COEVAL_ASSIGN(const auto versions, shop.meta->versions(model.name));
  for (const auto& version : versions) {
    if (version.folder != train.output) continue;
    const auto loaded = load_version(shop.state_folder, version);
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
  COEVAL_ASSIGN(plan.train, plan_step(shop, model, "train", train_inputs(model, plan.dataset.key)));
  COEVAL_TRY(doubt(shop, model, plan.train));
  return plan;
}

Result<BuildOutcome> build_model(const Workshop& shop, const define::Model& model) {
  return Build(shop, model).run();
}

}  // namespace coeval::training
