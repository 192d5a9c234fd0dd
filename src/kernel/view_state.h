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
#include "kernel/chunk_tree.h"
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

/// What was gathered of a window of a hot entity, but for its begin, which the next questions
/// leave: all events of [begin_us, end_us).
struct KeptWindow {
  bool stands = false;
  std::int64_t begin_us = 0, end_us = 0;
  std::optional<Collection> gathered;
  bool holds(std::int64_t time_us) const {
    return stands && begin_us <= time_us && time_us < end_us;
  }
};

/// The events of an entity that has many of them, and what follows the questions about it.
///
/// It keeps one cursor for T and one for each other bound of a window (T − W, the begin of the
/// day), and for each the running sums of all events before it. A window's sum is the difference of
/// two of them. As questions go on in time the cursors move over the events, each event once per
/// cursor, far ones over tiles; an event that arrives late is added to the sums of the cursors
/// behind it. All sums are exact, so differences are, and nothing depends on the way that a cursor
/// took. (semantics: A1 A2)
struct HotEntity {
  HotEntity(Chunk* chunk, std::int64_t max_known_us) : tree(chunk, max_known_us) {}
  ChunkTree tree;
  bool tracked = false;  ///< whether the cursors stand
  std::vector<Cursor> cursors;
  std::vector<std::int64_t> bounds_us;  ///< where they stand
  std::vector<std::int64_t> linear;     ///< linear sums, one cursor behind the other
  LargeSums large;
  std::vector<KeptWindow> kept;  ///< by window and collection; none until it is asked for
};

/// The state of one view: per entity the events from which every window that can still be asked
/// about is answered exactly, and for windows over all time what was folded of those that are
/// older.
///
/// How a question is answered. An entity of few events has them packed in one piece of memory, and
/// nothing else: windows that end at one time are gathered in one walk over it, from the newest to
/// the oldest. An entity of many has them in a tree of tiles: the same walk goes over exact tallies
/// of whole tiles and over single events at the edges of the windows; sums are read from cursors,
/// where there are very many events. (docs/adr/0007)
///
/// Invariants: 1. Cursors, their sums and tiles are a cache: state is the events and what was
/// folded alone.
/// 2. An event is held while a question at T ≥ last known − lateness may need it: as long as its
/// event time is within the reach of the longest window + lateness of the last known time. (T6)
/// 3. A string is held as long as an event, what was folded, or an answer uses it.
class ViewState final : public StatePart {
 public:
  /// The zone is that of calendar periods; null = UTC.
  ViewState(const define::View& view, RecordLayout layout, const TimeZone* zone,
            StateShape shape = {});
  ~ViewState() override;
  ViewState(const ViewState&) = delete;
  ViewState& operator=(const ViewState&) = delete;

  const RecordLayout& layout() const { return layout_; }
  KeyTable& keys() { return keys_; }
  const KeyTable& keys() const { return keys_; }

  /// Folds one event; entity < 0 means that a key is null, and the event is nobody's. `strings`:
  /// the block's columns for layout().strings.
  void apply(const std::byte* record, std::int32_t entity, std::span<const data::Column> strings);
  /// Begins to fetch what apply() will read of an entity that is applied to soon: its block, the
  /// head of its events, the place behind the last of them; each needs the one before.
  void fetch_block(std::int32_t entity) const {
    if (entity >= 0 && entity < entities_) __builtin_prefetch(&blocks_[at(entity)]);
  }
  void fetch_head(std::int32_t entity) const {
    if (entity >= 0 && entity < entities_) __builtin_prefetch(blocks_[at(entity)].only);
  }
  void fetch_end(std::int32_t entity) const {
    if (entity < 0 || entity >= entities_) return;
    if (Chunk* chunk = blocks_[at(entity)].only; chunk != nullptr)
      __builtin_prefetch(chunk->at(chunk->end), 1);
  }
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

