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

/// The folder by which a parent and its worker talk. The parent writes
///   plan.json    what to do (WorkerPlan), written last
///   values.f32   rows × width floats, row-major, little-endian, NaN for missing
///   labels.u8    one byte a row (job "train")
///   weights.f32  one float a row (job "train", where rows have weights)
///   model.bin    the model to score with (job "predict")
/// and the worker answers with
///   trained.bin             the model's bytes (job "train")
///   margins.f32 scores.f32  one float a row (job "predict")
///   answer.json             sizes and hash of the above, written last: without it there is no
///   answer error.json              instead of an answer: code, message, advice
/// All are scratch: not synced, and removed by the parent when it has read them.
class WorkerFiles {
 public:
  explicit WorkerFiles(std::string folder) : folder_(std::move(folder)) {}
  const std::string& folder() const { return folder_; }
  std::string plan() const { return folder_ + "/plan.json"; }
  std::string values() const { return folder_ + "/values.f32"; }
  std::string labels() const { return folder_ + "/labels.u8"; }
  std::string weights() const { return folder_ + "/weights.f32"; }
  std::string model() const { return folder_ + "/model.bin"; }
  std::string trained() const { return folder_ + "/trained.bin"; }
  std::string margins() const { return folder_ + "/margins.f32"; }
  std::string scores() const { return folder_ + "/scores.f32"; }
  std::string answer() const { return folder_ + "/answer.json"; }
  std::string error() const { return folder_ + "/error.json"; }
  /// Removes every file above that exists.
  void remove_all() const;

 private:
  std::string folder_;
};

enum class WorkerJob : std::uint8_t { train, predict };

/// plan.json. For job "predict" only rows and width matter.
struct WorkerPlan {
  WorkerJob job = WorkerJob::train;
  std::string trainer;
  std::int64_t rows = 0, train_rows = 0;
  std::size_t width = 0;
  std::vector<std::string> names;
  std::vector<bool> categorical;
  std::vector<int> monotone = {};
  bool weighted = false;
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
