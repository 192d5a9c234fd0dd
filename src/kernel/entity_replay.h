#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/time_zone.h"
#include "define/project.h"
#include "kernel/answer_rows.h"
#include "kernel/boundaries.h"
#include "kernel/collection_cells.h"
#include "kernel/entity_events.h"
#include "kernel/kernel.h"
#include "kernel/min_queue.h"
#include "kernel/record_layout.h"

namespace coeval::kernel {

/// A question as one view sees it.
struct AskedQuestion {
  std::int64_t at_us;
  std::uint32_t entity;  ///< beyond the last = nobody
  std::uint32_t row;     ///< of the answers
};

/// How one view answers questions over a history that is known as a whole: from the events of the
/// entity, in their order, without a state.
///
/// A bound of a window is a place among the entity's events, found by their times, and going
/// forward from question to question. Sums are differences of the rows of sums at two places. Where
/// events are known late, so that some before a place may not be seen yet, the sum at that place is
/// kept apart: it gets an event when the place passes it and when it becomes known, whichever is
/// later. Smallest and largest values come from queues, the newest events and collections from
/// walking back from T, once for all windows that end together; numbers of distinct values change
/// as events enter and leave. The answers are the bits that ViewState gives. (semantics: A1 A2 T3
/// T4 T5)
///
/// Threading: any number of threads, with an EntityWalk each.
class EntityReplay {
 public:
  /// Whether a view can be answered so: all but aggregates of strings.
  static bool can_answer(const RecordLayout& layout);
  /// Null when the sums would take too much room, see SumWords, or when collections would be
  /// gathered anew from many events for each question, which the state does not do. What is given
  /// must outlive it, but for the events.
  static std::unique_ptr<EntityReplay> create(const define::View& view, const RecordLayout& layout,
                                              const TimeZone* zone,
                                              const EntityEvents::Source& events, std::size_t parts,
                                              const RunParts& run);

  std::size_t entities() const { return events_->entities(); }

  /// Rows for EntityWalk to fill.
  AnswerRows rows() const { return {windows_.size() * words_of_window_, cell_features_.size()}; }
  /// Makes columns of filled rows [first, first + count). `first` is a multiple of
  /// AnswerColumns::kTile; different ranges may be put side by side.
  void put_columns(const AnswerRows& rows, AnswerColumns& columns, std::size_t first,
                   std::size_t count) const;

 private:
  friend class EntityWalk;
  EntityReplay(const define::View& view, const RecordLayout& layout, const TimeZone* zone);
  EntityEvents::Wanted plan_events();
  bool walks_too_far() const;
  void plan_answers();
  std::size_t feature(std::size_t aggregate, std::size_t window) const {
    return aggregate * windows_.size() + window;
  }
  // The cell of an aggregate that is answered by cells.
  std::size_t cell(std::size_t aggregate, std::size_t window) const {
    return first_cells_[aggregate] + window;
  }

  // A number among the words of a window in AnswerRows.
  struct WordPart {
    std::size_t word = 0;
    std::uint32_t shift = 0;
    std::uint64_t mask = ~std::uint64_t{0};
    std::int64_t of(std::uint64_t bits) const {
      return static_cast<std::int64_t>(bits >> shift & mask);
    }
  };
  // Counts, and sums and means of integers that are one word: made of words all at once.
  struct QuickOutput {
    bool is_count, is_mean;
    WordPart part, sum;
    std::size_t aggregate;
  };
  struct Ordered {
    std::size_t value;   // among the wanted values
    std::size_t having;  // among the wanted bits
    bool min = false, max = false, first = false, last = false;
    std::vector<std::size_t> aggregates;
  };
  struct Gathered {
    std::size_t value;   // among the wanted values
    std::size_t having;  // among the wanted bits
    int distinct = -1;   // of distinct: among the wanted repeats
    std::vector<std::size_t> aggregates;
  };

  bool plan_quickly(std::size_t aggregate);
  WordPart part_of(CounterPlace place);
  WordPart part_of(SumLane lane);
  void put_quick(const QuickOutput& output, const AnswerRows& rows, std::size_t window,
                 AnswerColumns& columns, std::size_t first, std::size_t count) const;