  // Entities outside memory: view_paging.cc.
  /// From now on entities that are not in memory are looked for in `units`, as those of a part.
  void page_from(UnitSource& units, std::uint32_t part);
  bool pages() const { return units_ != nullptr; }
  /// Brings entities into memory, of keys that have no number; a key that is nowhere gets none.
  /// Errors: those of the units; snapshot_corrupt. What was there before stays.
  Status fetch(std::span<const std::string> keys);
  /// Says that entities are about to be used; those that were not for longest are dropped first.
  void touch(std::span<const std::int32_t> numbers);
  /// About how many bytes keys, entities and events take.
  std::size_t bytes() const;
  /// Drops entities from memory until about `bytes` are left, of those that stand in the units as
  /// they are. The others get other numbers. No capture may be unsettled.
  void drop_entities(std::size_t bytes);

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
  struct Entity {
    Chunk* only = nullptr;     // its events, where they are few
    HotEntity* hot = nullptr;  // or where they are many
    FoldedEvents* base = nullptr;
    Changes<std::int32_t>::Mark changed = 0;
    std::uint32_t used = 0;  // when it was, by uses_
    bool has_events() const { return only != nullptr || hot != nullptr; }
    Chunk* first() const { return hot != nullptr ? hot->tree.first() : only; }
  };
  static std::size_t at(std::int32_t number) { return static_cast<std::size_t>(number); }
  Entity& entity(std::int32_t number) { return blocks_[at(number)]; }
  const Entity& entity(std::int32_t number) const { return blocks_[at(number)]; }
  static Chunk* next_chunk(Chunk* chunk) {
    return chunk->parent == nullptr ? nullptr : ChunkTree::next(chunk);
  }
  std::int64_t* linear(HotEntity& hot, std::size_t boundary) const {
    return hot.linear.data() + boundary * linear_count_;
  }
  std::int64_t add_window(const define::Window& window);
  std::int64_t horizon_us() const;
  void add_entities();
  void clear();
  void free_events(Entity& e);

  // Holding events: view_events.cc.
  const std::byte* with_strings(const std::byte* record, std::span<const data::Column> strings);
  void release_strings(const std::byte* record);
  // `expected`: events of an entity that has none yet, where that is known.
  void insert(Entity& e, const std::byte* record, std::uint32_t expected = 1);
  void make_room(Entity& e, Chunk* chunk, std::uint32_t slot, const std::byte* record);
  void grow(Entity& e, Chunk* chunk, std::uint32_t capacity, const std::byte* record);
  void compact(Entity& e, Chunk* chunk);
  void pass_first(HotEntity& hot, Chunk* chunk, const std::byte* record);
  void append_chunk(Entity& e, const std::byte* record);
  void split(Entity& e, Chunk* chunk);
  void become_hot(Entity& e);
  void become_cold_if_small(Entity& e);
  void repoint(Entity& e, const Chunk* from, Chunk* to, std::uint32_t from_slot,
               std::int64_t shift);
  void count_late(HotEntity& hot, Chunk* chunk, std::uint32_t slot, const std::byte* record);
  // Whether no question from now on needs the event itself: for windows over all time also when
  // every question sees it, so that it can be folded.
  bool is_expired(std::int64_t time, std::int64_t known, std::int64_t last_known) const {
    if (saturating_subtract(last_known, time) <= retention_us_) return false;
    if (!all_time_) return true;
    // What was folded could not be taken back.
    return !layout_.replaceable && saturating_subtract(last_known, known) > lateness_us_;
  }
  bool is_expired(const std::byte* record, std::int64_t last_known) const {
    return is_expired(event_time_of(record), known_time_of(record), last_known);
  }
  bool is_first_expired(const Entity& e, std::int64_t last_known) const;
  void evict(Entity& e, std::int64_t last_known);
  void evict_first(Entity& e);
  void sweep_some(const Entity& busy);

