// How an event is taken back. (semantics: T7)
//
// It leaves the entity's events, and the sums of the cursors behind it: they are exact, so nothing
// of it stays. Questions about times before that still see it, so it is kept aside for as long as
// one may be asked, which the lateness says.
#include <algorithm>
#include <cstring>

#include "kernel/view_state.h"

namespace coeval::kernel {

namespace {

std::uint64_t sequence_of(const RecordLayout& layout, const std::byte* record) {
  return load<std::uint64_t>(record + layout.sequence_at);
}

exact::Key128 name_of(const RecordLayout& layout, const std::byte* record) {
  return {load<std::uint64_t>(record + layout.name_at),
          load<std::uint64_t>(record + layout.name_at + 8)};
}

}  // namespace

// The record as it is held: with its place among the view's events.
const std::byte* ViewState::with_sequence(const std::byte* record) {
  if (record != scratch_record_.data()) copy_record(scratch_record_.data(), record, layout_.stride);
  store(scratch_record_.data() + layout_.sequence_at, next_sequence_++);
  return scratch_record_.data();
}

void ViewState::take_back(std::int32_t number, std::int64_t event_time_us, std::int64_t known_us,
                          exact::Key128 name, std::int64_t until_us) {
  last_known_ = std::max(last_known_, until_us);
  if (number < 0 || number >= entities_) return;
  Entity& e = entity(number);
  const Cursor place = find_event(e, event_time_us, known_us, name);
  if (place.chunk == nullptr) return;
  TakenBack event{until_us, std::vector<std::byte>(layout_.stride)};
  place.chunk->unpack(packing_, place.slot, event.record.data());
  remove(e, place, event.record.data());
  keep_taken_back(number, std::move(event));
}

// Newest first: most corrections are of what came lately. No chunk where the event is not held.
Cursor ViewState::find_event(Entity& e, std::int64_t event_time_us, std::int64_t known_us,
                             exact::Key128 name) {
  if (!e.has_events()) return {};
  Chunk* chunk = e.hot != nullptr ? e.hot->tree.chunk_for(event_time_us) : e.only;
  for (; chunk != nullptr; chunk = e.hot != nullptr ? ChunkTree::previous(chunk) : nullptr) {
    for (std::uint32_t slot = upper_slot(*chunk, event_time_us); slot > chunk->begin; --slot) {
      if (chunk->time(slot - 1) < event_time_us) return {};
      if (chunk->known(packing_, slot - 1) != known_us) continue;
      chunk->unpack(packing_, slot - 1, unpacked_.data());
      if (name_of(layout_, unpacked_.data()) == name) return {chunk, slot - 1};
    }
  }
  return {};
}

// Takes the event at a place, which is given, out of the entity; its strings stay in use.
void ViewState::remove(Entity& e, Cursor place, const std::byte* record) {
  Chunk* chunk = place.chunk;
  const std::int64_t time = event_time_of(record);
  const bool tracked = e.hot != nullptr && e.hot->tracked;
  for (std::size_t i = 0; tracked && i < boundaries_.size(); ++i)
    if (time < e.hot->bounds_us[i]) count(*e.hot, i, record, -1);
  if (e.hot != nullptr) drop_kept(*e.hot, time);
  repoint(e, chunk, chunk, place.slot + 1, -1);
  chunk->close(place.slot);
  --events_;
  if (e.hot == nullptr) {
    if (chunk->begin == chunk->end) free_events(e);
    return;
  }
  ChunkTree::changed(chunk);
  if (chunk->begin == chunk->end) unlink_empty(e, chunk);
  become_cold_if_small(e);
}

void ViewState::unlink_empty(Entity& e, Chunk* chunk) {
  if (e.hot->tree.size() == 1) return free_events(e);
  Chunk *previous = ChunkTree::previous(chunk), *next = ChunkTree::next(chunk);
  for (Cursor& cursor : e.hot->cursors)
    if (e.hot->tracked && cursor.chunk == chunk)
      cursor = previous != nullptr ? Cursor{previous, previous->end} : Cursor{next, next->begin};
  e.hot->tree.remove(chunk);
}

void ViewState::keep_taken_back(std::int32_t number, TakenBack event) {
  leaving_.emplace_back(event.until_us, number);
  taken_back_[number].push_back(std::move(event));
}

// Known times of positions go up, so what was taken back first leaves first.
void ViewState::forget_taken_back() {
  while (!leaving_.empty() && is_settled(leaving_.front().first)) {
    const auto events = taken_back_.find(leaving_.front().second);
    leaving_.pop_front();
    release_strings(events->second.front().record.data());
    events->second.pop_front();
    if (events->second.empty()) taken_back_.erase(events);
  }
}

bool ViewState::sees_taken_back(std::int32_t number, std::int64_t at_us) const {
  const auto taken = taken_back_.find(number);
  return taken != taken_back_.end() && at_us <= taken->second.back().until_us &&
         std::ranges::any_of(taken->second, [at_us](const TakenBack& event) {
           return known_time_of(event.record.data()) < at_us && at_us <= event.until_us;
         });
}

std::vector<ViewState::Held> ViewState::held_events(std::int32_t number) const {
  std::vector<Held> held;
  for (Chunk* chunk = entity(number).first(); chunk != nullptr; chunk = next_chunk(chunk))
    for (std::uint32_t slot = chunk->begin; slot < chunk->end; ++slot) {
      held.push_back({std::vector<std::byte>(layout_.stride), kNotTakenBack});
      chunk->unpack(packing_, slot, held.back().record.data());
    }
  const auto taken = taken_back_.find(number);
  if (taken == taken_back_.end()) return held;
  for (const TakenBack& event : taken->second) held.push_back({event.record, event.until_us});
  std::ranges::sort(held, {}, [this](const Held& event) {
    return std::pair(event_time_of(event.record.data()), sequence_of(layout_, event.record.data()));
  });
  return held;
}

// A question about a time when an event counted that no longer does: every event is looked at, for
// the window, for whether it was known, and whether it still counted. (semantics: T3 T7)
void ViewState::answer_amended_past(std::int32_t number, std::int64_t at_us, Cell* out) {
  const std::vector<Held> held = held_events(number);
  for (std::size_t window = 0; window < windows_; ++window) {
    const std::int64_t from = bound(boundaries_[window_bounds_[window].begin], at_us);
    const std::int64_t to = bound(boundaries_[window_bounds_[window].end], at_us);
    std::vector<const std::byte*> seen;
    for (const auto& [record, until] : held) {
      const std::int64_t time = event_time_of(record.data());
      if (from <= time && time < to && known_time_of(record.data()) < at_us && at_us <= until)
        seen.push_back(record.data());
    }
    answer_events(seen, window, at_us, out);
  }
}

}  // namespace coeval::kernel
