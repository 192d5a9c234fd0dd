#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <exception>
#include <new>
#include <optional>

#include "data/hash.h"
#include "data/json.h"
#include "stores/files.h"
#include "training/shared_memory.h"
#include "training/trainer.h"
#include "training/worker_files.h"

namespace coeval::training {
namespace {

/// On stdout, a line a round; the parent reads it from a pipe.
void print_progress(int round, int rounds) {
  std::printf("progress %d %d\n", round, rounds);
  std::fflush(stdout);
}

Status write_bytes(const std::string& path, const void* data, std::size_t bytes) {
  return write_scratch(path, {static_cast<const std::byte*>(data), bytes});
}

Status write_text(const std::string& path, const std::string& text) {
  return write_bytes(path, text.data(), text.size());
}

data::Json model_answer(const TrainedModel& model) {
  data::Json json;
  json.set("rounds_used", model.rounds_used);
  json.set("engine", model.engine);
  json.set("validation_curve",
           data::Json::Array(model.validation_curve.begin(), model.validation_curve.end()));
  json.set("notes", data::Json::Array(model.notes.begin(), model.notes.end()));
  json.set("sha256", data::sha256_hex(model.bytes));
  return json;
}

using Access = SharedMemory::Access;

std::size_t bytes_of_floats(const WorkerPlan& plan) {
  return static_cast<std::size_t>(plan.rows) * sizeof(float);
}

Result<SharedMemory> map_values(const WorkerPlan& plan) {
  return SharedMemory::given(WorkerDescriptors::values,
                             plan.values_at + bytes_of_floats(plan) * plan.width, Access::read);
}

const float* values_in(const SharedMemory& memory, const WorkerPlan& plan) {
  return reinterpret_cast<const float*>(memory.data() + plan.values_at);
}

Status train_job(const WorkerFiles& files, const WorkerPlan& plan, Trainer& trainer) {
  COEVAL_ASSIGN(const SharedMemory values, map_values(plan));
  const bool of_numbers = plan.plan.objective.is_regression();
  COEVAL_ASSIGN(
      const SharedMemory labels,
      SharedMemory::given(WorkerDescriptors::labels,
                          static_cast<std::size_t>(plan.rows) * (of_numbers ? sizeof(double) : 1),
                          Access::read));
  SharedMemory weights;
  if (plan.weighted) {
    COEVAL_ASSIGN(weights, SharedMemory::given(WorkerDescriptors::weights, bytes_of_floats(plan),
                                               Access::read));
  }
  const TrainingTable table{
      .rows = plan.rows,
      .train_rows = plan.train_rows,
      .width = plan.width,
      .names = plan.names,
      .categorical = plan.categorical,
      .monotone = plan.monotone,
      .values = values_in(values, plan),
      .labels = of_numbers ? nullptr : reinterpret_cast<const std::uint8_t*>(labels.data()),
      .numbers = of_numbers ? reinterpret_cast<const double*>(labels.data()) : nullptr,
      .groups = plan.groups,
      .weights = reinterpret_cast<const float*>(weights.data())};
  COEVAL_ASSIGN(const TrainedModel model, trainer.train(table, plan.plan, print_progress));
  COEVAL_TRY(write_text(files.trained(), model.bytes));
  return write_text(files.answer(), model_answer(model).dump());
}

// Fills the memory that the parent reads scores from.
Status give_scores(int descriptor, const WorkerPlan& plan, const std::vector<float>& scores) {
  const std::size_t wanted = static_cast<std::size_t>(plan.rows) * plan.outputs;
  if (scores.size() != wanted)
    return fail(Code::training_failed, "the trainer gave " + std::to_string(scores.size()) +
                                           " scores for " + std::to_string(plan.rows) +
                                           " rows, not " + std::to_string(plan.outputs) + " a row");
  const std::size_t bytes = wanted * sizeof(float);
  COEVAL_ASSIGN(SharedMemory memory, SharedMemory::given(descriptor, bytes, Access::write));
  if (bytes > 0) std::memcpy(memory.data(), scores.data(), bytes);
  return {};
}

Status predict_job(const WorkerFiles& files, const WorkerPlan& plan, Trainer& trainer) {
  COEVAL_ASSIGN(const SharedMemory values, map_values(plan));
  COEVAL_ASSIGN(const std::string model, stores::read_file(files.model()));
  const float* rows = values_in(values, plan);
  COEVAL_ASSIGN(const std::vector<float> margins,
                trainer.predict_margins(model, rows, plan.rows, plan.width));
  COEVAL_TRY(give_scores(WorkerDescriptors::margins, plan, margins));
  COEVAL_ASSIGN(const std::vector<float> scores,
                trainer.predict(model, rows, plan.rows, plan.width));
  COEVAL_TRY(give_scores(WorkerDescriptors::scores, plan, scores));
  data::Json answer;
  answer.set("rows", plan.rows);
  return write_text(files.answer(), answer.dump());
}

Status work(const WorkerFiles& files, Trainer& trainer) {
  COEVAL_ASSIGN(const WorkerPlan plan, read_worker_plan(files));
  if (plan.job == WorkerJob::train) return train_job(files, plan, trainer);
  return predict_job(files, plan, trainer);
}

/// The root of this process: a library's exception becomes an error here.
Status work_without_exceptions(const WorkerFiles& files, Trainer& trainer) {
  try {
    return work(files, trainer);
  } catch (const std::bad_alloc&) {
    return fail(Code::training_failed, "the trainer ran out of memory",
                "train on fewer rows or columns, or raise the memory limit");
  } catch (const std::exception& exception) {
    return fail(Code::training_failed, std::string("the trainer threw: ") + exception.what());
  }
}

}  // namespace

int run_worker(const std::string& folder, Trainer& trainer) {
  const Status status = work_without_exceptions(WorkerFiles(folder), trainer);
  return status ? 0 : report_worker_error(folder, status.error());
}

Result<std::string> worker_trainer(const std::string& folder) {
  COEVAL_ASSIGN(WorkerPlan plan, read_worker_plan(WorkerFiles(folder)));
  return std::move(plan.trainer);
}

int report_worker_error(const std::string& folder, const Error& error) {
  data::Json json;
  json.set("code", code_name(error.code));
  json.set("message", error.message);
  json.set("advice", error.advice);
  const Status written = write_text(WorkerFiles(folder).error(), json.dump());
  // Also in words, for whoever runs a worker by hand, and for a full disk.
  std::fprintf(stderr, "%s\n", one_line(error).c_str());
  return written ? info(error.code).exit_code : 1;
}

}  // namespace coeval::training
