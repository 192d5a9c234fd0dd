#include "training/external_trainer.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <span>
#include <utility>

#include "data/column.h"
#include "data/hash.h"
#include "data/json.h"
#include "stores/files.h"
#include "training/child_process.h"
#include "training/worker_files.h"

namespace coeval::training {
namespace {

namespace fs = std::filesystem;
using data::Json;

constexpr std::uint64_t kMaxModelBytes = std::uint64_t{2} << 30;
constexpr std::int64_t kBatchRows = 1 << 16;
constexpr int kContract = 1;

/// The folder of one run, gone when it ends: a table may be hundreds of megabytes.
class JobFolder {
 public:
  static Result<JobFolder> make(const std::string& path) {
    std::error_code ignored;
    fs::remove_all(path, ignored);
    COEVAL_TRY(stores::make_folders(path));
    return JobFolder(path);
  }
  JobFolder(JobFolder&& other) noexcept : path_(std::exchange(other.path_, "")) {}
  ~JobFolder() {
    std::error_code ignored;
    if (!path_.empty()) fs::remove_all(path_, ignored);
  }
  std::string file(const std::string& name) const { return path_ + "/" + name; }
  const std::string& path() const { return path_; }

 private:
  explicit JobFolder(std::string path) : path_(fs::absolute(path).string()) {}
  std::string path_;
};

// A name for a column that no input has.
std::string free_name(std::string name, const std::vector<std::string>& taken) {
  while (std::ranges::count(taken, name) > 0) name += '_';
  return name;
}

struct ColumnNames {
  std::string label, weight;
};
ColumnNames names_beside(const TrainingTable& table) {
  return {free_name("label", table.names), free_name("weight", table.names)};
}

template <class Number>
data::Column column_of(data::Type type, std::int64_t rows, const auto& value_at) {
  std::vector<std::byte> bytes(static_cast<std::size_t>(rows) * sizeof(Number));
  for (std::int64_t row = 0; row < rows; ++row) {
    const Number value = value_at(row);
    std::memcpy(bytes.data() + static_cast<std::size_t>(row) * sizeof(Number), &value,
                sizeof(Number));
  }
  return data::Column::fixed(type, std::move(bytes), {}, rows);
}

data::Batch batch_of(const TrainingTable& table, const data::Schema& schema, std::int64_t from,
                     std::int64_t rows) {
  data::Batch batch;
  batch.schema = schema;
  batch.rows = rows;
  for (std::size_t i = 0; i < table.width; ++i)
    batch.columns.push_back(column_of<float>(data::Type::float32, rows, [&](std::int64_t row) {
      return table.values[static_cast<std::size_t>(from + row) * table.width + i];
    }));
  batch.columns.push_back(
      table.numbers != nullptr
          ? column_of<double>(data::Type::float64, rows,
                              [&](std::int64_t row) { return table.numbers[from + row]; })
          : column_of<std::int32_t>(data::Type::int32, rows,
                                    [&](std::int64_t row) { return table.labels[from + row]; }));
  if (table.weights != nullptr)
    batch.columns.push_back(column_of<float>(
        data::Type::float32, rows, [&](std::int64_t row) { return table.weights[from + row]; }));
  return batch;
}

Status write_rows(const replay::OpenFormat& formats, const std::string& path,
                  const TrainingTable& table, std::int64_t from, std::int64_t to) {
  data::Schema schema;
  for (const std::string& name : table.names)
    schema.fields.push_back({name, data::Type::float32, false});
  const ColumnNames names = names_beside(table);
  const bool of_numbers = table.numbers != nullptr;
  schema.fields.push_back(
      {names.label, of_numbers ? data::Type::float64 : data::Type::int32, false});
  if (table.weights != nullptr) schema.fields.push_back({names.weight, data::Type::float32, false});
  COEVAL_ASSIGN(stores::TableFiles* const files, formats(path));
  COEVAL_ASSIGN(const auto writer, files->create(path, schema, {}));
  for (; from < to; from += kBatchRows)
    COEVAL_TRY(writer->write(batch_of(table, schema, from, std::min(kBatchRows, to - from))));
  return writer->close();
}

/// Where everything lies, as the command is told.
struct JobFiles {
  std::string train, validate, params, model, predictions;
  JobFiles(const JobFolder& folder, const std::string& format)
      : train(folder.file("train." + format)),
        validate(folder.file("validate." + format)),
        params(folder.file("params.json")),
        model(folder.file("model")),
        predictions(folder.file("predictions")) {}
};

Result<Json> inputs_json(const CommandJob& job, const TrainingTable& table) {
  Json inputs{Json::Array{}};
  for (std::size_t i = 0; i < table.width; ++i) {
    Json input;
    input.set("name", table.names[i]);
    input.set("categorical", !job.values[i].empty());
    if (!job.values[i].empty())
      input.set("values", Json::Array(job.values[i].begin(), job.values[i].end()));
    inputs.push(std::move(input));
  }
  return inputs;
}

// A regression says its loss, too.
void set_objective(Json& json, const Objective& objective) {
  json.set("objective", objective.is_regression() ? "regression" : "binary");
  switch (objective.kind) {
    case Objective::Kind::binary:
      return;
    case Objective::Kind::squared:
      json.set("loss", "squared");
      return;
    case Objective::Kind::absolute:
      json.set("loss", "absolute");
      return;
    case Objective::Kind::quantile:
      json.set("loss", "quantile");
      json.set("quantile", objective.quantile);
      return;
  }
}

Result<Json> params_json(const define::ExternalTrainer& command, const CommandJob& job,
                         const TrainingTable& table, const TrainingPlan& plan,
                         const JobFiles& files) {
  Json params{Json::Object{}}, json;
  for (const auto& [name, text] : plan.params) {
    if (!define::is_own_param(name)) continue;
    COEVAL_ASSIGN(Json value, data::parse_json(text));
    params.set(name, std::move(value));
  }
  const ColumnNames names = names_beside(table);
  json.set("version", kContract);
  json.set("name", job.model);
  set_objective(json, plan.objective);
  json.set("params", std::move(params));
  json.set("seed", static_cast<std::int64_t>(plan.seed));
  json.set("threads", plan.threads);
  json.set("format", command.format);
  COEVAL_ASSIGN(Json inputs, inputs_json(job, table));
  json.set("inputs", std::move(inputs));
  json.set("label", names.label);
  json.set("weight", table.weights == nullptr ? Json() : Json(names.weight));
  json.set("train", files.train);
  json.set("train_rows", table.train_rows);
  json.set("validate", files.validate);
  json.set("validate_rows", table.rows - table.train_rows);
  json.set("model", files.model);
  json.set("predictions", files.predictions);
  return json;
}

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string() : std::string(name) + "=" + value;
}

std::vector<std::string> environment_of(const JobFolder& folder, int threads) {
  std::vector<std::string> environment = {"LANG=C.UTF-8",
                                          "TZ=UTC",
                                          "TMPDIR=" + folder.path(),
                                          "OMP_NUM_THREADS=" + std::to_string(threads),
                                          "OMP_WAIT_POLICY=PASSIVE",
                                          "PYTHONHASHSEED=0",
                                          "PYTHONDONTWRITEBYTECODE=1"};
  for (const char* name : {"PATH", "HOME", "LD_LIBRARY_PATH"})
    if (std::string given = variable(name); !given.empty()) environment.push_back(std::move(given));
  return environment;
}

bool is_file(const fs::path& path) {
  std::error_code ignored;
  return fs::is_regular_file(path, ignored);
}

// A path is the project's own; a bare name is looked for in PATH.
Result<std::string> find_program(const std::string& name, const std::string& project_folder) {
  if (name.find('/') != std::string::npos) {
    const fs::path path = fs::absolute(fs::path(project_folder) / name);
    if (is_file(path)) return path.string();
    return fail(Code::missing_component, "the trainer's program is not there: " + path.string(),
                "a path in `command` is taken from the project's folder");
  }
  std::string folders = variable("PATH");
  folders.erase(0, std::min(folders.size(), std::strlen("PATH=")));
  for (std::size_t at = 0; at < folders.size();) {
    const std::size_t end = std::min(folders.find(':', at), folders.size());
    const fs::path path = fs::path(folders.substr(at, end - at)) / name;
    if (path.is_absolute() && is_file(path)) return path.string();
    at = end + 1;
  }
  return fail(Code::missing_component, "the trainer's program '" + name + "' is not in PATH",
              "install it, or name it by its path in `command`");
}

std::string with_words(std::string message, const std::string& words) {
  return words.empty() ? message : message + "; its last words: " + words;
}

constexpr const char* kAdvice =
    "run the command by hand with a params.json of your own; docs/training.md says what it must do";

std::unexpected<Error> failed(const std::string& what, const std::string& words) {
  return fail(Code::training_failed, with_words("the external trainer " + what, words), kAdvice);
}

Result<std::string> read_model(const JobFiles& files, const std::string& words) {
  std::error_code failure;
  if (!fs::is_regular_file(fs::symlink_status(files.model, failure)))
    return failed("ended well but wrote no model to the path that params.json names", words);
  const std::uint64_t bytes = fs::file_size(files.model, failure);
  if (failure || bytes == 0) return failed("ended well but wrote an empty model", words);
  if (bytes > kMaxModelBytes)
    return failed("wrote a model of " + std::to_string(bytes) + " bytes, more than 2 GiB", words);
  return stores::read_file(files.model, kMaxModelBytes);
}

Result<std::vector<float>> read_predictions(const JobFiles& files, std::int64_t rows,
                                            const std::string& words) {
  if (!is_file(files.predictions)) return {};
  std::error_code failure;
  const std::uint64_t expected = static_cast<std::uint64_t>(rows) * sizeof(float);
  const std::uint64_t bytes = fs::file_size(files.predictions, failure);
  if (failure || bytes != expected)
    return failed("wrote predictions of " + std::to_string(bytes) + " bytes for " +
                      std::to_string(rows) + " validation rows, which take 4 bytes each",
                  words);
  COEVAL_ASSIGN(const std::string text, stores::read_file(files.predictions));
  std::vector<float> scores(static_cast<std::size_t>(rows));
  if (text.size() != expected) return failed("changed its predictions while they were read", words);
  if (!scores.empty()) std::memcpy(scores.data(), text.data(), text.size());
  return scores;
}

// The command and its files by their contents: a part of the recipe.
std::string engine_of(const define::ExternalTrainer& command,
                      const std::vector<CommandFile>& files) {
  std::string text = "command:";
  for (const std::string& word : command.command) text += " " + word;
  for (const CommandFile& file : files) text += ", " + file.name + " sha256 " + file.sha256;
  return text;
}

Result<std::string> run(const define::ExternalTrainer& command, const CommandJob& job,
                        const JobFolder& folder, const JobFiles& files, int threads,
                        const ChildLimits& limits) {
  ChildCommand child;
  COEVAL_ASSIGN(child.program, find_program(command.command.front(), job.project_folder));
  child.arguments.assign(command.command.begin() + 1, command.command.end());
  child.arguments.push_back(files.params);
  child.environment = environment_of(folder, threads);
  child.whole_environment = true;
  child.working_folder = job.project_folder.empty() ? "." : job.project_folder;
  child.own_group = true;
  child.time_budget_s = limits.time_budget_s;
  child.memory_limit_bytes = limits.memory_limit_bytes;
  COEVAL_ASSIGN(const ChildEnd end, run_child(child));
  std::string words = last_lines(end.last_words);
  if (!end.ok()) return failed(describe(end, limits.time_budget_s), words);
  return words;
}

}  // namespace

