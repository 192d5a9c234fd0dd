#include <unistd.h>

#include <cstdio>
#include <exception>
#include <new>
#include <optional>

#include "data/hash.h"
#include "data/json.h"
#include "stores/files.h"
#include "training/mapped_file.h"
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

Result<MappedFile> map_values(const WorkerFiles& files, const WorkerPlan& plan) {
  return MappedFile::open(files.values(),
                          static_cast<std::size_t>(plan.rows) * plan.width * sizeof(float));
}

Status train_job(const WorkerFiles& files, const WorkerPlan& plan, Trainer& trainer) {
  COEVAL_ASSIGN(const MappedFile values, map_values(files, plan));
  COEVAL_ASSIGN(const MappedFile labels,
                MappedFile::open(files.labels(), static_cast<std::size_t>(plan.rows)));
  std::optional<MappedFile> weights;
  if (plan.weighted) {
    COEVAL_ASSIGN(weights, MappedFile::open(files.weights(),
                                            static_cast<std::size_t>(plan.rows) * sizeof(float)));
  }
  const TrainingTable table{
      .rows = plan.rows,
      .train_rows = plan.train_rows,
      .width = plan.width,
      .names = plan.names,
      .categorical = plan.categorical,
      .monotone = plan.monotone,
      .values = static_cast<const float*>(values.data()),
      .labels = static_cast<const std::uint8_t*>(labels.data()),
      .weights = weights ? static_cast<const float*>(weights->data()) : nullptr};
  COEVAL_ASSIGN(const TrainedModel model, trainer.train(table, plan.plan, print_progress));
  COEVAL_TRY(write_text(files.trained(), model.bytes));
  return write_text(files.answer(), model_answer(model).dump());
}

Status predict_job(const WorkerFiles& files, const WorkerPlan& plan, Trainer& trainer) {
  COEVAL_ASSIGN(const MappedFile values, map_values(files, plan));
  COEVAL_ASSIGN(const std::string model, stores::read_file(files.model()));
  const auto* rows = static_cast<const float*>(values.data());
  COEVAL_ASSIGN(const std::vector<float> margins,
                trainer.predict_margins(model, rows, plan.rows, plan.width));
  COEVAL_TRY(write_bytes(files.margins(), margins.data(), margins.size() * sizeof(float)));
  COEVAL_ASSIGN(const std::vector<float> scores,
                trainer.predict(model, rows, plan.rows, plan.width));
  COEVAL_TRY(write_bytes(files.scores(), scores.data(), scores.size() * sizeof(float)));
  return write_text(files.answer(), R"({"job":"predict"})");
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
