#include "training/champion.h"

#include <algorithm>
#include <filesystem>

#include "replay/labels.h"
#include "stores/files.h"
#include "training/model_dataset.h"
#include "training/pipeline.h"
#include "training/registered_model.h"

namespace coeval::training {
namespace {

Result<std::vector<float>> scores_of(const models::ServedModel& champion,
                                     const TrainingRows& rows) {
  const TrainingRows::Range test = rows.part(SplitPart::test);
  const std::size_t outputs = champion.card.outputs();
  std::vector<float> scores(test.count * outputs), margins(test.count * outputs);
  COEVAL_TRY(champion.predict(rows.values_of(test), margins, scores));
  return scores;
}

Result<std::vector<float>> on_these_rows(const Workshop& shop, const define::Model& model,
                                         const std::string& path,
                                         const models::ServedModel& champion) {
  COEVAL_ASSIGN(const TrainingRows rows,
                read_training_rows(shop.formats, path, model, &champion.encoder));
  return scores_of(champion, rows);
}

// The champion's definition with the candidate's parts, so that both are asked the same.
struct AsChampion {
  std::shared_ptr<const define::Project> project;
  define::Model model;
};

Result<AsChampion> as_champion(const Workshop& shop, const define::Model& model,
                               const models::ServedModel& champion) {
  const data::Json* text = champion.card.details.find("definition");
  if (text == nullptr || text->string() == nullptr)
    return fail(Code::bad_model, "its definition was not kept with it");
  define::Checked checked = define::check_text(*text->string(), shop.project->file);
  if (!checked.project)
    return fail(Code::bad_model,
                "its definition cannot be read any more: " + checked.errors.front().message);
  auto project = std::make_shared<const define::Project>(std::move(*checked.project));
  const define::Model* found = project->find_model(model.name);
  if (found == nullptr) return fail(Code::bad_model, "its definition has no such model");
  AsChampion as{project, *found};
  as.model.split = model.split;
  // A ranking's rows are of queries, which its definition names there.
  const define::Resampling queries = found->training.resampling;
  as.model.training = {};
  if (as.model.kind == define::ModelKind::ranking) as.model.training.resampling = queries;
  return as;
}

// Inputs that this dataset does not have are made for the champion alone.
Result<std::vector<float>> on_own_rows(const Workshop& shop, const define::Model& model,
                                       const models::ServedModel& champion,
                                       const TrainingRows& rows) {
  COEVAL_ASSIGN(const AsChampion as, as_champion(shop, model, champion));
  COEVAL_ASSIGN(const replay::Past past, shop.load_past(*as.project, as.model));
  const std::string folder = shop.work_folder(model.name + "-champion");
  COEVAL_TRY(stores::make_folders(folder));
  const std::string file = folder + "/rows.parquet";
  replay::AnswerOptions options;
  options.threads = shop.threads;
  auto theirs = [&]() -> Result<TrainingRows> {
    COEVAL_TRY(write_model_dataset(as.project, as.model, past, shop.formats, file, options));
    return read_training_rows(shop.formats, file, as.model, &champion.encoder);
  }();
  std::error_code ignored;
  std::filesystem::remove_all(folder, ignored);
  if (!theirs) return std::unexpected(std::move(theirs).error());
  const TrainingRows::Range mine = rows.part(SplitPart::test);
  const TrainingRows::Range test = theirs->part(SplitPart::test);
  const auto asked = std::span(rows.at_us).subspan(mine.from, mine.count);
  if (!std::ranges::equal(asked, std::span(theirs->at_us).subspan(test.from, test.count)))
    return fail(Code::bad_model,
                "its definition has other test rows: " + std::to_string(test.count) +
                    " instead of " + std::to_string(mine.count));
  return scores_of(champion, *theirs);
}

// What a model learns, as its canonical text says it.
std::string label_lines(std::string_view ir) {
  std::string lines;
  while (!ir.empty()) {
    const std::string_view line = ir.substr(0, ir.find('\n'));
    ir.remove_prefix(std::min(line.size() + 1, ir.size()));
    const bool is_label = line.starts_with("  label ") || line.starts_with("  label_events ") ||
                          line.starts_with("  class ");
    if (is_label) lines += std::string(line) + "\n";
  }
  return lines;
}

bool same_inputs(const Workshop& shop, const define::Model& model,
                 const models::ServedModel& champion) {
  const data::Json* hash = champion.card.details.find("request_hash");
  return hash != nullptr && hash->string() != nullptr &&
         *hash->string() == define::request_hash(*shop.project, model);
}

}  // namespace

Result<ChampionScores> champion_scores(const Workshop& shop, const define::Model& model,
                                       const std::string& path, const TrainingRows& rows) {
  ChampionScores found;
  COEVAL_ASSIGN(const auto alias, shop.meta->alias(model.name, "champion"));
  if (!alias || *alias == 0) return found;
  found.version = *alias;
  COEVAL_ASSIGN(const auto versions, shop.meta->versions(model.name));
  const auto version = std::ranges::find(versions, *alias, &stores::ModelVersion::version);
  const std::string who = "the champion, version " + std::to_string(*alias) + ", ";
  if (version == versions.end()) {
    found.missing = who + "is not registered";
    return found;
  }
  const auto loaded = load_version(shop.state_folder, *version, shop.openers);
  if (!loaded) {
    found.missing = who + "cannot be loaded: " + loaded.error().message;
    return found;
  }
  if (label_lines((*loaded)->card.ir) != label_lines(model.ir)) {
    found.missing = who + "was trained for another label: they cannot be compared";
    return found;
  }
  auto scores = same_inputs(shop, model, **loaded) ? on_these_rows(shop, model, path, **loaded)
                                                   : on_own_rows(shop, model, **loaded, rows);
  if (!scores) {
    found.missing = who + "could not be scored: " + scores.error().message;
    return found;
  }
  found.scores = std::move(*scores);
  found.threshold = (*loaded)->card.threshold;
  found.cost_matrix = (*loaded)->card.cost_matrix;
  for (const auto& column : (*loaded)->encoder.columns()) found.inputs.push_back(column.name);
  return found;
}

}  // namespace coeval::training
