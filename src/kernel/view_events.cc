// How a view holds its events: insertion in (event time, position) order, chunks, and what leaves.
#include <algorithm>
#include <cstring>

#include "kernel/view_state.h"

namespace coeval::kernel {

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

void ViewState::insert(Entity& e, const std::byte* record, std::uint32_t expected) {
  const std::int64_t time = event_time_of(record);
  if (!lag_is_known_) {
    packing_.usual_lag_us = static_cast<std::int64_t>(
        static_cast<std::uint64_t>(known_time_of(record)) - static_cast<std::uint64_t>(time));
    lag_is_known_ = true;
  }
  while (true) {
    if (!e.has_events()) e.only = Chunk::make_for(packing_, expected, nullptr, record);
    Chunk* chunk = e.hot != nullptr ? e.hot->tree.chunk_for(time) : e.only;
    const std::uint32_t slot = upper_slot(*chunk, time);
    if (chunk->end == chunk->capacity || chunk->size() >= shape_.chunk_events) [[unlikely]] {
      make_room(e, chunk, slot, record);
      continue;
    }
    if (!chunk->takes(packing_, record)) [[unlikely]] {
      grow(e, chunk, chunk->capacity, record);
      continue;
    }
    chunk->open(slot);
    chunk->put(packing_, slot, record);
    if (e.hot == nullptr) return;
    ChunkTree::changed(chunk, known_time_of(record));
    if (e.hot->tracked) count_late(*e.hot, chunk, slot, record);
    add_to_kept(*e.hot, record);
    return;
  }
}

// Adds a fresh event to the sums of the cursors that stand behind it.
void ViewState::count_late(HotEntity& hot, Chunk* chunk, std::uint32_t slot,
                           const std::byte* record) {
  const std::int64_t time = event_time_of(record);
  for (std::size_t i = 0; i < boundaries_.size(); ++i) {
    if (time >= hot.bounds_us[i]) continue;
    count(hot, i, record, 1);
    Cursor& cursor = hot.cursors[i];
    if (cursor.chunk == chunk)
      ++cursor.slot;
    else if (slot == chunk->begin && cursor.slot == cursor.chunk->end &&
             ChunkTree::next(cursor.chunk) == chunk)
      cursor = {chunk, slot + 1};  // it stood between the two
  }
}

// Makes a free slot in or beside a full chunk; the caller searches again. What has expired goes
// first.
void ViewState::make_room(Entity& e, Chunk* chunk, std::uint32_t slot, const std::byte* record) {
  sweep_some(e);
  if (is_first_expired(e, last_known_)) return evict(e, last_known_);
  if (chunk->begin > 0 && chunk->begin >= chunk->capacity / 16) return compact(e, chunk);
  if (chunk->size() < shape_.chunk_events && chunk->capacity < Chunk::kMaxCapacity) {
    const std::uint32_t size = chunk->size();
    const std::uint32_t more = e.hot != nullptr ? size : std::max(2u, size / 16);
    return grow(e, chunk, std::min(shape_.chunk_events, size + more), record);
  }
  if (e.hot == nullptr) become_hot(e);
  if (slot == chunk->end && chunk == e.hot->tree.last()) return append_chunk(e, record);
  split(e, chunk);
}

// A chunk with its events and room for more, in whose form the record can be written too.
void ViewState::grow(Entity& e, Chunk* chunk, std::uint32_t capacity, const std::byte* record) {
  Chunk* larger = Chunk::make_for(packing_, std::max(capacity, chunk->size() + 1), chunk, record);
  larger->append(packing_, *chunk, chunk->begin, chunk->end);
  repoint(e, chunk, larger, 0, -std::int64_t{chunk->begin});
  if (e.hot != nullptr)
    e.hot->tree.replace(chunk, larger);
  else
    e.only = larger;
  Chunk::free(chunk);
}

void ViewState::compact(Entity& e, Chunk* chunk) {
  repoint(e, chunk, chunk, 0, -std::int64_t{chunk->begin});
  chunk->compact();
}

void ViewState::become_hot(Entity& e) {
  Chunk& chunk = *e.only;
  std::int64_t newest = INT64_MIN;
  for (std::uint32_t slot = chunk.begin; slot < chunk.end; ++slot)
    newest = std::max(newest, chunk.known(packing_, slot));
  e.hot = new HotEntity(e.only, newest);
  e.only = nullptr;
}

void ViewState::become_cold_if_small(Entity& e) {
  if (e.hot == nullptr || e.hot->tree.size() > 1) return;
  if (e.hot->tree.first()->size() > shape_.chunk_events / 2) return;
  e.only = e.hot->tree.release();
  delete e.hot;
  e.hot = nullptr;
}

// A chunk behind the last, with the record's form and some room; the record is put there next.
void ViewState::append_chunk(Entity& e, const std::byte* record) {
  constexpr std::uint32_t kFirst = 16;
  Chunk* last = e.hot->tree.last();
  Chunk* fresh = Chunk::make_for(packing_, std::min(kFirst, shape_.chunk_events), nullptr, record);
  e.hot->tree.insert_after(last, fresh, event_time_of(record), known_time_of(record));
}

void ViewState::split(Entity& e, Chunk* chunk) {
  const std::uint32_t middle = chunk->begin + chunk->size() / 2;
  Chunk* upper = Chunk::make(packing_, shape_.chunk_events, chunk->form(), chunk->base_us);
  upper->append(packing_, *chunk, middle, chunk->end);
  chunk->end = static_cast<std::uint8_t>(middle);
  ChunkTree::changed(chunk);
  e.hot->tree.insert_after(chunk, upper, upper->first_time(), ChunkTree::max_known_us(chunk));
  repoint(e, chunk, upper, middle + 1, -std::int64_t{middle});
}

// Cursors of `from` at or behind from_slot go to `to`, their slots shifted.
void ViewState::repoint(Entity& e, const Chunk* from, Chunk* to, std::uint32_t from_slot,
                        std::int64_t shift) {
  if (e.hot == nullptr || !e.hot->tracked) return;
  for (Cursor& cursor : e.hot->cursors)
    if (cursor.chunk == from && cursor.slot >= from_slot)
      cursor = {to, static_cast<std::uint32_t>(cursor.slot + shift)};
}

bool ViewState::is_first_expired(const Entity& e, std::int64_t last_known) const {
  Chunk* chunk = e.first();
  return is_expired(chunk->first_time(), chunk->known(packing_, chunk->begin), last_known);
}

void ViewState::evict(Entity& e, std::int64_t last_known) {
  if (!e.has_events()) return;
  while (e.has_events() && is_first_expired(e, last_known)) evict_first(e);
  become_cold_if_small(e);
}

void ViewState::evict_first(Entity& e) {
  Chunk* chunk = e.first();
  chunk->unpack(packing_, chunk->begin, unpacked_.data());
  const std::byte* record = unpacked_.data();
  if (all_time_) {
    if (e.base == nullptr) e.base = make_base();
    e.base->add(layout_, record);
  }
  if (e.hot != nullptr && e.hot->tracked) pass_first(*e.hot, chunk, record);
  if (e.hot != nullptr) drop_kept(*e.hot, event_time_of(record));
  release_strings(record);
  ++chunk->begin;
  --events_;
  if (e.hot == nullptr) {
    if (chunk->begin == chunk->end) free_events(e);
    return;
  }
  ChunkTree::changed(chunk);
  if (chunk->begin == chunk->end) unlink_empty(e, chunk);
}

// Cursors for all time move over the first event, which goes. One that has not come by yet makes
// all be set up anew at the next question.
void ViewState::pass_first(HotEntity& hot, Chunk* chunk, const std::byte* record) {
  for (std::size_t i = 0; hot.tracked && i < boundaries_.size(); ++i) {
    if (hot.cursors[i].chunk != chunk || hot.cursors[i].slot != chunk->begin) continue;
    if (!boundaries_[i].from_begin) {
      hot.tracked = false;
      return;
    }
    count(hot, i, record, 1);
    ++hot.cursors[i].slot;
  }
}

// Looks at some more entities, so that those that nothing happens to any more give up their memory
// too.
void ViewState::sweep_some(const Entity& busy) {
  constexpr int kEntities = 1;
  const std::int64_t last_known = expiry_known();
  for (int i = 0; i < kEntities; ++i) {
    if (++swept_ >= entities_) swept_ = 0;
    Entity& e = entity(swept_);
    if (&e == &busy || !e.has_events()) continue;
    evict(e, last_known);
    if (!e.has_events()) before_change(e, swept_);  // nothing is left to keep
  }
}

}  // namespace coeval::kernel
