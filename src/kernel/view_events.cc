// How a view holds its events: insertion in (event time, position) order, chunks, and what leaves.
#include <algorithm>
#include <cstring>

#include "kernel/view_state.h"

namespace coeval::kernel {

namespace {

// The slot behind the last event whose time is ≤ time: an event of equal time and later position
// goes there. Most events arrive near the end, so the search starts there.
std::uint32_t upper_slot(Chunk* chunk, std::int64_t time) {
  std::uint32_t low = chunk->begin, high = chunk->end;
  while (high - low > 8) {
    const std::uint32_t middle = low + (high - low) / 2;
    if (event_time_of(chunk->at(middle)) <= time)
      low = middle + 1;
    else
      high = middle;
  }
  while (high > low && event_time_of(chunk->at(high - 1)) > time) --high;
  return high;
}

}  // namespace

// The record as it is held: with strings of this view for rows of the block.
const std::byte* ViewState::with_strings(const std::byte* record,
                                         std::span<const data::Column> strings) {
  copy_record(scratch_record_.data(), record, layout_.stride);
  for (std::size_t i = 0; i < layout_.strings.size(); ++i) {
    if (!bit_of(record, layout_.strings[i].part_bit)) continue;
    std::byte* slot = scratch_record_.data() + layout_.strings_at + 8 * i;
    const std::string_view text = strings[i].string(load<std::int64_t>(slot));
    store(slot, bits_of_string(strings_.take(text)));
  }
  return scratch_record_.data();
}

void ViewState::release_strings(const std::byte* record) {
  for (std::size_t i = 0; i < layout_.strings.size(); ++i)
    if (bit_of(record, layout_.strings[i].part_bit))
      StringTable::release(
          string_of_bits(load<std::uint64_t>(record + layout_.strings_at + 8 * i)));
}

void ViewState::insert(Entity& e, const std::byte* record) {
  const std::int64_t time = event_time_of(record);
  if (e.tail == nullptr) append_chunk(e, nullptr, Chunk::kMinCapacity);
  while (true) {
    Chunk* chunk = e.tail;
    // Only a chunk that make_room has just put at the end is empty, and it is meant for this event.
    while (chunk->previous != nullptr && chunk->size() > 0 && chunk->first_time() > time)
      chunk = chunk->previous;
    const std::uint32_t slot =
        chunk->size() == 0 || chunk->last_time() <= time ? chunk->end : upper_slot(chunk, time);
    if (chunk->end == chunk->capacity) [[unlikely]] {
      make_room(e, chunk, slot);
      continue;
    }
    std::byte* place = chunk->at(slot);
    if (slot != chunk->end)
      std::memmove(place + layout_.stride, place, std::size_t{chunk->end - slot} * layout_.stride);
    copy_record(place, record, layout_.stride);
    ++chunk->end;
    chunk->summary_is_fresh = false;
    if (e.tracked) count_late(e, chunk, record);
    return;
  }
}

// Adds a fresh event to the sums of the cursors that stand behind it.
void ViewState::count_late(Entity& e, Chunk* chunk, const std::byte* record) {
  const std::int64_t time = event_time_of(record);
  Cursor* cursor = cursors(e);
  for (std::size_t i = 0; i < boundaries_.size(); ++i) {
    if (time >= bound(boundaries_[i], e.asked_at)) continue;
    count(e, i, record, 1);
    if (cursor[i].chunk == chunk)
      ++cursor[i].slot;
    else if (chunk->size() == 1 && cursor[i].chunk == chunk->previous)
      cursor[i] = {chunk, chunk->end};  // the first event of a fresh last chunk
  }
}

// Makes a free slot in or beside a full chunk; the caller searches again. What has expired goes
// first.
void ViewState::make_room(Entity& e, Chunk* chunk, std::uint32_t slot) {
  sweep_some(e);
  if (is_expired(e.head->at(e.head->begin), last_known_)) {
    evict(e, last_known_);
    if (e.tail == nullptr) append_chunk(e, nullptr, Chunk::kMinCapacity);
    return;
  }
  if (chunk->begin >= chunk->capacity / 4 && chunk->begin > 0) return compact(e, chunk);
  if (chunk->capacity < Chunk::kMaxCapacity) return grow(e, chunk);
  if (chunk == e.tail && slot == chunk->end) return append_chunk(e, chunk, Chunk::kMaxCapacity);
  split(e, chunk);
}

// Links an empty chunk in after `chunk`; it is filled before anything else looks at the list.
void ViewState::append_chunk(Entity& e, Chunk* chunk, std::uint32_t capacity) {
  Chunk* fresh = Chunk::make(capacity, layout_.stride);
  fresh->previous = chunk;
  if (chunk == nullptr) {
    e.head = e.tail = fresh;
    return;
  }
  fresh->next = chunk->next;
  (chunk->next != nullptr ? chunk->next->previous : e.tail) = fresh;
  chunk->next = fresh;
}

void ViewState::grow(Entity& e, Chunk* chunk) {
  Chunk* larger = Chunk::make(chunk->capacity * 2, layout_.stride);
  std::memcpy(larger->at(0), chunk->at(chunk->begin), std::size_t{chunk->size()} * layout_.stride);
  larger->end = chunk->size();
  larger->previous = chunk->previous;
  larger->next = chunk->next;
  (chunk->previous != nullptr ? chunk->previous->next : e.head) = larger;
  (chunk->next != nullptr ? chunk->next->previous : e.tail) = larger;
  repoint(e, chunk, larger, 0, -static_cast<std::int64_t>(chunk->begin));
  Chunk::free(chunk);
}

void ViewState::compact(Entity& e, Chunk* chunk) {
  const std::uint32_t begin = chunk->begin;
  std::memmove(chunk->at(0), chunk->at(begin), std::size_t{chunk->size()} * layout_.stride);
  chunk->end -= begin;
  chunk->begin = 0;
  repoint(e, chunk, chunk, 0, -static_cast<std::int64_t>(begin));
}

void ViewState::split(Entity& e, Chunk* chunk) {
  append_chunk(e, chunk, Chunk::kMaxCapacity);
  Chunk* upper = chunk->next;
  const std::uint32_t middle = chunk->begin + chunk->size() / 2;
  upper->end = chunk->end - middle;
  std::memcpy(upper->at(0), chunk->at(middle), std::size_t{upper->end} * layout_.stride);
  chunk->end = middle;
  chunk->summary_is_fresh = false;
  repoint(e, chunk, upper, middle + 1, -static_cast<std::int64_t>(middle));
}

// Cursors of `from` at or behind from_slot go to `to`, their slots shifted.
void ViewState::repoint(Entity& e, const Chunk* from, Chunk* to, std::uint32_t from_slot,
                        std::int64_t shift) {
  if (!e.tracked) return;
  Cursor* cursor = cursors(e);
  for (std::size_t i = 0; i < boundaries_.size(); ++i)
    if (cursor[i].chunk == from && cursor[i].slot >= from_slot)
      cursor[i] = {to, static_cast<std::uint32_t>(cursor[i].slot + shift)};
}

void ViewState::evict(Entity& e, std::int64_t last_known) {
  while (e.head != nullptr && is_expired(e.head->at(e.head->begin), last_known)) evict_first(e);
}

void ViewState::evict_first(Entity& e) {
  Chunk* chunk = e.head;
  const std::byte* record = chunk->at(chunk->begin);
  if (all_time_) {
    if (e.base == nullptr) e.base = new FoldedEvents(layout_);
    e.base->add(layout_, record);
  }
  Cursor* cursor = cursors(e);
  for (std::size_t i = 0; e.tracked && i < boundaries_.size(); ++i) {
    if (cursor[i].chunk != chunk || cursor[i].slot != chunk->begin) continue;
    if (boundaries_[i].from_begin) {
      count(e, i, record, 1);
      ++cursor[i].slot;
    } else {
      e.tracked = false;  // a cursor has not come by yet: all are set up anew at the next question
    }
  }
  release_strings(record);
  ++chunk->begin;
  --events_;
  chunk->summary_is_fresh = false;
  if (chunk->begin != chunk->end) return;
  Chunk* next = chunk->next;
  (next != nullptr ? next->previous : e.tail) = nullptr;
  e.head = next;
  if (next == nullptr) e.tracked = false;
  if (next != nullptr) repoint(e, chunk, next, 0, std::int64_t{next->begin} - chunk->begin);
  Chunk::free(chunk);
}

// Looks at some more entities, so that those that nothing happens to any more give up their memory
// too.
void ViewState::sweep_some(const Entity& busy) {
  constexpr int kEntities = 2;
  const std::int64_t last_known = expiry_known();
  for (int i = 0; i < kEntities; ++i) {
    if (++swept_ >= entities_) swept_ = 0;
    Entity& e = entity(swept_);
    if (&e == &busy || e.head == nullptr) continue;
    evict(e, last_known);
    if (e.head == nullptr) before_change(e, swept_);  // nothing is left to keep
  }
}

}  // namespace coeval::kernel
