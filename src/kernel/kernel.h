#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/time.h"
#include "data/column.h"
#include "define/project.h"
#include "kernel/evaluate.h"
#include "kernel/run_parts.h"
#include "kernel/state_part.h"

namespace coeval::kernel {

class AnswerColumns;
class ViewState;
struct Amendments;

/// One cell of a feature row: the value's 64 bits (an int64 for integers, timestamps, dates and
/// booleans, a double's bits for both floats, for a string what only to_column reads), or null.
struct Cell {
  std::uint64_t bits = 0;
  bool valid = false;
  bool approximate = false;  ///< the answer of a sketch, above the cap (semantics: A4)
  friend bool operator==(Cell, Cell) = default;
};

/// Events of one source, evaluated once for every view that reads it: keys, filters, arguments.
struct EventBlock {
  struct PerView;
  struct TakenBack;
  int source = -1;
  std::int64_t rows = 0;
  std::vector<std::int64_t> event_time_us, known_us;
  std::shared_ptr<const TakenBack> taken_back;  ///< what rows take back; null = nothing
  std::vector<std::shared_ptr<PerView>>
      views;  ///< indexed by view; null for views of other sources
};

/// Questions with the keys of every view that answers them.
struct QuestionBlock {
  struct PerView;
  std::int64_t rows = 0;
  std::vector<std::int64_t> at_us;
  std::vector<std::shared_ptr<PerView>> views;  ///< indexed by view; null for views not asked
};

/// The answers of views to questions in the order of T, given in parts.
class HistoryAnswers {
 public:
  struct Parts;
  explicit HistoryAnswers(std::unique_ptr<Parts> parts);
  ~HistoryAnswers();
  /// Answers the next questions, at most as many as are left: for each view, in the order in which
  /// they were named, one column a feature, then those of approximate_features().
  std::vector<std::vector<data::Column>> next(std::size_t questions);
  /// Whether events of a source are still read.
  bool needs_events(int source) const;

 private:
  std::unique_ptr<Parts> parts_;
};

/// How a history that is known as a whole is answered. `by_entity` sorts the events by entity and
/// needs no state, where the aggregates allow; `plain` plays them through the state that the server
/// keeps; `asked` too, but the state is told of no event that the questions cannot see, which is
/// quick where they are few. The bits are the same.
enum class HistoryWay : std::uint8_t { by_entity, plain, asked };

/// The rows of a block of events in position order, and by event time, those of equal event times
/// in position order.
struct HistoryOrder {
  std::span<const std::int64_t> by_known, by_time;
};

/// Where the state of an entity changes its form. Answers and bytes do not depend on it; tests make
/// entities of few events hot.
struct StateShape {
  std::uint32_t chunk_events = 128;  ///< in one piece of memory, 2 to 128; more make an entity hot
  std::size_t cursor_chunks = 8;     ///< of that many chunks, sums are read from cursors
  std::size_t kept_chunks = 64;      ///< and what is gathered of a window is kept
  std::size_t kept_edge_chunks = 4;  ///< the begin of a window that is gathered anew all the same
};

/// The one evaluator. Backfill, stream, server and audit all call exactly this. (design: Kernel)
///
/// Pure: no clock, no I/O, no threads, no randomness of its own. Events must be applied in position
/// order, that is with non-decreasing known time.
///
/// Threading: the state of one view is independent of every other, so calls that name different
/// views may run at the same time; calls for one view, and prepare_… for one view, may not.
class Kernel {
 public:
  /// Keeps state for the views listed (indexes into project.views). The project must outlive it.
  /// Errors: none today.
  static Result<std::unique_ptr<Kernel>> create(std::shared_ptr<const define::Project> project,
                                                std::vector<int> views, StateShape shape = {});
  ~Kernel();

  /// Whether the source's rows are looked up for the events of a view that is kept.
  bool learns(int source) const;
  /// Whether the source's events read lookups, so that their rows must have been learned.
  bool looks_up(int source) const;
  /// Takes rows of a source up for events that look them up, in position order: `order` are rows of
  /// the batch. All rows known before an event must be learned before the event is prepared; rows
  /// known later may be. (T3 T5: what the event reads depends on times alone.) Nothing for a source
  /// that is not looked up. Errors: those of prepare_events.
  Status learn(int source, const data::Batch& rows, std::span<const std::int64_t> known_us,
               std::span<const std::int64_t> order);
  /// The same for rows that are in position order.
  Status learn(int source, const data::Batch& rows, std::span<const std::int64_t> known_us);

  /// Evaluates a source's rows. `rows` has the source's schema; event time is its time column; null
  /// event times and nulls in columns that are not nullable are refused. Lookups that views read
  /// for these events are settled here. Errors: type_mismatch,
  /// missing_value, unsupported for more than kMaxColumnBytes of computed texts. `run` may look the
  /// keys of different views up side by side. `amendments` is what the source's EventIndex says of
  /// the rows, null where events have no names: applying a row then also takes back the event that
  /// it replaces, and rows that count as none do nothing else. (semantics: T7)
  Result<EventBlock> prepare_events(int source, const data::Batch& rows,
                                    std::span<const std::int64_t> known_us,
                                    const RunParts& run = run_in_turn,
                                    const Amendments* amendments = nullptr);
  /// Looks the keys of questions up by column name; a key with a null finds no entity. `views` are
  /// those to be asked; their cells of strings that were given out before are void from now on.
  /// Errors: missing_value when a key column is absent, type_mismatch.
  /// A block of events or questions is good until the next restore().
  Result<QuestionBlock> prepare_questions(const data::Batch& questions,
                                          std::span<const std::int64_t> at_us,
                                          std::span<const int> views,
                                          const RunParts& run = run_in_turn);