Result<std::vector<CommandFile>> command_files(const std::string& project_folder,
                                               const define::ExternalTrainer& command) {
  const fs::path root = fs::absolute(project_folder.empty() ? "." : project_folder);
  std::vector<CommandFile> found;
  const auto add = [&](const std::string& name) -> Status {
    const bool known = std::ranges::count(found, name, &CommandFile::name) > 0;
    if (known) return {};
    COEVAL_ASSIGN(std::string sha256, data::sha256_of_file((root / name).string()));
    found.push_back({name, std::move(sha256)});
    return {};
  };
  for (std::size_t i = 0; i < command.command.size(); ++i) {
    const std::string& word = command.command[i];
    if (i == 0 && word.find('/') == std::string::npos) continue;  // looked for in PATH
    const fs::path inside =
        (root / word).lexically_normal().lexically_relative(root.lexically_normal());
    const bool is_inside = !inside.empty() && *inside.begin() != "..";
    if (is_inside && is_file(root / word)) COEVAL_TRY(add(word));
  }
  for (const std::string& name : command.files) COEVAL_TRY(add(name));
  return found;
}

Result<TrainedModel> train_by_command(const replay::OpenFormat& formats,
                                      const define::ExternalTrainer& command, const CommandJob& job,
                                      const TrainingTable& table, const TrainingPlan& plan,
                                      const ChildLimits& limits) {
  COEVAL_ASSIGN(const auto used, command_files(job.project_folder, command));
  COEVAL_ASSIGN(const JobFolder folder, JobFolder::make(job.folder));
  const JobFiles files(folder, command.format);
  COEVAL_TRY(write_rows(formats, files.train, table, 0, table.train_rows));
  COEVAL_TRY(write_rows(formats, files.validate, table, table.train_rows, table.rows));
  COEVAL_ASSIGN(const Json params, params_json(command, job, table, plan, files));
  const std::string text = params.dump_pretty() + "\n";
  COEVAL_TRY(write_scratch(files.params, std::as_bytes(std::span(text))));
  TrainedModel trained;
  COEVAL_ASSIGN(trained.words, run(command, job, folder, files, plan.threads, limits));
  COEVAL_ASSIGN(trained.bytes, read_model(files, trained.words));
  COEVAL_ASSIGN(trained.validation_scores,
                read_predictions(files, table.rows - table.train_rows, trained.words));
  trained.rounds_used = 1;
  trained.engine = engine_of(command, used);
  return trained;
}

}  // namespace coeval::training
