#pragma once

#include <cstddef>
#include <cstdint>

#include "kernel/chunk.h"
#include "kernel/collection.h"
#include "kernel/tally.h"
#include "kernel/tile_node.h"

namespace coeval::kernel {

/// Takes the events of a range in order: those of edges one by one, others by their tallies.
class RangeVisitor {
 public:
  virtual ~RangeVisitor() = default;
  virtual void events(Chunk& chunk, std::uint32_t from, std::uint32_t to) = 0;
  virtual void tile(TallyParts tally) = 0;
};

/// Takes events from the newest to the oldest, until it has enough: then it says false.
class BackVisitor {
 public:
  virtual ~BackVisitor() = default;
  virtual bool events(Chunk& chunk, std::uint32_t from, std::uint32_t to) = 0;
};

/// The chunks of an entity of many events, in a tree of tiles: a place in time is found, and a
/// range of events is summed up, in steps that grow with the logarithm of the number of events.
///
/// A change makes the tiles stale that it lies in; they are summed again when they are asked for.
/// All leaves are equally deep. Never empty. Owns the chunks.
class ChunkTree {
 public:
  /// Takes over an entity's only chunk.
  ChunkTree(Chunk* chunk, std::int64_t max_known_us);
  ~ChunkTree();
  ChunkTree(const ChunkTree&) = delete;
  ChunkTree& operator=(const ChunkTree&) = delete;

  std::size_t size() const { return size_; }
  Chunk* first() const;
  Chunk* last() const;
  static Chunk* next(Chunk* chunk);
  static Chunk* previous(Chunk* chunk);
  /// No less than any known time in the tree, or in a chunk.
  std::int64_t max_known_us() const;
  static std::int64_t max_known_us(const Chunk* chunk);

  /// The chunk that an event of this time belongs to: behind all of equal time.
  Chunk* chunk_for(std::int64_t time_us) const;
  /// The place in front of all events at or after a time.
  Cursor place_of(std::int64_t time_us) const;

  /// Puts a chunk behind another; all its events are at or after `separator_us`, and all before it
  /// at or before.
  void insert_after(Chunk* place, Chunk* fresh, std::int64_t separator_us,
                    std::int64_t max_known_us);
  void replace(Chunk* chunk, Chunk* by);
  /// Takes a chunk out and frees it; not the only one.
  void remove(Chunk* chunk);
  /// Gives up the only chunk that is left.
  Chunk* release();
  /// Says that a chunk's events have changed, and the known time of one that came to it.
  static void changed(Chunk* chunk, std::int64_t known_us = INT64_MIN);

  /// Visits the events between two places, oldest first. Tiles are told where all their events were
  /// known before `at_us`; the visitor looks at the others itself.
  void visit(const EventForm& form, Cursor from, Cursor to, std::int64_t at_us,
             RangeVisitor& visitor);
  /// Adds the events to a collection, the `index`-th of the layout's, that were known before
  /// `at_us`; not for newest values and decayed sums, which are no sums of parts.
  void gather(const EventForm& form, Cursor from, Cursor to, std::int64_t at_us, std::size_t index,
              Collection& into);
  /// Visits them newest first, and leaves out tiles in which no event has the bit.
  void visit_back(const EventForm& form, Cursor from, Cursor to, int bit, BackVisitor& visitor);

 private:
  void insert_child(TileNode* node, std::size_t index, void* child, std::int64_t separator_us,
                    std::int64_t max_known_us, bool at_end);
  TileNode* split(TileNode* node, bool at_end);
  void remove_child(TileNode* node, std::size_t index);

  TileNode* root_;
  std::size_t size_ = 1;
};

}  // namespace coeval::kernel
