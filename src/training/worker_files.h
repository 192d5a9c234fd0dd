#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "data/json.h"
#include "training/trainer.h"

namespace coeval::training {

/// What a worker is given beside its folder, as descriptors of shared memory, so that no file holds
/// rows or scores:
///   values   rows × width floats from WorkerPlan::values_at on, row-major, NaN for missing
///   labels   one byte a row, or one double a row of a regression (job "train")
///   weights  one float a row (job "train", where rows have weights)
///   margins, scores  one float a row, for the worker to fill (job "predict")
/// All but the last two are sealed: it can only read them.
struct WorkerDescriptors {
  static constexpr int values = 3;
  static constexpr int labels = 4, weights = 5;  ///< job "train"
  static constexpr int margins = 4, scores = 5;  ///< job "predict"
};

/// The folder by which a parent and its worker talk. The parent writes
///   plan.json    what to do (WorkerPlan), written last
///   model.bin    the model to score with (job "predict")
/// and the worker answers with
///   trained.bin  the model's bytes (job "train")
///   answer.json  rows scored, or hash of the model, written last: without it there is no answer
///   error.json   instead of an answer: code, message, advice
/// All are scratch: not synced, and removed by the parent when it has read them.
class WorkerFiles {
 public:
  explicit WorkerFiles(std::string folder) : folder_(std::move(folder)) {}
  const std::string& folder() const { return folder_; }
  std::string plan() const { return folder_ + "/plan.json"; }
  std::string model() const { return folder_ + "/model.bin"; }
  std::string trained() const { return folder_ + "/trained.bin"; }
  std::string answer() const { return folder_ + "/answer.json"; }
  std::string error() const { return folder_ + "/error.json"; }
  /// Removes every file above that exists.
  void remove_all() const;

 private:
  std::string folder_;
};

enum class WorkerJob : std::uint8_t { train, predict };

/// plan.json. For job "predict" only rows, width, outputs and values_at matter.
struct WorkerPlan {
  WorkerJob job = WorkerJob::train;
  std::string trainer;
  std::int64_t rows = 0, train_rows = 0;
  std::size_t width = 0;
  std::size_t outputs = 1;    ///< of the model: margins of a row, and scores
  std::size_t values_at = 0;  ///< bytes of shared memory before the first row
  std::vector<std::string> names;
  std::vector<bool> categorical;
  std::vector<int> monotone = {};
  bool weighted = false;
  std::vector<std::uint32_t> groups = {};
  TrainingPlan plan;
};
data::Json to_json(const WorkerPlan& plan);
/// Errors: bad_json, naming the key.
Result<WorkerPlan> worker_plan_from_json(const data::Json& json);
/// Errors: no_such_file, io, bad_json.
Result<WorkerPlan> read_worker_plan(const WorkerFiles& files);

/// Writes a file in one go without syncing it. Errors: io, disk_full.
Status write_scratch(const std::string& path, std::span<const std::byte> bytes);

}  // namespace coeval::training
