#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"

namespace coeval::training {

class SharedMemory;

/// A table for a trainer: row-major float32 with NaN for missing. Rows [0, train_rows) train, the
/// rest validate (early stopping, evaluation curve).
struct TrainingTable {
  std::int64_t rows = 0, train_rows = 0;
  std::size_t width = 0;
  std::vector<std::string> names;
  std::vector<bool> categorical;
  /// Per input: scores never fall (1) or never rise (−1) with it, or may do both (0). Empty: all 0.
  std::vector<int> monotone = {};
  const float* values = nullptr;  ///< rows × width, owned by the caller
  /// Rows: 0 or 1, the place of a class, or a grade; null where the objective is of numbers.
  const std::uint8_t* labels = nullptr;
  const double* numbers = nullptr;  ///< rows: finite labels of a regression; null of others
  /// Of a ranking: how many neighbouring rows each query has, those of the training rows first.
  std::vector<std::uint32_t> groups = {};
  const float* weights = nullptr;  ///< rows, from 0 on; null: each row counts 1
  /// Where `values` lie, if a child can be given that memory as it is; null: they are copied.
  const SharedMemory* memory = nullptr;
};

/// The groups of the training rows, or of the validation rows.
inline std::span<const std::uint32_t> groups_of(const TrainingTable& table, bool validation) {
  std::size_t train = 0;
  for (std::int64_t rows = 0; train < table.groups.size() && rows < table.train_rows; ++train)
    rows += table.groups[train];
  const auto all = std::span(table.groups);
  return validation ? all.subspan(train) : all.first(train);
}

/// What a trainer makes small over the training rows, each by its weight; early stopping reads the
/// same of the validation rows (of `squared` its root).
struct Objective {
  enum class Kind : std::uint8_t {
    binary,    ///< log loss of TrainingTable::labels; the score is a probability
    squared,   ///< (number − score)²; of this and the others the score is the margin itself
    absolute,  ///< |number − score|
    quantile,  ///< pinball loss of `quantile`
    ranking,   ///< LambdaMART's: pairs of rows of a query, weighed by what they change of the NDCG
    multiclass,  ///< log loss of TrainingTable::labels; a margin and a probability of each class
  };
  Kind kind = Kind::binary;
  double quantile = 0.5;     ///< in (0, 1)
  int classes = 0;           ///< of Kind::multiclass: from 2 on
  std::int64_t rank_k = 10;  ///< of Kind::ranking: early stopping goes by NDCG@k, higher is better
  bool is_regression() const {
    return kind == Kind::squared || kind == Kind::absolute || kind == Kind::quantile;
  }
  /// Margins of a row, and scores.
  std::size_t outputs() const {
    return kind == Kind::multiclass ? static_cast<std::size_t>(classes) : 1;
  }
};

struct TrainingPlan {
  std::vector<std::pair<std::string, std::string>> params;  ///< as the definition's, canonical
  int rounds = 0, early_stopping_rounds = 0;
  std::uint64_t seed = 0;
  int threads = 1;
  Objective objective = {};
};

struct TrainedModel {
  std::string bytes;  ///< the model file
  int rounds_used = 0;
  std::string engine;                         ///< "xgboost 3.4.1"
  std::vector<double> validation_curve;       ///< metric per round, empty without validation
  std::vector<float> validation_scores = {};  ///< of a command that wrote them: a score a row
  std::string words = {};                     ///< the last lines of a command's stderr
  std::vector<std::string> notes = {};  ///< what whoever builds should know, such as no convergence
};

/// Fits a model. Same table, plan and seed give the same bytes on any number of threads.
class Trainer {
 public:
  virtual ~Trainer() = default;
  virtual Result<TrainedModel> train(const TrainingTable& table, const TrainingPlan& plan,
                                     void (*progress)(int round, int rounds)) = 0;
  /// The vendor's own prediction, used to prove the runtime: rows × the model's outputs.
  virtual Result<std::vector<float>> predict_margins(const std::string& model_bytes,
                                                     const float* rows, std::int64_t count,
                                                     std::size_t width) = 0;
  /// The vendor's scores, as many: probabilities, or the numbers of a regression.
  virtual Result<std::vector<float>> predict(const std::string& model_bytes, const float* rows,
                                             std::int64_t count, std::size_t width) = 0;
};

/// Work that a child process does: shared memory holds the table, files in `folder` the plan and,
/// after, the answer. The parent writes, starts `program train-worker FOLDER`, waits at most
/// `time_budget_s`, reads, and removes its files again. A trainer that crashes, hangs or eats
/// memory takes nobody with it. Errors: training_failed with the child's last words, signal or exit
/// code, also when its answer is not what was asked for; a hung child is killed; missing_component
/// and unsupported as the child's trainer returned them; io, disk_full for the folder.
struct ChildLimits {
  double time_budget_s = 3600;
  std::uint64_t memory_limit_bytes = 0;  ///< of address space; 0 = none
};
Result<TrainedModel> train_in_child(const std::string& program, const std::string& folder,
                                    const std::string& trainer, const TrainingTable& table,
                                    const TrainingPlan& plan, const ChildLimits& limits,
                                    void (*progress)(int round, int rounds));
/// Predictions by the vendor's library in a child: margins then scores, rows × outputs each.
/// `memory` as in TrainingTable.
struct VendorScores {
  std::vector<float> margins, scores;
};
Result<VendorScores> predict_in_child(const std::string& program, const std::string& folder,
                                      const std::string& trainer, const std::string& model_bytes,
                                      const float* rows, std::int64_t count, std::size_t width,
                                      std::size_t outputs, const ChildLimits& limits = {},
                                      const SharedMemory* memory = nullptr);

/// What the child runs; the trainer is the one that the parent named. Returns the exit code.
int run_worker(const std::string& folder, Trainer& trainer);
/// The trainer's name in a worker's folder.
Result<std::string> worker_trainer(const std::string& folder);
/// What the child does when it cannot even open the trainer: leaves the error for the parent.
/// Returns the exit code.
int report_worker_error(const std::string& folder, const Error& error);

}  // namespace coeval::training
