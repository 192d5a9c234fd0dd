#pragma once

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
  std::int64_t of(const std::uint64_t* words) const {
    return static_cast<std::int64_t>(words[word] >> shift & mask);
  }
};

/// A block's events as words to be added: by row, the event time, when it was known, and what it
/// adds to each running sum. Counters of bits share a word in pairs, which 2^32 events cannot
/// overflow; a bit that is set in every event is counted once.
class AddedEvents {
 public:
  /// `records` are those of a view with this layout, `rows` of them.
  AddedEvents(const RecordLayout& layout, const EventBlock::PerView& records, std::int64_t rows);

  const std::uint64_t* row(std::uint32_t row) const {
    return words_.data() + std::size_t{row} * stride_;
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

/// The events of one view, all that there are, in two orders.
struct HistoryEvents {
  std::shared_ptr<const AddedEvents> events;
  std::span<const std::int32_t> entities;  ///< by row; negative = nobody
  std::span<const std::int64_t> by_known;  ///< rows in position order
  std::span<const std::int64_t> by_time;   ///< the same rows by event time
};

/// The moments of questions, T not decreasing, with the entity of each; negative = nobody.
struct HistoryQuestions {
  std::span<const std::int64_t> at_us;
  std::vector<std::int32_t> entities;
};

/// Answers the questions of one view over a history that is known as a whole: a sort-merge.
///
/// Events and questions are sorted by entity once. Each bound of a window is a place among an
/// entity's events, in the order of event time, that only goes forward, with the sum of what lies
/// before it and was known, so that a window is the difference of two sums. An event known late is
/// added at the bounds that have already gone by it. Nothing is inserted, moved or given up, which
/// is what makes this quicker than ViewState; the answers are the same bits, because sums of
/// integers are the same in any order. (semantics: A1 A2 T3 T4)
///
/// Memory: 8 bytes per event, 4 per question, and the sums of each entity, besides the events that
/// views of equal layout share.
class MergeReplay {
 public:
  /// Whether a view can be answered so: counts, sums and means of bits and 32-bit integers, over
  /// windows of fixed length or all time.
  static bool can_answer(const define::View& view, const RecordLayout& layout);

  /// The view can be answered so; what the spans point to must outlive this.
  MergeReplay(const define::View& view, const RecordLayout& layout, std::size_t entities,
              HistoryEvents events, HistoryQuestions questions);

  /// Answers the questions at the next places of the order, as many as `answers` has rows.
  void next(AnswerColumns& answers);

 private:
  struct Output {
    bool is_count, is_mean;
    AddedPlace part, sum;
    std::size_t feature;  // that of the first window
  };
  using Places = std::vector<AnswerColumns::Places>;  // by window, then output

  // What one entity has of `state_`: where it stands, and its sums.
  struct Entity {
    std::int64_t& asked_at;  // the last T
    std::uint64_t* sums;     // by boundary, as many words each as an event adds
    std::uint32_t* cursors;  // places in by_time_, by boundary
    std::uint32_t& known;    // place in by_known_: the next event to become known
    std::uint32_t& question;
  };

  Entity entity(std::size_t number) {
    std::byte* mine = state_.data() + number * state_bytes_;
    auto* numbers = reinterpret_cast<std::uint32_t*>(mine + numbers_at_);
    return {*reinterpret_cast<std::int64_t*>(mine),
            reinterpret_cast<std::uint64_t*>(mine + sizeof(std::int64_t)), numbers + 2, numbers[0],
            numbers[1]};
  }
  const std::uint64_t* event_at(std::uint32_t place) const {
    return events_.events->row(by_time_[place]);
  }
  LargeVector<std::uint32_t> by_entity(std::span<const std::int64_t> rows) const;
  void sort_questions();
  void start_entities();
  std::uint32_t next_question(std::size_t entity, std::uint32_t place) const {
    return place < question_begin_[entity + 1] ? questions_by_entity_[place] : UINT32_MAX;
  }
  std::int64_t bound(const Boundary& boundary, std::int64_t at_us) const {
    return boundary.from_begin ? INT64_MIN : saturating_subtract(at_us, boundary.length_us);
  }

  // Width: words that an event adds, 0 = as many as it says.
  void answer_until(std::uint32_t end, const Places& places);
  template <std::size_t Width>
  void answer_all(std::uint32_t end, const Places& places);
  void fetch_state(std::size_t entity) const;
  void fetch_events(std::size_t entity);
  void fetch_rows(std::size_t entity);
  template <std::size_t Width>
  void see(const Entity& entity, std::uint32_t event_end, std::int64_t at_us);
  template <std::size_t Width>
  void put(const Entity& entity, std::size_t row, const Places& places);
  void put_nobody(std::uint32_t end, const Places& places);

  std::vector<Boundary> boundaries_;  // T first
  std::vector<WindowBounds> windows_;
  std::vector<Output> outputs_;
  std::size_t first_moving_ = 0;  // 1 when every event is known only after it happened: then those
                                  // before T are those known before T

  std::size_t entities_ = 0;
  std::vector<std::uint32_t> event_begin_, question_begin_;  // by entity, and one more
  HistoryEvents events_;
  LargeVector<std::uint32_t> by_time_, by_known_;  // rows by entity, then event time or position;
                                                   // by_known_ is empty when that is the same
  HistoryQuestions questions_;
  LargeVector<std::uint32_t> questions_by_entity_;
  std::vector<std::uint32_t> nobodys_;
  std::size_t next_nobody_ = 0;
  LargeVector<std::byte> state_;  // of all entities, each at cache lines of its own
  std::size_t state_bytes_ = 0, numbers_at_ = 0;
  std::vector<std::uint32_t> next_question_;  // by entity: its next question
  std::vector<std::uint32_t> active_;         // entities that are asked about in a part
  std::uint32_t first_ = 0;                   // the question of the first row of answers
  std::vector<std::uint64_t> within_;         // what an event adds, of all events of one window
};

}  // namespace coeval::kernel