  // Events that are taken back: view_corrections.cc.
  struct TakenBack {
    std::int64_t until_us;  // questions up to this time still see it
    std::vector<std::byte> record;
  };
  struct Held {
    std::vector<std::byte> record;
    std::int64_t until_us;  // kNotTakenBack for events that count
  };
  static constexpr std::int64_t kNotTakenBack = INT64_MAX;
  const std::byte* with_sequence(const std::byte* record);
  // Whether a question about that time sees an event that no longer counts.
  bool sees_taken_back(std::int32_t number, std::int64_t at_us) const;
  Cursor find_event(Entity& e, std::int64_t event_time_us, std::int64_t known_us,
                    exact::Key128 name);
  void remove(Entity& e, Cursor place, const std::byte* record);
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
  bool follows(const HotEntity& hot, std::int64_t at_us) const;
  void track(HotEntity& hot);
  void move(HotEntity& hot, std::int64_t at_us);
  void move_to(HotEntity& hot, std::size_t boundary, std::int64_t to_us);
  // Adds one record to the sums of a boundary, or takes it away.
  void count(HotEntity& hot, std::size_t boundary, const std::byte* record,
             std::int64_t sign) const {
    count_record(layout_, linear(hot, boundary), record, sign);
    if (has_large_) hot.large.count(layout_, boundary, record, sign);
  }
  void count_events(HotEntity& hot, std::size_t boundary, Chunk& chunk, std::uint32_t from,
                    std::uint32_t to, std::int64_t sign);
  struct BoundCounter;
  void answer_linear(const Entity& e, Cell* out);
  struct WindowSums;
  struct RangeAdder;
  struct CollectionAdder;
  struct NewestAdder;
  struct OrderedWindow {
    std::int64_t end_us, begin_us;
    bool all_time;
    std::size_t window;
  };
  // The events of [begin_us, end_us), and where they lie.
  struct Range {
    std::int64_t begin_us, end_us;
    Cursor begin, end;
  };
  // The windows of a question, so that those with one end follow each other, the shortest first.
  void order_windows(std::int64_t at_us);
  Cursor place_of(const Entity& e, std::int64_t time_us) const;
  void visit(const Entity& e, Cursor from, Cursor to, std::int64_t at_us, RangeVisitor& visitor);
  void answer_windows(const Entity& e, std::int64_t at_us, bool by_cursors, Cell* out);
  // Adds the events of a range to what was gathered of later ones.
  void add_range(const Entity& e, const Range& range, std::int64_t at_us, bool with_sums,
                 bool with_kept);
  void gather_range(const Entity& e, std::size_t index, const Range& range, std::int64_t at_us);
  // Whether the questions about a window can go on from what was gathered for the one before.
  static bool can_keep(const CollectionPlan& plan) {
    return plan.gather != CollectionPlan::Gather::newest &&
           plan.gather != CollectionPlan::Gather::decayed;
  }
  bool keeps(const Entity& e, std::int64_t at_us) const;
  void gather_kept(const Entity& e, const OrderedWindow& window, std::int64_t at_us);
  void gather_from_kept(HotEntity& hot, std::size_t index, const OrderedWindow& window,
                        std::int64_t at_us);
  void gather_anew(HotEntity& hot, std::size_t index, const OrderedWindow& window,
                   KeptWindow& kept);
  void add_to_kept(HotEntity& hot, const std::byte* record) const;
  static void drop_kept(HotEntity& hot, std::int64_t time_us);
  void answer_gathered(const Entity& e, std::size_t window, std::int64_t at_us, bool by_cursors,
                       Cell* out);
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
  // Entities outside memory.
  Status bring_in(std::string_view key, std::string_view bytes);
  FoldedEvents* make_base();
  void drop(Entity& e);
  void renumber(const std::vector<std::int32_t>& kept);

  // What expires later is not given up yet: a capture of a moment past may still need it.
  std::int64_t expiry_known() const {
    return changes_.capturing() ? frozen_known_ : turns_began_at_.value_or(last_known_);
  }

  const RecordLayout layout_;
  Packing packing_;
  bool lag_is_known_ = false;  // the usual one; settled by the first event
  const TimeZone* const zone_;
  const StateShape shape_;
  std::vector<Boundary> boundaries_;         // T first
  std::vector<WindowBounds> window_bounds_;  // by window
  std::size_t windows_ = 0;
  std::int64_t retention_us_ = 0, lateness_us_ = 0;
  bool all_time_ = false;  // a window is over all time
  bool needs_sums_;        // an answer is read from sums
  bool has_large_;         // sums besides the linear ones are kept
  std::string signature_;  // what the bytes of the state depend on
  std::size_t linear_count_ = 0;

  KeyTable keys_;
  StringTable strings_;
  AnsweredTexts answered_{strings_};  // of cells given out
  std::vector<Entity> blocks_;
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
  UnitSource* units_ = nullptr;  // of entities that are not in memory
  std::uint32_t units_part_ = 0;
  std::uint32_t uses_ = 0;
  std::size_t bases_ = 0;  // entities with events folded away
  // Events that were taken back, while a question may still be asked that sees them: by entity, and
  // in the order in which they leave.
  std::map<std::int32_t, std::deque<TakenBack>> taken_back_;
  std::deque<std::pair<std::int64_t, std::int32_t>> leaving_;
  std::uint64_t next_sequence_ = 0;
  // Set when every aggregate is answered by linear sums alone, which is quicker.
  const std::vector<LinearPlan> linear_plans_;
  std::vector<std::int64_t> scratch_linear_;
  Tally gathered_;  // of a window's events, while a question is answered
  std::vector<Collection> scratch_collections_;
  std::vector<OrderedWindow> ordered_windows_;
  std::vector<std::byte> scratch_record_;  // of an event that is applied
  std::vector<std::byte> unpacked_;        // of an event that is read
};

}  // namespace coeval::kernel
