#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/large_allocator.h"
#include "kernel/answer_columns.h"
#include "kernel/blocks.h"
#include "kernel/boundaries.h"
#include "kernel/linear_plan.h"
#include "kernel/record_layout.h"

namespace coeval::kernel {

/// Where one counter or sum lies among the 64-bit words that an event adds.
struct AddedPlace {
  std::uint32_t word = 0, shift = 0;
  std::uint64_t mask = 0;
  /// From the word.
  std::int64_t of(std::uint64_t sums) const {
    return static_cast<std::int64_t>(sums >> shift & mask);
  }
};

/// A block's events as words to be added: by row, the event time, when it was known, and what it
/// adds to each running sum. Counters of bits share a word in pairs, which 2^32 events cannot
/// overflow; a bit that is set in every event is counted once.
class AddedEvents {
 public:
  /// `records` are those of a view with this layout, `rows` of them.
  AddedEvents(const RecordLayout& layout, const EventBlock::PerView& records, std::int64_t rows);

  const std::uint64_t* row(std::int64_t row) const {
    return words_.data() + static_cast<std::size_t>(row) * stride_;
  }
  static std::int64_t time_of(const std::uint64_t* event) {
    return static_cast<std::int64_t>(event[0]);
  }
  static std::int64_t known_of(const std::uint64_t* event) {
    return static_cast<std::int64_t>(event[1]);
  }
  static const std::uint64_t* added(const std::uint64_t* event) { return event + 2; }

  std::size_t width() const { return width_; }  ///< words that an event adds
  /// The place of one of RecordLayout's linear sums.
  AddedPlace place(std::size_t linear) const { return places_[linear]; }
  /// Whether each event is known only once it has happened, or at that moment.
  bool known_after() const { return known_after_; }

 private:
  void find_counted_bits(const RecordLayout& layout, const EventBlock::PerView& records,
                         std::int64_t rows);
  void put(const RecordLayout& layout, const std::byte* record, std::uint64_t* to) const;

  std::vector<std::size_t> bits_;  // those that are counted, bit 0 first
  std::vector<AddedPlace> places_;
  std::size_t width_ = 0, stride_ = 0;
  bool known_after_ = true;
  LargeVector<std::uint64_t> words_;
};

/// The events of views with equal record layouts, all that there are, in two orders.
struct HistoryEvents {
  std::shared_ptr<const AddedEvents> events;
  std::span<const std::int64_t> by_known;  ///< rows in position order
  std::span<const std::int64_t> by_time;   ///< the same rows by event time
};

/// Questions in the order of T: rows of what at_us and the views' entities are of.
struct HistoryQuestions {
  std::span<const std::int64_t> order;
  std::span<const std::int64_t> at_us;  ///< by row
};

/// Whose the events are, and who is asked about, as one view sees it: by row; negative = nobody.
struct MergedView {
  const define::View* definition = nullptr;
  const RecordLayout* layout = nullptr;
  std::size_t entities = 0;
  std::span<const std::int32_t> of_events, of_questions;
};

/// Answers the questions of views over a history that is known as a whole: a merge of sorted lists.
///
/// Each bound of a window is a place among the events in the order of event time that only goes
/// forward; an event that a bound goes by is added to the sum that its entity has for this bound,
/// if it was known by then. A window is the difference of two sums. An event known late is added at
/// the bounds that have already gone by it. Nothing is inserted, moved or given up, which is what
/// makes this quicker than ViewState, and the places are found once for all views; the answers are
/// the same bits, because sums of integers are the same in any order. (semantics: A1 A2 T3 T4)
///
/// Quicker than EntityReplay while the sums of all entities lie in the caches next to the processor
/// and events are known late, for which EntityReplay has to keep sums too. Memory: the sums of each
/// entity, besides the events.
class MergeReplay {
 public:
  /// Whether a view can be answered so: counts, sums and means of bits and 32-bit integers, over
  /// windows of fixed length or all time.
  static bool can_answer(const define::View& view, const RecordLayout& layout);
  /// Whether it is the quicker way for a view of so many entities.
  static bool is_quicker(const define::View& view, const RecordLayout& layout, std::size_t entities,
                         const EventBlock& events);
  /// Whether two views of which this is true, and whose events are the same, can be answered at
  /// once.
  static bool can_share(const define::View& a, const define::View& b);

  /// The views can be answered so, at once; what the spans point to must outlive this.
  MergeReplay(std::span<const MergedView> views, HistoryEvents events, HistoryQuestions questions);

  /// Answers the next questions, as many as the answers have rows: `answers` by view.
  void next(std::span<AnswerColumns> answers);

 private:
  // Counts, and sums and means of bits and 32-bit integers: column by column.
  struct Output {
    bool is_count, is_mean;
    AddedPlace part, sum;
    std::size_t aggregate;
  };
  // One view's sums: by entity, then boundary, as many words each as an event adds. Two places
  // beyond the last entity are of nobody's events, and of nobody's questions, which stays nothing.
  struct Sums {
    std::span<const std::int32_t> of_events, of_questions;
    std::uint32_t entities;
    bool is_far;  // too large for the caches next to the processor
    LargeVector<std::uint64_t> words;
    std::vector<Output> outputs;
  };

  std::int64_t bound(const Boundary& boundary, std::int64_t at_us) const {
    return boundary.from_begin ? INT64_MIN : saturating_subtract(at_us, boundary.length_us);
  }
  static std::size_t event_entity(const Sums& sums, std::int64_t row) {
    const auto entity = static_cast<std::uint32_t>(sums.of_events[static_cast<std::size_t>(row)]);
    return std::min(entity, sums.entities);
  }
  static std::size_t question_entity(const Sums& sums, std::int64_t row) {
    const auto entity =
        static_cast<std::uint32_t>(sums.of_questions[static_cast<std::size_t>(row)]);
    return std::min(entity, sums.entities + 1);
  }
  std::uint64_t* event_sums(Sums& sums, std::int64_t row) const {
    return sums.words.data() + event_entity(sums, row) * stride_;
  }
  const std::uint64_t* question_sums(const Sums& sums, std::int64_t row) const {
    return sums.words.data() + question_entity(sums, row) * stride_;
  }

  // Width: words that an event adds, 0 = as many as it says.
  template <std::size_t Width>
  void add(std::size_t boundary, std::int64_t row);
  void fetch_events(std::span<const std::int64_t> rows, std::size_t place);
  void fetch_question(std::size_t place);
  template <std::size_t Width>
  void see(std::int64_t at_us);
  template <std::size_t Width>
  void answer_tile(std::size_t rows);
  void put_tile(std::size_t first, std::size_t rows, std::span<AnswerColumns> answers) const;

  std::vector<Boundary> boundaries_;  // T first
  std::vector<WindowBounds> windows_;
  std::size_t first_moving_ = 0;  // 1 when every event is known only after it happened: then those
                                  // before T are those known before T
  HistoryEvents events_;
  HistoryQuestions questions_;
  std::size_t width_ = 0, stride_ = 0;  // words that an event adds, and of an entity's sums
  std::vector<Sums> sums_;              // by view
  bool any_far_ = false;

  std::size_t next_question_ = 0, known_ = 0;  // places in the orders
  std::vector<std::size_t> cursors_;           // places in by_time, by boundary
  std::int64_t asked_at_ = INT64_MIN;          // the last T
  // What the windows of some questions hold: by view, window and word, a question after the other.
  std::vector<std::uint64_t> tile_;
};

}  // namespace coeval::kernel
