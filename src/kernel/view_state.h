#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "define/project.h"
#include "exact/key_hash.h"
#include "kernel/boundaries.h"
#include "kernel/changes.h"
#include "kernel/chunk.h"
#include "kernel/collection.h"
#include "kernel/collection_cells.h"
#include "kernel/evaluate.h"
#include "kernel/kernel.h"
#include "kernel/key_table.h"
#include "kernel/large_sums.h"
#include "kernel/linear_plan.h"
#include "kernel/period.h"
#include "kernel/record_layout.h"
#include "kernel/saturate.h"
#include "kernel/state_part.h"
#include "kernel/string_table.h"
#include "kernel/tally.h"

namespace coeval::kernel {

/// Events that were folded away, for windows over all time.
struct FoldedEvents {
  explicit FoldedEvents(const RecordLayout& layout)
      : tally(layout), collections(layout.collections.begin(), layout.collections.end()) {}
  void add(const RecordLayout& layout, const std::byte* record) {
    tally.add(layout, record);
    // Decayed sums read the question's time, and nothing that is folded: events are held longer.
    for (auto& collection : collections)
      if (collection.plan().gather != CollectionPlan::Gather::decayed)
        collection.add(layout, record, 0);
  }
  Tally tally;
  std::vector<Collection> collections;  ///< of layout.collections
};

/// The state of one view: per entity the events from which every window that can still be asked
/// about is answered exactly, and for windows over all time what was folded of those that are
/// older.
///
/// How a question is answered. An entity keeps one cursor for T and one for each other bound of a
/// window (T − W, the begin of the day), and for each the running sums of all events before it. A
/// window's sum is the difference of two of them. What is no sum is gathered from the events
/// between its two cursors, anew for each question: the plain way. As questions go on in time the
/// cursors move over the events, each event once per cursor; an event that arrives late is put in
/// its place and added to the sums of the cursors behind it. All sums are exact, so differences
/// are, and nothing depends on the way that a cursor took. (semantics: A1 A2)
///
/// Invariants: 1. Cursors and their sums are a cache: state is the events and what was folded
/// alone.
/// 2. An event is held while a question at T ≥ last known − lateness may need it: as long as its
/// event time is within the reach of the longest window + lateness of the last known time. (T6)
/// 3. A string is held as long as an event, what was folded, or an answer uses it.
class ViewState final : public StatePart {
 public:
  /// The zone is that of calendar periods; null = UTC.
  ViewState(const define::View& view, RecordLayout layout, const TimeZone* zone);
  ~ViewState() override;
  ViewState(const ViewState&) = delete;
  ViewState& operator=(const ViewState&) = delete;

  const RecordLayout& layout() const { return layout_; }
  KeyTable& keys() { return keys_; }
  const KeyTable& keys() const { return keys_; }

  /// Folds one event; entity < 0 means that a key is null, and the event is nobody's. `strings`:
  /// the block's columns for layout().strings.
  void apply(const std::byte* record, std::int32_t entity, std::span<const data::Column> strings);
  /// Takes back the event of that name, event time and known time, as of a row known at `until_us`;
  /// nothing where it is not held. Positions as in apply. (semantics: T7)
  void take_back(std::int32_t entity, std::int64_t event_time_us, std::int64_t known_us,
                 exact::Key128 name, std::int64_t until_us);
  /// Answers every feature at time T; an entity that is not known has empty windows. Cells of
  /// strings are good until release_answers().
  void ask(std::int32_t entity, std::int64_t at_us, Cell* out);

  void release_answers() { answered_.release(); }

  bool reaches(std::int64_t at_us) const;
  std::int64_t last_known_us() const { return last_known_; }
  std::int64_t entity_count() const { return keys_.size(); }
  std::int64_t event_count() const { return events_; }
  std::int64_t dropped_late_count() const { return dropped_late_; }
  std::int64_t string_count() const { return static_cast<std::int64_t>(strings_.size()); }
  const EvaluationCounts& counts() const { return counts_; }

  /// Many events and questions entity by entity: a turn is one entity's, in position order; known
  /// times of the turns overlap. Between begin_turns() and end_turns(), which is told the newest
  /// known time of all turns, nothing is given up that another entity's turn may still need.
  void begin_turns() { turns_began_at_ = last_known_; }
  void begin_turn() { last_known_ = *turns_began_at_; }
  void end_turns(std::int64_t last_known) {
    last_known_ = std::max(*turns_began_at_, last_known);
    turns_began_at_.reset();
  }

  void serialize(std::string& out) const;
  /// Reads what serialize wrote; false when it is not that, and the state is then empty.
  bool restore(std::string_view& bytes);

  // A unit is an entity, under its key's bytes.
  void track_changes() override;
  bool tracks_changes() const override { return changes_.tracks(); }
  std::string summary() const override;
  void freeze(UnitSink& sink, std::uint32_t part) override;
  bool capture(std::size_t bytes) override;
  void settle(bool kept) override;
  bool begin_restore(std::string_view summary) override;
  bool restore_unit(std::string_view key, std::string_view bytes) override;
  void end_restore() override;

