#include "training/onnx_trial.h"

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <string_view>
#include <vector>

#include "stores/files.h"

namespace coeval::training {
namespace {

constexpr std::size_t kTriedRows = 64;
constexpr double kMostSeconds = 60;
// The sanitizers reserve terabytes of address space, which no limit of this kind allows.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kLimitsMemory = false;
#else
constexpr bool kLimitsMemory = true;
#endif
constexpr std::uint64_t kMemoryBytes = std::uint64_t{4} << 30;
constexpr std::uint64_t kTimesTheFile =
    8;  // the bytes, the graph, its weights, copies while it folds

ChildLimits trial_limits(const define::TrainingLimits& limits, std::size_t file_bytes) {
  const auto given = static_cast<std::uint64_t>(limits.memory_bytes);
  const std::uint64_t usual = kLimitsMemory ? kMemoryBytes + kTimesTheFile * file_bytes : 0;
  return {.time_budget_s = std::min(kMostSeconds, static_cast<double>(limits.time_budget_us) / 1e6),
          .memory_limit_bytes = given != 0 ? given : usual};
}

std::string limits_text(const ChildLimits& limits) {
  char text[80];
  std::snprintf(text, sizeof text, "%g s and %.1f GB of memory", limits.time_budget_s,
                static_cast<double>(limits.memory_limit_bytes) / 1e9);
  return text;
}

std::vector<float> some_rows(const TrainingRows& rows) {
  const std::size_t count = std::min(kTriedRows, rows.rows());
  std::vector<float> some;
  for (std::size_t i = 0; i < count; ++i) {
    const float* row = rows.row(i * rows.rows() / count);
    some.insert(some.end(), row, row + rows.width);
  }
  return some;
}

}  // namespace

Status try_onnx(const Workshop& shop, const define::Model& model, const std::string& bytes,
                const TrainingRows& rows) {
  const ChildLimits limits = trial_limits(model.training.limits, bytes.size());
  const std::vector<float> some = some_rows(rows);
  const auto count = static_cast<std::int64_t>(rows.width == 0 ? 0 : some.size() / rows.width);
  const std::string folder = shop.work_folder(model.name + "-onnx");
  COEVAL_TRY(stores::make_folders(folder));
  const auto scores = predict_in_child(shop.program, folder, kOnnxWorker, bytes, some.data(), count,
                                       rows.width, objective_of(model).outputs(), limits);
  std::error_code ignored;
  std::filesystem::remove_all(folder, ignored);
  if (scores) return {};
  Error error = scores.error();
  if (error.code != Code::training_failed) return std::unexpected(std::move(error));
  error.code = Code::bad_model;
  const std::string words = "trainer '" + std::string(kOnnxWorker) + "' ";
  if (error.message.starts_with(words)) {  // how the child ended, not what the library said
    error.message = "a trial on " + std::to_string(count) + " rows in a process of its own " +
                    error.message.substr(words.size());
    error.advice.clear();
  }
  if (error.advice.empty())
    error.advice = "the trial had " + limits_text(limits) +
                   ": more memory is limits = { memory_limit = \"16GB\" } of the model; what "
                   "takes so long cannot be served";
  return std::unexpected(std::move(error));
}

}  // namespace coeval::training
