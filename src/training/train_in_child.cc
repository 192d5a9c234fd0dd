#include <charconv>
#include <csignal>
#include <cstring>
#include <optional>

#include "base/check.h"
#include "data/hash.h"
#include "data/json.h"
#include "stores/files.h"
#include "training/child_process.h"
#include "training/json_member.h"
#include "training/shared_memory.h"
#include "training/trainer.h"
#include "training/worker_files.h"

namespace coeval::training {
namespace {

using Progress = void (*)(int round, int rounds);

/// Removes the scratch files on every way out.
struct Scratch {
  const WorkerFiles& files;
  ~Scratch() { files.remove_all(); }
};

std::span<const std::byte> bytes_of(const void* data, std::size_t bytes) {
  return {static_cast<const std::byte*>(data), bytes};
}

std::size_t cells(std::int64_t rows, std::size_t width) {
  return static_cast<std::size_t>(rows) * width;
}

std::span<const std::byte> label_bytes(const TrainingTable& table) {
  const std::size_t rows = cells(table.rows, 1);
  return table.numbers != nullptr ? bytes_of(table.numbers, rows * sizeof(double))
                                  : bytes_of(table.labels, rows);
}

Status write_plan(const WorkerFiles& files, const WorkerPlan& plan) {
  const std::string text = to_json(plan).dump();
  return write_scratch(files.plan(), bytes_of(text.data(), text.size()));
}

/// What a child is given, in the order of its descriptors.
struct Given {
  std::vector<SharedMemory> memories;  // that go with the job
  std::vector<int> descriptors;

