#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "quality/row_memory.h"
#include "serving/engine.h"
#include "serving/log_writer.h"
#include "serving/model_plan.h"
#include "serving/scored_questions.h"

namespace coeval::serving {

/// Models in use under their names, and why others are not: immutable, swapped as a whole.
struct PlanTable {
  std::map<std::string, ModelPlan, std::less<>> served;
  AbsentModels absent;
};

/// The view features of a prediction that a sketch answered, as a list of names. (semantics: A4)
data::Json approximate_json(const stores::PredictionRecord& record);

/// What tells a row of a request with a key from all others.
std::pair<std::uint64_t, std::uint64_t> keyed_row(const quality::QuarantinedRow& row);

/// What the parts of the request path share. Each part is a .cc file: event_path, predict_path,
/// prediction_lookup, state_report.
struct Engine::Parts {
  std::shared_ptr<const define::Project> project;
  std::unique_ptr<kernel::Kernel> kernel;
  std::unique_ptr<kernel::EventIndexes> names;
  LogWriter log;
  std::unique_ptr<Clock> clock;
  std::string state_folder;
  Options options;

  std::vector<std::unique_ptr<quality::RowChecks>> checks;  // by source
  std::unique_ptr<quality::RowMemory> memory;               // what these remember; from prepare()
  std::vector<std::uint32_t> source_tags, schema_tags;      // by source
  std::vector<quality::QuarantinedRow> quarantine;          // written by commit()
  /// Rows that are in quarantine of requests which may come again, by keyed_row().
  std::set<std::pair<std::uint64_t, std::uint64_t>> kept_before;
  RequestKeys keys;
  kernel::EvaluationCounts evaluation;
  Counters counters;
  std::uint16_t salt = 0;
  bool recovery_tried = false;                // in this round
  std::int64_t history_known_us;              // newest known time that the kernel began with
  std::unique_ptr<StateSnapshots> snapshots;  // null as long as there is no basis
  std::uint64_t snapshot_position = 0;        // where the last one was begun
  std::shared_ptr<PagedState> paged;          // null where all of the state is in memory
  std::size_t memory_bytes = 0;               // that entities may take then
  std::size_t full_at_bytes = 0;              // when some leave the next time

  mutable std::mutex plans_mutex;
  std::shared_ptr<const PlanTable> plans;

  Parts(std::shared_ptr<const define::Project> p, std::unique_ptr<kernel::Kernel> k,
        std::unique_ptr<stores::EventLog> l, std::unique_ptr<Clock> c, std::string folder,
        Options o, std::unique_ptr<kernel::EventIndexes> n);

  std::shared_ptr<const PlanTable> current_plans() const {
    const std::scoped_lock lock(plans_mutex);
    return plans;
  }
  double now_s() const { return options.monotonic_s ? options.monotonic_s() : monotonic_seconds(); }
  /// Newest known time of anything that happened, or INT64_MIN.
  std::int64_t last_known_us() const;
  /// Goes on with the snapshot that is under way, to its end or for a slice, and counts it. After
  /// one that was kept, entities leave memory where they take too much of it.
  Status continue_snapshot(bool to_its_end);
  /// Whether entities take more memory than they may.
  bool needs_room() const { return paged && kernel->entity_bytes() > full_at_bytes; }
  /// Drops entities from memory, of those that did not change.
  void make_room();
  void keep_snapshots(std::shared_ptr<stores::SnapshotTarget> target);
  /// Whether a snapshot is to begin, so many records after the one before.
  bool snapshot_is_due(std::uint64_t since);
  /// Ok when records can be appended; tries to end a failure, once a round.
  Status writable();
  /// Writes the rows that were kept out. On an error they stay, and the log refuses what comes.
  Status write_quarantined();

  /// The declared known time of each row, null where the expression is.
  data::Column declared_known(const define::Source& source, const data::Batch& rows);
  /// When rows that arrive now become known: non-decreasing, never below what is known. Under the
  /// data clock without `now_us` that is their declared known time, which must not be null.
  std::vector<std::int64_t> known_times(const define::Source& source, const data::Batch& rows,
                                        std::optional<std::int64_t> now_us);
  /// What taking rows came to: the last position, and what the names of the rows said.
  struct Taken {
    std::optional<Position> last;
    kernel::Amendments::Counts names;
  };
  /// A request with a key: its record goes before the events.
  struct Keyed {
    data::Hash128 key, body;
    std::function<Answer(const Taken&)> answer;  ///< to what was taken
  };
  /// Appends checked rows to the log, all or none, and folds them into the state at once, so that
  /// the next question sees them. `keyed` may be null. Errors: those of the log and the kernel; the
  /// state is as it was.
  Result<Taken> take_events(int source, const data::Batch& rows, std::optional<std::int64_t> now_us,
                            const Keyed* keyed);
  Result<Taken> take_known_events(int source, const data::Batch& rows,
                                  std::span<const std::int64_t> known_us, const Keyed* keyed);
  /// Appends the rows and the record of their request.
  Status append_events(int source, const data::Batch& rows, std::span<const std::int64_t> known_us,
                       const Keyed* keyed, Taken& taken);
  /// The record alone, of a request without good rows.
  Status append_request(std::optional<std::int64_t> now_us, const Keyed& keyed);
  /// Folds rows of a source that events look up into the state.
  void fold_looked_up(int source, const data::Batch& rows, std::span<const std::int64_t> known_us);
  /// The answer to a request whose key is known, if it is.
  std::optional<Answer> answer_again(data::Hash128 key, data::Hash128 body,
                                     std::optional<std::int64_t> now_us);
  /// The moment at which a request arrives that brings no known time of its own.
  std::int64_t arrival_us(std::optional<std::int64_t> now_us) const {
    if (!options.data_clock) return clock->now_us();
    return now_us.value_or(last_known_us());
  }

  /// T of a question that names none.
  std::int64_t default_question_us(std::optional<std::int64_t> now_us) const;
  /// Scores a block of questions and logs every prediction; returns the JSON of each with its
  /// score, or the feature for which it is refused, which is counted and not logged. (semantics:
  /// D5)
  struct Prediction {
    std::string json;
    float score = 0;
  };
  using AnsweredQuestion = std::variant<Prediction, StaleFeature>;
  Result<std::vector<AnsweredQuestion>> answer_questions(const ModelPlan& plan,
                                                         const QuestionBatch& questions,
                                                         double began_s, bool features);
  /// Gives the record its id and appends it. Errors: those of the log.
  Status log_prediction(stores::PredictionRecord& record);
};

}  // namespace coeval::serving
