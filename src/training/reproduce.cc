#include "training/reproduce.h"

#include <algorithm>
#include <filesystem>
#include <optional>

#include "data/hash.h"
#include "stores/files.h"
#include "stores/log_prefix.h"
#include "training/build_lock.h"
#include "training/build_steps.h"
#include "training/fit_model.h"
#include "training/given_model.h"
#include "training/model_dataset.h"
#include "training/registered_model.h"
#include "training/search.h"
#include "training/training_rows.h"

namespace coeval::training {

namespace {

/// This process's folder below `work`, which goes with all that it holds.
class Scratch {
 public:
  static Result<Scratch> make(const Workshop& shop) {
    std::string path = shop.work_folder("reproduce");
    COEVAL_TRY(stores::make_folders(path));
    return Scratch(std::move(path));
  }
  Scratch(Scratch&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  Scratch& operator=(Scratch&&) = delete;
  ~Scratch() {
    std::error_code ignored;
    if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
  }
  const std::string& path() const { return path_; }

 private:
  explicit Scratch(std::string path) : path_(std::move(path)) {}
  std::string path_;
};

Result<std::optional<data::Json>> recorded_inputs(const Workshop& shop,
                                                  const stores::ModelVersion& version) {
  COEVAL_ASSIGN(const auto step, shop.meta->find_step(version.dataset_id));
  if (!step) return std::nullopt;
  COEVAL_ASSIGN(data::Json inputs, data::parse_json(step->inputs_json));
  return inputs;
}

// What was in the log when the version was built. Null: there was none.
std::unique_ptr<stores::EventLog> log_then(const Workshop& shop,
                                           const std::optional<data::Json>& inputs) {
  const data::Json* end = inputs ? inputs->find("log") : nullptr;
  if (shop.log == nullptr || end == nullptr || end->integer() == nullptr) return nullptr;
  return stores::log_prefix(*shop.log, Position{static_cast<std::uint64_t>(*end->integer())});
}

std::string joined(const std::vector<std::string>& names) {
  std::string text;
  for (const auto& each : names) text += (text.empty() ? "" : ", ") + each;
  return text;
}

class Reproducing {
 public:
  Reproducing(Workshop shop, const stores::ModelVersion& version, const models::ServedModel& served,
              const define::Model& model)
      : shop_(std::move(shop)), version_(version), served_(served), model_(model) {}

  Result<Reproduction> run() {
    state_folder_ = shop_.state_folder;
    COEVAL_ASSIGN(const BuildLock lock, BuildLock::share(state_folder_));
    COEVAL_ASSIGN(const auto inputs, recorded_inputs(shop_, version_));
    const auto log = log_then(shop_, inputs);
    if (inputs) shop_.log = log.get();
    COEVAL_ASSIGN(const Scratch scratch, Scratch::make(shop_));
    COEVAL_TRY(take_given_model());
    shop_.state_folder = scratch.path();  // training works there too
    COEVAL_TRY(look_at_inputs(inputs));
    auto again = train_again();
    if (!again) return std::unexpected(within_changes(std::move(again).error()));
    return std::move(found_);
  }

 private:
  // A model that was trained elsewhere: its file is taken again, all else is made again.
  Status take_given_model() {
    const data::Json* name = served_.card.details.find("model_file");
    if (name == nullptr || name->string() == nullptr) return {};
    COEVAL_ASSIGN(given_.bytes,
                  model_bytes(state_folder_ + "/" + version_.folder, version_.bits_id));
    given_.name = *name->string();
    given_.sha256 = version_.bits_id;
    shop_.given = &given_;
    return {};
  }

  Status look_at_inputs(const std::optional<data::Json>& inputs) {
    COEVAL_ASSIGN(const data::Json now, dataset_inputs(shop_, model_));
    COEVAL_ASSIGN(const StepPlan plan, plan_step(shop_, model_, "dataset", now));
    found_.ids.push_back({"dataset", version_.dataset_id, plan.key});
    found_.inputs_recorded = inputs.has_value();
    if (inputs) found_.changed = differing_inputs(now, *inputs);
    return {};
  }

  Status train_again() {
    const std::string rows_file = shop_.state_folder + "/rows.parquet";
    COEVAL_ASSIGN(const replay::Past past, shop_.load_past(*shop_.project, model_));
    replay::AnswerOptions options;
    options.threads = shop_.threads;
    options.progress = [&](std::int64_t done, std::int64_t all) {
      shop_.progress(model_.name + " dataset", done, all);
    };
    COEVAL_ASSIGN(const DatasetFacts facts, write_model_dataset(shop_.project, model_, past,
                                                                shop_.formats, rows_file, options));
    COEVAL_TRY(check_parts(facts.counts, model_));
    COEVAL_ASSIGN(const TrainingRows rows,
                  read_training_rows(shop_.formats, rows_file, model_, nullptr));
    // What a search chose is part of the recipe; how it came to it is not done again.
    COEVAL_ASSIGN(const define::Model chosen, chosen_then(model_, served_.card.details));
    COEVAL_ASSIGN(const FittedModel fitted, fit_model(shop_, chosen, rows));
    return compare(chosen, rows, fitted);
  }

  Status compare(const define::Model& chosen, const TrainingRows& rows, const FittedModel& fitted) {
    if (fitted.trained.engine != served_.card.engine)
      found_.changed.push_back("trainer library: " + served_.card.engine + ", now " +
                               fitted.trained.engine);
    const std::string dataset = found_.ids.front().made;
    found_.ids.push_back({"recipe", version_.recipe_id,
                          recipe_id(recipe_of(shop_, chosen, dataset, fitted.trained.engine))});
    found_.ids.push_back({"bits", version_.bits_id, data::sha256_hex(fitted.trained.bytes)});
    COEVAL_ASSIGN(const std::string golden,
                  stores::read_file(state_folder_ + "/" + version_.folder + "/golden.bin"));
    found_.ids.push_back({"golden rows", data::sha256_hex(golden),
                          data::sha256_hex(models::write_golden(rows.width, fitted.outputs,
                                                                golden_rows(rows, fitted)))});
    if (!served_.card.decides()) return {};
    found_.ids.push_back({"threshold", data::Json(served_.card.threshold).dump(),
                          data::Json(fitted.threshold).dump()});
    return {};
  }

  Error within_changes(Error error) const {
    if (found_.changed.empty()) return error;
    return std::move(error).within("while training again with other inputs than then (changed: " +
                                   joined(found_.changed) + ")");
  }

  Workshop shop_;
  const stores::ModelVersion& version_;
  const models::ServedModel& served_;
  const define::Model& model_;
  std::string state_folder_;
  GivenModel given_;
  Reproduction found_;
};

}  // namespace

bool Reproduction::same() const { return std::ranges::all_of(ids, &Id::same); }

bool Reproduction::same_bits() const {
  const auto bits = std::ranges::find(ids, "bits", &Id::name);
  return bits != ids.end() && bits->same();
}

Result<Reproduction> reproduce(const Workshop& shop, const stores::ModelVersion& version,
                               const models::ServedModel& served, const define::Model& model) {
  return Reproducing(shop, version, served, model).run();
}

}  // namespace coeval::training
