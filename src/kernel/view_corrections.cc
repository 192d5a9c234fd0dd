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
  const Cursor place = find_event(e, layout_, event_time_us, known_us, name);
  if (place.chunk == nullptr) return;
  before_change(e, number);
  e.max_known = std::max(e.max_known, until_us);
  const std::byte* record = place_of(place);
  keep_taken_back(number, {until_us, {record, record + layout_.stride}});
  remove(e, place);
}

// Newest first: most corrections are of what came lately. No chunk where the event is not held.
Cursor ViewState::find_event(Entity& e, const RecordLayout& layout, std::int64_t event_time_us,
                             std::int64_t known_us, exact::Key128 name) {
  for (Chunk* chunk = e.tail; chunk != nullptr; chunk = chunk->previous) {
    if (chunk->first_time() > event_time_us) continue;
    for (std::uint32_t slot = chunk->end; slot > chunk->begin; --slot) {
      const std::byte* record = chunk->at(slot - 1);
      if (event_time_of(record) > event_time_us) continue;
      if (event_time_of(record) < event_time_us) return {};
      if (known_time_of(record) == known_us && name_of(layout, record) == name)
        return {chunk, slot - 1};
    }
  }
  return {};
}

// Takes the event at a place out of the entity; its strings stay in use.
void ViewState::remove(Entity& e, Cursor place) {
  Chunk* chunk = place.chunk;
  std::byte* record = chunk->at(place.slot);
  const std::int64_t time = event_time_of(record);
  for (std::size_t i = 0; e.tracked && i < boundaries_.size(); ++i)
    if (time < bound(boundaries_[i], e.asked_at)) count(e, i, record, -1);
  repoint(e, chunk, chunk, place.slot + 1, -1);
  std::memmove(record, record + layout_.stride,
               std::size_t{chunk->end - place.slot - 1} * layout_.stride);
  --chunk->end;
  --events_;
  chunk->summary_is_fresh = false;
  if (chunk->begin == chunk->end) return unlink_empty(e, chunk);
  // Cursors stand at the end of a chunk rather than at the begin of the next.
  Cursor* cursor = cursors(e);
  for (std::size_t i = 0; e.tracked && i < boundaries_.size(); ++i)
    if (cursor[i].chunk == chunk && cursor[i].slot == chunk->begin && chunk->previous != nullptr)
      cursor[i] = {chunk->previous, chunk->previous->end};
}

void ViewState::unlink_empty(Entity& e, Chunk* chunk) {
  Chunk *previous = chunk->previous, *next = chunk->next;
  (previous != nullptr ? previous->next : e.head) = next;
  (next != nullptr ? next->previous : e.tail) = previous;
  if (previous == nullptr && next == nullptr) e.tracked = false;
  Cursor* cursor = cursors(e);
  for (std::size_t i = 0; e.tracked && i < boundaries_.size(); ++i)
    if (cursor[i].chunk == chunk)
      cursor[i] = previous != nullptr ? Cursor{previous, previous->end} : Cursor{next, next->begin};
  Chunk::free(chunk);
}

void ViewState::keep_taken_back(std::int32_t number, TakenBack event) {
  leaving_.emplace_back(event.until_us, number);
  taken_back_[number].push_back(std::move(event));
}

// Known times of positions go up, so what was taken back first leaves first.
void ViewState::forget_taken_back() {
  const std::int64_t last_known = changes_.capturing() ? frozen_known_ : last_known_;
  while (!leaving_.empty() && is_settled(leaving_.front().first, last_known)) {
    const std::int32_t number = leaving_.front().second;
    const auto events = taken_back_.find(number);
    leaving_.pop_front();
    release_strings(events->second.front().record.data());
    events->second.pop_front();
    if (!events->second.empty()) continue;
    taken_back_.erase(events);
    if (entity(number).head == nullptr) before_change(entity(number), number);  // nothing is left
  }
}

std::vector<ViewState::Held> ViewState::held_events(std::int32_t number) const {
  std::vector<Held> held;
  for (Chunk* chunk = entity(number).head; chunk != nullptr; chunk = chunk->next)
    for (std::uint32_t slot = chunk->begin; slot < chunk->end; ++slot)
      held.push_back({chunk->at(slot), kNotTakenBack});
  const auto taken = taken_back_.find(number);
  if (taken == taken_back_.end()) return held;
  for (const TakenBack& event : taken->second)
    held.push_back({event.record.data(), event.until_us});
  std::ranges::sort(held, {}, [this](const Held& event) {
    return std::pair(event_time_of(event.record), sequence_of(layout_, event.record));
  });
  return held;
}

// A question about a time before the newest event or correction: every event is looked at, for the
// window, for whether it was known, and whether it still counted. (semantics: T3 T7)
void ViewState::answer_amended_past(std::int32_t number, std::int64_t at_us, Cell* out) {
  const std::vector<Held> held = held_events(number);
  for (std::size_t window = 0; window < windows_; ++window) {
    const std::int64_t from = bound(boundaries_[window_bounds_[window].begin], at_us);
    const std::int64_t to = bound(boundaries_[window_bounds_[window].end], at_us);
    std::vector<const std::byte*> seen;
    for (const auto& [record, until] : held) {
      const std::int64_t time = event_time_of(record);
      if (from <= time && time < to && known_time_of(record) < at_us && at_us <= until)
        seen.push_back(record);
    }
    answer_events(seen, window, at_us, out);
  }
}

}  // namespace coeval::kernel
