#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "define/external_trainer.h"
#include "replay/history.h"
#include "training/trainer.h"

namespace coeval::training {

/// Files that belong to a command: those that it or its `files` name and that lie in the project's
/// folder, each with the sha256 of its bytes, in the order of the definition. Errors: no_such_file
/// for one of `files` that is not there; io.
struct CommandFile {
  std::string name, sha256;
};
Result<std::vector<CommandFile>> command_files(const std::string& project_folder,
                                               const define::ExternalTrainer& command);

/// What a command is told besides its table: how inputs are coded, and how it is run.
struct CommandJob {
  std::string model;           ///< its name
  std::string project_folder;  ///< where it runs
  std::string folder;          ///< for its files; emptied before and removed after
  /// By input: a category's values in the order of their codes; empty for numbers.
  std::vector<std::vector<std::string>> values;
};

/// Trains by a command of the user's.
///
/// It is run without a shell, in the project's folder, as the definition has it and with one more
/// argument: the path of params.json. Its environment is PATH, HOME and LD_LIBRARY_PATH as they are
/// here, LANG=C.UTF-8, TZ=UTC, TMPDIR (the job's folder), OMP_NUM_THREADS, OMP_WAIT_POLICY,
/// PYTHONHASHSEED=0 and PYTHONDONTWRITEBYTECODE=1, nothing else. It has the model's time budget and
/// memory limit, and is killed with all that it started.
///
/// params.json (docs/training.md has an example) names the tables, which hold each input as float32
/// with NaN for missing and codes for categories, as the served model will read them, then the
/// label (0 or 1) and the weight; and where the model, and optionally the predictions, are to be
/// written. The model is a file of XGBoost, LightGBM, ONNX or our linear format; what it holds is
/// not looked at here. Predictions are the score of each validation row, float32, little-endian.
/// Errors: missing_component when the program is not found; training_failed, with the last lines of
/// its stderr, when it ends badly, takes too long, or writes no model, one above 2 GiB, or
/// predictions for another number of rows; those of the formats; io, disk_full.
Result<TrainedModel> train_by_command(const replay::OpenFormat& formats,
                                      const define::ExternalTrainer& command, const CommandJob& job,
                                      const TrainingTable& table, const TrainingPlan& plan,
                                      const ChildLimits& limits);

}  // namespace coeval::training