  /// From now on entities may be out of memory: those that events or questions name are fetched
  /// from `units` when these are prepared, under the place of their view in state_parts(). What
  /// changes must be tracked and captured, and reach the units. `units` must outlive the kernel.
  /// Errors of prepare_… are then also those of the units; replay and answer_history are not for
  /// such a kernel, and its counts and bytes are those of what is in memory.
  void page_from(UnitSource& units);
  /// About how many bytes the views' entities take in memory.
  std::size_t entity_bytes() const;
  /// Drops entities from memory that stand in the units as they are, those first that were named
  /// least lately, until about `bytes` are left. No capture may be unsettled. Blocks that were
  /// prepared before are void.
  void drop_entities(std::size_t bytes);

  /// Folds one event into one view / all views of its source.
  void apply(int view, const EventBlock& events, std::int64_t row);
  void apply(const EventBlock& events, std::int64_t row);

  /// Answers every feature of a view for one question: view.feature_count() cells in feature order.
  /// An event counts iff it was applied, its known time is < T, its event time is in [T−W, T), and
  /// it was not taken back by a row known < T. (semantics: T3 T4 T7 A1 A2 V3) `out` must have
  /// feature_count() places. A cell of a string is good until the view's next prepare_questions,
  /// replay or restore.
  void ask(int view, const QuestionBlock& questions, std::int64_t row, std::span<Cell> out);

  /// Answers questions in the order given, each after the events that were known before its time:
  /// the loop of apply and ask for one view, without leaving it. `event_order` are rows of `events`
  /// in position order, `question_order` rows of `questions` with T not decreasing. `next_event` is
  /// the place in event_order where to go on; it is moved, so that questions may come in parts. One
  /// column a feature, then a boolean one for each feature that may be approximate, in the order of
  /// approximate_features(): whether it is. Row i of the result is the answer to question_order[i].
  std::vector<data::Column> replay(int view, const EventBlock& events,
                                   std::span<const std::int64_t> event_order,
                                   std::size_t& next_event, const QuestionBlock& questions,
                                   std::span<const std::int64_t> question_order);

  /// The same for views that have had no event yet, when all events and questions are at hand.
  /// `events` and `event_orders` are by source; the questions were prepared after the events. What
  /// the arguments point to must outlive the answers, but for events that they do not need. The
  /// work is done in about `threads` parts side by side by `run`. The state of the views belongs to
  /// the answers, and is not said to have had the events.
  std::unique_ptr<HistoryAnswers> answer_history(
      std::span<const int> views, std::span<const EventBlock> events,
      std::span<const HistoryOrder> event_orders, const QuestionBlock& questions,
      std::span<const std::int64_t> question_order, std::size_t threads = 1,
      const RunParts& run = run_in_turn, HistoryWay way = HistoryWay::by_entity);

  /// Whether a question at T can be answered by the present state of a view: T ≥ last known −
  /// lateness.
  bool reaches(int view, std::int64_t at_us) const;

  /// Known time of the newest event applied to a view, or INT64_MIN.
  std::int64_t last_known_us(int view) const;
  std::int64_t entity_count(int view) const;        ///< keys that events have had
  std::int64_t event_count(int view) const;         ///< events held
  std::int64_t dropped_late_count(int view) const;  ///< beyond retention (T6)
  std::int64_t string_count(int view) const;        ///< distinct strings held for aggregates
  std::int64_t learned_count() const;               ///< rows held for events that look them up
  /// Of all that was evaluated since the kernel was made.
  EvaluationCounts counts() const;
  const std::vector<int>& views() const;
  const define::Project& project() const;

  /// Canonical bytes of all state: equal histories give equal bytes whatever the batching was. (A5)
  std::string serialize() const;
  /// Replaces the state. Errors: snapshot_corrupt; the state is then empty.
  Status restore(std::string_view bytes);
  /// The same state in parts that can be captured while it changes: views, then lookups.
  std::vector<NamedPart> state_parts();

 private:
  Kernel();
  void replay_in_turn(int view, const EventBlock& events, std::span<const std::int64_t> event_order,
                      const QuestionBlock& questions, std::span<const std::int64_t> question_order,
                      AnswerColumns& answers);
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

/// The features of a view, ascending, whose aggregates answer by a sketch above the cap of distinct
/// values. (semantics: A4)
std::vector<std::size_t> approximate_features(const define::View& view);

/// Turns a row of cells per view feature into typed columns, for whole blocks. `cells` is
/// column-major: cells[feature][row]. Strings are coded: each distinct one once.
data::Column to_column(data::Type type, std::span<const Cell> cells);

/// A model's row for a block of questions: question columns by name (null columns are allowed for
/// nullable ones), then view values from asking the kernel in the order given, then inputs
/// evaluated. Used by the server for one row and by replay for many. Errors: missing_value,
/// type_mismatch.
Result<data::Batch> assemble_row(const define::RowSchema& row, const data::Batch& questions,
                                 std::span<const data::Column> view_columns);
/// Evaluates inputs over an assembled row: a batch whose columns are named as the inputs.
data::Batch evaluate_inputs(std::span<const define::Input> inputs, const data::Batch& row,
                            std::span<const std::int64_t> at_us, EvaluationCounts& counts);

}  // namespace coeval::kernel