  void add(SharedMemory memory) {
    descriptors.push_back(memory.fd());
    memories.push_back(std::move(memory));
  }
};

/// Gives the values where they are, or a copy. Returns how many bytes lie before them.
Result<std::size_t> give_values(const float* values, std::size_t count, const SharedMemory* memory,
                                Given& given) {
  const auto bytes = bytes_of(values, count * sizeof(float));
  if (memory != nullptr) {
    COEVAL_TRY(memory->seal());
    given.descriptors.push_back(memory->fd());
    return bytes.empty() ? 0 : static_cast<std::size_t>(bytes.data() - memory->data());
  }
  COEVAL_ASSIGN(SharedMemory copy, SharedMemory::copy_of("coeval values", bytes));
  given.add(std::move(copy));
  return 0;
}

Result<Given> write_training_job(const WorkerFiles& files, const std::string& trainer,
                                 const TrainingTable& table, const TrainingPlan& plan) {
  Given given;
  COEVAL_ASSIGN(const std::size_t values_at,
                give_values(table.values, cells(table.rows, table.width), table.memory, given));
  COEVAL_ASSIGN(SharedMemory labels, SharedMemory::copy_of("coeval labels", label_bytes(table)));
  given.add(std::move(labels));
  if (table.weights != nullptr) {
    COEVAL_ASSIGN(
        SharedMemory weights,
        SharedMemory::copy_of("coeval weights",
                              bytes_of(table.weights, cells(table.rows, 1) * sizeof(float))));
    given.add(std::move(weights));
  }
  COEVAL_TRY(write_plan(files, {.job = WorkerJob::train,
                                .trainer = trainer,
                                .rows = table.rows,
                                .train_rows = table.train_rows,
                                .width = table.width,
                                .outputs = plan.objective.outputs(),
                                .values_at = values_at,
                                .names = table.names,
                                .categorical = table.categorical,
                                .monotone = table.monotone,
                                .weighted = table.weights != nullptr,
                                .groups = table.groups,
                                .plan = plan}));
  return given;
}

Result<Given> write_prediction_job(const WorkerFiles& files, const std::string& trainer,
                                   const std::string& model_bytes, const float* rows,
                                   std::int64_t count, std::size_t width, std::size_t outputs,
                                   const SharedMemory* memory) {
  Given given;
  COEVAL_ASSIGN(const std::size_t values_at, give_values(rows, cells(count, width), memory, given));
  for (const char* name : {"coeval margins", "coeval scores"}) {
    COEVAL_ASSIGN(SharedMemory scores,
                  SharedMemory::create(name, cells(count, outputs) * sizeof(float)));
    given.add(std::move(scores));
  }
  COEVAL_TRY(write_scratch(files.model(), bytes_of(model_bytes.data(), model_bytes.size())));
  COEVAL_TRY(write_plan(files, {.job = WorkerJob::predict,
                                .trainer = trainer,
                                .rows = count,
                                .train_rows = 0,
                                .width = width,
                                .outputs = outputs,
                                .values_at = values_at,
                                .names = {},
                                .categorical = {},
                                .plan = {}}));
  return given;
}

/// "progress 12 150" → the callback. Other lines are the library's own chatter.
void pass_progress(std::string_view line, Progress progress) {
  constexpr std::string_view kWord = "progress ";
  if (progress == nullptr || !line.starts_with(kWord)) return;
  const char* end = line.data() + line.size();
  int round = 0, rounds = 0;
  const auto first = std::from_chars(line.data() + kWord.size(), end, round);
  if (first.ec != std::errc{} || first.ptr == end) return;
  const auto second = std::from_chars(first.ptr + 1, end, rounds);
  if (second.ec == std::errc{} && second.ptr == end) progress(round, rounds);
}

std::string advice_for(const ChildEnd& end, const ChildLimits& limits) {
  if (end.timed_out) return "give it more time, or train fewer rounds or on fewer rows";
  if (end.signal == SIGKILL || limits.memory_limit_bytes != 0) {
    return "it may have run out of memory: train on fewer rows or columns, or raise the limit";
  }
  return "run the command again; if it ends the same way, the trainer's last words say why";
}

std::unexpected<Error> child_failed(const std::string& trainer, const ChildEnd& end,
                                    const ChildLimits& limits) {
  std::string message = "trainer '" + trainer + "' " + describe(end, limits.time_budget_s);
  const std::string words = last_lines(end.last_words);
  if (!words.empty()) message += "; its last words: " + words;
  return fail(Code::training_failed, std::move(message), advice_for(end, limits));
}

/// The error that a worker left, if it left a readable one.
std::optional<Error> reported_error(const WorkerFiles& files) {
  const auto text = stores::read_file(files.error(), 1 << 20);
  if (!text) return {};
  const auto json = data::parse_json(*text);
  if (!json) return {};
  const auto code = string_member(*json, "code");
  const auto message = string_member(*json, "message");
  const auto advice = string_member(*json, "advice");
  if (!code || !message || !advice) return {};
  const auto row = find_code(*code);
  const bool kept = row && (row->code == Code::missing_component || row->code == Code::unsupported);
  return Error{kept ? row->code : Code::training_failed, *message, *advice, {}, {}};
}

Status run_job(const std::string& program, const WorkerFiles& files, const std::string& trainer,
               const Given& given, const ChildLimits& limits, Progress progress) {
  const ChildCommand command{
      .program = program,
      .arguments = {"train-worker", files.folder()},
      // Idle OpenMP threads that spin make training many times slower on a busy machine.
      .environment = {"OMP_WAIT_POLICY=PASSIVE"},
      .time_budget_s = limits.time_budget_s,
      .memory_limit_bytes = limits.memory_limit_bytes,
      .descriptors = given.descriptors,
      .on_line = [progress](std::string_view line) { pass_progress(line, progress); }};
  COEVAL_ASSIGN(const ChildEnd end, run_child(command));
  if (end.ok()) return {};
  if (!end.timed_out && end.signal == 0) {
    if (auto error = reported_error(files)) return std::unexpected(std::move(*error));
  }
  return child_failed(trainer, end, limits);
}

std::unexpected<Error> bad_answer(const std::string& trainer, const std::string& what) {
  return fail(Code::training_failed,
              "trainer '" + trainer + "' ended well but its answer is unusable: " + what,
              "run the command again; if it ends the same way, report it");
}

Result<TrainedModel> parse_model_answer(const WorkerFiles& files) {
  TrainedModel model;
  COEVAL_ASSIGN(const std::string text, stores::read_file(files.answer()));
  COEVAL_ASSIGN(const data::Json json, data::parse_json(text));
  COEVAL_ASSIGN(const std::int64_t rounds, integer_member(json, "rounds_used"));
  COEVAL_ASSIGN(model.engine, string_member(json, "engine"));
  COEVAL_ASSIGN(const auto* curve, array_member(json, "validation_curve"));
  for (const data::Json& point : *curve) {
    if (point.real() == nullptr)
      return fail(Code::bad_json, "'validation_curve' must hold numbers");
    model.validation_curve.push_back(*point.real());
  }
  COEVAL_ASSIGN(const auto* notes, array_member(json, "notes"));
  for (const data::Json& note : *notes)
    if (note.string() != nullptr) model.notes.push_back(*note.string());
  COEVAL_ASSIGN(const std::string hash, string_member(json, "sha256"));
  COEVAL_ASSIGN(model.bytes, stores::read_file(files.trained()));
  if (data::sha256_hex(model.bytes) != hash) {
    return fail(Code::bad_file, "the model's bytes do not have the hash that the answer gives");
  }
  model.rounds_used = static_cast<int>(rounds);
  return model;
}

Result<TrainedModel> read_model_answer(const WorkerFiles& files, const std::string& trainer,
                                       int rounds) {
  auto model = parse_model_answer(files);
  if (!model) return bad_answer(trainer, model.error().message);
  if (model->bytes.empty()) return bad_answer(trainer, "the model is empty");
  if (model->rounds_used < 1 || model->rounds_used > rounds) {
    return bad_answer(trainer, std::to_string(model->rounds_used) + " rounds of " +
                                   std::to_string(rounds) + " planned");
  }
  return model;
}

std::vector<float> floats_in(const SharedMemory& memory) {
  std::vector<float> values(memory.size() / sizeof(float));
  if (!values.empty()) std::memcpy(values.data(), memory.data(), memory.size());
  return values;
}

// The memories were made for so many rows, and cannot shrink.
Result<VendorScores> read_scores_answer(const WorkerFiles& files, const Given& given,
                                        std::int64_t count) {
  COEVAL_ASSIGN(const std::string text, stores::read_file(files.answer()));
  COEVAL_ASSIGN(const data::Json json, data::parse_json(text));
  COEVAL_ASSIGN(const std::int64_t rows, integer_member(json, "rows"));
  if (rows != count)
    return fail(Code::bad_file,
                "it has scores for " + std::to_string(rows) + " rows of " + std::to_string(count));
  const std::size_t first = given.memories.size() - 2;
  return VendorScores{floats_in(given.memories[first]), floats_in(given.memories[first + 1])};
}

}  // namespace

Result<TrainedModel> train_in_child(const std::string& program, const std::string& folder,
                                    const std::string& trainer, const TrainingTable& table,
                                    const TrainingPlan& plan, const ChildLimits& limits,
                                    void (*progress)(int round, int rounds)) {
  COEVAL_CHECK(table.names.size() == table.width && table.categorical.size() == table.width);
  COEVAL_CHECK(table.monotone.empty() || table.monotone.size() == table.width);
  const WorkerFiles files(folder);
  COEVAL_TRY(stores::make_folders(folder));
  files.remove_all();
  const Scratch scratch{files};
  COEVAL_ASSIGN(const Given given, write_training_job(files, trainer, table, plan));
  COEVAL_TRY(run_job(program, files, trainer, given, limits, progress));
  return read_model_answer(files, trainer, plan.rounds);
}

Result<VendorScores> predict_in_child(const std::string& program, const std::string& folder,
                                      const std::string& trainer, const std::string& model_bytes,
                                      const float* rows, std::int64_t count, std::size_t width,
                                      std::size_t outputs, const ChildLimits& limits,
                                      const SharedMemory* memory) {
  const WorkerFiles files(folder);
  COEVAL_TRY(stores::make_folders(folder));
  files.remove_all();
  const Scratch scratch{files};
  COEVAL_ASSIGN(const Given given, write_prediction_job(files, trainer, model_bytes, rows, count,
                                                        width, outputs, memory));
  COEVAL_TRY(run_job(program, files, trainer, given, limits, nullptr));
  auto scores = read_scores_answer(files, given, count);
  if (!scores) return bad_answer(trainer, scores.error().message);
  return scores;
}

}  // namespace coeval::training
