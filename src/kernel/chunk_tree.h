#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "kernel/chunk.h"
#include "kernel/record_layout.h"
#include "kernel/tally.h"

namespace coeval::kernel {

/// What it takes to read the events of a chunk.
struct EventForm {
  const RecordLayout& layout;
  const Packing& packing;
};

/// Some chunks or nodes, in the order of their events, and the exact tally of each: a tile.
///
/// Invariants: 1. All events of child i − 1 are at or before separator_us[i], and all of child i at
/// or after it. 2. max_known_us[i] is no less than any known time in child i. 3. Where bit tile[i]
/// of `fresh` is set, that tally is of exactly the events of child i.
struct TileNode {
  static constexpr std::size_t kFanout = 16;

  TileNode* parent = nullptr;
  std::uint8_t level = 0;  ///< 0: the children are chunks
  std::uint8_t count = 0;
  std::uint16_t used = 0, fresh = 0;  ///< of the tallies
  std::array<void*, kFanout> child{};
  std::array<std::int64_t, kFanout> separator_us{}, max_known_us{};
  std::array<std::uint8_t, kFanout> tile{};
  std::unique_ptr<TallyTable> tallies;  ///< made when first asked for

  Chunk* chunk(std::size_t i) const { return static_cast<Chunk*>(child[i]); }
  TileNode* node(std::size_t i) const { return static_cast<TileNode*>(child[i]); }
};

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