 private:
  struct alignas(64) CacheLine {
    std::byte bytes[64];
  };
  // Head of an entity's block, one cache line; cursors and running sums follow it. Plain memory, so
  // that blocks can move.
  struct alignas(64) Entity {
    Chunk* head;
    Chunk* tail;
    std::int64_t max_known;  // of events applied, at least
    std::int64_t asked_at;   // T of the cursors
    FoldedEvents* base;
    LargeSums* large;  // null until it is needed
    bool tracked;      // whether the cursors stand
    Changes<std::int32_t>::Mark changed;
  };
  Entity& entity(std::int32_t number) {
    return *reinterpret_cast<Entity*>(&blocks_[static_cast<std::size_t>(number) * block_lines_]);
  }
  const Entity& entity(std::int32_t number) const {
    return *reinterpret_cast<const Entity*>(
        &blocks_[static_cast<std::size_t>(number) * block_lines_]);
  }
  // The record behind a cursor, if its chunk has one there; found without reading the chunk's
  // header.
  std::byte* place_of(Cursor cursor) const {
    return reinterpret_cast<std::byte*>(cursor.chunk) + sizeof(Chunk) +
           std::size_t{cursor.slot} * layout_.stride;
  }
  static Cursor* cursors(Entity& e) { return reinterpret_cast<Cursor*>(&e + 1); }
  std::int64_t* linear(Entity& e, std::size_t boundary) const {
    auto* bytes = reinterpret_cast<std::byte*>(&e) + linear_at_;
    return reinterpret_cast<std::int64_t*>(bytes) + boundary * linear_count_;
  }
  std::int64_t add_window(const define::Window& window);
  std::int64_t horizon_us() const;
  void add_entities();
  void clear();
  void free_events(Entity& e);

  // Holding events: view_events.cc.
  const std::byte* with_strings(const std::byte* record, std::span<const data::Column> strings);
  void release_strings(const std::byte* record);
  void insert(Entity& e, const std::byte* record);
  void make_room(Entity& e, Chunk* chunk, std::uint32_t slot);
  void append_chunk(Entity& e, Chunk* chunk, std::uint32_t capacity);
  void grow(Entity& e, Chunk* chunk);
  void compact(Entity& e, Chunk* chunk);
  void split(Entity& e, Chunk* chunk);
  void repoint(Entity& e, const Chunk* from, Chunk* to, std::uint32_t from_slot,
               std::int64_t shift);
  void count_late(Entity& e, Chunk* chunk, const std::byte* record);
  // Whether no question from now on needs the event itself: for windows over all time also when
  // every question sees it, so that it can be folded.
  bool is_expired(const std::byte* record, std::int64_t last_known) const {
    if (saturating_subtract(last_known, event_time_of(record)) <= retention_us_) return false;
    if (!all_time_) return true;
    // What was folded could not be taken back.
    return !layout_.replaceable &&
           saturating_subtract(last_known, known_time_of(record)) > lateness_us_;
  }
  void evict(Entity& e, std::int64_t last_known);
  void evict_first(Entity& e);
  void sweep_some(const Entity& busy);

  // Events that are taken back: view_corrections.cc.
  struct TakenBack {
    std::int64_t until_us;  // questions up to this time still see it
    std::vector<std::byte> record;
  };
  struct Held {
    const std::byte* record;
    std::int64_t until_us;  // kNotTakenBack for events that count
  };
  static constexpr std::int64_t kNotTakenBack = INT64_MAX;
  const std::byte* with_sequence(const std::byte* record);
  static Cursor find_event(Entity& e, const RecordLayout& layout, std::int64_t event_time_us,
                           std::int64_t known_us, exact::Key128 name);
  void remove(Entity& e, Cursor place);
  void unlink_empty(Entity& e, Chunk* chunk);
  void keep_taken_back(std::int32_t number, TakenBack event);
  void forget_taken_back();
  bool is_settled(std::int64_t until_us, std::int64_t last_known) const {
    return saturating_subtract(last_known, until_us) > lateness_us_;
  }
  // All events of an entity, those taken back too, by (event time, position).
  std::vector<Held> held_events(std::int32_t number) const;
  void answer_amended_past(std::int32_t number, std::int64_t at_us, Cell* out);