  const RecordLayout& layout_;
  const TimeZone* zone_;
  std::vector<Boundary> boundaries_;  // T first
  std::vector<WindowBounds> windows_;
  std::vector<std::size_t> ends_;  // boundaries where windows end
  // By boundary: whether events before it may not be known yet; and those of which that is so.
  std::vector<std::uint8_t> late_;
  std::vector<std::size_t> late_ones_;
  bool any_late_ = false;
  std::unique_ptr<const EntityEvents> events_;
  std::vector<QuickOutput> quick_;
  std::vector<std::uint32_t> quick_words_;  // of rows of sums
  std::size_t words_of_window_ = 0;         // the number of events, then quick_words_
  std::vector<std::size_t> first_cells_;    // by aggregate
  std::vector<std::size_t> cell_features_;  // by cell
  std::vector<std::size_t> summed_;         // aggregates that other sums answer
  std::vector<Ordered> ordered_;            // of layout_.ordered
  std::vector<Gathered> gathered_;          // of layout_.collections
  bool any_queue_ = false, any_distinct_ = false;
};

/// One thread's way through the questions of a view.
class EntityWalk {
 public:
  /// `texts` keeps the lists of the answers.
  EntityWalk(const EntityReplay& replay, AnsweredTexts& texts);

  /// Answers questions that are sorted by entity and T.
  void answer(std::span<const AskedQuestion> questions, AnswerRows& answers);
  const EvaluationCounts& counts() const { return counts_; }

 private:
  // A boundary's place among the events, and the sums of those before it that can be seen.
  struct Place {
    std::uint32_t index = 0;
    std::int64_t count = 0;
    const std::uint64_t* sums = nullptr;
  };
  // The queues of one ordered measure at one end of windows.
  struct Queues {
    MinQueue least, greatest;
  };

  void begin(std::uint32_t entity, std::int64_t at_us);
  void go_to(std::int64_t at_us);
  std::int64_t bound(std::size_t boundary, std::int64_t at_us) const;
  bool sees(std::uint32_t event, std::int64_t at_us) const {
    return !replay_.any_late_ || events_.known(event) < at_us;
  }

  void see_known(std::int64_t at_us);
  void pass(std::size_t boundary, std::int64_t to, std::int64_t at_us);
  void begin_late(std::size_t boundary, std::int64_t to, std::int64_t at_us);
  void count(std::size_t boundary, std::uint32_t event, bool add);
  void queue_event(std::size_t boundary, std::uint32_t event);
  void bring_queues(std::int64_t at_us);
  std::uint32_t first_read(std::size_t end) const;

  void put_words(std::uint64_t* words) const;
  void put_summed(AnswerRows::Row& row, std::int64_t at_us);
  void put_ordered(AnswerRows::Row& row, std::int64_t at_us);
  Extremes extremes(std::size_t ordered, const WindowBounds& window, std::int64_t at_us);
  void put_gathered(AnswerRows::Row& row, std::int64_t at_us);
  void gather(AnswerRows::Row& row, std::size_t collection, std::size_t end, std::int64_t at_us);
  bool take_older(std::size_t collection, std::uint32_t event, std::int64_t at_us);
  void put_collection(AnswerRows::Row& row, std::size_t collection, std::size_t window);
  void put_distinct(AnswerRows::Row& row, std::size_t collection, std::size_t end);
  void bring_distinct();
  void count_distinct(std::size_t collection, std::size_t window);
  std::int64_t length_us(const WindowBounds& window, std::int64_t at_us) const;

  const EntityReplay& replay_;
  AnsweredTexts& texts_;
  EvaluationCounts counts_;
  EntityEvents::Of events_;
  std::vector<Place> places_;        // by boundary
  std::vector<std::uint64_t> sums_;  // of late boundaries: rows of sums, by boundary
  std::uint32_t known_ = 0;          // events seen, in the order of becoming known
  std::vector<Queues> queues_;       // by end, then ordered measure
  std::vector<std::uint32_t> queued_from_, queued_to_;  // by end: the events that queues have
  // The distinct values of a window, and the events that they are of.
  struct Distinct {
    std::uint32_t from = 0, to = 0;
    std::int64_t count = 0;
  };
  std::vector<Distinct> distinct_;  // by collection, then window
  std::vector<Collection> collections_;
  std::vector<Cell> cells_;         // of one collection's aggregates
  std::vector<std::size_t> order_;  // windows of one end, from the shortest
};

}  // namespace coeval::kernel
