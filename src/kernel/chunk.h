#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <new>

#include "kernel/record_layout.h"
#include "kernel/tally.h"

namespace coeval::kernel {

/// A run of one entity's events in one piece of memory, sorted by (event time, position), between
/// two others of the same entity. The records follow the header; those at slots [begin, end) are
/// held.
///
/// A chunk in a list is never empty. Entities of few events have one that grows; large ones have
/// many of kMaxCapacity, so that an insertion moves little memory.
struct Chunk {
  static constexpr std::uint32_t kMinCapacity = 4;
  static constexpr std::uint32_t kMaxCapacity = 128;

  Chunk* previous = nullptr;
  Chunk* next = nullptr;
  std::uint32_t begin = 0, end = 0, capacity = 0;
  std::uint32_t stride = 0;
  /// Tally of the chunk's events as of when it was last needed; stale after any change.
  std::unique_ptr<Tally> summary;
  bool summary_is_fresh = false;

  std::byte* at(std::uint32_t slot) {
    return reinterpret_cast<std::byte*>(this) + sizeof(Chunk) + std::size_t{slot} * stride;
  }
  std::uint32_t size() const { return end - begin; }
  std::int64_t first_time() { return event_time_of(at(begin)); }
  std::int64_t last_time() { return event_time_of(at(end - 1)); }

  static Chunk* make(std::uint32_t capacity, std::size_t stride) {
    void* memory = ::operator new(sizeof(Chunk) + capacity * stride);
    auto* chunk = new (memory) Chunk();
    chunk->capacity = capacity;
    chunk->stride = static_cast<std::uint32_t>(stride);
    return chunk;
  }
  static void free(Chunk* chunk) {
    chunk->~Chunk();
    ::operator delete(chunk);
  }
  const Tally& fresh_summary(const RecordLayout& layout) {
    if (summary_is_fresh) return *summary;
    if (summary)
      summary->clear(layout);
    else
      summary = std::make_unique<Tally>(layout);
    for (std::uint32_t slot = begin; slot < end; ++slot) summary->add(layout, at(slot));
    summary_is_fresh = true;
    return *summary;
  }
};

/// A place between two events of an entity: the events before it are those before slot `slot` of
/// `chunk`. Normal form: the end of a chunk rather than the begin of the next, so that an insertion
/// between the two (which goes to the end of the former) lies at the cursor.
struct Cursor {
  Chunk* chunk = nullptr;
  std::uint32_t slot = 0;
};

}  // namespace coeval::kernel