  // Answering: view_answers.cc.
  std::int64_t bound(const Boundary& boundary, std::int64_t at_us) const {
    if (boundary.period != define::Period::none) [[unlikely]]
      return period_begin(boundary.period, zone_, at_us);
    return boundary.from_begin ? INT64_MIN : saturating_subtract(at_us, boundary.length_us);
  }
  void track(Entity& e);
  void move(Entity& e, std::int64_t at_us);
  void move_forward(Entity& e, std::size_t boundary, std::int64_t to);
  void move_back(Entity& e, std::size_t boundary, std::int64_t to);
  // Adds one record to the sums of a boundary, or takes it away.
  void count(Entity& e, std::size_t boundary, const std::byte* record, std::int64_t sign) const {
    count_record(layout_, linear(e, boundary), record, sign);
    if (has_large_) e.large->count(layout_, boundary, record, sign);
  }
  void count_chunk(Entity& e, std::size_t boundary, const Tally& tally, std::int64_t sign);
  void answer_linear(Entity& e, Cell* out);
  struct WindowSums;
  void answer_window(Entity& e, std::size_t window, std::int64_t at_us, Cell* out);
  void extremes_between(Cursor from, Cursor to, std::vector<Extremes>& out);
  // Gathers the collections of a window from what its question can see.
  void gather(const FoldedEvents* base, bool all_time, Cursor from, Cursor to, std::int64_t at_us);
  static Cursor place_of_time(Chunk* tail, std::int64_t time);
  void answer_past(Entity& e, std::int64_t at_us, Cell* out);
  void answer_events(const std::vector<const std::byte*>& events, std::size_t window,
                     std::int64_t at_us, Cell* out);
  void answer_empty(Cell* out) const;
  // The window's length at this question; 0 over all time.
  std::int64_t length_us(std::size_t window, std::int64_t at_us) const;
  template <class Sums>
  void answer_sums(const Sums& sums, const std::vector<Extremes>& extremes, std::size_t window,
                   std::int64_t at_us, Cell* out);

  // Bytes: view_snapshot.cc.
  bool append_entity(std::string& out, std::int32_t number) const;
  // What stands behind the key: as of a last known time. False when that is nothing.
  bool append_unit(std::string& out, std::int32_t number, std::int64_t last_known) const;
  bool take_entity(std::string_view& bytes, std::string_view& key_before, bool first);
  // Whether bytes may hold what has expired at last_known_.
  enum class Expired : std::uint8_t { refused, given_up };
  bool take_unit(std::string_view& bytes, std::int32_t number, Expired expired);
  bool take_events(std::string_view& bytes, std::int32_t number, Expired expired);
  void give_up(Entity& e, const std::byte* record);
  void order_taken_back();
  bool take_base(std::string_view& bytes, Entity& e);
  bool is_plausible(const Tally& base) const;

  // What changes, and is captured before it does: view_capture.cc.
  void before_change(Entity& e, std::int32_t number) {
    if (!changes_.is_noted(e.changed)) [[unlikely]]
      note_change(e, number);
  }
  static constexpr std::size_t kUnitCost = 64;  // of fetching an entity, in bytes written
  void note_change(Entity& e, std::int32_t number);
  void capture_entity(std::int32_t number);
  // What expires later is not given up yet: a capture of a moment past may still need it.
  std::int64_t expiry_known() const {
    return changes_.capturing() ? frozen_known_ : turns_began_at_.value_or(last_known_);
  }

  const RecordLayout layout_;
  const TimeZone* const zone_;
  std::vector<Boundary> boundaries_;         // T first
  std::vector<WindowBounds> window_bounds_;  // by window
  std::size_t windows_ = 0;
  std::int64_t retention_us_ = 0, lateness_us_ = 0;
  bool all_time_ = false;  // a window is over all time
  bool has_large_;         // sums besides the linear ones are kept
  std::string signature_;  // what the bytes of the state depend on
  std::size_t linear_at_ = 0, linear_count_ = 0, block_lines_ = 1;

  KeyTable keys_;
  StringTable strings_;
  AnsweredTexts answered_{strings_};  // of cells given out
  std::vector<CacheLine> blocks_;
  std::int32_t entities_ = 0;  // blocks made so far
  std::int32_t swept_ = 0;
  std::int64_t events_ = 0, dropped_late_ = 0;
  std::int64_t last_known_ = INT64_MIN;
  std::optional<std::int64_t> turns_began_at_;  // last_known_ then, while turns are taken
  EvaluationCounts counts_;
  Changes<std::int32_t> changes_;
  std::int64_t frozen_known_ = INT64_MIN;  // last_known_ when the capture began
  UnitSink* sink_ = nullptr;               // of the capture
  std::uint32_t part_ = 0;
  std::string scratch_unit_;
  // Events that were taken back, while a question may still be asked that sees them: by entity, and
  // in the order in which they leave.
  std::map<std::int32_t, std::deque<TakenBack>> taken_back_;
  std::deque<std::pair<std::int64_t, std::int32_t>> leaving_;
  std::uint64_t next_sequence_ = 0;
  // Set when every aggregate is answered by linear sums alone, which is quicker.
  const std::vector<LinearPlan> linear_plans_;
  std::vector<std::int64_t> scratch_linear_;
  std::vector<Extremes> scratch_extremes_;
  std::vector<Collection> scratch_collections_;
  std::vector<std::byte> scratch_record_;
};

}  // namespace coeval::kernel
