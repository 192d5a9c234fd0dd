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
#include "training/trainer.h"
#include "training/worker_files.h"

namespace coeval::training {
namespace {

using Progress = void (*)(int round, int rounds);

/// Removes the scratch files on every way out: a table may be hundreds of megabytes.
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

Status write_plan(const WorkerFiles& files, const WorkerPlan& plan) {
  const std::string text = to_json(plan).dump();
  return write_scratch(files.plan(), bytes_of(text.data(), text.size()));
}

Status write_training_job(const WorkerFiles& files, const std::string& trainer,
                          const TrainingTable& table, const TrainingPlan& plan) {
  const std::size_t values = cells(table.rows, table.width) * sizeof(float);
  COEVAL_TRY(write_scratch(files.values(), bytes_of(table.values, values)));
  COEVAL_TRY(
      write_scratch(files.labels(), bytes_of(table.labels, static_cast<std::size_t>(table.rows))));
  if (table.weights != nullptr)
    COEVAL_TRY(write_scratch(files.weights(),
                             bytes_of(table.weights, cells(table.rows, 1) * sizeof(float))));
  return write_plan(files, {.job = WorkerJob::train,
                            .trainer = trainer,
                            .rows = table.rows,
                            .train_rows = table.train_rows,
                            .width = table.width,
                            .names = table.names,
                            .categorical = table.categorical,
                            .monotone = table.monotone,
                            .weighted = table.weights != nullptr,
                            .plan = plan});
}

Status write_prediction_job(const WorkerFiles& files, const std::string& trainer,
                            const std::string& model_bytes, const float* rows, std::int64_t count,
                            std::size_t width) {
  const std::size_t values = cells(count, width) * sizeof(float);
  COEVAL_TRY(write_scratch(files.values(), bytes_of(rows, values)));
  COEVAL_TRY(write_scratch(files.model(), bytes_of(model_bytes.data(), model_bytes.size())));
  return write_plan(files, {.job = WorkerJob::predict,
                            .trainer = trainer,
                            .rows = count,
                            .train_rows = 0,
                            .width = width,
                            .names = {},
                            .categorical = {},
                            .plan = {}});
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
               const ChildLimits& limits, Progress progress) {
  const ChildCommand command{
      .program = program,
      .arguments = {"train-worker", files.folder()},
      // Idle OpenMP threads that spin make training many times slower on a busy machine.
      .environment = {"OMP_WAIT_POLICY=PASSIVE"},
      .time_budget_s = limits.time_budget_s,
      .memory_limit_bytes = limits.memory_limit_bytes,
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

Result<std::vector<float>> read_floats(const std::string& path, std::int64_t count) {
  COEVAL_ASSIGN(const std::string bytes, stores::read_file(path));
  std::vector<float> values(static_cast<std::size_t>(count));
  if (bytes.size() != values.size() * sizeof(float)) {
    return fail(Code::bad_file, path + " has " + std::to_string(bytes.size()) + " bytes for " +
                                    std::to_string(count) + " rows");
  }
  if (!values.empty()) std::memcpy(values.data(), bytes.data(), bytes.size());
  return values;
}

Result<VendorScores> read_scores_answer(const WorkerFiles& files, std::int64_t count) {
  VendorScores scores;
  COEVAL_TRY(stores::read_file(files.answer()));
  COEVAL_ASSIGN(scores.margins, read_floats(files.margins(), count));
  COEVAL_ASSIGN(scores.scores, read_floats(files.scores(), count));
  return scores;
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
  COEVAL_TRY(write_training_job(files, trainer, table, plan));
  COEVAL_TRY(run_job(program, files, trainer, limits, progress));
  return read_model_answer(files, trainer, plan.rounds);
}

Result<VendorScores> predict_in_child(const std::string& program, const std::string& folder,
                                      const std::string& trainer, const std::string& model_bytes,
                                      const float* rows, std::int64_t count, std::size_t width,
                                      const ChildLimits& limits) {
  const WorkerFiles files(folder);
  COEVAL_TRY(stores::make_folders(folder));
  files.remove_all();
  const Scratch scratch{files};
  COEVAL_TRY(write_prediction_job(files, trainer, model_bytes, rows, count, width));
  COEVAL_TRY(run_job(program, files, trainer, limits, nullptr));
  auto scores = read_scores_answer(files, count);
  if (!scores) return bad_answer(trainer, scores.error().message);
  return scores;
}

}  // namespace coeval::training
